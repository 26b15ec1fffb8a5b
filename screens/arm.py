"""The question before writing is armed."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from console.config import Environment, SystemConfig
from widgets.line import Line, Span, line, wrapped
from widgets.sheet import Sheet


class Question(Sheet):
    DEFAULT_CSS = """
    Question { width: 64; max-width: 95%; height: 8; border: heavy $warning; padding: 0 1; background: $surface; }
    """

    def __init__(self, config: SystemConfig) -> None:
        super().__init__()
        self._config = config
        self.border_title = "Arm writing"

    def draw(self, width: int, height: int) -> Sequence[Line]:
        del height
        bad = self._config.environment is Environment.PRODUCTION
        return [
            line(Span(self._config.title, "strong"), "  ", Span(self._config.environment.upper(), "bad" if bad else "strong")),
            *wrapped("For ten minutes, changes to this system can be made. Each one is still shown and confirmed.", width),
            line(),
            line(Span("y", "accent"), " arms   ", Span("n", "accent"), " or ", Span("esc", "accent"), " leaves it read-only"),
        ]


class ArmScreen(ModalScreen[bool]):
    """Dismissed with True when writing is to be armed. Enter does nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "arm"),
        Binding("n,escape,q", "dismiss(False)", "stay read-only"),
    ]
    DEFAULT_CSS = "ArmScreen { align: center middle; }"

    def __init__(self, config: SystemConfig) -> None:
        super().__init__()
        self._config = config

    def compose(self) -> ComposeResult:
        yield Question(self._config)
