"""The referee of one round: breaks the stack, tells the trainee what they may know, watches, and always mends what it broke."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from console.guides.issue import Issue
from console.practice.drill.closing import close_books
from console.practice.drill.errands import Errands
from console.practice.drill.referee_log import RefereeLog
from console.practice.drill.referee_state import End, RefereeState
from console.practice.drill.round_clock import when
from console.practice.drill.rounds import Entry, Round
from console.practice.drill.scenario import Errand, PlannedFault, PlannedNoise, PlannedReport, Scenario, Truth
from console.practice.drill.stack import Baseline, Stack, StackError
from console.practice.drill.tree_probe import TreeProbe
from console.practice.drill.watching import Dwell, Probed, Sample, look, without

DWELL_S: Final = 10.0
PROBES_EVERY_S: Final = 2.0
BITES_WITHIN_S: Final = 60.0
LIMIT: Final = 4
"""Response times after which a round is over."""
SHOWS_AFTER_S: Final = 30.0
"""A fault that came later has had time to show by then: only from then on can it be seen to be mended."""
TICK_S: Final = 0.5
KEPT: Final = 40
"""The trainee's last entries that a facilitator sees."""


class Referee:
    """Referee of a round. `run` is the whole of it; the other calls are a facilitator's, at any time while it runs.

    `limit_s`: when the round is over at the latest, seconds of its clock; four response times when it is not given.
    """

    def __init__(
        self,
        scenario: Scenario,
        truth: Truth,
        stack: Stack,
        round_: Round,
        *,
        person: str,
        probes_every_s: float = PROBES_EVERY_S,
        dwell_s: float = DWELL_S,
        limit_s: float | None = None,
        issues: Sequence[Issue] = (),
    ) -> None:
        self.scenario = scenario
        self.truth = truth
        self.stack = stack
        self.round = round_
        self.person = person
        self._probes_every_s = probes_every_s
        self._dwell_s = dwell_s
        self._limit_s = LIMIT * scenario.respond_s if limit_s is None else limit_s
        self._issues = issues
        self._log = RefereeLog(round_, stack)
        self._trainee = round_.trainee()
        self._dwell = Dwell()
        self._phase = "preparing"
        self._began_at: float | None = None
        self._frozen_at: float | None = None
        self._frozen_s = 0.0
        self._end: End | None = None
        self._touched = False
        self._baseline: Baseline | None = None
        self._after: Baseline | None = None
        self._errands = Errands(truth.errands, truth.accepted)
        self._due: list[PlannedFault | PlannedNoise | PlannedReport] = []
        self._added: list[TreeProbe] = []
        self._making: set[asyncio.Task[None]] = set()
        self._in_place: list[str] = []
        self._reached: dict[str, float] = {}
        self._diagnosed_as: tuple[str, ...] | None = None
        self._hints = 0
        self._acted = False
        self._mended = False
        self._shows_at = float("-inf")
        self._looked_at = float("-inf")
        self._found: tuple[Probed, ...] = ()
        self._sample = Sample()
        self._seen: list[Entry] = []

    @property
    def state(self) -> RefereeState:
        return RefereeState(
            phase="frozen" if self._frozen_at is not None and self._phase == "running" else self._phase,
            elapsed_s=self._elapsed_s(),
            probes=self._found,
            sample=self._sample,
            held_s=self._dwell.held_s,
            faults=tuple(self._in_place),
            reached=tuple(self._reached),
            trainee=tuple(self._seen[-KEPT:]),
            losses=tuple(self._log.losses),
        )

    async def run(self) -> str:
        """Referee the round; how it ended. When cancelled, the stack is mended and the end is written before it is raised on."""
        cancelled: BaseException | None = None
        with self.round.hold():
            try:
                end = await self._play()
            except asyncio.CancelledError as error:
                cancelled, end = error, End("broken_off", "The referee was stopped.", self._now())
            except StackError as error:
                end = End("void", str(error), self._now())
            except Exception as error:
                cancelled, end = error, End("broken_off", f"The referee failed: {type(error).__name__}.", self._now())
            closing = asyncio.ensure_future(self._close(end))
            while not closing.done():
                try:
                    await asyncio.shield(closing)
                except asyncio.CancelledError as error:
                    cancelled = error  # What was broken is mended first, however often one is told to stop.
                except Exception:
                    break
            closing.result()
        if cancelled is not None:
            raise cancelled
        return end.how

    # -- the facilitator ----------------------------------------------------------------------------------------------

    async def add_fault(self, fault_id: str) -> None:
        """Make one more fault now; its cause is one more to be found. Raises StackError when it does not take."""
        await self._inject(PlannedFault(fault_id, self._elapsed_s()))
        shown = self.stack.cause_of(fault_id)
        name, _, cause = shown.rpartition(".")
        issue = next((item for item in self._issues if item.id == name and cause in item.causes), None)
        if issue is None or shown in self.truth.causes:
            return
        self._added.append(TreeProbe(issue, cause, told := self.stack.replies((fault_id,))))
        self._log.tell("told", told=dict(told))
        self.truth = replace(self.truth, causes=(*self.truth.causes, shown))
        self._log.note_truth(self.scenario, self.truth, self.person)

    async def add_report(self, who: str, text: str) -> None:
        """Let the trainee hear what a user says."""
        self._log.tell("report", who=who, text=text)

    async def message(self, text: str) -> None:
        """Say something to the trainee."""
        self._log.tell("message", text=text)

    def freeze(self) -> None:
        """Let the clock of the round stand; the stack goes on."""
        if self._frozen_at is None and self._phase == "running":
            self._frozen_at = self._now()
            self._log.tell("frozen", at=self._frozen_at)

    def thaw(self) -> None:
        if self._frozen_at is not None:
            now = self._now()
            self._frozen_s += now - self._frozen_at
            self._frozen_at = None
            self._log.tell("thawed", at=now)

    def abort(self, reason: str) -> None:
        """End the round soon, whatever state it is in; the stack is mended."""
        if self._end is None:
            self._end = End("aborted", reason, self._now())

    # -- the round ----------------------------------------------------------------------------------------------------

    async def _play(self) -> End:
        scenario = self.scenario
        self._log.tell_round(self.round.id, scenario, self.person)
        self._log.note_truth(scenario, self.truth, self.person)
        reasons = await self.stack.why_not_clean()
        if reasons:
            return End("void", f"The stack is not clean: {'; '.join(reasons)}.", self._now())
        self._baseline = await self.stack.baseline(self.truth.keep_tables)
        self._log.note_baseline("baseline", self._baseline)
        late: list[PlannedFault | PlannedNoise | PlannedReport] = [*scenario.faults, *scenario.noise]
        self._due = sorted((*(item for item in late if item.at_s > 0), *scenario.reports), key=lambda item: item.at_s)
        for fault in scenario.faults:
            if fault.at_s <= 0:
                await self._inject(fault)
                if self._end is not None:
                    return self._end
        for noise in scenario.noise:
            if noise.at_s <= 0:
                await self._make_noise(noise)
        self._after = await self.stack.baseline(self.truth.keep_tables)
        self._log.note_baseline("after_injection", self._after)
        if not await self._bites():
            what = "no probe fails" if scenario.faults else "not every probe holds, although nothing is broken"
            return self._end or End("void", f"The round does not bite: {what} after {BITES_WITHIN_S:g} s.", self._now())
        self._phase, self._began_at = "running", self._now()
        self._dwell = Dwell()
        self._log.tell("began", at=self._began_at)
        while self._end is None:
            self._listen()
            if self._frozen_at is None:
                self._do_what_is_due()
            await self._watch()
            self._end = self._end or self._over()
            if self._end is None:
                await self.stack.system.pause(TICK_S)
        return self._end

    async def _bites(self) -> bool:
        """Whether the faults are felt by the scenario's own probes, or nothing is when there are none."""
        until = self._now() + BITES_WITHIN_S
        while self._end is None:
            await self._watch()
            if self.scenario.faults and any(probed.holds is False for probed in self._found):
                return True
            if not self.scenario.faults and self._dwell.held_s is not None:
                return True
            if self._now() >= until:
                return False
            await self.stack.system.pause(TICK_S)
        return False

    def _do_what_is_due(self) -> None:
        elapsed_s = self._elapsed_s()
        while self._due and self._due[0].at_s <= elapsed_s:
            item = self._due.pop(0)
            if isinstance(item, PlannedReport):
                self._log.tell("report", who=item.who, text=item.text)
                continue
            self._make_beside(item)
        for errand in self._errands.due(self._now()):
            self._make_beside(errand)

    def _make_beside(self, item: PlannedFault | PlannedNoise | Errand) -> None:
        """A late fault takes its time to bite: meanwhile the round is watched on."""
        task = asyncio.ensure_future(self._make(item))
        self._making.add(task)
        task.add_done_callback(self._making.discard)

    async def _make(self, item: PlannedFault | PlannedNoise | Errand) -> None:
        try:
            if isinstance(item, PlannedFault):
                await self._inject(item)
            elif isinstance(item, PlannedNoise):
                await self._make_noise(item)
            else:
                await self._run_errand(item)
        except StackError as error:
            self._end = self._end or End("void", str(error), self._now())

    async def _inject(self, fault: PlannedFault) -> None:
        self._touched = True
        self._log.note("inject_begins", fault=fault.fault)
        tables, before = self.truth.keep_tables, self._after
        if before is not None:
            before = await self.stack.baseline(tables)
        await self.stack.inject(fault)
        if before is not None and self._after is not None:
            self._after = without(self._after, before, await self.stack.baseline(tables))
            self._log.note_baseline("after_injection", self._after)
            self._shows_at = self._now() + SHOWS_AFTER_S
        self._dwell = Dwell()
        self._in_place.append(fault.fault)
        self._log.note("bites", fault=fault.fault)

    async def _run_errand(self, errand: Errand) -> None:
        """Others mend what they were told, and say so."""
        await self.stack.mend(errand.fault)
        if errand.fault in self._in_place:
            self._in_place.remove(errand.fault)
        self._log.note("undone", fault=errand.fault)
        self._log.tell("message", text=f"{errand.who[:1].upper()}{errand.who[1:]}: {errand.says}")

    async def _make_noise(self, noise: PlannedNoise) -> None:
        self._touched = True
        self._log.note("noise", noise=noise.noise)
        await self.stack.make_noise(noise)

    def _listen(self) -> None:
        """Take in what the trainee did; an entry counts from its own time, but never from before the round or from the future."""
        for entry in self._trainee.news():
            self._seen.append(entry)
            at = min(max(when(entry) or 0.0, self._began_at or 0.0), self._now())
            match entry["kind"]:
                case "acknowledged" if "detected" not in self._reached:
                    self._reach("detected", at)
                case "diagnosed":
                    causes = entry.get("causes")
                    self._diagnosed_as = tuple(map(str, causes)) if isinstance(causes, list) else ()
                    self._errands.heard(self._diagnosed_as, at)
                    self._reach("diagnosed", at)
                case "hint_wanted" if self._hints < len(self.scenario.hints) and entry.get("level") == self._hints + 1:
                    self._hints += 1
                    self._log.tell("hint", level=self._hints, text=self.scenario.hints[self._hints - 1])
                case "fix_ends":
                    self._acted = True
                case "gave_up":
                    self._end = self._end or End("gave_up", "The trainee gave up.", at)
        del self._seen[:-KEPT]

    def _reach(self, phase: str, at: float) -> None:
        self._reached[phase] = at
        self._log.tell("phase", at=at, phase=phase)

    async def _watch(self) -> None:
        """Probe and sample when it is time to, and see whether everything holds for long enough."""
        if self._now() - self._looked_at < self._probes_every_s:
            return
        self._looked_at = self._now()
        (found, self._sample), added = await asyncio.gather(
            look(self.stack.system, self.truth.probes), asyncio.gather(*(probe.look(self.stack.system) for probe in self._added))
        )
        self._found = (*found, *added)
        at = self._now()
        self._dwell.feed(at, self._found)
        self._log.note_look(at, self._found, self._sample)
        if self._began_at is None:
            return
        if self._diagnosed_as is not None or self._acted:
            # Not earlier: a trainee who had seen nothing would be told that nothing is wrong.
            holding = sum(1 for probed in self._found if probed.holds)
            self._log.tell("probes", at=at, holding=holding, of=len(self._found), held_s=self._dwell.held_s or 0.0)
        held = self._dwell.held_s is not None and self._dwell.held_s >= self._dwell_s and at >= self._shows_at
        late = any(isinstance(item, PlannedFault) for item in self._due)
        if not held or late or self._making or self._frozen_at is not None:
            self._mended = self._mended and self._dwell.held_s is not None
            return
        if not self._mended and await self._all_there():
            self._mended = True
            if self._broken:
                self._reach("mitigated", at)

    async def _all_there(self) -> bool:
        """Whether every part of the baseline exists; rows that are gone are written down."""
        try:
            now = await self.stack.baseline(self.truth.keep_tables)
        except StackError:
            return False
        self._note_lost(now)
        return self._baseline is not None and self._baseline.parts <= now.parts

    def _over(self) -> End | None:
        if self._elapsed_s() >= self._limit_s:
            return End("timed_out", f"The round was not over after {self._limit_s / 60:.0f} minutes.", self._now())
        if not self._mended or "detected" not in self._reached or self._diagnosed_as is None:
            return None
        if self._broken or not self._diagnosed_as:
            return End("done", "Detected, diagnosed and mitigated.", self._now())
        return None

    @property
    def _broken(self) -> bool:
        """Whether there is anything to find; otherwise the right diagnosis is that nothing is wrong."""
        return bool(self.truth.causes or self._in_place)

    # -- the end ------------------------------------------------------------------------------------------------------

    async def _close(self, end: End) -> None:
        """Mend, then grade and tell. A log that cannot be written keeps nothing from being mended."""
        self._phase = "healing"
        for task in self._making:
            task.cancel()
        await asyncio.gather(*self._making, return_exceptions=True)
        if self._touched:
            await self._mend()
        close_books(self.round, end.how, end.reason, end.at, self.truth, self.scenario, self._issues)
        self._phase = "over"

    async def _mend(self) -> None:
        log = self._log
        log.mending = True
        log.tell("message", text="The round is over; the stack is being mended.")
        log.note("heal_begins")
        with contextlib.suppress(StackError):  # What cannot be told now is compared when it is mended.
            self._note_lost(await self.stack.baseline(self.truth.keep_tables))
        try:
            remade = await self.stack.heal()
        except StackError as error:
            # Without `ended` the round stays one that `triage drill heal` mends.
            log.tell("message", text=f"The stack could not be mended: {error}")
            raise
        for what in remade:
            log.lose(what)
        for fault in self._in_place:
            log.note("undone", fault=fault)
        self._in_place.clear()
        log.note("healed")

    def _note_lost(self, now: Baseline) -> None:
        if self._after is not None:
            self._log.note_lost(self._after, now)

    def _now(self) -> float:
        return self.stack.system.clock()

    def _elapsed_s(self) -> float:
        """Seconds on the round's clock, which stands while the round is frozen and after its end; 0 before it began."""
        if self._began_at is None:
            return 0.0
        ended_at = self._end.at if self._end is not None else None
        until = min(at for at in (self._now(), self._frozen_at, ended_at) if at is not None)
        return until - self._began_at - self._frozen_s
