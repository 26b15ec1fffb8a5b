"""The parts of a walk on the screen: headline, path, evidence, what comes next, what is typed, and the keys."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size

from console.guides.walk import Walk
from widgets.asking import Asking
from widgets.evidence import evidence_lines, next_lines
from widgets.fix_lines import key_lines
from widgets.line import Line
from widgets.scrolled import Scrolled
from widgets.tree_path import line_of, path_lines
from widgets.walk_headline import headline
from widgets.walk_keys import walk_keys

STACKED_BELOW = 110
"""Cells of width below which the path stands above the evidence, and not beside it."""
TINY_BELOW = 18
"""Rows of height below which only the evidence and what comes next are shown."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a walk. `selected` is the step whose evidence is seen, `busy_s` for how long a check is being made (None:
    none is), `told` what the user of a practice stack would say."""

    walk: Walk
    selected: int
    spent_s: float
    busy_s: float | None
    overriding: bool
    fix: int
    remark: str
    told: Mapping[str, str]


class WalkParts(Vertical):
    """Draws what `shown` gives, in the room that each part needs. The screen's classes -stacked and -tiny say how it is laid."""

    def __init__(self, shown: Callable[[], Shown], asking: Asking) -> None:
        super().__init__()
        self._shown = shown
        self._asking = asking
        self._headline = Scrolled(self._head_lines, id="headline")
        self._path = Scrolled(self._path_lines, id="path")
        self._evidence = Scrolled(self._evidence_lines, id="evidence", tells_more=True)
        self._next = Scrolled(lambda width, _height: self._next_lines(width), id="next")
        self._keys = Scrolled(self._key_lines, id="keys")

    def compose(self) -> ComposeResult:
        yield self._headline
        with Horizontal(id="parts"):
            yield self._path
            with Vertical(id="right"):
                yield self._evidence
                yield self._next
        yield self._asking
        yield self._keys

    def on_mount(self) -> None:
        self._path.border_title = "Path"
        self._evidence.border_title = "Evidence"

    def lay_out(self, room: Size) -> None:
        """The screen has another size."""
        self.screen.set_class(room.width < STACKED_BELOW, "-stacked")
        self.screen.set_class(room.height < TINY_BELOW, "-tiny")

    def redraw(self) -> None:
        """Draw every part again; what is the same is not repainted."""
        self._fit()
        # A part that was hidden knows its width only after the layout.
        self.call_after_refresh(self._fit)
        for part in (self._headline, self._path, self._evidence, self._next, self._keys):
            part.redraw()

    def tick(self) -> None:
        """A second has passed."""
        self._headline.redraw()
        if self._shown().busy_s is not None:
            self._keys.redraw()

    def to_top(self) -> None:
        """Show the evidence and what comes next from their beginning."""
        self._evidence.to_top()
        self._next.to_top()

    def scroll_pages(self, by: int) -> None:
        self._evidence.scroll_pages(by)
        self._next.scroll_pages(by)

    def _fit(self) -> None:
        """Give each part the rows that it needs."""
        shown, room = self._shown(), self.screen.size
        width = max(20, room.width - 2)
        self._headline.styles.height = len(self._head_lines(width, 3))
        self._keys.styles.height = len(self._key_lines(width, 2))
        rows = len(self._next_lines(self._next.content_size.width or width))
        share = room.height // 2 if self.screen.has_class("-tiny") else room.height * 2 // 5
        self._next.styles.height = min(rows, max(4, share)) if rows else 0
        self._next.display = rows > 0
        if self.screen.has_class("-stacked"):
            most = max(3, room.height // 4)
            self._path.styles.height = min(most, len(path_lines(shown.walk, shown.selected, width))) + 2
        else:
            self._path.styles.height = "1fr"

    @property
    def _rows_for_words(self) -> int:
        """How many rows the headline and the keys may take each."""
        return 1 if self.screen.has_class("-tiny") else 2

    def _head_lines(self, width: int, _height: int) -> Sequence[Line]:
        shown = self._shown()
        return headline(shown.walk.issue, shown.spent_s, width, self._rows_for_words)

    def _path_lines(self, width: int, height: int) -> Sequence[Line]:
        shown = self._shown()
        if shown.selected >= 0:
            self._path.show_line(line_of(shown.walk, shown.selected, width) + 1, height)
        return path_lines(shown.walk, shown.selected, width, busy=shown.busy_s is not None)

    def _evidence_lines(self, width: int, _height: int) -> Sequence[Line]:
        shown = self._shown()
        return evidence_lines(shown.walk, shown.selected, width)

    def _next_lines(self, width: int) -> list[Line]:
        shown = self._shown()
        return next_lines(shown.walk, width, overriding=shown.overriding, fix=shown.fix, remark=shown.remark, told=shown.told)

    def _key_lines(self, width: int, _height: int) -> Sequence[Line]:
        shown, typing = self._shown(), self._asking.is_open
        keys = walk_keys(shown.walk, shown.selected, overriding=shown.overriding, typing=typing, busy_s=shown.busy_s)
        return key_lines(keys, width, self._rows_for_words)
