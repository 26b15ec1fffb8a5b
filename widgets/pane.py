"""What every pane does: it draws one reading, and goes on showing the last good one, greyed, when the source is gone."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual.content import Content
from textual.events import Click
from textual.reactive import reactive

from console.alarms import Alarm, source_alarms
from console.config import SystemConfig
from console.crash import report_crash
from console.reading import Failure, FailureKind, Reading
from console.severity import Severity
from widgets.commands import Scope
from widgets.cursor import Cursor
from widgets.figures import age
from widgets.line import Line, Span, line, wrapped
from widgets.matching import matcher
from widgets.sheet import Sheet

SLOW_TICK_S = 5.0
"""Ages on the screen are in steps of five seconds; drawing more often would change nothing."""


class Pane(Sheet, can_focus=True):
    """A framed part of the dashboard. Attributes down: `reading`, `zoomed`, `filter`. It never asks a source."""

    TITLE: str = ""
    SOURCE: str = ""
    """What messages call the source."""
    FILTERS: ClassVar[str] = ""
    """What `/` filters here; empty when there is no list."""
    SCOPES: ClassVar[tuple[Scope, ...]] = ()
    """Whose commands work here."""
    DEFAULT_CSS = """
    Pane {
        border: round $panel-lighten-2;
        border-title-color: $foreground;
        border-title-style: bold;
        border-subtitle-color: $text-muted;
        &:focus { border: heavy $primary; border-title-color: $text-primary; }
        &.-stale { border-title-color: $text-warning; }
        &:ansi { border: round ansi_bright_black; }
        &:ansi:focus { border: heavy ansi_bright_blue; }
    }
    """

    reading: reactive[Reading[Any] | None] = reactive(None, init=False, repaint=False)
    """The newest snapshot of the pane's source."""
    filter: reactive[str] = reactive("", init=False, repaint=False)
    zoomed: reactive[bool] = reactive(False, init=False, repaint=False)

    def __init__(self, config: SystemConfig, clock: Callable[[], float], number: int, *, id: str) -> None:
        super().__init__(id=id)
        self.config = config
        self.clock = clock
        self.number = number
        self.cursor = Cursor()
        self.value: Any = None
        self.taken_at: float | None = None
        self.failure: Failure | None = None
        self.shown_keys: Sequence[str] = ()
        self.first_row = 0
        self._title = ""
        self._defect = ""

    def on_mount(self) -> None:
        self._show_title()
        self.set_interval(SLOW_TICK_S, self.redraw)

    def body(self, value: Any, width: int, height: int) -> Sequence[Line]:
        """The lines for a good value. Pure but for the cursor's place."""
        raise NotImplementedError

    def value_alarms(self, value: Any) -> list[Alarm]:
        """What is wrong by this pane's value."""
        raise NotImplementedError

    def summary(self, value: Any) -> str:
        """A few words beside the title."""
        del value
        return ""

    @property
    def name_shown(self) -> str:
        """What the title begins with."""
        return self.TITLE

    def keys(self) -> Sequence[str]:
        """The items that the cursor can stand on, in the order shown."""
        return ()

    def alarms(self) -> list[Alarm]:
        """What is wrong, for the banner. Old values raise no alarms: the source that is gone does."""
        if self.failure is not None:
            return source_alarms(self.SOURCE, self.reading)
        if self._defect:
            return [Alarm(Severity.ALERT, f"the pane {self.TITLE} failed")]
        return [] if self.value is None else self.value_alarms(self.value)

    @property
    def stale(self) -> bool:
        return self.failure is not None

    def watch_reading(self, reading: Reading[Any] | None) -> None:
        if reading is None:
            return
        self.failure = reading.failure
        if reading.value is not None:
            self.value, self.taken_at = reading.value, reading.taken_at
            try:
                self.accept(reading.value)
            except Exception as error:
                self._told(error)
        self.set_class(self.stale, "-stale")
        self._show_title()
        self.redraw()

    def accept(self, value: Any) -> None:
        """Called with each good value before it is drawn; a pane that keeps something over time does it here."""

    def watch_filter(self) -> None:
        self._show_title()
        self.redraw()

    def watch_zoomed(self) -> None:
        self.redraw()

    def watch_has_focus(self, focused: bool) -> None:
        super().watch_has_focus(focused)
        self.redraw()

    def matches(self, text: str) -> bool:
        return matcher(self.filter)(text)

    def draw(self, width: int, height: int) -> Sequence[Line]:
        lines: list[Line] = []
        if self.failure is not None:
            lines += self._reason(self.failure, width)
        if self.value is None:
            return lines or [line(Span("asking…", "muted"))]
        self.first_row = len(lines)
        try:
            return [*lines, *self.body(self.value, width, max(0, height - len(lines)))]
        except Exception as error:
            return [*lines, *wrapped(self._told(error), width, "bad")]

    def toned(self, span: Span) -> str:
        return span.style if self.failure is None or span.style in ("warn-line", "warn") else "muted"

    def list_rows(self, height: int) -> list[tuple[str, bool]]:
        """The keys that are on the screen, and which of them the cursor is on (shown only with the focus)."""
        keys = self.keys()
        self.shown_keys = keys
        return [(keys[i], self.has_focus and keys[i] == self.cursor.key) for i in self.cursor.place(keys, height)]

    def action_cursor(self, by: int) -> None:
        self.cursor.move(self.keys(), by)
        self.redraw()

    def action_cursor_page(self, direction: int) -> None:
        self.action_cursor(direction * max(1, self.content_size.height - 2))

    def on_click(self, event: Click) -> None:
        """A click on a row chooses it: rows know their item by where they were drawn."""
        index = event.get_content_offset(self)
        if index is None:
            return
        row = index.y - self.first_row - self.list_top
        position = self.cursor.top + row
        if row >= 0 and position < len(self.shown_keys):
            self.cursor.key = self.shown_keys[position]
            self.redraw()

    list_top = 0
    """How many lines of the body stand above the list."""

    def _reason(self, failure: Failure, width: int) -> list[Line]:
        if failure.kind is FailureKind.NOT_CONFIGURED:
            return [*wrapped(failure.message, width, "muted"), *wrapped(failure.advice, width, "muted")]
        when = "" if self.taken_at is None else f" Figures from {age(self.clock() - self.taken_at)}."
        lines = wrapped(f"▲ {failure.message}{when}", width, "warn", most=3)
        if failure.advice and (self.has_focus or self.zoomed or self.value is None):
            lines += wrapped(failure.advice, width, "warn", most=3)
        return lines

    def _told(self, error: Exception) -> str:
        """A defect in one pane must not take the others from the operator: it is reported once, and said in its place."""
        self._defect = self._defect or report_crash(error)
        return self._defect

    def _show_title(self) -> None:
        words = self.summary(self.value) if self.value is not None and not self.stale else ""
        state = " STALE" if self.stale and self.value is not None else ""
        shown = f" /{self.filter}" if self.filter else ""
        title = f"{self.number} {self.name_shown}{state}{f' · {words}' if words else ''}{shown}"
        if title != self._title:
            self._title = title
            self.border_title = Content(title).markup
