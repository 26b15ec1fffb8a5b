"""A procedure and how far it has got. A step is made by a check, by a confirmed change, or by a person."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from console.guides.checks import run_check
from console.guides.conditions import Condition, evaluate
from console.guides.fixes import Applied
from console.guides.issue import CheckCall, Fix
from console.guides.readings import Readings
from console.guides.risk import Risk
from console.system import System

Record = Callable[[str, Mapping[str, object]], Awaitable[None]]
"""Writes one journal entry; raises OSError when it cannot."""
CHECK_S = 5.0


@dataclass(frozen=True, slots=True)
class Step:
    """One of: `check` (well when `holds`), `fix` (a change, previewed and confirmed), neither (a person does and ticks it)."""

    title: str
    check: CheckCall | None = None
    holds: Condition | None = None
    fix: Fix | None = None
    stops_clock: bool = False
    """When it is well, what was lost is back: the recovery clock stands."""


@dataclass(frozen=True, slots=True)
class Procedure:
    """`clocked`: what was promised for a recovery runs against it from its first change on."""

    id: str
    title: str
    why: str
    steps: tuple[Step, ...]
    clocked: bool = False

    @property
    def risk(self) -> Risk | None:
        """The worst of its changes; None when it changes nothing."""
        return max((step.fix.risk for step in self.steps if step.fix), default=None)


class Mark(StrEnum):
    OPEN = "open"
    BUSY = "busy"
    WELL = "well"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Progress:
    """How a step stands; `lines` are what was seen or done. Texts are clean."""

    mark: Mark = Mark.OPEN
    lines: tuple[str, ...] = ()


@dataclass(slots=True)
class Run:
    """One procedure being gone through. Every step that is made or ticked is written into the journal."""

    procedure: Procedure
    system: System
    record: Record
    progress: list[Progress] = field(default_factory=list)
    began: float | None = None
    ended: float | None = None

    def __post_init__(self) -> None:
        self.progress = [Progress() for _ in self.procedure.steps]

    @property
    def current(self) -> int:
        """The first step that is not well yet; the last one when all are."""
        marks = [item.mark is not Mark.WELL for item in self.progress]
        return marks.index(True) if any(marks) else len(marks) - 1

    @property
    def done(self) -> bool:
        return all(item.mark is Mark.WELL for item in self.progress)

    def elapsed_s(self) -> float | None:
        """What has passed of the time for recovery; None before the first change, or when nothing was promised."""
        if not self.procedure.clocked or self.began is None:
            return None
        return (self.ended if self.ended is not None else self.system.elapsed()) - self.began

    def begin_change(self) -> None:
        """The first change starts the clock."""
        if self.began is None:
            self.began = self.system.elapsed()

    async def look(self, index: int) -> None:
        """Make the check of a step. What cannot be read is unknown, never well."""
        step = self.procedure.steps[index]
        if step.check is None:
            return
        self.progress[index] = replace(self.progress[index], mark=Mark.BUSY)
        readings = Readings(self.system)
        try:
            outcome = await run_check(step.check, readings, limit_s=CHECK_S)
        except asyncio.CancelledError:
            self.progress[index] = Progress()
            raise
        finally:
            readings.close()
        holds = evaluate(step.holds, outcome.facts) if step.holds is not None else outcome.failure is None
        mark = Mark.UNKNOWN if holds is None or outcome.failure else Mark.WELL if holds else Mark.FAILED
        said = (str(outcome.failure),) if outcome.failure else (outcome.headline, *map(str, outcome.unread))
        await self._keep(index, mark, (*said, *outcome.evidence[:3]))

    async def changed(self, index: int, applied: Applied | None) -> None:
        """What became of the change of a step; None: it was left."""
        if applied is not None and (applied.done or applied.failed):
            failed = (str(applied.failed),) if applied.failed else ()
            mark = Mark.WELL if applied.done and not applied.failed else Mark.FAILED
            await self._keep(index, mark, (*applied.lines, *failed))

    async def tick(self, index: int, note: str) -> None:
        """A person has done a step, and says so in `note`."""
        await self._keep(index, Mark.WELL, (note,) if note else ())

    async def _keep(self, index: int, mark: Mark, lines: tuple[str, ...]) -> None:
        step = self.procedure.steps[index]
        details = {"procedure": self.procedure.id, "step": step.title, "mark": mark.value, "lines": list(lines)}
        try:
            await self.record("procedure_step", details)
        except OSError as error:
            lines = (*lines, f"The journal cannot be written: {error.strerror or error}.")
        self.progress[index] = Progress(mark, lines)
        if mark is Mark.WELL and step.stops_clock and self.began is not None and self.ended is None:
            self.ended = self.system.elapsed()
