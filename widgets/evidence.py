"""What a step of a walk saw, what comes next, and what the walk came to. Pure: lines from a `Walk`."""

from collections.abc import Mapping
from enum import Enum, auto

from console.guides.checks import find_check
from console.guides.checks.check import Fact, FactValue
from console.guides.walk import Conclusion, Question, StepRecord, StepStatus, Verdict, Walk
from widgets.figures import size
from widgets.line import Line, Span, fitted, line, wrapped
from widgets.tree_path import MARKS


class Choosing(Enum):
    """What the number keys choose from now."""

    NOTHING = auto()
    ANSWER = auto()
    ARM = auto()
    FIX = auto()


def choosing(walk: Walk, overriding: bool) -> Choosing:
    """What there is to choose from."""
    if overriding:
        return Choosing.ARM
    if walk.question is not None and walk.question.answers:
        return Choosing.ANSWER
    if walk.conclusion is not None and walk.conclusion.fixes:
        return Choosing.FIX
    return Choosing.NOTHING


def evidence_lines(walk: Walk, selected: int, width: int) -> list[Line]:
    """Everything that the chosen step saw; the facts that decided are marked."""
    if not 0 <= selected < len(walk.path):
        return _before(walk, width)
    made = walk.path[selected]
    lines = [*wrapped(made.title, width, "strong", most=3), *wrapped(made.headline, width, "", most=4)]
    lines += _facts(made, walk)
    if made.evidence:
        lines += [line(), line(Span("Seen", "head"))]
        lines += [row for text in made.evidence for row in wrapped(text, width, most=4)]
    failures = (made.failure,) if made.failure is not None else made.unread
    if failures:
        lines += [line(), line(Span("Could not be read", "head"))]
        for failure in failures:
            lines += [*wrapped(f"? {failure.message}", width, "warn", most=4), *wrapped(f"  {failure.advice}", width, "", most=3)]
    notes = [note for note in walk.notes if note.step == made.step]
    if notes:
        lines += [line(), line(Span("Notes", "head"))]
        lines += [row for note in notes for row in wrapped(f"✎ {note.text}", width, "accent")]
    lines += [line(), *_command(made.command, width)]
    arm = "you chose: " if made.overridden else "took: "
    lines += wrapped(f"{arm}{made.branch}", width, "accent" if made.overridden else "muted", most=3)
    return [*lines, line(Span(f"{made.check} · {spent(made)}", "muted"))]


def next_lines(
    walk: Walk,
    width: int,
    *,
    overriding: bool = False,
    fix: int = 0,
    remark: str = "",
    told: Mapping[str, str] | None = None,
) -> list[Line]:
    """The step that comes next, the question to answer, the arms to choose from, or the conclusion with its fixes. `told` is
    what the user of a practice stack would say, by step and by input."""
    head = wrapped(remark, width, "accent", most=3) if remark else []
    if overriding:
        last = walk.path[-1]
        lines = wrapped(f"Which way from “{last.title}”? It is kept that you chose it.", width, "accent", most=2)
        arms = [f"{arm}{'  (taken)' if index == last.arm else ''}" for index, arm in enumerate(walk.arms)]
        return [*head, *lines, *(_numbered(number, text, width) for number, text in enumerate(arms, 1))]
    question = walk.question
    if question is not None:
        lines = wrapped(question.text, width, "strong", most=4)
        if question.wanted is not None:
            lines += wrapped(f"Wanted: {question.wanted.kind.form}.", width, "muted", most=2)
        lines += _user(question, told or {}, width)
        return [*head, *lines, *(_numbered(number, text, width) for number, (_, text) in enumerate(question.answers, 1))]
    if walk.conclusion is not None:
        return [*head, *_conclusion(walk.conclusion, walk, width, fix)]
    if walk.current is not None and walk.path:
        return [*head, *wrapped(f"Next: {walk.issue.steps[walk.current].title}", width, "accent", most=2)]
    return head


def _user(question: Question, told: Mapping[str, str], width: int) -> list[Line]:
    if question.wanted is None:
        answer = told.get(question.step, "")
        said = dict(question.answers).get(answer, answer)
    else:
        said = told.get(question.wanted.name, "")
    if not said:
        return []
    return wrapped(
        "The user gives it to you: it is typed already." if question.secret else f"The user says: {said}", width, "accent"
    )


def spent(made: StepRecord) -> str:
    """How long a check took, in words."""
    return f"{made.elapsed_ms:.0f} ms"


def _before(walk: Walk, width: int) -> list[Line]:
    """Before the first step: what this issue is about, and what is looked at first."""
    issue = walk.issue
    lines = [line(Span("Is this what you see?", "head"))]
    lines += [row for text in issue.symptoms for row in wrapped(f"· {text}", width)]
    if walk.current is not None:
        step = issue.steps[walk.current]
        lines += [line(), *wrapped(f"First: {step.title}", width, "strong"), *wrapped(step.why, width, "muted")]
        lines += _command(walk.command_of(step.id), width)
    return lines


def _facts(made: StepRecord, walk: Walk) -> list[Line]:
    declared = _declared(made, walk)
    if not made.facts:
        return []
    name_width = min(22, max(len(name) for name in made.facts) + 1)
    lines = [line()]
    for name, value in made.facts.items():
        decided = name in made.decided_by
        unit = declared[name].unit if name in declared else ""
        shown, style = _value(value, unit)
        span = Span(shown, "strong" if decided and style == "" else style)
        mark = Span("  ◀ decided", "accent") if decided else Span("")
        row = line(Span(fitted(name, name_width), "strong" if decided else "muted"), span, mark)
        lines.append(row)
    return lines


def _declared(made: StepRecord, walk: Walk) -> Mapping[str, Fact]:
    check = find_check(made.check)
    return check.declared(walk.issue.steps[made.step].check.parameters) if check else {}


def _value(value: FactValue, unit: str) -> tuple[str, str]:
    if value is None:
        return "? not known", "warn"
    if isinstance(value, bool):
        return ("yes" if value else "no"), ""
    if isinstance(value, str):
        return value or "–", ""
    if unit == "bytes":
        return size(float(value)), ""
    number = f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
    return f"{number} {unit}".strip(), ""


def _command(command: str, width: int) -> list[Line]:
    if not command:
        return []
    rows = wrapped(command, width - 2, "accent", most=4)
    return [line(Span("$ " if number == 0 else "  ", "muted"), *row.spans) for number, row in enumerate(rows)]


def _conclusion(conclusion: Conclusion, walk: Walk, width: int, chosen: int) -> list[Line]:
    mark, style = MARKS[conclusion.verdict]
    word = {Verdict.CAUSE: "Cause", Verdict.CLEAR: "Clear", Verdict.UNKNOWN: "Not known", Verdict.ESCALATE: "Escalate"}
    name = f" {conclusion.cause.id}" if conclusion.cause else ""
    lines = [line(Span(f"{mark} {word[conclusion.verdict]}{name}", style))]
    lines += wrapped(conclusion.summary, width, "", most=5)
    if conclusion.cause and conclusion.cause.notes:
        lines += wrapped(conclusion.cause.notes, width, "muted", most=3)
    if conclusion.verdict is Verdict.UNKNOWN:
        advice = dict.fromkeys(failure.advice for failure in conclusion.unread if failure.advice)
        lines += [row for text in advice for row in wrapped(f"Do: {text}", width, "accent", most=2)]
    elif conclusion.unread:
        lines += wrapped(f"? {len(conclusion.unread)} things could not be read on the way.", width, "warn")
    if conclusion.continues:
        lines += wrapped(f"Goes on at {conclusion.continues}: enter walks it.", width, "accent")
    for number, fix in enumerate(conclusion.fixes, 1):
        lines.append(_numbered(number, f"{fix.risk.value}  {fix.title}", width, selected=number - 1 == chosen))
    undecided = any(made.status is StepStatus.UNKNOWN for made in walk.path)
    if conclusion.verdict is Verdict.UNKNOWN and undecided:
        lines += wrapped("o takes another arm by your own judgement; b makes the step again.", width, "muted", most=2)
    return lines


def _numbered(number: int, text: str, width: int, *, selected: bool = False) -> Line:
    return line(Span(f"{number} ", "accent"), Span(fitted(text, max(4, width - 2)).rstrip()), selected=selected)
