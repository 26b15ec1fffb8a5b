"""The containers of the system, live."""

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.message import Message

from console.alarms import Alarm, container_alarms
from console.severity import Severity
from console.sources.protocols.engine import Container, Containers, State
from widgets.commands import Scope, bindings
from widgets.container_rows import COLUMNS, LIVE_SORT_S, LIVE_SORTS, SORTS, Row, cells, ordered, rows, searchable
from widgets.grid import heading, laid_out, row
from widgets.line import Line, Span, line
from widgets.pane import Pane


class ContainerTable(Pane):
    """One row a container; the cursor stays on its container however the rows are sorted."""

    TITLE = "Containers"
    SOURCE = "Container engine"
    FILTERS = "containers"
    SCOPES: ClassVar[tuple[Scope, ...]] = (Scope.LIST, Scope.CONTAINERS)
    BINDINGS: ClassVar[list[BindingType]] = bindings(*SCOPES)
    list_top = 1

    class Chosen(Message):
        """The operator wants to see a container in detail."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    class Followed(Message):
        """The operator wants to see this container's log alone, or no longer."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.config.runs_on_machine:
            self.TITLE, self.SOURCE = "Services", "Machine"
        self.sort = "state"
        self._order: list[str] = []
        self._ordered_at = 0.0
        self._rows: dict[str, Row] = {}

    @property
    def selected(self) -> Container | None:
        """The container under the cursor."""
        found = self._rows.get(self.cursor.key or "")
        return found.container if found else None

    def accept(self, value: Containers) -> None:
        found = rows(value, self.config)
        self._rows = {item.container.id: item for item in found}
        now = self.clock()
        known = set(self._order)
        if self.sort in LIVE_SORTS and now - self._ordered_at < LIVE_SORT_S and known == set(self._rows):
            return
        self._order = [item.container.id for item in ordered(found, self.sort)]
        self._ordered_at = now

    def keys(self) -> Sequence[str]:
        return [key for key in self._order if key in self._rows and self.matches(searchable(self._rows[key]))]

    def value_alarms(self, value: Containers) -> list[Alarm]:
        return container_alarms(value, self.config, self.clock())

    def summary(self, value: Containers) -> str:
        running = sum(item.state is State.RUNNING for item in value.items)
        wrong = sum(item.severity >= Severity.ALERT for item in self._rows.values())
        attention = f" · {wrong} need{'s' if wrong == 1 else ''} attention" if wrong else ""
        return f"{running} of {len(value.items)} running{attention}"

    def body(self, value: Containers, width: int, height: int) -> Sequence[Line]:
        layout = laid_out(COLUMNS, width)
        if not value.items:
            return [line(Span("The engine has no container of this system (see [systems.….engine] select).", "muted"))]
        now = self.clock()
        lines = [heading(layout, self.sort, descending=SORTS[self.sort][1])]
        shown = self.list_rows(height - 1)
        lines += [row(layout, cells(self._rows[key], self.config, now), selected=chosen) for key, chosen in shown]
        if not shown:
            lines.append(line(Span(f"no container matches /{self.filter}", "muted")))
        return lines

    def action_sort(self, by: int) -> None:
        """Sort by the next or the previous key."""
        names = list(SORTS)
        self.sort = names[(names.index(self.sort) + by) % len(names)]
        self._order = []
        if self.value is not None:
            self.accept(self.value)
        self.redraw()

    def action_details(self) -> None:
        found = self._rows.get(self.cursor.key or "")
        if found is not None:
            self.post_message(self.Chosen(found))

    def action_follow(self) -> None:
        if self.selected is not None:
            self.post_message(self.Followed(self.selected.name))
