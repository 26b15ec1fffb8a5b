"""What was given in this incident; one key forgets it."""

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType

from screens.page import Page
from widgets.line import Line, wrapped

_NOTHING = "Nothing was given yet. A step asks when it needs something."


class InputsScreen(Page):
    """Shows lines of names and values; `x` forgets them all."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("x", "forget", "forget")]

    def __init__(self, told: tuple[str, ...], forget: Callable[[], None]) -> None:
        super().__init__("Given in this incident · x forgets it" if told else "Given in this incident", self._make_lines)
        self._told = told
        self._forget = forget

    def _make_lines(self, width: int) -> list[Line]:
        return [row for text in self._told or (_NOTHING,) for row in wrapped(text, width, most=4)]

    def action_forget(self) -> None:
        if self._told:
            self._forget()
            self.dismiss()
