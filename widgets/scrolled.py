"""A sheet whose lines a screen makes, scrolled when there are more of them than rows."""

from collections.abc import Callable, Sequence

from widgets.line import Line
from widgets.sheet import Sheet


class Scrolled(Sheet):
    """Draws what `make(width, height)` gives; `scroll_lines` moves it, and `to_top` goes back to the beginning."""

    def __init__(self, make: Callable[[int, int], Sequence[Line]], *, id: str) -> None:
        super().__init__(id=id)
        self._make = make
        self._top = 0
        self.hidden_below = 0
        """Lines that are further down than the screen shows."""

    def draw(self, width: int, height: int) -> Sequence[Line]:
        lines = self._make(width, height)
        self._top = max(0, min(self._top, len(lines) - height))
        self.hidden_below = max(0, len(lines) - height - self._top)
        return lines[self._top : self._top + height]

    def scroll_lines(self, by: int) -> None:
        """Move by so many lines."""
        self._top = max(0, self._top + by)
        self.redraw()

    def scroll_pages(self, by: int) -> None:
        self.scroll_lines(by * max(1, self.content_size.height - 1))

    def to_top(self) -> None:
        self._top = 0

    def show_line(self, index: int, height: int) -> None:
        """Move as little as needed so that this line is on the screen."""
        self._top = max(index - height + 1, min(self._top, index))
