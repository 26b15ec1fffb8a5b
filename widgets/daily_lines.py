"""The morning check as lines: what was expected and found, and below what failed, what to do. Pure."""

from collections.abc import Iterator

from console.daily.report import Line as Checked
from console.daily.report import Report, Section, Status
from widgets.line import Line, Span, fitted, line, wrapped

_MARKS = {Status.OK: ("✔", "good"), Status.FAILED: ("✖", "bad"), Status.UNKNOWN: ("?", "warn")}
_TITLE = 22
_BESIDE = 120
"""From this width on what was expected stands beside what was found."""


def daily_lines(report: Report, width: int) -> list[Line]:
    """All of it, for a width in cells."""
    tone = "bad" if report.failed else "warn" if report.exit_code else "good"
    found = [line(Span(report.verdict, tone), Span(f"   asked in {report.elapsed_s:.1f} s", "muted"))]
    told: set[str] = set()
    for section in Section:
        rows = [item for item in report.lines if item.section is section]
        if rows:
            found += [line(), line(Span(section.value, "head"))]
        for item in rows:
            found += _checked(item, width, told)
    if report.left_out:
        found += [line(), line(Span("Not looked at", "head"))]
        for left in report.left_out:
            found += wrapped(f"{left.title}: {left.why}", width, "muted", most=3)
    return found


def _checked(item: Checked, width: int, told: set[str]) -> Iterator[Line]:
    sign, tone = _MARKS[item.status]
    head = (Span(f"{sign} ", tone), Span(fitted(item.title, _TITLE), "strong" if item.critical else ""), " ")
    room = width - _TITLE - 3
    style = tone if item.status is Status.FAILED else ""
    if width >= _BESIDE:
        left = room // 2
        actual, expected = wrapped(item.actual or "?", left - 2, style), wrapped(item.expected, room - left, "muted")
        for row in range(max(len(actual), len(expected))):
            first = actual[row] if row < len(actual) else line()
            spans = (*first.spans, Span(" " * (left - sum(len(span.text) for span in first.spans))))
            start = head if row == 0 else (Span(" " * (_TITLE + 3)),)
            yield line(*start, *spans, *(expected[row].spans if row < len(expected) else ()))
    else:
        words = item.actual or "?"
        yield from _below(head, [*wrapped(words, room, style), *wrapped(f"expected {item.expected}", room, "muted", most=2)])
    indent = (Span(" " * (_TITLE + 3)),)
    if item.reason:
        reason = "for the same reason as above" if item.reason in told else item.reason
        told.add(item.reason)
        yield from _below(indent, wrapped(reason, room, "warn"))
    for step in item.remedies:
        keys = f"  g {' '.join(step.chord)}" if step.issue else ""
        rows = wrapped(f"→ {step.words}", room - len(keys))
        yield from _below(indent, [line(*rows[0].spans, Span(keys, "accent")), *rows[1:]])


def _below(head: tuple[Span | str, ...], rows: list[Line]) -> Iterator[Line]:
    """Rows under each other, the first beside its head."""
    for number, row in enumerate(rows):
        yield line(*(head if number == 0 else (Span(" " * (_TITLE + 3)),)), *row.spans)
