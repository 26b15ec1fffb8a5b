"""One line of a pane as data: spans of text with the name of a style. Panes are pure functions that make lines."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

from console.severity import Severity


class Span(NamedTuple):
    """A piece of text. `style` is one of `STYLES`, empty for plain."""

    text: str
    style: str = ""


STYLES = ("muted", "strong", "good", "warn", "bad", "accent", "head", "rule")
"""What a span can look like; the colours are the theme's."""


@dataclass(frozen=True, slots=True)
class Line:
    """What stands in one row of a pane. `selected` is the cursor's row."""

    spans: tuple[Span, ...] = ()
    selected: bool = False

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)


def line(*parts: Span | str, selected: bool = False) -> Line:
    """A line from spans and plain strings."""
    return Line(tuple(part if isinstance(part, Span) else Span(part) for part in parts if part != ""), selected)


def severity_style(severity: Severity) -> str:
    return ("", "muted", "warn", "bad")[severity]


def marked(text: str, severity: Severity) -> Span:
    """A figure with its severity as colour and as glyph, so that it is seen without colour too."""
    glyph = severity.glyph if severity >= Severity.ALERT else ""
    return Span(f"{text}{glyph}", severity_style(severity))


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly `width` cells: cut with `…`, or filled up with spaces."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    return " " * (width - length) + text if right else text + " " * (width - length)


def trimmed(source: Line, width: int) -> Line:
    """The line cut to `width` cells."""
    spans: list[Span] = []
    left = width
    for span in source.spans:
        length = cell_len(span.text)
        if length > left:
            if left > 0:
                spans.append(Span(fitted(span.text, left), span.style))
            break
        spans.append(span)
        left -= length
    return Line(tuple(spans), source.selected)


def wrapped(text: str, width: int, style: str = "", *, most: int = 4) -> list[Line]:
    """Text broken at spaces, and within words that are longer than a line, into at most `most` lines; the last one is cut
    with `…`."""
    lines: list[str] = []
    current = ""
    words = (part for word in text.split(" ") for part in (chop_cells(word, width) if cell_len(word) > width > 0 else [word]))
    for word in words:
        candidate = f"{current} {word}" if current else word
        if cell_len(candidate) <= width or not current:
            current = candidate
            continue
        lines.append(current)
        current = word
    lines.append(current)
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [Line((Span(fitted(item, width) if cell_len(item) > width else item, style),)) for item in lines]


def changed(old: Line, new: Line, width: int) -> Iterator[tuple[int, int]]:
    """Where a line differs from the one before: (x, cells) of each stretch. Only these go over the wire."""
    if old == new:
        return
    if old.selected != new.selected:
        yield 0, width
        return
    widths = [cell_len(span.text) for span in new.spans]
    if widths == [cell_len(span.text) for span in old.spans]:
        yield from _joined(_differing(old, new, widths))
        return
    x = 0
    for before, after, cells in zip(old.spans, new.spans, widths, strict=False):
        if before != after:
            break
        x += cells
    if x < width:
        yield x, width - x


def _differing(old: Line, new: Line, widths: list[int]) -> Iterator[tuple[int, int]]:
    x = 0
    for before, after, cells in zip(old.spans, new.spans, widths, strict=True):
        if before != after:
            if before.style == after.style and len(before.text) == len(after.text) == cells:
                same = [a == b for a, b in zip(before.text, after.text, strict=True)]
                first, last = same.index(False), len(same) - same[::-1].index(False)
                yield x + first, last - first
            else:
                yield x, cells
        x += cells


def _joined(stretches: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Stretches with a gap of a few cells become one: moving the cursor costs about eight bytes."""
    pending: tuple[int, int] | None = None
    for x, cells in stretches:
        if pending is not None and x - sum(pending) <= 6:
            pending = (pending[0], x + cells - pending[0])
            continue
        if pending is not None:
            yield pending
        pending = (x, cells)
    if pending is not None:
        yield pending
