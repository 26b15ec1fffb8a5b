"""A question that is answered with y, or not at all."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

from widgets.line import Line, Span, line, wrapped
from widgets.sheet import Sheet


class Box(Sheet):
    """A small frame with lines that are made for its width, as high as they need."""

    DEFAULT_CSS = """
    Box { width: 70; max-width: 95%; height: 5; border: heavy $warning; padding: 0 1; background: $surface; }
    """

    def __init__(self, title: str, make: Callable[[int], Sequence[Line]]) -> None:
        super().__init__()
        self._make = make
        self.border_title = Content(title).markup

    def on_resize(self) -> None:
        self.styles.height = len(self._make(self.content_size.width)) + 2
        super().on_resize()

    def draw(self, width: int, height: int) -> Sequence[Line]:
        del height
        return self._make(width)


class QuestionScreen(ModalScreen[bool]):
    """Dismissed with True on `y`. Enter does nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "yes"),
        Binding("n,escape,q", "dismiss(False)", "no"),
    ]
    DEFAULT_CSS = "QuestionScreen { align: center middle; }"

    def __init__(self, title: str, text: str, *, yes: str, no: str) -> None:
        super().__init__()
        keys = line(Span("y", "accent"), f" {yes}   ", Span("n", "accent"), " or ", Span("esc", "accent"), f" {no}")

        def make(width: int) -> list[Line]:
            return [*(row for part in text.split("\n") for row in wrapped(part, width, most=8)), line(), keys]

        self._box = Box(title, make)

    def compose(self) -> ComposeResult:
        yield self._box
