"""A symptom of a round as a chart with marks below it. Pure."""

from collections.abc import Sequence

from console.config_tables import Limits
from console.practice.drill.curves import column_of, columns_of, extent
from console.practice.drill.review import Curve, Lane, Review
from widgets.line import Line, Span, fitted, line, wrapped
from widgets.meter import Mark, ceiling, chart

AXIS = 9
_LETTERS = (
    ("F", "bad", "a fault bites"),
    ("L", "bad", "something is lost"),
    ("A", "accent", "acknowledged"),
    ("C", "accent", "the cause is named"),
    ("x", "warn", "a change"),
    ("H", "muted", "a hint"),
    ("M", "good", "mitigated"),
)
"""Letter, look and words of each mark; of two in one column the first is shown."""


def charts(review: Review, width: int, height: int, p95: Limits | None = None) -> list[Line]:
    """Every symptom that was read, `height` lines each. `p95`: the system's limits, in ms."""
    length_s = review.length_s
    shown = [curve for curve in review.curves if extent(curve) is not None]
    if not length_s or not shown:
        return [line(Span("No symptom was read.", "muted"))]
    columns = max(10, width - AXIS)
    marks = chart_marks(review, columns)
    found: list[Line] = []
    for curve in shown:
        found += [*_one(curve, columns, height, length_s, p95 if curve.name == "p95" else None), marks]
    letters = {letter for span in marks.spans for letter in span.text}
    legend = "   ".join(f"{letter} {words}" for letter, _, words in _LETTERS if letter in letters)
    return [*found, *wrapped(legend, width, "muted")]


def _one(curve: Curve, columns: int, height: int, length_s: float, limits: Limits | None) -> list[Line]:
    values = columns_of(curve, columns, length_s)
    least, most = extent(curve) or (0.0, 0.0)
    if most <= 0:
        return [line(Span(f"{curve.name:<{AXIS}} ", "head"), Span(f"0 {curve.unit} throughout", "muted"))]
    marks = _limits(curve, limits)
    top = ceiling(most, [mark for mark in marks if mark.value <= most * 1.5])
    body = chart(values, height, top, marks)
    head = line(Span(f"{curve.name:<{AXIS}} ", "head"), Span(f"{least:,.4g} to {most:,.4g} {curve.unit}".rstrip(), "muted"))
    labels = {0: f"{top:,.4g}", height - 1: "0"}
    rows = [
        Line((Span(fitted(labels.get(row, ""), AXIS - 1, right=True) + " ", "muted"), *item.spans))
        for row, item in enumerate(body)
    ]
    return [head, *rows]


def _limits(curve: Curve, limits: Limits | None) -> list[Mark]:
    if limits is not None:
        return [Mark(limits.alert, "warn"), Mark(limits.critical, "bad")]
    return [Mark(curve.limit * 0.9, "bad")] if curve.limit else []


def chart_marks(review: Review, columns: int) -> Line:
    """The letters below a chart: what happened when."""
    length_s = review.length_s or 1.0
    rank = {letter: number for number, (letter, _, _) in enumerate(_LETTERS)}
    styles = {letter: style for letter, style, _ in _LETTERS}
    at: dict[int, str] = {}
    for at_s, letter in _marked(review):
        column = column_of(at_s, columns, length_s)
        if column not in at or rank[letter] < rank[at[column]]:
            at[column] = letter
    spans = [Span(" " * AXIS)]
    for column in range(columns):
        here = at.get(column)
        spans.append(Span(here, styles[here]) if here else Span("─", "rule"))
    return Line(tuple(_joined(spans)))


def _marked(review: Review) -> list[tuple[float, str]]:
    lanes = {Lane.FAULT: "F", Lane.LOST: "L", Lane.HINT: "H"}
    found = [(moment.at_s, lanes[moment.lane]) for moment in review.timeline if moment.lane in lanes]
    found += [(done.at_s, "x") for done in review.done]
    times = review.grade.times if review.grade else None
    for at_s, letter in ((times.detect_s, "A"), (times.diagnose_s, "C"), (times.mitigate_s, "M")) if times else ():
        if at_s is not None:
            found.append((at_s, letter))
    return found


def _joined(spans: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].style == span.style:
            joined[-1] = Span(joined[-1].text + span.text, span.style)
        else:
            joined.append(span)
    return joined
