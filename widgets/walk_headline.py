"""The first line of a walk: how grave it is, how long it may take, whom to call. Pure."""

from collections.abc import Sequence

from rich.cells import cell_len

from console.guides.issue import Issue
from widgets.figures import uptime
from widgets.issue_rows import SEVERITIES
from widgets.line import Line, Span, fitted, line, wrapped


def headline(issue: Issue, spent_s: float, width: int, most: int = 2) -> Sequence[Line]:
    """One line within the time that the issue allows, two where that is too long and `most` allows it; more when it is over."""
    glyph, style = SEVERITIES[issue.severity]
    allowed_s = issue.escalate.after_s
    head = f"{glyph} {issue.severity.value.upper()}"
    if spent_s < allowed_s:
        clock = f"{uptime(spent_s)} of {uptime(allowed_s)}, then {issue.escalate.to}"
        title = f" {issue.title} ({issue.id})"
        if len(head) + cell_len(title) + 2 + cell_len(clock) > width and most > 1:
            first = line(Span(head, style), Span(fitted(title, width - len(head)).rstrip(), "strong"))
            return [first, *wrapped(clock, width, "muted", most=1)]
        title = fitted(title, max(8, width - len(head) - len(clock) - 1)).rstrip()
        return [line(Span(head, style), Span(title, "strong"), Span(f"  {clock}", "muted"))]
    text = f"▲ {uptime(allowed_s)} are over: call {issue.escalate.to}. {issue.escalate.text} ! shows what to say."
    return [line(Span(head, style), Span(f" {issue.title} ({issue.id})", "strong")), *wrapped(text, width, "bad", most=2)]
