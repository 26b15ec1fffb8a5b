"""The facilitator's console: the truth of a round on the left, what the trainee does on the right, and a hand in it.

Only this one screen knows the referee. It runs in the referee's own process; the trainee's console is another one.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.driver import Driver
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Input

from console.practice.drill.referee import Referee
from console.practice.drill.stack import StackError
from screens.choice import ChoiceScreen
from screens.help import help_lines
from screens.page import Page
from screens.question import QuestionScreen
from screens.terminal import outliving
from screens.theme import TRIAGE
from widgets.asking import Asking
from widgets.commands import COMMANDS, Scope, bindings
from widgets.facilitator_lines import doing_lines, round_line, truth_lines
from widgets.key_line import KeyLine
from widgets.line import Line
from widgets.scrolled import Scrolled

if TYPE_CHECKING:
    from console.guides.issue import Issue

_APP_KEYS = ("app.quit", "app.quit-now", "app.help")
TICK_S = 1.0
STACKED_BELOW = 110


class FacilitateScreen(Screen[None]):
    """Shows the referee's state once a second, and what the facilitator says or breaks goes to the referee."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.FACILITATE)
    AUTO_FOCUS = ""

    def __init__(self, referee: Referee, faults: Mapping[str, str], issues: "tuple[Issue, ...]") -> None:
        super().__init__()
        self._referee = referee
        self._faults = faults
        self._summaries = {f"{issue.id}.{cause.id}": cause.summary for issue in issues for cause in issue.causes.values()}
        self._keep: Callable[[str], None] = self._report
        self._asking = Asking()

    def compose(self) -> ComposeResult:
        yield Scrolled(lambda _width, _height: [round_line(self._referee.scenario, self._referee.state)], id="round")
        with Horizontal(id="parts"):
            yield Scrolled(self._truth, id="truth", tells_more=True)
            yield Scrolled(self._doing, id="trainee", tells_more=True)
        yield self._asking
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#truth", Scrolled).border_title = "The truth: the trainee must not see this"
        self.query_one("#trainee", Scrolled).border_title = "The trainee, newest first"
        self.set_interval(TICK_S, self.redraw)

    def on_resize(self, event: Resize) -> None:
        self.set_class(event.size.width < STACKED_BELOW, "-stacked")
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Show the round as it is now."""
        if self.is_mounted:
            for sheet in self.query(Scrolled):
                sheet.redraw()

    def _truth(self, width: int, _height: int) -> list[Line]:
        referee = self._referee
        return truth_lines(referee.scenario, referee.truth, referee.state, self._summaries, width)

    def _doing(self, width: int, _height: int) -> list[Line]:
        return doing_lines(self._referee.state.trainee, self._referee.truth.causes, width)

    # -- keys -------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 -- Textual's own
        """In the text field, letters are what is typed; only ctrl+c leaves from there."""
        return action in ("leave", "help") or not isinstance(self.focused, Input)

    def action_fault(self) -> None:
        def chosen(ids: tuple[str, ...] | None) -> None:
            for fault in ids or ():
                self.notify(f"{fault} is being made …", timeout=6, markup=False)
                self._work(self._referee.add_fault(fault), f"{fault} is in place.")

        if self._can_change():
            left = {id_: title for id_, title in self._faults.items() if id_ not in self._referee.state.faults}
            self.app.push_screen(ChoiceScreen("Break one more thing", left, takes="breaks it now"), chosen)

    def action_report(self) -> None:
        if self._can_change():
            self._ask(self._report, "who: what they say, as in   a teacher: I cannot log in")

    def action_message(self) -> None:
        if self._can_change():
            self._ask(self._message, "what you want to tell the trainee")

    def action_freeze(self) -> None:
        if not self._can_change():
            return
        if self._referee.state.phase == "frozen":
            self._referee.thaw()
        else:
            self._referee.freeze()
        self.redraw()

    def action_abort(self) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._referee.abort("The facilitator ended the round.")

        if self._referee.state.phase not in ("healing", "over"):
            text = "The round ends here and does not count. Everything that was broken is mended."
            self.app.push_screen(QuestionScreen("Abort the round", text, yes="aborts it", no="goes on"), answered)

    def action_scroll(self, by: int) -> None:
        for sheet in self.query("#parts Scrolled").results(Scrolled):
            sheet.scroll_lines(by)

    def action_page(self, by: int) -> None:
        for sheet in self.query("#parts Scrolled").results(Scrolled):
            sheet.scroll_pages(by)

    def action_leave(self) -> None:
        if self._asking.is_open:
            self._asking.close()

    def _can_change(self) -> bool:
        """Whether the round can be changed now; says why not."""
        running = self._referee.state.phase in ("running", "frozen")
        if not running:
            self.notify(f"Not now: the round is {self._referee.state.phase}.", timeout=4)
        return running

    # -- what is typed ----------------------------------------------------------------------------------------------

    def _ask(self, keep: Callable[[str], None], hint: str) -> None:
        self._keep = keep
        self._asking.ask(hint)

    @on(Asking.Given)
    def _given(self, event: Asking.Given) -> None:
        event.stop()
        self._asking.close()
        if event.text.strip():
            self._keep(event.text.strip())

    def _report(self, text: str) -> None:
        who, separator, said = text.partition(":")
        who, said = (who.strip(), said.strip()) if separator and said.strip() else ("a user", text)
        self._work(self._referee.add_report(who, said), "The trainee hears it.")

    def _message(self, text: str) -> None:
        self._work(self._referee.message(text), "The trainee sees it.")

    def _work(self, doing: Coroutine[Any, Any, None], done: str) -> None:
        """Ask the referee for something beside the screen, and say what became of it."""

        async def run() -> None:
            try:
                await doing
            except (StackError, OSError) as error:
                self.notify(str(error), severity="error", timeout=12, markup=False)
            else:
                self.notify(done, timeout=4, markup=False)

        self.run_worker(run(), name="referee", group="referee", exit_on_error=False)


class FacilitatorApp(App[None]):
    """The referee and its facilitator's screen in one process. `faults` words each that can be added, by its id.

    Leaving aborts the round first and waits until the stack is mended.
    """

    TITLE = "Triage"
    CSS_PATH = "facilitate.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [command.binding() for command in COMMANDS if command.id in _APP_KEYS]

    def __init__(self, referee: Referee, faults: Mapping[str, str], issues: "tuple[Issue, ...]" = ()) -> None:
        super().__init__()
        self._referee = referee
        self._first = FacilitateScreen(referee, faults, issues)
        self.playing: asyncio.Task[str] | None = None
        self._leaving = False
        self.register_theme(TRIAGE)
        self.theme = TRIAGE.name

    def get_driver_class(self) -> type[Driver]:
        return outliving(super().get_driver_class())

    def get_default_screen(self) -> Screen[None]:
        return self._first

    def on_mount(self) -> None:
        self.playing = asyncio.ensure_future(self._referee.run())
        self.playing.add_done_callback(self._played)
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread
                asyncio.get_running_loop().add_signal_handler(number, partial(self.exit, return_code=128 + number))

    def _played(self, playing: asyncio.Task[str]) -> None:
        self._first.redraw()
        if self._leaving:
            self.exit()
        elif not playing.cancelled() and (error := playing.exception()) is not None:
            self.notify(f"{error} `triage drill heal` mends it.", severity="error", timeout=60, markup=False)

    def action_help(self) -> None:
        if not isinstance(self.screen, Page):
            here = {active.binding.id for active in self.screen.active_bindings.values() if active.binding.id}
            self.push_screen(Page("Keys", help_lines(here)))

    async def action_quit(self) -> None:
        """Leave at once when the round is over, else when it is aborted and mended."""
        if self.playing is None or self.playing.done():
            self.exit()
        elif self._leaving or self._referee.state.phase == "healing":
            self._leaving = True
            self.notify("The stack is being mended; then this ends.", timeout=6)
        else:

            def answered(yes: bool | None) -> None:
                if yes:
                    self._leaving = True
                    self._referee.abort("The facilitator left.")

            text = "The round ends here and does not count. Everything that was broken is mended first."
            self.push_screen(QuestionScreen("Leave the round", text, yes="leaves", no="goes on"), answered)


async def facilitate(referee: Referee, faults: Mapping[str, str], issues: "tuple[Issue, ...]" = ()) -> int:
    """Referee a round with its facilitator's screen; the exit code. However the screen ends, the stack is mended before this
    returns. Raises StackError when it cannot be."""
    app = FacilitatorApp(referee, faults, issues)
    try:
        await app.run_async()
    finally:
        if app.playing is not None:
            if not app.playing.done():
                with contextlib.suppress(OSError):  # The terminal may be closed; mending goes on.
                    sys.stderr.write("The stack is being mended …\n")
                app.playing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await app.playing
    return app.return_code or 0
