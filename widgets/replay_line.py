"""The line of a replay under the banner: where the recording stands, how fast it plays, and what happened last. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from widgets.drill_lines import minutes
from widgets.line import Line, Span, fitted, line

WIDE = 110
BAR, BAR_NARROW = 40, 16


@dataclass(frozen=True, slots=True)
class ReplayNews:
    """Seconds of the round, negative before it began; `marks` are parts of its length from 0 to 1, `latest` is what happened."""

    at_s: float
    length_s: float
    part: float
    speed: int
    paused: bool
    at_end: bool
    marks: tuple[float, ...] = ()
    latest: str = ""


def replay_line(news: ReplayNews, width: int) -> Line:
    """Clock, speed, a bar with the marks, and the newest moment as far as there is room."""
    state = "end" if news.at_end else "‖" if news.paused else "▶"
    sign = "-" if news.at_s < 0 else ""
    left = [
        Span(" REPLAY ", "strong"),
        Span(f"{sign}{minutes(abs(news.at_s))}", "strong"),
        Span(f" of {minutes(news.length_s)} ", "muted"),
        Span(f"{state} {news.speed}x ", "warn" if news.paused or news.at_end else ""),
        Span(_bar(news.part, news.marks, BAR if width >= WIDE else BAR_NARROW), "accent"),
        Span("  "),
    ]
    room = max(0, width - sum(cell_len(span.text) for span in left))
    return line(*left, Span(fitted(news.latest, room)))


def _bar(part: float, marks: Sequence[float], cells: int) -> str:
    bar = ["─"] * cells
    for mark in marks:
        bar[_cell(mark, cells)] = "┴"
    bar[_cell(part, cells)] = "●"
    return "".join(bar)


def _cell(part: float, cells: int) -> int:
    return min(cells - 1, max(0, int(part * cells)))
