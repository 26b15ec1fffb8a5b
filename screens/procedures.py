"""Procedures: chosen from a list, gone through step by step. Nothing acts that was not previewed and confirmed."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Input

from console.procedures.library import procedures
from console.procedures.procedure import Mark, Procedure, Run
from screens.confirm import ConfirmScreen, FixResult
from widgets.banner import Banner
from widgets.commands import Scope, bindings
from widgets.key_line import KeyLine
from widgets.line import Line
from widgets.procedure_lines import list_lines, run_lines
from widgets.scrolled import Scrolled

if TYPE_CHECKING:
    from screens.app import TriageApp


class ProceduresScreen(Screen[None]):
    """`run` is the procedure that is gone through; None while one is chosen. Others are kept until the screen is left."""

    CSS_PATH = "procedures.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.PROCEDURES)
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        self.found: tuple[Procedure, ...] = ()
        self._runs: dict[str, Run] = {}
        self._chosen = 0
        self._step = 0

    def compose(self) -> ComposeResult:
        yield Banner()
        yield Scrolled(self._lines, id="procedure", tells_more=True)
        yield Input(id="note", compact=True, max_length=500)
        yield KeyLine()

    def on_mount(self) -> None:
        self.found = procedures(self._app.system.config)
        self._app.tell()
        self.set_interval(1.0, self._tick)
        self._draw()

    def _lines(self, width: int, height: int) -> list[Line]:
        if self.run is None:
            return list_lines(self.found, self._chosen, width)
        lines, at = run_lines(self.run, self._step, width)
        self._sheet.show_line(at, height)
        return lines

    def _draw(self) -> None:
        self._sheet.border_title = self.run.procedure.title if self.run else "Procedures"
        self._sheet.redraw()

    def _tick(self) -> None:
        """The recovery clock."""
        if self.run is not None and self.run.elapsed_s() is not None:
            self._sheet.redraw()

    # -- keys -------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 -- Textual's own
        """In the text field, letters are what is typed."""
        return action in ("leave", "quit") or not isinstance(self.focused, Input)

    def action_move(self, by: int) -> None:
        if self.run is None:
            self._chosen = max(0, min(len(self.found) - 1, self._chosen + by))
        else:
            self._step = max(0, min(len(self.run.progress) - 1, self._step + by))
        self._draw()

    def action_on(self) -> None:
        """Open the chosen procedure; in one: make the chosen step."""
        if self.run is None:
            chosen = self.found[self._chosen]
            self.run = self._runs.setdefault(chosen.id, Run(chosen, self._app.system, self._app.record))
            self._step = self.run.current
            self._draw()
            return
        step = self.run.procedure.steps[self._step]
        if self.run.progress[self._step].mark is Mark.BUSY:
            return
        if step.check is not None:
            self._look(self.run, self._step)
        elif step.fix is not None:
            self._change(self.run, self._step)
        else:
            self._ask_note("done: a note (may be empty), enter ticks it, esc does not")

    def action_tick(self) -> None:
        """A person did by hand what a check cannot see or the console does not do."""
        if self.run is not None:
            self._ask_note("done by hand: how do you know? enter ticks it, esc does not")

    def action_leave(self) -> None:
        box = self.query_one("#note", Input)
        if box.display:
            self._close_note()
        elif self.run is not None:
            self.run = None
            self._draw()
        else:
            self.dismiss()

    # -- steps ------------------------------------------------------------------------------------------------------

    @work(group="procedure", exit_on_error=False)
    async def _look(self, run: Run, index: int) -> None:
        looking = run.look(index)
        self.call_after_refresh(self._draw)
        await looking
        self._went_on(run, index)

    @work(group="procedure", exit_on_error=False)
    async def _change(self, run: Run, index: int) -> None:
        step = run.procedure.steps[index]
        if step.fix is None:
            return
        run.begin_change()
        result: FixResult | None = await self.app.push_screen_wait(ConfirmScreen(step.fix))
        await run.changed(index, result.applied if result else None)
        self._went_on(run, index)

    def _went_on(self, run: Run, index: int) -> None:
        """To the next step, when this one is well and the cursor still stands on it."""
        if self.run is run and self._step == index and run.progress[index].mark is Mark.WELL:
            self._step = min(index + 1, len(run.progress) - 1)
        if self.is_attached:
            self._draw()

    def _ask_note(self, words: str) -> None:
        box = self.query_one("#note", Input)
        box.placeholder, box.value, box.display = words, "", True
        self.set_focus(box)

    def _close_note(self) -> None:
        self.query_one("#note", Input).display = False
        self.set_focus(None)

    @on(Input.Submitted, "#note")
    async def _noted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_note()
        if self.run is not None:
            await self.run.tick(self._step, event.value.strip())
            self._went_on(self.run, self._step)

    @property
    def _sheet(self) -> Scrolled:
        return self.query_one("#procedure", Scrolled)

    @property
    def _app(self) -> "TriageApp":
        return cast("TriageApp", self.app)
