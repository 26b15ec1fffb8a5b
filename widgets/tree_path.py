"""The path of a walk: each step that was made with the arm it took, the one that is next, and where it ended."""

from collections.abc import Mapping

from console.guides.issue import Leaf
from console.guides.walk import StepRecord, StepStatus, Verdict, Walk
from widgets.line import Line, Span, line, wrapped

MARKS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.CAUSE: ("✖", "bad"),
    Verdict.ESCALATE: ("▲", "warn"),
    Verdict.UNKNOWN: ("?", "warn"),
    Verdict.CLEAR: ("✔", "good"),
}


def path_lines(walk: Walk, selected: int, width: int, *, busy: bool = False) -> list[Line]:
    """The whole path. `selected` is the index of the step whose evidence is shown."""
    lines: list[Line] = []
    for index, made in enumerate(walk.path):
        lines += _made_lines(made, width, selected=index == selected, notes=_notes(walk, made.step))
    conclusion = walk.conclusion
    if conclusion is not None:
        mark, style = MARKS[conclusion.verdict]
        word = conclusion.cause.id if conclusion.cause else conclusion.verdict.value
        lines += [line(Span(f"{mark} {word}", style))]
    elif walk.current is not None:
        step = walk.issue.steps[walk.current]
        mark = "…" if busy else ("?" if walk.question else "▶")
        lines += _hanging(f"{mark} ", step.title, width, "accent")
    return lines


def line_of(walk: Walk, selected: int, width: int) -> int:
    """The row at which a step stands in `path_lines`."""
    return sum(len(_made_lines(made, width, selected=False, notes=_notes(walk, made.step))) for made in walk.path[:selected])


def _made_lines(made: StepRecord, width: int, *, selected: bool, notes: int) -> list[Line]:
    unknown = made.status is StepStatus.UNKNOWN
    mark, style = ("?", "warn") if unknown else ("●", "good" if made.goal.kind in (Leaf.STEP, Leaf.CLEAR) else "bad")
    title = f"{made.title}{' ✎' if notes else ''}"
    head, *rest = _hanging(f"{mark} ", title, width, "", first=style)
    lines = [Line(head.spans, selected), *(Line(row.spans, selected) for row in rest)]
    arm = f"{made.branch}{' (you chose)' if made.overridden else ''}"
    return [*lines, *_hanging("│ ", arm, width, "accent" if made.overridden else "muted", first="rule")]


def _hanging(prefix: str, text: str, width: int, style: str, *, first: str | None = None) -> list[Line]:
    """Text behind a mark; further lines are indented below it."""
    head, *rest = wrapped(text, max(8, width - len(prefix)), style, most=3)
    mark = Span(prefix, style if first is None else first)
    indent = Span("│ ", "rule") if prefix == "│ " else Span(" " * len(prefix))
    return [line(mark, *head.spans), *(line(indent, *row.spans) for row in rest)]


def _notes(walk: Walk, step: str) -> int:
    return sum(note.step == step for note in walk.notes)
