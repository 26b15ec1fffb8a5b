"""The full-screen program: opens the system's sources, shows the dashboard, and always gives the terminal back."""

import asyncio
import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.command import Provider
from textual.driver import Driver
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import Worker, WorkerState

from console.alarms import worst
from console.config import Environment
from console.crash import report_crash
from console.guides.risk import Arming
from console.incidents.inputs import IncidentInputs
from console.incidents.journal import Journal
from console.problem import Problem
from console.system import System
from screens.dashboard import Dashboard
from screens.terminal import outliving
from screens.theme import FEW_COLOURS, TRIAGE
from widgets.banner import Banner, News
from widgets.commands import COMMANDS, Scope, bindings, key_words
from widgets.log_pane import LogPane
from widgets.log_view import LogView
from widgets.pane import Pane

if TYPE_CHECKING:
    from console.guides.issue import Fix, Issue
    from console.practice.drill.recording import Recorder
    from console.practice.drill.rounds import Round
    from console.sources.protocols.engine import LogLine
    from screens.attendance import Attendance
    from screens.walk import LeftWalk

TICK_S = 1.0


def issue_provider() -> type[Provider]:
    """Finds issues in the palette; imported when that is opened."""
    from screens.issue_commands import IssueProvider

    return IssueProvider


class TriageApp(App[None]):
    """One system on the screen. Screens and panes may use `system`, `clock`, `armed`, `propose` and `open_picker`."""

    TITLE = "Triage"
    CSS_PATH = "dashboard.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    COMMANDS = App.COMMANDS | {issue_provider}
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.EVERYWHERE)
    armed: reactive[Arming] = reactive(Arming, init=False, repaint=False)
    """Whether writing is armed, and until when."""

    def __init__(
        self,
        system: System,
        *,
        write: bool = False,
        clock: Callable[[], float] = time.time,
        simulated: bool = False,
        told: Mapping[str, str] | None = None,
        round: "Round | None" = None,
    ) -> None:
        super().__init__()
        self.system = system
        self.clock = clock
        self.simulated = simulated or system.config.environment is Environment.SIMULATED
        self.dashboard = self.make_dashboard()
        self.issues: tuple[Issue, ...] | None = None
        """The sound issues of the system's guides, once they are loaded."""
        self.guide_problems: tuple[Problem, ...] = ()
        """What is wrong with the others."""
        self.left: dict[str, LeftWalk] = {}
        """Walks that were left for the log, by issue; their chord comes back to them."""
        self.inputs = IncidentInputs()
        """What was given in this incident."""
        self.told = told or {}
        """What the user of a practice stack would say: answers by step, inputs by name."""
        self.journal = Journal(system.name, system.config.environment.value, secrets=system.secrets, clock=clock)
        if write:
            self.set_reactive(TriageApp.armed, Arming.armed(clock()))
        self.drill: Attendance | None = _attend(self, round) if round is not None else None
        """The round that this console attends, if it attends one."""
        self.recorder: Recorder | None = _record(self, round) if round is not None else None
        """Keeps what the panes show of that round."""
        self._closed = False
        self._loading = asyncio.Lock()
        self.register_theme(TRIAGE)
        if "TEXTUAL_THEME" not in os.environ:
            self.theme = FEW_COLOURS if self.console.color_system == "standard" else TRIAGE.name

    def get_driver_class(self) -> type[Driver]:
        return outliving(super().get_driver_class())

    def make_dashboard(self) -> Dashboard:
        """The panes; not mounted yet."""
        return Dashboard(self.system, self.clock)

    def get_default_screen(self) -> Screen[None]:
        return self.dashboard

    def on_mount(self) -> None:
        self._listen_to_signals()
        self.set_interval(TICK_S, self._tick)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.tell()
        self.run_worker(self._open(), name="open", group="open", exit_on_error=False)

    async def _open(self) -> None:
        if self.drill is not None:
            self.run_worker(self.drill.follow(), name="drill", group="drill", exit_on_error=False)
        if self.recorder is not None:
            self.run_worker(self.recorder.run(), name="recorder", group="recorder", exit_on_error=False)
        await self.system.open()
        self.dashboard.start()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Sources that cannot even be opened are a defect of ours, and without them there is nothing to show."""
        if event.state is WorkerState.ERROR and isinstance(event.worker.error, Exception):
            self._handle_exception(event.worker.error)

    async def close_system(self) -> None:
        """Close the sources, once, within two seconds whatever state they are in."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.system.aclose(), 2.0)

    async def on_unmount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)

    # -- the banner -------------------------------------------------------------------------------------------------

    def news(self) -> News:
        """What the banner says now."""
        config, now = self.system.config, self.clock()
        alarm, others = worst(self.dashboard.alarms())
        return News(
            name=config.name,
            title=config.title,
            environment=Environment.SIMULATED if self.simulated else config.environment,
            now=now - now % 60,
            armed_s=60.0 * -(-self.armed.remaining_s(now) // 60),
            alarm=alarm,
            others=others,
            host=socket.gethostname() if "SSH_CONNECTION" in os.environ else "",
            asking=self.dashboard.asking,
            drill=self.drill.news() if self.drill is not None else None,
        )

    def tell(self) -> None:
        """Let the banners that are seen say what is so now: that of the screen on top, and those below one that leaves room."""
        for screen in reversed(self.screen_stack):
            for banner in screen.query(Banner):
                banner.news = self.news()
            if not screen.is_modal:
                break

    def watch_armed(self) -> None:
        self.tell()

    def _tick(self) -> None:
        self.tell()
        if not self.is_headless and _hung_up(sys.__stdin__.fileno() if sys.__stdin__ else -1):
            self.request_exit(128 + signal.SIGHUP)

    # -- commands ---------------------------------------------------------------------------------------------------

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        focused = screen.focused
        places: dict[Scope, Any] = {Scope.EVERYWHERE: self}
        if isinstance(screen, Dashboard):
            places[Scope.DASHBOARD] = screen
            if isinstance(focused, Pane):
                places |= dict.fromkeys(focused.SCOPES, focused)
            elif isinstance(focused, LogView):
                places |= {Scope.LOG_LINES: focused, Scope.LOGS: screen.query_one(LogPane)}
        for command in COMMANDS:
            if command.palette and command.scope in places and (self.drill is not None or command.id != "app.drill"):
                action = partial(self.run_action, command.action, places[command.scope])
                yield SystemCommand(command.help, f"{key_words(command.keys)} · {command.scope}", action)
        yield SystemCommand("Change the colours", "choose a theme", self.action_change_theme)

    def action_arm(self) -> None:
        now = self.clock()
        if self.armed.is_armed(now):
            self.armed = Arming()
            return
        from screens.arm import ArmScreen

        def answered(yes: bool | None) -> None:
            if yes:
                self.armed = Arming.armed(self.clock())

        self.push_screen(ArmScreen(self.system.config), answered)

    def action_help(self) -> None:
        from screens.help import help_lines
        from screens.page import Page

        if isinstance(self.screen, Page):
            return
        here = {active.binding.id for active in self.screen.active_bindings.values() if active.binding.id}
        self.push_screen(Page("Keys", help_lines(here)))

    def action_help_quit(self) -> None:
        self.exit()

    def open_picker(self) -> None:
        """The issue picker over whatever is shown."""
        if self.drill is not None and self.drill.refuses_trees():
            return
        from screens.picker import PickerScreen

        self.opened("issue picker")
        self.push_screen(PickerScreen())

    def open_issue(self, issue: "Issue") -> None:
        """Walk an issue, over whatever is shown; one that was left goes on where it was."""
        if self.drill is not None and self.drill.refuses_trees():
            return
        from screens.walk import WalkScreen

        self.push_screen(WalkScreen(issue, left=self.left.pop(issue.id, None)))

    def open_issue_of(self, text: str) -> None:
        """Walk the issue that an error text fits best, and name the others; the picker when it fits none."""
        if self.drill is not None and self.drill.refuses_trees():
            return

        async def find() -> None:
            from console.guides.search import search_error
            from screens.picker import PickerScreen

            found = search_error(await self.load_issues(), text)
            if not found:
                self.push_screen(PickerScreen())
                self.notify("No issue has an error text like this line.", timeout=5)
                return
            self.open_issue(found[0].issue)
            others = ", ".join(item.issue.chord for item in found[1:4])
            if others:
                self.notify(f"It may also be {others}.", timeout=8, markup=False)

        self.run_worker(find(), name="issue of a line", group="issue of a line", exclusive=True, exit_on_error=False)

    async def load_issues(self) -> "tuple[Issue, ...]":
        """The issues of the system's guides, read once; what is wrong with other files goes to `guide_problems`."""
        async with self._loading:
            if self.issues is None:
                from console.guides.loader import read_guides

                guides = await asyncio.to_thread(read_guides, self.system.config.guides)
                self.guide_problems = guides.problems
                self.issues = guides.issues
            return self.issues

    def show_in_log(self, line: "LogLine") -> None:
        """The dashboard, with its log at this line. Walks that are open are kept."""
        from screens.walk import WalkScreen

        while self.screen is not self.dashboard:
            if isinstance(self.screen, WalkScreen):
                self.left[self.screen.issue.id] = self.screen.left()
            self.pop_screen()
        self.dashboard.show_in_log(line)

    def propose(self, fix: "Fix") -> None:
        """Preview a change, have it confirmed, made and verified."""
        from screens.confirm import ConfirmScreen

        self.push_screen(ConfirmScreen(fix))

    async def record(self, kind: str, details: Mapping[str, object]) -> None:
        """Write into this session's journal, and a round's log; raises OSError when the journal cannot be written."""
        await self.journal.record(kind, details)
        if self.drill is not None:
            await self.drill.record(kind, self.journal.safe(details))

    # -- a drill ----------------------------------------------------------------------------------------------------

    def opened(self, what: str) -> None:
        """Something was opened to look at it: written down when this is a drill."""
        if self.drill is not None:
            self.drill.put("opened", what=what)

    @property
    def without_trees(self) -> bool:
        """Whether a round is on that is played without the trees."""
        return self.drill is not None and self.drill.without_trees

    def action_drill(self) -> None:
        if self.drill is not None:
            self.drill.show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The drill's key comes before every other, but not where text is typed, and only in a drill."""
        if action == "drill":
            return self.drill is not None and not isinstance(self.focused, Input)
        return super().check_action(action, parameters)

    # -- the end ----------------------------------------------------------------------------------------------------

    def request_exit(self, code: int) -> None:
        """End in an orderly way with this exit code: the terminal is restored, the sources are closed."""
        self.exit(return_code=code)

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread
                loop.add_signal_handler(number, self.request_exit, 128 + number)

    def _handle_exception(self, error: Exception) -> None:
        """A defect of ours: no traceback and no local variable reaches the terminal, they may hold a password."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            self._exit_renderables.append(Text(report_crash(error)))
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        error = sys.exc_info()[1] or self._exception
        self._handle_exception(error if isinstance(error, Exception) else RuntimeError("unknown"))


def _attend(app: TriageApp, round_: "Round") -> "Attendance":
    from screens.attendance import Attendance

    return Attendance(app, round_)


def _record(app: TriageApp, round_: "Round") -> "Recorder":
    from console.practice.drill.recording import Recorder

    return Recorder(round_, app.system.secrets, app.clock)


def _hung_up(descriptor: int) -> bool:
    """Whether the terminal is gone: a program without one must not stay, whatever became of the signal."""
    poll = select.poll()
    try:
        poll.register(descriptor, 0)
        return any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))
    except (OSError, ValueError):
        return True
