"""How a log line looks: the rows that it takes on the screen, as data."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

from console.logs.classify import Level
from console.logs.store import Entry, Selection
from console.sources.protocols.engine import LogLine
from widgets.line import Line, Span, fitted

NAME_COLOURS = 6
MATCH = "match"
"""Style of what the pattern found."""

GLYPHS: Mapping[Level, tuple[str, str]] = {
    Level.UNKNOWN: (" ", ""),
    Level.DEBUG: ("·", "muted"),
    Level.INFO: ("·", "muted"),
    Level.WARNING: ("▲", "warn"),
    Level.ERROR: ("✖", "bad"),
    Level.FATAL: ("‼", "bad"),
}
"""Levels are told by glyph and colour, so that they are seen without colour too."""

MARGIN = 3
"""Cells of the margin: a letter, a digit, a blank; a chord with two digits takes the blank."""

_NARROW = 90
"""Below this many cells the fractions of seconds are left out."""

_STAMP = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:(\d\d):(\d\d)(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?(?= )[ ]{1,4}(?=\S)"
)
_QUARTER_S = 900
_SAME_S = 3.0


@dataclass(frozen=True, slots=True)
class RowShape:
    """What rows have in common. `names`: containers and their colours; the name column is left out for one container."""

    width: int
    names: Mapping[str, int]
    named: bool
    wrap: bool = False
    shift: int = 0
    """Cells by which text is moved to the left when it is not wrapped."""
    chord_of: Callable[[str], str] | None = None
    """The chord of the issue that a line is an error text of, for the margin; None: there is no margin."""

    @property
    def name_width(self) -> int:
        longest = max((cell_len(name) for name in self.names), default=0)
        return min(longest, max(6, self.width // 6), 24) if self.named else 0

    @property
    def text_width(self) -> int:
        taken = (8 if self.width < _NARROW else 12) + 3 + (self.name_width + 1 if self.named else 0)
        taken += MARGIN if self.chord_of else 0
        return max(8, self.width - taken)


def rows(entry: Entry, shape: RowShape, selection: Selection, *, selected: bool = False) -> list[Line]:
    """The rows of one line: one, or as many as it needs when wrapped."""
    text = untimed(entry.line)
    glyph, style = GLYPHS[entry.level]
    prefix = []
    if shape.chord_of:
        prefix.append(Span(fitted(shape.chord_of(entry.line.text), MARGIN), "accent"))
    prefix.append(Span(clock_time(entry.line.at, shape.width >= _NARROW) + " ", "muted"))
    if shape.named:
        name = fitted(entry.line.container, shape.name_width)
        prefix.append(Span(f"{name} ", f"name{shape.names.get(entry.line.container, 0) % NAME_COLOURS}"))
    prefix.append(Span(f"{glyph} ", style))
    body = style if entry.level >= Level.WARNING else ("muted" if entry.level is Level.DEBUG else "")
    if not shape.wrap:
        shown = _after(text, shape.shift) if shape.shift else text[: shape.text_width + 1]
        more = cell_len(shown) > shape.text_width
        shown = fitted(shown, shape.text_width).rstrip(" ") if more else shown
        return [Line((*prefix, *_marked(shown, body, selection)), selected)]
    indent = Span(" " * sum(cell_len(span.text) for span in prefix))
    parts = chop_cells(text, shape.text_width) or [""]
    return [
        Line((*(prefix if number == 0 else [indent]), *_marked(part, body, selection)), selected)
        for number, part in enumerate(parts)
    ]


def row_count(entry: Entry, shape: RowShape) -> int:
    """How many rows an entry takes; cheap when it takes one."""
    if not shape.wrap:
        return 1
    text = untimed(entry.line)
    # Fewer characters than half the cells fit whatever they are.
    return 1 if len(text) * 2 <= shape.text_width else max(1, len(chop_cells(text, shape.text_width)))


def untimed(source: LogLine) -> str:
    """A line without the time stamp at its beginning, when that says what the time column says already.

    Zones differ by quarters of an hour; a stamp that tells another time than the engine's is evidence, and stays.
    """
    found = _STAMP.match(source.text)
    if found is None:
        return source.text
    apart_s = (int(found[1]) * 60 + int(found[2]) - source.at) % _QUARTER_S
    return source.text[found.end() :] if min(apart_s, _QUARTER_S - apart_s) <= _SAME_S else source.text


def clock_time(at: float, fraction: bool = False) -> str:
    """Local time of day of a line, `10:03:11` or `10:03:11.123`."""
    stamp = time.strftime("%H:%M:%S", time.localtime(at))
    return f"{stamp}.{int(at % 1 * 1000):03}" if fraction else stamp


def _marked(text: str, style: str, selection: Selection) -> Iterator[Span]:
    if selection.pattern is None:
        yield Span(text, style)
        return
    at = 0
    for match in selection.pattern.finditer(text):
        start, end = match.span()
        if start == end:
            continue
        if start > at:
            yield Span(text[at:start], style)
        yield Span(text[start:end], MATCH)
        at = end
    if at < len(text):
        yield Span(text[at:], style)


def _after(text: str, cells: int) -> str:
    """The text without its first cells."""
    for index, character in enumerate(text):
        if cells <= 0:
            return text[index:]
        cells -= cell_len(character)
    return ""
