"""The review of a round as lines, for any width. Pure."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from console.config_tables import Limits
from console.practice.drill.grade import Reason, span
from console.practice.drill.review import Lane, Moment, Review, Way, WayStep
from console.practice.drill.review_text import cost_words, verdict
from widgets.line import Line, Span, fitted, line, wrapped
from widgets.meter import meter
from widgets.review_chart import charts

BESIDE = 110
"""From this width on the shortest way and the one taken stand side by side."""
_LEAD = re.compile(r"\*\*([^*]+)\*\*")
_ITEM = re.compile(r"\s*(?:[-*#]|\d+\.) ")
_AT = 8
_LANE = 9
_LOOKS = {Lane.FAULT: "bad", Lane.LOST: "bad", Lane.PHASE: "head", Lane.HINT: "warn", Lane.NOISE: "muted", Lane.PROBE: "muted"}


def review_lines(review: Review, width: int, *, chart_height: int = 5, p95: Limits | None = None) -> list[Line]:
    """All of it. `p95`: the system's limits in ms, for the colours of the chart."""
    tone = "muted" if review.grade is None or not review.grade.graded else "good" if review.grade.passed else "bad"
    lines = [line(Span(verdict(review), tone)), *wrapped(_facts(review), width, "muted")]
    if review.reason:
        lines += wrapped(review.reason, width)
    lines += [line(), *wrapped(review.brief, width)] if review.brief else []
    if review.grade is not None:
        lines += _section("Grade")
        for reason in review.grade.reasons:
            lines += _reason(reason, width)
        seen = ", ".join(review.grade.evidence_looked_at) or "nothing"
        lines += wrapped(f"Looked at ({len(review.grade.evidence_looked_at)}): {seen}", width, "muted")
    lines += [*_section("Symptoms"), *charts(review, width, chart_height, p95)]
    lines += _section("Timeline")
    for moment in review.timeline:
        lines += _moment(moment, width)
    for way in review.ways:
        lines += [*_section(f"The way to {way.cause}"), *_way(way, width)]
    lines += _walked(review, width)
    lines += _spent(review, width)
    if review.debrief:
        lines += _section("Debrief")
        lines += _prose(review.debrief, width)
    return lines


def _section(title: str) -> list[Line]:
    return [line(), line(Span(title, "head"))]


def _prose(text: str, width: int) -> Iterator[Line]:
    """Markdown as a terminal shows it: paragraphs filled, what a paragraph begins with in bold stands above it."""
    for number, part in enumerate(text.split("\n\n")):
        if number:
            yield line()
        for piece in _pieces(part):
            bold = _LEAD.match(piece)
            if bold:
                yield line(Span(bold[1].strip(), "strong"))
            rest = (piece[bold.end() :] if bold else piece).replace("**", "").replace("`", "").strip()
            if rest:
                yield from wrapped(rest.lstrip("# "), width, "head" if piece.startswith("#") else "", most=30)


def _pieces(paragraph: str) -> list[str]:
    """A paragraph's lines as one, but items of a list each for itself."""
    pieces: list[str] = []
    for text in paragraph.split("\n"):
        if pieces and not _ITEM.match(text):
            pieces[-1] = f"{pieces[-1]} {text.strip()}"
        else:
            pieces.append(text)
    return pieces


def _facts(review: Review) -> str:
    parts = [
        review.scenario,
        f"{review.system} {review.stack}".strip(),
        f"{review.severity}, response within {span(review.respond_s)}",
        f"played by {review.person}" if review.person else "",
        f"took {span(review.length_s)}" if review.length_s is not None else "never began",
        review.round,
    ]
    return " · ".join(part for part in parts if part)


def _reason(reason: Reason, width: int) -> list[Line]:
    sign, tone = ("✔", "good") if reason.met else ("✖", "bad")
    cost = cost_words(reason.cost, reason.kind)
    words = f"{reason.text}: {reason.value}" + ("" if reason.met else f" (wanted: {reason.expected})")
    rows = wrapped(words, max(10, width - 14), "" if reason.met else "strong")
    return [
        line(Span(f"{sign} ", tone), Span(fitted(cost, 11), tone), " ", *rows[0].spans),
        *(line(Span(" " * 14), *row.spans) for row in rows[1:]),
    ]


def _moment(moment: Moment, width: int) -> list[Line]:
    look = "bad" if moment.bad and moment.lane is not Lane.PROBE else _LOOKS.get(moment.lane, "")
    rows = wrapped(moment.text, max(10, width - _AT - _LANE - 1), look)
    head = (Span(fitted(span(moment.at_s), _AT - 1, right=True) + " ", "muted"), Span(fitted(moment.lane.value, _LANE), "muted"))
    return [line(*head, *rows[0].spans), *(line(Span(" " * (_AT + _LANE)), *row.spans) for row in rows[1:])]


def _way(way: Way, width: int) -> list[Line]:
    lines = wrapped(" ".join(part for part in (way.summary, way.notes) if part), width)
    left = [line(Span(f"Shortest ({len(way.shortest)})", "head")), *_steps(way.shortest, _half(width), ())]
    if way.taken:
        right = [line(Span(f"Taken ({len(way.taken)})", "head")), *_steps(way.taken, _half(width), way.shortest)]
    else:
        right = [line(Span("Taken: this tree was not walked", "warn"))]
    if width < BESIDE:
        return [*lines, *left, *right]
    half = _half(width)
    for one, other in zip_longest(left, right, fillvalue=line()):
        gap = half + 2 - sum(len(part.text) for part in one.spans)
        lines.append(line(*one.spans, Span(" " * max(1, gap)), *other.spans))
    return lines


def _half(width: int) -> int:
    return width if width < BESIDE else width // 2 - 1


def _steps(steps: Sequence[WayStep], width: int, shortest: Sequence[WayStep]) -> Iterator[Line]:
    """Steps with their arms; with `shortest`, those that are not on it are marked."""
    needed = {(step.step, step.branch) for step in shortest}
    for number, step in enumerate(steps, 1):
        aside = bool(shortest) and (step.step, step.branch) not in needed
        yield from wrapped(f"{number} {step.title}", width, "warn" if aside else "", most=2)
        yield from (line("  ", *row.spans) for row in wrapped(step.branch, max(10, width - 2), "muted", most=2))


def _walked(review: Review, width: int) -> list[Line]:
    if not review.walked:
        return []
    lines = _section("Walked")
    for walk in review.walked:
        count = f"{walk.steps} step{'s' if walk.steps != 1 else ''}"
        text = f"{walk.issue} {walk.title}: {count} in {span(walk.took_s)}, led to {walk.ended or 'nothing, it was left'}"
        rows = wrapped(text, max(10, width - _AT))
        lines.append(line(Span(fitted(span(walk.began_s), _AT - 1, right=True) + " ", "muted"), *rows[0].spans))
        lines += [line(Span(" " * _AT), *row.spans) for row in rows[1:]]
    return lines


def _spent(review: Review, width: int) -> list[Line]:
    if not review.phases or not review.length_s:
        return []
    lines = _section("Where the time went")
    cells = min(40, max(8, width - 46))
    for parts in (review.phases, review.spent):
        for part in parts:
            bar = meter(part.took_s / review.length_s, cells)
            took = fitted(span(part.took_s), _AT - 1, right=True)
            what = fitted(part.what, width - _AT - cells - 1).rstrip()
            lines.append(line(Span(took + " ", "muted"), Span(bar, "accent"), f" {what}"))
        lines.append(line())
    return lines[:-1]
