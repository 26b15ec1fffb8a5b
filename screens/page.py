"""A page of text over the dashboard: help, the details of a container. Any width, scrolled by keys, closed by escape."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

from widgets.commands import Scope, bindings
from widgets.line import Line
from widgets.sheet import Sheet

Lines = Callable[[int], Sequence[Line]]
"""Makes the page's lines for a width in cells."""


class Text(Sheet, can_focus=True):
    """The scrolled text of a page."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.LIST)
    DEFAULT_CSS = """
    Text { border: heavy $primary; border-title-style: bold; padding: 0 1; background: $surface; }
    """

    def __init__(self, title: str, make: Lines) -> None:
        super().__init__()
        self._make = make
        self._top = 0
        self.border_title = Content(title).markup

    def draw(self, width: int, height: int) -> Sequence[Line]:
        lines = self._make(width)
        self._top = max(0, min(self._top, len(lines) - height))
        return lines[self._top : self._top + height]

    def on_resize(self) -> None:
        super().on_resize()
        width, height = self.content_size
        # How many rows the lines take is known with the width alone; the page's greatest height still holds.
        self.styles.height = len(self._make(width)) + 2
        more = len(self._make(width)) > height
        self.border_subtitle = Content(f"esc closes{' · ↑ ↓ scroll' if more else ''}").markup

    def action_cursor(self, by: int) -> None:
        self._top = max(0, self._top + by)
        self.redraw()

    def action_cursor_page(self, direction: int) -> None:
        self.action_cursor(direction * max(1, self.content_size.height - 1))


class Page(ModalScreen[None]):
    """Shows lines in a frame. `make` gets the width."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,question_mark", "dismiss", "close")]
    DEFAULT_CSS = """
    Page { align: center middle; }
    Page Text { width: 90%; max-width: 110; max-height: 90%; }
    """

    def __init__(self, title: str, make: Lines) -> None:
        super().__init__()
        self._title = title
        self._make = make

    def compose(self) -> ComposeResult:
        text = Text(self._title, self._make)
        text.styles.height = len(self._make(80)) + 2
        yield text
