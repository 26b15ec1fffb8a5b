"""A guide as prose: what its trees say, in Markdown, to read on paper when the console cannot run.

The text is made of the same trees that are walked, so the two cannot drift apart.
"""

from collections.abc import Iterator, Mapping, Sequence

from console.config import SystemConfig
from console.guides.checks.ask import AskParameters
from console.guides.checks.check import Fact
from console.guides.checks.registry import find_check
from console.guides.conditions import Compare, Join, Named, Node, Not, Scalar
from console.guides.issue import Arm, Cause, Fix, Goal, Issue, Leaf, Step

_OPERATORS = {
    "==": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
    "in": "is one of",
    "not in": "is none of",
}
_ENDS = {
    Leaf.CLEAR: "nothing is wrong here",
    Leaf.UNKNOWN: "it cannot be told from here",
    Leaf.ESCALATE: "call for help (see *When to escalate*)",
}


def render_guide(guide: str, issues: Sequence[Issue], config: SystemConfig) -> str:
    """The issues of one guide as a document; the commands are those of the system `config`."""
    contents = [f"- `{issue.chord}` [{issue.title}](#{_anchor(issue)}) ({issue.severity.value})" for issue in issues]
    head = [
        f"# {guide}: {config.title}",
        "",
        "Made from the guide's trees by `triage guide render`. Change those, not this.",
        "",
        *contents,
    ]
    return "\n".join([*head, *(line for issue in issues for line in ("", *_issue(issue, config)))]) + "\n"


def _issue(issue: Issue, config: SystemConfig) -> Iterator[str]:
    yield f'<a id="{_anchor(issue)}"></a>'
    yield ""
    yield f"## {issue.chord} · {issue.title}"
    yield ""
    respond = f" Respond {issue.respond}." if issue.respond else ""
    yield f"`{issue.id}`, severity {issue.severity.value}.{respond}"
    yield from _listed("**Symptoms**", issue.symptoms)
    yield from _listed("**Error texts**", [f"`{text}`" for text in issue.errors])
    yield from _listed("**What must be known**", [f"`{item.name}`: {item.title}" for item in issue.inputs.values()])
    yield ""
    yield "### What to look at"
    numbers = {name: number for number, name in enumerate(_order(issue), 1)}
    for name, number in numbers.items():
        yield ""
        yield from _step(issue.steps[name], number, numbers, config)
    yield ""
    yield "### What it can be"
    for cause in issue.causes.values():
        yield ""
        yield from _cause(cause)
    if issue.fixes:
        yield ""
        yield "### What mends it"
        for fix in issue.fixes.values():
            yield ""
            yield from _fix(fix)
    yield ""
    yield "### When to escalate"
    yield ""
    text = f" {issue.escalate.text}" if issue.escalate.text else ""
    yield f"After {_duration(issue.escalate.after_s)} without a cure, or when a step says so: {issue.escalate.to}.{text}"


def _listed(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield ""
        yield title
        yield ""
        yield from (f"- {item}" for item in items)


def _order(issue: Issue) -> list[str]:
    """The steps as a walk meets them, each once: the arms of a step before what follows these."""
    found: list[str] = []
    ahead = [issue.start]
    while ahead:
        name = ahead.pop(0)
        if name not in found:
            found.append(name)
            ahead += [arm.goal.id for arm in issue.steps[name].arms if arm.goal.kind is Leaf.STEP]
    return found


def _step(step: Step, number: int, numbers: dict[str, int], config: SystemConfig) -> Iterator[str]:
    yield f"**{number}. {step.title}**"
    if step.why:
        yield ""
        yield step.why
    check = find_check(step.check.name)
    asked = step.check.parameters
    declared = check.declared(asked) if check else {}
    if isinstance(asked, AskParameters):
        yield ""
        answers = "; ".join(f"`{name}`: {text}" for name, text in asked.answers.items())
        yield f"Ask: {asked.question}" + (f" ({answers})" if answers else "")
    elif check:
        yield ""
        yield "```sh"
        template = step.check.template
        command = check.command(config, asked)
        yield template.without_samples(command, {}) if template else command
        yield "```"
    yield ""
    for arm in step.arms:
        yield f"- {_arm(arm, declared)}: {_goal(arm.goal, numbers)}."
    used = dict.fromkeys(name for arm in step.arms if arm.condition for name in arm.condition.names)
    meanings = [f"*{name}*: {declared[name].meaning}" for name in used if name in declared]
    if meanings and not isinstance(asked, AskParameters):
        yield ""
        yield f"({'; '.join(meanings)}.)"


def _arm(arm: Arm, facts: Mapping[str, Fact]) -> str:
    if arm.unknown:
        return "If that cannot be read"
    if arm.condition is None:
        return "Otherwise"
    return f"If {in_words(arm.condition.node, facts)}"


def in_words(node: Node, facts: Mapping[str, Fact] | None = None) -> str:
    """A condition as a person would say it; `facts` give the units."""
    known = facts or {}
    if isinstance(node, Named):
        return f"*{node.name}*"
    if isinstance(node, Not):
        return f"not {_bracketed(node.part, known)}"
    if isinstance(node, Join):
        return (" and " if node.every else " or ").join(_bracketed(part, known) for part in node.parts)
    return _compared(node, known.get(node.name))


def _bracketed(node: Node, facts: Mapping[str, Fact]) -> str:
    words = in_words(node, facts)
    return f"({words})" if isinstance(node, Join) else words


def _compared(node: Compare, fact: Fact | None) -> str:
    unit = f" {fact.unit}" if fact and fact.unit else ""
    values = ", ".join(f"{_value(value)}{unit}" for value in node.values)
    return f"*{node.name}* {_OPERATORS[node.operator]} {values}"


def _value(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"`{value}`" if value else "empty"
    return f"{value:g}"


def _goal(goal: Goal, numbers: dict[str, int]) -> str:
    if goal.kind is Leaf.STEP:
        return f"go on with {numbers[goal.id]}"
    if goal.kind is Leaf.CAUSE:
        return f"it is **{goal.id}**"
    return _ENDS[goal.kind]


def _cause(cause: Cause) -> Iterator[str]:
    yield f"**{cause.id}**: {cause.summary}"
    if cause.notes:
        yield ""
        yield cause.notes
    if cause.fixes:
        yield ""
        yield "Mend it with: " + ", then ".join(f"*{name}*" for name in cause.fixes) + "."
    if cause.continues:
        yield ""
        yield f"Go on with `{cause.continues}`."
    if cause.explains:
        yield ""
        yield f"What only follows from it, and goes with it: {', '.join(f'`{name}`' for name in cause.explains)}."


def _fix(fix: Fix) -> Iterator[str]:
    yield f"**{fix.id}** ({fix.risk.value}, {fix.risk.words}): {fix.title}."
    if fix.notes:
        yield ""
        yield fix.notes
    if fix.way_back:
        yield ""
        yield f"Way back: {fix.way_back}"
    if fix.verify:
        yield ""
        holds = in_words(fix.verify.holds.node)
        yield f"It worked when {holds}, for {_duration(fix.verify.for_s)}, within {_duration(fix.verify.within_s)}."


def _duration(seconds: float) -> str:
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds:g} seconds"


def _anchor(issue: Issue) -> str:
    return issue.id.replace(".", "-")
