"""The list of issues as lines. Pure: what is known about each comes in as one `IssueState`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.guides.issue import Issue, Severity
from console.guides.search import Found
from console.guides.walk import Verdict
from console.problem import Problem
from console.text import clean
from widgets.figures import age
from widgets.line import Line, Span, fitted, line, wrapped

SEVERITIES: Mapping[Severity, tuple[str, str]] = {
    Severity.CRITICAL: ("‼", "bad"),
    Severity.HIGH: ("▲", "warn"),
    Severity.MEDIUM: ("●", ""),
    Severity.LOW: ("·", "muted"),
}
VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.CAUSE: ("✖ found", "bad"),
    Verdict.ESCALATE: ("▲ escalate", "warn"),
    Verdict.UNKNOWN: ("? unknown", "warn"),
    Verdict.CLEAR: ("✔ clear", "good"),
}


@dataclass(frozen=True, slots=True)
class IssueState:
    """What is known about an issue now. `verdict` is None as long as it is being checked."""

    verdict: Verdict | None = None
    summary: str = ""
    left: str = ""
    """What the quick look left out, so that nothing is said of this issue."""
    follows_from: str = ""
    """The cause of which this one is only a consequence."""
    suspicious: bool = False
    walked_at: float | None = None


def issue_line(issue: Issue, state: IssueState, width: int, now: float, *, typed: str = "", selected: bool = False) -> Line:
    """One issue: chord, severity, title, whether its check fires, when it was last walked."""
    glyph, style = SEVERITIES[issue.severity]
    word, tone = _now(state)
    walked = "" if state.walked_at is None else age(now - state.walked_at)
    narrow = width < 76
    severity_width, state_width, walked_width = (2, 12, 0) if narrow else (11, 12, 10)
    title_width = max(8, width - 5 - severity_width - state_width - walked_width - 1)
    matching = bool(typed) and issue.chord.startswith(typed)
    return line(
        Span(fitted(issue.chord, 5), "strong" if matching else "accent"),
        Span(fitted(glyph if narrow else f"{glyph} {issue.severity.value}", severity_width), style),
        Span(fitted(issue.title, title_width), "strong" if state.verdict is Verdict.CAUSE else ""),
        " ",
        Span(fitted(word, state_width), tone),
        Span(fitted(walked, walked_width), "muted"),
        selected=selected,
    )


def _now(state: IssueState) -> tuple[str, str]:
    """What the quick look found, in a word or two, and its tone."""
    if state.follows_from:
        return "↳ follows", "warn"
    if state.verdict is not None:
        return VERDICTS[state.verdict]
    if state.left:
        return ("? suspicious", "warn") if state.suspicious else ("· not seen", "muted")
    return "… checking", "muted"


def issue_head(width: int) -> Line:
    """The column titles that fit `issue_line`."""
    if width < 76:
        return line(Span("KEYS  ISSUE", "head"))
    title_width = max(8, width - 5 - 11 - 12 - 10 - 1)
    names = fitted("KEYS", 5) + fitted("SEVERITY", 11) + fitted("ISSUE", title_width) + " " + fitted("NOW", 12) + "WALKED"
    return line(Span(names, "head"))


def about_lines(found: Found | None, state: IssueState, width: int) -> list[Line]:
    """What the issue under the cursor is about: its symptoms, where the search found it, what its check says."""
    if found is None:
        return [line(Span("No issue says that.", "muted"))]
    lines: list[Line] = []
    if found.where:
        lines += wrapped(f"found in: {found.where}", width, "accent", most=2)
    if state.summary:
        lines += wrapped(state.summary, width, VERDICTS[state.verdict][1] if state.verdict else "", most=3)
    if state.follows_from:
        lines += wrapped(f"It follows from {state.follows_from}.", width, "warn", most=1)
    if state.verdict is None and state.left:
        lines += wrapped(f"A quick look does not tell; {state.left}", width, "muted", most=2)
    for text in found.issue.symptoms[:3]:
        lines += wrapped(f"· {text}", width, "muted", most=2)
    if found.issue.respond:
        lines += wrapped(f"Respond: {found.issue.respond}.", width, "muted", most=1)
    return lines


def problem_lines(problems: Sequence[Problem], width: int) -> list[Line]:
    """What is wrong with files of the guides that could not be loaded: the first in full, and how many there are."""
    if not problems:
        return []
    files = len({problem.file for problem in problems})
    told = f"{files} file{'s are' if files > 1 else ' is'} left out; `triage lint` tells all. {problems[0]}"
    return wrapped(clean(told), width, "bad", most=3)
