"""Block characters for parts of a whole and for curves."""

from collections.abc import Sequence
from dataclasses import dataclass

from widgets.line import Line, Span

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_RISING = " ▁▂▃▄▅▆▇█"


def meter(part: float, width: int) -> str:
    """A bar of `width` cells, filled to `part` (0–1), the rest dotted so that the whole is seen without colour."""
    eighths = round(min(1.0, max(0.0, part)) * width * 8)
    full, rest = divmod(eighths, 8)
    bar = "█" * full + (_EIGHTHS[rest] if rest else "")
    return bar + "·" * (width - len(bar))


@dataclass(frozen=True, slots=True)
class Mark:
    """A horizontal line of a chart."""

    value: float
    style: str


def ceiling(largest: float, marks: Sequence[Mark]) -> float:
    """The top of a chart's scale: a round number above everything shown, so that it moves seldom."""
    first = marks[0].value if marks else 0.0
    wanted = max(largest * 1.05, first * 1.2)
    wanted = max([wanted, *(mark.value * 1.05 for mark in marks if mark.value <= wanted * 1.5)])
    if wanted <= 0:
        return 1.0
    step = 10.0 ** _exponent(wanted)
    return next(step * factor for factor in (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * factor >= wanted)


def chart(
    values: Sequence[float | None], height: int, top: float, marks: Sequence[Mark] = (), dots: Sequence[float | None] = ()
) -> list[Line]:
    """Columns of block characters, one a value, `height` lines high; 0 to `top`. A gap (None) stays empty.

    A mark's line is drawn where no column covers it; a column is coloured by the highest mark that it reaches. `dots` are
    a second curve, drawn above the columns as far as it is within the scale.
    """
    at = {min(height - 1, int(mark.value / top * height)): mark for mark in marks if mark.value <= top}
    styles = [_style(value, marks) for value in values]
    heights = [None if value is None else min(height * 8, max(1, round(value / top * height * 8))) for value in values]
    dotted = [None if value is None or value > top else min(height - 1, int(value / top * height)) for value in dots]
    lines = []
    for level in range(height - 1, -1, -1):
        mark = at.get(level)
        spans: list[Span] = []
        for index, (cells, style) in enumerate(zip(heights, styles, strict=True)):
            filled = 0 if cells is None else min(8, max(0, cells - level * 8))
            if filled:
                span = Span(_RISING[filled], style)
            elif index < len(dotted) and dotted[index] == level:
                span = Span("•", "muted")
            else:
                span = Span("╌", mark.style) if mark else Span(" ")
            if spans and spans[-1].style == span.style:
                spans[-1] = Span(spans[-1].text + span.text, span.style)
            else:
                spans.append(span)
        lines.append(Line(tuple(spans)))
    return lines


def _style(value: float | None, marks: Sequence[Mark]) -> str:
    reached = [mark for mark in marks if value is not None and value >= mark.value]
    return max(reached, key=lambda mark: mark.value).style if reached else "good"


def _exponent(value: float) -> int:
    exponent = 0
    while value >= 10:
        value, exponent = value / 10, exponent + 1
    while value < 1:
        value, exponent = value * 10, exponent - 1
    return exponent
