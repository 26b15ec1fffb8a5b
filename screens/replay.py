"""A recorded round in the normal panes: nothing is asked of anybody, nothing can be changed."""

from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.widgets import Input

from console.config import Environment, SystemConfig
from console.guides.issue import Fix, Issue
from console.logs.follower import LogBatch
from console.practice.drill.review import Moment
from console.practice.drill.round_clock import RoundClock
from console.practice.drill.tape import Player
from console.reading import Reading
from console.sources.host.local import LocalHost
from console.system import Later, System
from screens.app import TriageApp
from screens.dashboard import Dashboard
from screens.feeds import Feed
from widgets.banner import News
from widgets.commands import Scope, bindings
from widgets.replay_line import ReplayNews

NOT_IN_A_REPLAY = "A replay only shows: nothing is asked and nothing is changed."
_TYPED = ("pause", "faster", "mark", "move")
_NEEDS_SOURCES = ("issues", "toolkit", "daily", "procedures", "container", "session", "cache")
_TICK_S = 0.2
_SAME_S = 0.5
"""Going back to a mark from so near behind it would go nowhere."""


class ReplayDashboard(Dashboard):
    """The five panes, fed from a recording."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.REPLAY)

    def __init__(self, system: System, player: Player) -> None:
        super().__init__(system, player.clock)
        self._player = player

    def readings(self, feed: Feed, every_s: float) -> AsyncIterator[Reading[Any]]:
        del every_s
        return self._player.readings(feed.pane)

    def batches(self) -> AsyncIterator[LogBatch]:
        return self._player.batches()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _NEEDS_SOURCES:
            return False
        if action in _TYPED:
            return not isinstance(self.focused, Input)
        return super().check_action(action, parameters)

    async def begin_again(self) -> None:
        """With new panes, which remember nothing of what comes later."""
        self.workers.cancel_node(self)
        self.panes = ()
        self._paces.clear()
        await self.recompose()
        self.on_mount()
        self._focus(self.current)
        self.start()
        self._app.tell()

    def action_pause(self) -> None:
        self._player.pause()
        self._app.tell()

    def action_faster(self, by: int) -> None:
        self._player.faster(by)
        self._app.tell()

    def action_move(self, by_s: int) -> None:
        self._replay.go_to(self._player.clock() + by_s)

    def action_mark(self, by: int) -> None:
        self._replay.go_to_mark(by)

    @property
    def _replay(self) -> "ReplayApp":
        assert isinstance(self.app, ReplayApp)
        return self.app


class ReplayApp(TriageApp):
    """Plays one round again. `moments` are what happened, in the order of the round's clock."""

    def __init__(
        self, config: SystemConfig, player: Player, clock: RoundClock, moments: tuple[Moment, ...], *, stack: str
    ) -> None:
        self._player = player
        self._round_clock = clock
        self._moments = moments
        self._times = [clock.time_of(moment.at_s) for moment in moments]
        system = System(config, host=Later(LocalHost), clock=player.clock)
        super().__init__(system, clock=player.clock, simulated=stack == Environment.SIMULATED.value)

    def make_dashboard(self) -> Dashboard:
        return ReplayDashboard(self.system, self._player)

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(_TICK_S, self.tell)

    def news(self) -> News:
        found = super().news()
        return News(**{name: getattr(found, name) for name in News.__slots__} | {"replay": self._where()})

    def _where(self) -> ReplayNews:
        tape, at = self._player.tape, self._player.clock()
        length = max(0.001, tape.ends_at - tape.begins_at)
        last = bisect_right(self._times, at) - 1
        return ReplayNews(
            at_s=float(int(self._round_clock.passed_s(at))),
            length_s=float(int(self._round_clock.passed_s(tape.ends_at))),
            part=round((at - tape.begins_at) / length, 2),
            speed=self._player.speed,
            paused=self._player.paused,
            at_end=self._player.at_end,
            marks=tuple(
                round((time - tape.begins_at) / length, 2) for time in self._times if tape.begins_at <= time <= tape.ends_at
            ),
            latest=self._moments[last].text if last >= 0 else "",
        )

    def go_to_mark(self, by: int) -> None:
        """To what happened next, or before."""
        at = self._player.clock()
        place = bisect_right(self._times, at) if by > 0 else bisect_left(self._times, at - _SAME_S) - 1
        if 0 <= place < len(self._times):
            self.go_to(self._times[place])

    def go_to(self, at: float) -> None:
        """Play on from a time, Unix seconds."""
        self._player.go_to(at)
        if isinstance(self.dashboard, ReplayDashboard):
            again = self.dashboard.begin_again()
            self.run_worker(again, name="seek", group="seek", exclusive=True, exit_on_error=False)

    # -- what there is none of in a replay ----------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return False if action in ("arm", "drill") else super().check_action(action, parameters)

    def open_picker(self) -> None:
        self.notify(NOT_IN_A_REPLAY)

    def open_issue(self, issue: Issue) -> None:
        del issue
        self.notify(NOT_IN_A_REPLAY)

    def open_issue_of(self, text: str) -> None:
        del text
        self.notify(NOT_IN_A_REPLAY)

    def propose(self, fix: Fix) -> None:
        del fix
        self.notify(NOT_IN_A_REPLAY)
