"""Everything that is wrong with guides and configurations, file by file, in one list and never a traceback."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from console.config import Config, find_config, load_config
from console.guides.chord import clash
from console.guides.inputs import Kind
from console.guides.issue import Cause, Issue
from console.guides.loader import LIBRARY, issue_files, load_issue
from console.guides.places import problem_at
from console.guides.rules import rule_problems
from console.problem import Problem, Problems


def lint(
    paths: Sequence[Path] = (), config: Path | None = None, besides: Callable[[Path], bool] = lambda _: False
) -> list[Problem]:
    """Problems of the files under these paths: .yaml are issues, .toml configurations. Without paths, the shipped guides, the
    configuration in use (`config`, or the one that is found), and the folders with guides of one's own that it names; then
    without warnings about the shipped ones, which only their authors can mend. Files `besides` are no issues."""
    problems: list[Problem] = []
    issues: list[Issue] = []
    used = _configured(find_config(config))
    folders = [Path(guide) for system in used.systems.values() for guide in system.guides if "/" in guide] if used else []
    for path in _files(paths or (LIBRARY, find_config(config), *dict.fromkeys(folders)), problems):
        if besides(path):
            continue
        try:
            if path.suffix == ".toml":
                problems.extend(replace(warning, warning=True) for warning in load_config(path).warnings)
            else:
                issues.append(load_issue(path))
        except Problems as error:
            problems.extend(error.items)
    for issue in issues:
        problems.extend(rule_problems(issue))
    problems.extend(_together(issues))
    problems.extend(_chords(issues, used))
    return sorted(item for item in set(problems) if paths or not (item.warning and Path(item.file).is_relative_to(LIBRARY)))


def _configured(path: Path) -> Config | None:
    """The configuration in use, when it is sound."""
    try:
        return load_config(path).config
    except Problems:
        return None


def _chords(issues: Sequence[Issue], config: Config | None) -> Iterator[Problem]:
    """Issues that could not be opened by their keys: beside the others of their guide, and of each system that has it."""
    beside: dict[str, dict[str, Path]] = {}
    for issue in issues:
        mine = beside.setdefault(issue.guide, {})
        wrong = clash(issue.id, mine)
        if wrong:
            yield problem_at(issue.path, ("id",), *wrong)
        mine.setdefault(issue.id, issue.path)
    for system in config.systems.values() if config else ():
        earlier: list[str] = []
        for guide in system.guides:
            own = issue_files((guide,))
            for issue in issues:
                if own.get(issue.id) == issue.path.absolute() and (wrong := clash(issue.id, earlier)):
                    yield problem_at(issue.path, ("id",), *wrong)
            earlier += own


def _files(paths: Iterable[Path], problems: list[Problem]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(item for item in path.rglob("*") if item.suffix in (".yaml", ".yml", ".toml") and item.is_file())
            found.extend(inside)
            if not inside:
                problems.append(Problem(str(path), 1, 1, "holds no guide and no configuration", "Guides are *.yaml files."))
        elif path.suffix in (".yaml", ".yml", ".toml") or path.exists():
            found.append(path)
        else:
            problems.append(Problem(str(path), 1, 1, "there is no such file", "Name a file or a folder."))
    return found


def _together(issues: Sequence[Issue]) -> list[Problem]:
    """What only shows when several issues are there."""
    by_id = {issue.id: issue for issue in issues}
    problems = []
    for guide in sorted({issue.guide for issue in issues}):
        problems.extend(_kinds([issue for issue in issues if issue.guide == guide]))
    guides = {issue.guide for issue in issues}
    for issue in issues:
        for cause in issue.causes.values():
            guide = cause.continues.partition(".")[0]
            if cause.continues and guide in guides and len(issues) > 1 and cause.continues not in by_id:
                message = f"causes.{cause.id}.continues: there is no issue {cause.continues!r}"
                known = [name for name in sorted(by_id) if name.startswith(f"{guide}.")]
                where = ("causes", cause.id, "continues")
                problems.append(problem_at(issue.path, where, message, f"There are: {', '.join(known)}."))
            problems.extend(_explained(issue, cause, by_id) if len(issues) > 1 else ())
    return problems


def _explained(issue: Issue, cause: Cause, by_id: Mapping[str, Issue]) -> Iterator[Problem]:
    """What a cause is said to explain and what there is not; of guides that are not here nothing can be said."""
    guides = {other.guide for other in by_id.values()}
    known = {*guides, *by_id, *(f"{other.id}.{name}" for other in by_id.values() for name in other.causes)}
    for index, name in enumerate(cause.explains):
        if name not in known and name.partition(".")[0] in guides:
            close = difflib.get_close_matches(name, known, 1)
            advice = f"Did you mean {close[0]}?" if close else "Name a guide, an issue or a cause."
            where = ("causes", cause.id, "explains", index)
            yield problem_at(issue.path, where, f"causes.{cause.id}.explains: there is no {name!r}", advice)


def _kinds(issues: Sequence[Issue]) -> list[Problem]:
    """Inputs of one name and several kinds: what is given once in an incident would fit only some of its issues."""
    seen: dict[str, tuple[Issue, Kind]] = {}
    problems = []
    for issue in issues:
        for name, item in issue.inputs.items():
            first, kind = seen.setdefault(name, (issue, item.kind))
            if kind is not item.kind:
                message = f"inputs.{name} is a {item.kind.value} here, and a {kind.value} in {first.id}"
                advice = "An input keeps its kind in all issues of a guide."
                problems.append(problem_at(issue.path, ("inputs", name), message, advice, key=True))
    return problems
