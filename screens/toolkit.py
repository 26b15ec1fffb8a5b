"""The toolkit: one question at a time, its answer as a table."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Input

from console.guides.readings import Readings
from console.severity import Severity
from console.toolkit.tools import TOOLS, Tool
from console.watch import once
from widgets.banner import Banner
from widgets.commands import Scope, bindings
from widgets.key_line import KeyLine
from widgets.line import Line, Span, fitted, line, wrapped
from widgets.tabs import Tab, TabLine
from widgets.tool_table import ToolTable

if TYPE_CHECKING:
    from screens.app import TriageApp

LIMIT_S = 10.0
"""Reading a day of logs takes longer than a pane may; nothing else waits for it."""

LABEL_WIDTH = 16


def _labelled(label: str, text: str, width: int) -> list[Line]:
    """A cell in full beside the title of its column."""
    parts = wrapped(text, max(20, width - LABEL_WIDTH), most=40)
    heads = [label, *[""] * (len(parts) - 1)]
    return [line(Span(fitted(head, LABEL_WIDTH), "muted"), *part.spans) for head, part in zip(heads, parts, strict=True)]


class ToolkitScreen(Screen[None]):
    """Asks when a tool, its choice or an id is chosen, and again on `r`. Changes nothing."""

    CSS_PATH = "toolkit.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.TOOLKIT)]
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self._tool = TOOLS[0]
        self._choices: dict[str, str] = {}
        self._filtering = True
        self.busy = True
        """Whether a question has no answer yet."""

    def compose(self) -> ComposeResult:
        yield Banner()
        yield TabLine(id="tabs")
        yield ToolTable(self._app.system.config, self._app.clock, id="tool")
        yield Input(id="typed", compact=True)
        yield KeyLine()

    def on_mount(self) -> None:
        self._app.tell()
        self.set_focus(self._table)
        self._ask()

    # -- asking -----------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        tool, choice = self._tool, self._choice()
        number = TOOLS.index(tool) + 1
        tabs = (Tab(place, item.short, item.id, Severity.FINE, item is tool) for place, item in enumerate(TOOLS, 1))
        self.query_one(TabLine).tabs = tuple(tabs)
        self._table.asking(number, tool.title, self._choice_words(choice))
        self.busy = True
        self._app.opened(f"tool {tool.id}")
        self.run_worker(self._answer(tool, choice), name=tool.id, group="ask", exclusive=True, exit_on_error=False)

    async def _answer(self, tool: Tool, choice: str) -> None:
        readings = Readings(self._app.system)
        try:
            reading = await once(lambda: tool.ask(readings, choice), timeout_s=LIMIT_S, name=tool.source, clock=self._app.clock)
        finally:
            readings.close()
        self.busy = False
        self._table.reading = reading

    def _choice(self) -> str:
        """What the tool is asked with: as it was left, or what it begins with."""
        if self._tool.takes_id:
            return self._choices.get(self._tool.id, "")
        choices = self._options()
        first = self._tool.first_choice if self._tool.first_choice in choices else next(iter(choices), "")
        return self._choices.get(self._tool.id, first)

    def _options(self) -> tuple[str, ...]:
        return self._tool.choices(Readings(self._app.system))

    def _choice_words(self, choice: str) -> str:
        return f"{choice} ← →" if choice and not self._tool.takes_id else ""

    # -- keys -------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 -- Textual's own
        """In a text field, digits, letters and arrows are what is typed."""
        return action in ("leave", "help", "quit") or not isinstance(self.focused, Input)

    def action_tool(self, number: int) -> None:
        self._tool = TOOLS[number - 1]
        self._table.filter = ""
        self._ask()

    def action_next(self, by: int) -> None:
        self.action_tool((TOOLS.index(self._tool) + by) % len(TOOLS) + 1)

    @on(TabLine.Wanted)
    def _wanted(self, event: TabLine.Wanted) -> None:
        self.action_tool(next(number for number, tool in enumerate(TOOLS, 1) if tool.id == event.pane))

    def action_choose(self, by: int) -> None:
        options = self._options()
        if options:
            index = options.index(self._choice()) if self._choice() in options else 0
            self._choices[self._tool.id] = options[(index + by) % len(options)]
            self._ask()

    def action_again(self) -> None:
        self._ask()

    def action_open(self) -> None:
        """The whole of a row on a page of its own; the trace of an id."""
        chosen = self._table.selected
        if chosen is None:
            return
        if chosen.leads_to:
            self._follow(chosen.leads_to)
            return
        from screens.page import Page

        heads = self._table.table.heads if self._table.table is not None else ()

        def lines(width: int) -> list[Line]:
            told = [
                part
                for head, cell in zip(heads, chosen.cells, strict=False)
                if cell
                for part in _labelled(head.title, cell, width)
            ]
            return told + [part for text in chosen.more for part in wrapped(text, width, "muted", most=40)]

        self.app.push_screen(Page(self._tool.title, lines))

    def action_copy(self) -> None:
        chosen = self._table.selected
        if chosen is not None:
            self.app.copy_to_clipboard(chosen.text)
            self.notify("The row was copied.", timeout=2)

    def action_filter(self) -> None:
        self._type("filter the rows: text or regular expression; enter keeps it, esc takes it away", self._table.filter, True)

    def action_id(self) -> None:
        self._type("the id of a request, as its log lines carry it; enter traces it", "", False)

    def action_leave(self) -> None:
        """Take one thing away: the text field, the filter, the traced id, then the screen."""
        box = self.query_one("#typed", Input)
        if box.display:
            if self._filtering:
                self._table.filter = ""
            self._close_box()
        elif self._table.filter:
            self._table.filter = ""
        elif self._tool.takes_id and self._choices.pop(self._tool.id, ""):
            self._ask()
        else:
            self.dismiss()

    # -- the text field ---------------------------------------------------------------------------------------------

    def _type(self, placeholder: str, value: str, filtering: bool) -> None:
        box = self.query_one("#typed", Input)
        self._filtering = filtering
        with box.prevent(Input.Changed):
            box.value = value
        box.placeholder = placeholder
        box.display = True
        self.set_focus(box)

    @on(Input.Changed, "#typed")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._filtering and self.query_one("#typed").display:
            self._table.filter = event.value

    @on(Input.Submitted, "#typed")
    def _kept(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_box()
        if not self._filtering and event.value.strip():
            self._follow(event.value.strip())

    def _close_box(self) -> None:
        self.query_one("#typed").display = False
        self.set_focus(self._table)

    def _follow(self, correlation_id: str) -> None:
        self._tool = next(tool for tool in TOOLS if tool.takes_id)
        self._choices[self._tool.id] = correlation_id
        self._table.filter = ""
        self._ask()

    @property
    def _table(self) -> ToolTable:
        return self.query_one("#tool", ToolTable)

    @property
    def _app(self) -> "TriageApp":
        return cast("TriageApp", self.app)
