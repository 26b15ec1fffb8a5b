"""What lint tells of scenarios beyond the shape of their files: is all that they name there, and do they keep quiet?"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from console.config import load_config, shipped_config
from console.guides.issue import Issue
from console.guides.loader import load_issues
from console.guides.places import problem_at
from console.guides.yaml_lines import Path as Where
from console.practice.drill.outline import SCENARIOS
from console.practice.drill.scenario import Scenario, StackKind, Truth
from console.practice.drill.scenarios import read_scenario
from console.practice.drill.truths import read_truth
from console.practice.simulated.blueprints import NAMES
from console.problem import Problem, Problems

AT_ONCE_S = 300.0
"""What a guide means by `at once`."""
_UNITS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}
_TIME = re.compile(r"(\d+|an?|one) (minute|hour|day)")


def is_of_scenarios(path: Path) -> bool:
    """Whether a file is a scenario or a truth, and no issue: its folder has a folder `truth`, or is one."""
    return path.parent.name == "truth" or (path.parent / "truth").is_dir()


def scenario_files(paths: Iterable[Path] = (SCENARIOS,)) -> tuple[Path, ...]:
    """The files of scenarios and truths among and under these paths."""
    inside = (item for path in paths for item in (path.rglob("*") if path.is_dir() else (path,)))
    return tuple(sorted({item for item in inside if item.suffix in (".yaml", ".yml") and is_of_scenarios(item)}))


def scenario_problems(paths: Sequence[Path] = (SCENARIOS,)) -> list[Problem]:
    """Everything that is wrong with the scenarios and truths under these paths. What belongs together is read together: a
    scenario that is named alone is looked at with its truth."""
    problems: list[Problem] = []
    scenarios: dict[Path, Scenario] = {}
    truths: dict[Path, Truth] = {}
    for path in scenario_files(paths):
        other = path.parent.parent / path.name if path.parent.name == "truth" else path.parent / "truth" / path.name
        if path.suffix == ".yml":
            problems.append(Problem(str(path), 1, 1, "is not looked at", "Call it .yaml, as every scenario."))
            continue
        if not other.is_file():
            what = "truth has no scenario" if path.parent.name == "truth" else "scenario has no truth"
            problems.append(problem_at(path, ("id",), f"the {what}", f"Write {other}, or remove this file."))
        pair = (other, path) if path.parent.name == "truth" else (path, other)
        try:
            if pair[0].is_file() and pair[0] not in scenarios:
                scenarios[pair[0]] = read_scenario(pair[0])
            if pair[1].is_file() and pair[1] not in truths:
                truths[pair[1]] = read_truth(pair[1])
        except Problems as error:
            problems.extend(error.items)
    for path, scenario in scenarios.items():
        problems.extend(_alone(path, scenario))
        hidden = path.parent / "truth" / path.name
        if hidden in truths:
            problems.extend(_of_truth(hidden, scenario, truths[hidden]))
            problems.extend(_given_away(path, scenario, truths[hidden]))
            problems.extend(_errands(hidden, scenario, truths[hidden]))
            problems.extend(_urgency(path, scenario, truths[hidden]))
    problems.extend(_twice(scenarios))
    return sorted(set(problems))


def stack_kinds(stack: StackKind) -> tuple[StackKind, ...]:
    """On which stacks a scenario can be played."""
    return (StackKind.SIMULATED, StackKind.LAB) if stack is StackKind.EITHER else (stack,)


def response_s(words: str) -> float:
    """The seconds that a guide's words mean: `at once, within 5 minutes`, `within an hour`. `at once` alone is five minutes."""
    found = _TIME.search(words)
    if found is None:
        return AT_ONCE_S
    count = found.group(1)
    return (int(count) if count.isdigit() else 1) * _UNITS[found.group(2)]


def gives_away(text: str, name: str) -> bool:
    """Whether a text says what an id says: the id itself, or all of its words, also in another form (`locked` for `lock`)."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    parts = name.rpartition(".")[2].split("-")
    return name in text.lower() or all(
        any(word == part or (len(part) > 3 and word.startswith(part)) for word in words) for part in parts
    )


@cache
def issues_of(system: str) -> Mapping[str, Issue]:
    """The issues of a shipped system's guides by id."""
    guides = load_config(shipped_config()).config.system(system).guides
    return {issue.id: issue for issue in load_issues(guides)}


@cache
def _faults(system: str, stack: StackKind) -> frozenset[str]:
    if stack is StackKind.LAB:
        from console.practice.lab.faults import BY_SYSTEM

        return frozenset(fault.id for fault in BY_SYSTEM[system])
    from console.practice.simulated.faults import HEALTHY, faults_of

    return frozenset(faults_of(system)) - {HEALTHY}


def _shown(fault: str, scenario: Scenario) -> str:
    """The cause that a fault shows: its own id, or that of the cause of which it is a kind on the lab."""
    if scenario.stack is not StackKind.LAB:
        return fault
    from console.practice.lab.faults import FAULTS

    return FAULTS[fault].cause if fault in FAULTS else fault


@cache
def _noises(stack: StackKind) -> frozenset[str]:
    if stack is StackKind.LAB:
        from console.practice.lab import noises as of_lab

        return frozenset(of_lab.NOISES)
    from console.practice.simulated import noises

    return frozenset(noises.NOISES)


def _alone(path: Path, scenario: Scenario) -> Iterator[Problem]:
    for stack in stack_kinds(scenario.stack):
        for index, planned in enumerate(scenario.faults):
            if planned.fault not in _faults(scenario.system, stack):
                where = ("faults", index, "fault")
                everywhere = {kind for kind in (StackKind.SIMULATED, StackKind.LAB) for name in NAMES
                              if planned.fault in _faults(name, kind)}  # fmt: skip
                advice = "`triage practice` and `triage lab inject` list the faults." if not everywhere else "Change `stack`."
                yield problem_at(path, where, f"the {stack} stack of {scenario.system} has no fault {planned.fault!r}", advice)
        for index, noise in enumerate(scenario.noise):
            if noise.noise not in _noises(stack):
                advice = f"There are: {', '.join(sorted(_noises(stack)))}."
                yield problem_at(path, ("noise", index, "noise"), f"the {stack} stack has no noise {noise.noise!r}", advice)
    names = [planned.fault for planned in scenario.faults]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield problem_at(path, ("faults", index, "fault"), f"{name} is injected twice", "Remove one.")


def _errands(path: Path, scenario: Scenario, truth: Truth) -> Iterator[Problem]:
    """What others mend must be possible to mend so: on the lab every fault can be undone, on the simulated stack few."""
    if scenario.stack is StackKind.LAB:
        return
    from console.practice.simulated.faults import faults_of

    faults = faults_of(scenario.system)
    for index, errand in enumerate(truth.errands):
        if errand.fault in faults and faults[errand.fault].undo is None:
            message = f"nobody else mends {errand.fault} on the simulated stack"
            yield problem_at(
                path, ("errands", index, "fault"), message, "It is mended from the console, or give the fault an `undo`."
            )


def _of_truth(path: Path, scenario: Scenario, truth: Truth) -> Iterator[Problem]:
    issues = issues_of(scenario.system)
    known = {f"{issue.id}.{cause}" for issue in issues.values() for cause in issue.causes}
    fixes = {f"{issue.id}.{fix}" for issue in issues.values() for fix in issue.fixes}

    def unknown(where: Where, name: str, what: str) -> Problem:
        near = sorted(item for item in (fixes if what == "fix" else known) if item.startswith(name.rpartition(".")[0]))
        advice = f"There are: {', '.join(near)}." if near else "An id is <issue>.<name>."
        return problem_at(path, where, f"the guides of {scenario.system} have no {what} {name!r}", advice)

    yield from (unknown(("causes", index), name, "cause") for index, name in enumerate(truth.causes) if name not in known)
    for name in truth.accepted:
        if name not in known:
            yield unknown(("accepted", name), name, "cause")
    yield from (unknown(("mending", index), name, "fix") for index, name in enumerate(truth.mending) if name not in fixes)
    planned = {_shown(item.fault, scenario) for item in scenario.faults}
    right = {*truth.causes, *truth.accepted}
    for index, name in enumerate(truth.causes):
        if name not in planned:
            advice = "Causes are those of `faults`; what also counts stands under `accepted`."
            yield problem_at(path, ("causes", index), f"{name} is a cause, and no fault of the scenario", advice)
    for name in sorted(planned - right):
        yield problem_at(path, ("causes",), f"the fault {name} is no cause to be found", "Name it in `causes`.")


def _given_away(path: Path, scenario: Scenario, truth: Truth) -> Iterator[Problem]:
    """What the trainee reads before the end must not say the answer, and hints no fix before the third."""
    told: list[tuple[Where, str]] = [(("id",), scenario.id), (("title",), scenario.title), (("brief",), scenario.brief)]
    told += [(("hints", level), scenario.hints[level]) for level in (0, 1)]
    answers = {*truth.causes, *(item.fault for item in scenario.faults)}
    for where, text in told:
        for name in sorted(answers):
            if gives_away(text, name):
                yield problem_at(path, where, f"this gives the cause {name} away", "Say it as somebody who does not know it.")
    issues = issues_of(scenario.system)
    for level in (0, 1):
        for name in sorted(answers):
            issue = issues.get(name.rpartition(".")[0])
            cause = issue.causes.get(name.rpartition(".")[2]) if issue else None
            for fix in cause.fixes if cause else ():
                if "-" in fix and gives_away(scenario.hints[level], fix):
                    yield problem_at(path, ("hints", level), f"this hint names the fix {fix}", "Not before the third hint.")


def _urgency(path: Path, scenario: Scenario, truth: Truth) -> Iterator[Problem]:
    """Severity and response time are those of the guide, of the worst of the causes."""
    issues = issues_of(scenario.system)
    named = [issues[name.rpartition(".")[0]] for name in truth.causes if name.rpartition(".")[0] in issues]
    worst = min((issue.severity for issue in named), key=lambda severity: severity.rank, default=None)
    among = [issue for issue in named or issues.values() if worst is None or issue.severity is worst]
    allowed = {(issue.severity, response_s(issue.respond)) for issue in among}
    if (scenario.severity, scenario.respond_s) not in allowed:
        wanted = " or ".join(sorted(f"{severity.value} and {seconds / 60:g}m" for severity, seconds in allowed))
        message = f"severity and respond are {scenario.severity.value} and {scenario.respond_s / 60:g}m"
        yield problem_at(path, ("severity",), message, f"The guide says {wanted}.")


def _twice(scenarios: Mapping[Path, Scenario]) -> Iterator[Problem]:
    ids: dict[str, Path] = {}
    titles: dict[str, Path] = {}
    for path, scenario in scenarios.items():
        if (first := ids.setdefault(scenario.id, path)) != path:
            yield problem_at(path, ("id",), f"{scenario.id} is also the id of {first}", "Ids are told apart.")
        if (first := titles.setdefault(scenario.title.lower(), path)) != path:
            yield problem_at(path, ("title",), f"this is also the title of {first}", "The list shows titles: tell them apart.")
