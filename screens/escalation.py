"""The hand-over of an issue: what to say to whom, ready to be copied."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from screens.page import Page
from widgets.line import Line, wrapped


class EscalationScreen(Page):
    """Shows the text; `y` copies it whole."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy", "copy")]

    def __init__(self, text: str) -> None:
        super().__init__("Escalate · y copies", self._make_lines)
        self._whole = text

    def _make_lines(self, width: int) -> list[Line]:
        return [row for part in self._whole.split("\n") for row in wrapped(part, width, most=8)]

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._whole)
        self.notify("Copied the hand-over.", timeout=2)
