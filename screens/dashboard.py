"""The one screen that is there from the first second: five live panes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static
from textual.worker import Worker, WorkerState

from console.alarms import Alarm
from console.crash import report_crash
from console.logs.follower import Follower, LogBatch
from console.reading import Failure, FailureKind, Reading, SourceError
from console.severity import Severity
from console.sources.protocols.engine import Containers, LogLine
from console.system import System
from console.watch import once, watch
from screens.feeds import Feed, feeds_of
from widgets.banner import Banner
from widgets.commands import Scope, bindings
from widgets.container_table import ContainerTable
from widgets.frugal import FrugalCompositor
from widgets.key_line import KeyLine
from widgets.latency_pane import LatencyPane
from widgets.log_pane import LogPane
from widgets.log_view import LogView
from widgets.pane import Pane
from widgets.postgres_pane import PostgresPane
from widgets.redis_pane import RedisPane
from widgets.tabs import Tab, TabLine

if TYPE_CHECKING:
    from screens.app import TriageApp

FULL_WIDTH, FULL_HEIGHT = 140, 36
"""From this size on all panes are shown at once."""
LEAST_WIDTH, LEAST_HEIGHT = 34, 8
TYPED_AHEAD = ("issues", "pane", "zoom", "filter", "toolkit", "daily", "procedures")
PANES = ("containers", "postgres", "redis", "logs", "latency")


class Dashboard(Screen[None]):
    """Composes the panes, feeds each by a worker of its own, and routes keys. Decides nothing about the world."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.DASHBOARD)
    AUTO_FOCUS = "#containers"

    def __init__(self, system: System, clock: Callable[[], float]) -> None:
        super().__init__()
        self._compositor = FrugalCompositor()
        self.system = system
        self.clock = clock
        self.current = "containers"
        self.zoomed = False
        self.panes: tuple[Pane, ...] = ()
        """The panes with a reading: made once, looked at with every reading."""
        self._opened = False
        self._follower: Follower | None = None
        self._follows: str | None = None
        self._paces: dict[str, float] = {}
        self._feeds = feeds_of(system)

    def compose(self) -> ComposeResult:
        config, clock = self.system.config, self.clock
        yield Banner()
        yield TabLine(id="tabs")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield ContainerTable(config, clock, 1, id="containers")
                with Horizontal(id="stores"):
                    yield PostgresPane(config, clock, 2, id="postgres")
                    yield RedisPane(config, clock, 3, id="redis")
            with Vertical(id="right"):
                yield LogPane(id="logs", clock=clock)
                yield LatencyPane(config, clock, 5, id="latency")
        yield Static("Triage needs a terminal of at least 34x8. q leaves; `triage check` needs no screen.", id="too-small")
        yield Input(id="filter", compact=True)
        yield KeyLine()

    def on_mount(self) -> None:
        self.panes = tuple(self.query(Pane))
        self.query_one(LogPane).border_title = "4 Logs"
        self._arrange()

    def start(self) -> None:
        """Begin to ask. Called once, when the sources are open and the first frame is painted."""
        self._opened = True
        self._pace()
        self.run_worker(self._read_logs(), name="logs", group="logs", exclusive=True, exit_on_error=False)

    def alarms(self) -> list[Alarm]:
        """Everything that is wrong by the newest readings, for the banner."""
        return [alarm for pane in self.panes for alarm in pane.alarms()]

    @property
    def asking(self) -> bool:
        """Whether some source has not answered once."""
        return not self.panes or any(pane.value is None and pane.failure is None for pane in self.panes)

    # -- readings ---------------------------------------------------------------------------------------------------

    def _pace(self) -> None:
        """Start or restart the workers whose pane came to be shown or hidden."""
        if not self._opened:
            return
        for feed in self._feeds:
            every_s = feed.pace_s(shown=self._shown(feed.pane))
            if self._paces.get(feed.pane) != every_s:
                self._paces[feed.pane] = every_s
                self.run_worker(self._feed(feed, every_s), name=feed.pane, group=feed.pane, exclusive=True, exit_on_error=False)

    async def _feed(self, feed: Feed, every_s: float) -> None:
        pane = self.query_one(f"#{feed.pane}", Pane)
        recorder = self._app.recorder
        async for reading in self.readings(feed, every_s):
            pane.reading = reading
            if recorder is not None:
                recorder.take(feed.pane, reading)
            if isinstance(reading.value, Containers) and self._follower is not None:
                self._follower.choose(item.name for item in reading.value.items)
            elif feed.pane == "containers" and reading.failure is not None and reading.value is None:
                # Without a list of containers there is nothing to follow: the log pane must not look quiet.
                self.query_one(LogPane).fail(reading.failure)
            self._tabs()
            self._app.tell()

    def readings(self, feed: Feed, every_s: float) -> AsyncIterator[Reading[Any]]:
        """What a pane is shown, for ever."""
        return watch(feed.ask, every_s=every_s, timeout_s=feed.timeout_s, name=feed.name, clock=self.clock)

    def batches(self) -> AsyncIterator[LogBatch]:
        """What the log pane is given, for ever. Raises SourceError when the system runs nothing that has a log."""
        self._follower = Follower(self.system.need_workloads(), clock=self.clock)
        return self._follower.batches()

    async def _read_logs(self) -> None:
        pane = self.query_one(LogPane)
        try:
            batches = self.batches()
        except SourceError as error:
            pane.fail(error.failure)
            return
        marked, recorder = False, self._app.recorder
        async for batch in batches:
            pane.take(batch)
            if recorder is not None:
                recorder.take_lines(batch)
            if batch.lines and not marked:
                # Not before there is something to mark: the first frame waits for no guide.
                marked = True
                self.run_worker(self._mark_lines(pane), name="marks", group="marks", exit_on_error=False)

    async def _mark_lines(self, pane: LogPane) -> None:
        from console.guides.errors import read_error_texts

        texts = await asyncio.to_thread(read_error_texts, self.system.config.guides)
        if texts:
            pane.mark(lambda text: "" if self._app.without_trees else texts.chord_of(text))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that failed is a defect of ours: its pane must not look live, and the others go on."""
        if event.state is not WorkerState.ERROR or event.worker.error is None:
            return
        failure = Failure(
            FailureKind.GARBAGE, report_crash(event.worker.error), "This pane stands still until Triage is restarted."
        )
        if event.worker.group == "marks":  # the log is as good without them
            return
        part = self.query_one(f"#{event.worker.group}")
        if isinstance(part, LogPane):
            part.fail(failure)
        elif isinstance(part, Pane):
            part.reading = Reading(self.clock(), 0.0, failure=failure)

    # -- what is shown ----------------------------------------------------------------------------------------------

    @property
    def single(self) -> bool:
        """Whether one pane has the whole screen."""
        return self.zoomed or self.size.width < FULL_WIDTH or self.size.height < FULL_HEIGHT

    def on_resize(self) -> None:
        self._arrange()

    def on_screen_suspend(self) -> None:
        self._pace()

    def on_screen_resume(self) -> None:
        self._pace()

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        for widget in (event.widget, *event.widget.ancestors):
            if widget.id in PANES:
                if widget.id != self.current:
                    self._app.opened(f"pane {widget.id}")
                self.current = widget.id
                self._tabs()

    @on(TabLine.Wanted)
    def _wanted(self, event: TabLine.Wanted) -> None:
        self.action_pane(event.pane)

    def _shown(self, pane: str) -> bool:
        return (self.is_current or self.app.screen.is_modal) and (not self.single or pane == self.current)

    def _arrange(self) -> None:
        small = self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT
        self.set_class(self.single, "-single")
        self.set_class(small, "-too-small")
        wanted = self.query_one(f"#{self.current}")
        kept = {wanted, *wanted.ancestors}
        for id_ in ("left", "right", "stores", *PANES):
            part = self.query_one(f"#{id_}", Widget)
            part.display = not self.single or part in kept
        for pane in self.panes:
            pane.zoomed = self.single
        self._tabs()
        self._pace()

    def _tabs(self) -> None:
        tabs = []
        for number, id_ in enumerate(PANES, 1):
            pane = self.query_one(f"#{id_}")
            title = pane.TITLE if isinstance(pane, Pane) else "Logs"
            found = pane.alarms() if isinstance(pane, Pane) else []
            worst = max((alarm.severity for alarm in found), default=Severity.FINE)
            tabs.append(Tab(number, title, id_, worst, id_ == self.current))
        self.query_one(TabLine).tabs = tuple(tabs)

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_pane(self, pane: str) -> None:
        self._app.opened(f"pane {pane}")
        self.current = pane
        self._arrange()
        self._focus(pane)

    def _focus(self, id_: str) -> None:
        """At once, not later as `Widget.focus` does: the next key may be there already."""
        pane = self.query_one(f"#{id_}")
        self.set_focus(pane.view if isinstance(pane, LogPane) else pane)

    def action_zoom(self) -> None:
        self.zoomed = not self.zoomed
        self._arrange()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 -- Textual's own
        """The dashboard's keys come before those of its panes: what is typed right after one finds the new focus, and not
        the old. In a text field they are letters."""
        return action not in TYPED_AHEAD or not isinstance(self.focused, Input)

    def action_filter(self) -> None:
        pane = self.query_one(f"#{self.current}")
        if isinstance(pane, LogPane):
            pane.action_filter()
        if not isinstance(pane, Pane) or not pane.FILTERS:
            return
        box = self.query_one("#filter", Input)
        box.placeholder = f"filter {pane.FILTERS}: text or regular expression; enter keeps it, esc takes it away"
        box.value = pane.filter
        box.display = True
        self.set_focus(box)

    @on(Input.Changed, "#filter")
    def _filtered(self, event: Input.Changed) -> None:
        pane = self.query_one(f"#{self.current}")
        if isinstance(pane, Pane) and self.query_one("#filter").display:
            pane.filter = event.value

    @on(Input.Submitted, "#filter")
    def _filter_kept(self) -> None:
        self.query_one("#filter").display = False
        self._focus(self.current)

    def action_back(self) -> None:
        """Take one thing away: the filter, then the zoom."""
        pane = self.query_one(f"#{self.current}")
        if isinstance(pane, Pane) and pane.filter:
            pane.filter = ""
        elif self.zoomed and not self.query_one("#filter").display:
            self.action_zoom()
        self._filter_kept()

    def action_issues(self) -> None:
        self._app.open_picker()

    @on(LogView.IssueWanted)
    def _issue_wanted(self, event: LogView.IssueWanted) -> None:
        event.stop()
        self._app.open_issue_of(event.entry.line.text)

    def action_toolkit(self) -> None:
        from screens.toolkit import ToolkitScreen

        self.app.push_screen(ToolkitScreen())

    def action_daily(self) -> None:
        from screens.daily import DailyScreen

        self._app.opened("morning check")
        self.app.push_screen(DailyScreen())

    def action_procedures(self) -> None:
        from screens.procedures import ProceduresScreen

        self._app.opened("procedures")
        self.app.push_screen(ProceduresScreen())

    def action_container(self, verb: str) -> None:
        chosen = self.query_one(ContainerTable).selected
        if chosen is not None:
            from console.guides.fixes.adhoc import container_action

            self._app.propose(container_action(self.system, cast(Any, verb), chosen.name))

    def action_session(self, verb: str) -> None:
        chosen = self.query_one(PostgresPane).selected
        if chosen is not None:
            from console.guides.fixes.adhoc import session_action

            wanted = "terminate" if verb == "end" else "cancel"
            self._app.propose(session_action(self.system, cast(Any, wanted), chosen.pid, chosen.backend_start))

    def show_in_log(self, line: LogLine) -> None:
        """Stand still at this line in the log pane. It needs its size for that: it may not have been shown until now."""

        def show() -> None:
            if not self.query_one(LogPane).show_line(line):
                self.notify("That line is not kept here; the log stands where it would be.", timeout=5)

        if self._follows != line.container:
            self._follows = None
        self.action_pane("logs")
        self.call_after_refresh(show)

    def action_statement(self) -> None:
        chosen = self.query_one(PostgresPane).selected
        if chosen is not None:
            from screens.details import session_lines
            from screens.page import Page

            self._app.opened(f"session {chosen.pid}")
            self.app.push_screen(Page(f"Session {chosen.pid}", session_lines(chosen)))

    def action_cache(self) -> None:
        self.run_worker(self._examine_cache(), name="cache details", group="details", exclusive=True, exit_on_error=False)

    async def _examine_cache(self) -> None:
        from screens.details import cache_lines
        from screens.page import Page

        doctor, clients = await asyncio.gather(
            once(lambda: self.system.need_cache().doctor(), timeout_s=3, name="Redis", clock=self.clock),
            once(lambda: self.system.need_cache().clients(), timeout_s=3, name="Redis", clock=self.clock),
        )
        self._app.opened("details redis")
        self.app.push_screen(Page("Redis", cache_lines(doctor, clients)))

    @on(ContainerTable.Chosen)
    def _details(self, event: ContainerTable.Chosen) -> None:
        from screens.details import detail_lines
        from screens.page import Page

        self._app.opened(f"container {event.row.container.name}")
        self.app.push_screen(Page(event.row.container.name, detail_lines(event.row, self.system.config, self.clock())))

    @on(ContainerTable.Followed)
    def _follow(self, event: ContainerTable.Followed) -> None:
        self._follows = None if self._follows == event.name else event.name
        self.query_one(LogPane).choose(None if self._follows is None else frozenset({self._follows}))
        if self.single:
            self.action_pane("logs")

    @property
    def _app(self) -> "TriageApp":
        return cast("TriageApp", self.app)
