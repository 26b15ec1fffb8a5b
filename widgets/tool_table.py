"""The answer of a tool as a pane: a table that scrolls and is filtered, and the whole of the chosen row below it."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import BindingType

from console.alarms import Alarm
from console.config import SystemConfig
from console.toolkit.table import Head, Row, Table
from widgets.commands import Scope, bindings
from widgets.grid import Column, heading, laid_out, row
from widgets.line import Line, Span, line, wrapped
from widgets.pane import Pane

ABOUT_LINES = 5
"""Lines at most for the chosen row; none where the pane is too low for a list and them."""
LEAST_ROWS = 6


class ToolTable(Pane):
    """Draws one `Table`. What is asked, and with which choice, is the screen's affair."""

    FILTERS = "the rows"
    SCOPES: ClassVar[tuple[Scope, ...]] = (Scope.LIST, Scope.TOOLKIT)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.LIST)

    def __init__(self, config: SystemConfig, clock: Callable[[], float], *, id: str) -> None:
        super().__init__(config, clock, 1, id=id)
        self._tool_title = ""
        self._choice = ""

    def asking(self, number: int, title: str, choice: str) -> None:
        """Forget the answer that is shown: another question is asked."""
        self.number, self._tool_title, self._choice = number, title, choice
        self.set_reactive(Pane.reading, None)
        self.value, self.taken_at, self.failure = None, None, None
        self.cursor.key, self.cursor.top = None, 0
        self._show_title()
        self.redraw()

    @property
    def name_shown(self) -> str:
        return f"{self._tool_title}{f' · {self._choice}' if self._choice else ''}"

    @property
    def table(self) -> Table | None:
        found: Table | None = self.value
        return found

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        rows = self._rows()
        return next((item for item in rows if item.key == self.cursor.key), rows[0] if rows else None)

    def keys(self) -> Sequence[str]:
        return [item.key for item in self._rows()]

    def value_alarms(self, value: Table) -> list[Alarm]:  # noqa: ARG002 -- a tool is asked by hand, it raises no alarm
        return []

    def body(self, value: Table, width: int, height: int) -> Sequence[Line]:
        lines = [part for failure in value.unread[:2] for part in wrapped(f"▲ {failure}", width, "warn", most=2)]
        if len(value.unread) > 2:
            lines.append(line(Span(f"▲ and {len(value.unread) - 2} more could not be read", "warn")))
        if not value.rows:
            # With something unread, an empty table says nothing.
            words = "What could be read has no row." if value.unread else value.empty
            return [*lines, *wrapped(words, width, "muted")]
        layout = laid_out([_column(index, head) for index, head in enumerate(value.heads)], width)
        rows = {item.key: item for item in self._rows()}
        if not rows:
            return [*lines, heading(layout), line(Span(f"no row matches /{self.filter}", "muted"))]
        room = height - len(lines) - 1
        about = self._about(width)[: min(ABOUT_LINES, room - LEAST_ROWS - 1)] if room > LEAST_ROWS + 1 else []
        self.list_top = len(lines) + 1
        shown = [
            row(layout, {str(index): Span(cell, rows[key].tone) for index, cell in enumerate(rows[key].cells)}, selected=chosen)
            for key, chosen in self.list_rows(room - len(about) - bool(about))
        ]
        filling = [Line()] * (room - len(about) - bool(about) - len(shown))
        below = [*filling, line(Span("─" * width, "rule")), *about] if about else []
        return [*lines, heading(layout), *shown, *below]

    def summary(self, value: Table) -> str:
        return value.summary

    def _about(self, width: int) -> list[Line]:
        chosen = self.selected
        if chosen is None:
            return []
        lines = wrapped(chosen.text, width, most=4)
        for text in chosen.more:
            lines += wrapped(text, width, "muted", most=2)
        return lines

    def _rows(self) -> list[Row]:
        table = self.table
        return [] if table is None else [item for item in table.rows if self.matches(f"{item.text} {' '.join(item.more)}")]


def _column(index: int, head: Head) -> Column:
    return Column(str(index), head.title, head.width, head.right, head.grow, head.most, head.rank)
