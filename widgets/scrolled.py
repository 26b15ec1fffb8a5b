"""A sheet whose lines a screen makes, scrolled when there are more of them than rows."""

from collections.abc import Callable, Sequence

from widgets.line import Line
from widgets.sheet import Sheet


class Scrolled(Sheet):
    """Draws what `make(width, height)` gives; `scroll_lines` moves it, and `to_top` goes back to the beginning.

    With `tells_more`, the lower border says how many lines are further down.
    """

    def __init__(self, make: Callable[[int, int], Sequence[Line]], *, id: str, tells_more: bool = False) -> None:
        super().__init__(id=id)
        self._make = make
        self._top = 0
        self._hidden_below = 0
        self._told = 0
        self._tells_more = tells_more

    def draw(self, width: int, height: int) -> Sequence[Line]:
        lines = self._make(width, height)
        self._top = max(0, min(self._top, len(lines) - height))
        self._hidden_below = max(0, len(lines) - height - self._top)
        return lines[self._top : self._top + height]

    def redraw(self) -> None:
        super().redraw()
        if self._tells_more and self._told != self._hidden_below:
            self._told = self._hidden_below
            self.border_subtitle = f"{self._told} more: page down" if self._told else ""

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
