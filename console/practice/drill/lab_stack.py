"""A drill's stack of real containers: the lab of a system. Touches only what carries the lab's label."""

import asyncio
import fcntl
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import IO, Final, TypeVar

from console.config import SystemConfig
from console.config_sources import EngineConfig
from console.practice.drill.lab_rows import count_rows
from console.practice.drill.scenario import PlannedFault, PlannedNoise
from console.practice.drill.stack import Baseline, StackError
from console.practice.drill.watching import lost_since
from console.practice.lab.command import faults_of
from console.practice.lab.errors import LabError
from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.injection import Injection
from console.practice.lab.plan import lab_plan
from console.practice.lab.spec import OWNER_LABEL, Service
from console.practice.lab.stack import Lab
from console.practice.lab.target import Target
from console.system import System, live_system
from console.text import clean

T = TypeVar("T")
Say = Callable[[str], None]
FOREIGN: Final = "foreign"


class _GivenUp(LabError):
    """The round ends while a fault is being made."""


class LabStack:
    """The lab of one system. Raises StackError for a system that the lab cannot stand in for.

    `kept`: what existed before a round whose referee is gone, for mending it from another process. Every blocking call
    runs in a thread, one at a time; what is being made when the round ends is given up and undone first.
    """

    def __init__(self, config: SystemConfig, say: Say = lambda _line: None, *, kept: Baseline | None = None) -> None:
        try:
            self._lab = Lab(lab_plan(config.name, config), config.engine or EngineConfig(), say)
        except LabError as error:
            raise StackError(error.message, error.advice) from None
        self._say = say
        self._injection = Injection(self._lab, say)
        self._system = live_system(config)
        self._kept = kept
        self._one_at_a_time = asyncio.Lock()
        self._give_up = threading.Event()
        self._claim: IO[str] | None = None

    @property
    def kind(self) -> str:
        return "lab"

    @property
    def system(self) -> System:
        return self._system

    def faults(self) -> Mapping[str, str]:
        """What can be broken here: the fault's id, and what it is."""
        return {fault.id: fault.title for fault in faults_of(self._lab).values()}

    async def why_not_clean(self) -> tuple[str, ...]:
        """Why no round may begin. The lab is this round's alone from here on, until it is closed."""
        return await self._do(self._why_not_clean)

    async def baseline(self, tables: tuple[str, ...]) -> Baseline:
        """What carries the lab's label, and the rows of these tables, which are named as the guides do."""
        found = await self._do(lambda: self._look(tables))
        if self._kept is None:
            self._kept = found
        return found

    async def inject(self, fault: PlannedFault) -> None:
        """Journal the way back, make the fault and wait until it bites."""
        known = self._known(fault.fault)
        await self._do(lambda: self._inject(known))

    def cause_of(self, fault: str) -> str:
        """The cause that a fault shows; raises StackError for one that the lab does not have."""
        return self._known(fault).cause

    async def mend(self, fault: str) -> None:
        """Undo this one fault, as somebody else does whose work it is."""
        await self._do(lambda: self._injection.undo(fault))

    async def make_noise(self, noise: PlannedNoise) -> None:
        """Make something suspicious and harmless; it is journalled and undone like a fault."""
        await self._do(lambda: self._inject(_noise(noise.noise)))

    def replies(self, faults: tuple[str, ...]) -> Mapping[str, str]:
        """What the users whom these faults hit would say; the first fault speaks where they disagree."""
        told: dict[str, str] = {}
        try:
            for fault in (*map(self._known, faults), None):
                answers, inputs = self._injection.replies(fault)
                told = {**answers, **inputs, **told}
        except LabError as error:
            raise StackError(error.message, error.advice) from None
        return told

    async def heal(self) -> tuple[str, ...]:
        """Undo every fault of the journal, put back what the trainee changed, and compare with what was there before."""
        self._give_up.set()
        try:
            return await self._do(self._heal)
        finally:
            self._give_up.clear()

    async def aclose(self) -> None:
        await self._system.aclose()
        await asyncio.to_thread(self._lab.close)
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    # -- in a thread ----------------------------------------------------------------------------------------------------

    def _why_not_clean(self) -> tuple[str, ...]:
        if not self._claimed():
            return ("another round has this lab: `triage drill status` tells which",)
        status = self._lab.status()
        foreign = [state.name for state in status.services if state.state == FOREIGN]
        if foreign:
            return tuple(f"there is a container {name} that is not the lab's; it was left as it is" for name in foreign)
        if not self._labelled():
            label, up = f"{OWNER_LABEL}={self._lab.plan.system}", f"triage lab up --system {self._lab.plan.system}"
            raise StackError(f"Nothing here carries the label {label}, and nothing else is ever touched.", f"`{up}` makes it.")
        faults = tuple(f"{item.fault_id} is in place (`triage lab undo` removes it)" for item in self._injection.open())
        return (*faults, *status.waiting)

    def _claimed(self) -> bool:
        if self._claim is None:
            claim = (self._lab.folder / "drill.lock").open("w") if self._lab.folder.is_dir() else None
            if claim is None:
                return True
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                claim.close()
                return False
            self._claim = claim
        return True

    def _labelled(self) -> frozenset[str]:
        """The names of everything that the lab owns: containers, and volumes, which hold the data."""
        api, mine = self._lab.client.api, {"label": f"{OWNER_LABEL}={self._lab.plan.system}"}
        containers = {clean(found["Names"][0].lstrip("/")) for found in api.containers(all=True, filters=mine)}
        volumes = {f"volume {clean(found['Name'])}" for found in api.volumes(filters=mine).get("Volumes") or ()}
        return frozenset(containers | volumes)

    def _look(self, tables: tuple[str, ...]) -> Baseline:
        real = self._system.config.tables
        return Baseline(self._labelled(), count_rows(Target(self._lab), {table: real.get(table, table) for table in tables}))

    def _known(self, fault_id: str) -> LabFault:
        known = faults_of(self._lab)
        if fault_id not in known:
            raise StackError(f"The lab of {self._lab.plan.system} has no fault {fault_id!r}.", "`triage lint` finds this.")
        return known[fault_id]

    def _inject(self, fault: LabFault) -> None:
        def bites(target: Target, notes: Notes) -> bool:
            if self._give_up.is_set():
                raise _GivenUp("The round ended before the fault was felt.")
            return fault.bites(target, notes)

        self._injection.inject(replace(fault, bites=bites))

    def _heal(self) -> tuple[str, ...]:
        self._give_up.clear()
        if not self._claimed():
            raise StackError("Another round has this lab.", "`triage drill status` tells which.")
        if not self._labelled() and not self._injection.open():
            self._say("The lab was removed meanwhile; there is nothing to mend.")
            return ()
        trouble = self._put_back()
        lost: tuple[str, ...] = ()
        if not trouble and self._kept is not None:
            lost = lost_since(self._kept, self._look(tuple(self._kept.rows)))
        if trouble or lost:
            self._say(f"{trouble or '; '.join(lost)}: the lab is made anew")
            self._injection.abandon()
            self._lab.down()
            self._lab.up()
        return lost

    def _put_back(self) -> str:
        """Undo the faults and bring everything up; why that was not enough, empty when it was."""
        try:
            self._undo_all()
            self._lab.up()
            self._forget_settings()
        except LabError as error:
            return str(error)
        return ""

    def _forget_settings(self) -> None:
        """Reset what was set in the server for good, and what it remembers: a lab as it is made has nothing of either."""
        target = Target(self._lab)
        target.forget_statements()
        if target.sql("SELECT count(*) FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.auto.conf'") == "0":
            return
        self._say("Resetting the settings of PostgreSQL")
        target.sql("ALTER SYSTEM RESET ALL")
        target.restart(Service.DATABASE)
        target.start_database()
        self._lab.wait_until_up()

    def _undo_all(self) -> None:
        if not self._injection.open():
            return
        try:
            self._injection.undo_all()
        except LabError as error:
            # A way back may need what the trainee stopped.
            self._say(f"{error} Starting what is stopped, and trying again")
            Target(self._lab).start_all()
            self._injection.undo_all()

    async def _do(self, work: Callable[[], T]) -> T:
        """Run blocking work in a thread. Cancelled, it waits until that is given up: it must not go on behind a mended stack."""
        async with self._one_at_a_time:
            task = asyncio.ensure_future(asyncio.to_thread(work))
            cancelled: asyncio.CancelledError | None = None
            while not task.done():
                try:
                    await asyncio.shield(task)
                except asyncio.CancelledError as error:
                    cancelled = error
                    self._give_up.set()
                except Exception:
                    break
            if cancelled is not None:
                self._give_up.clear()
                task.exception()
                raise cancelled
            try:
                return task.result()
            except LabError as error:
                raise StackError(error.message, error.advice) from None
            except Exception as error:
                if not _from_engine(error):
                    raise
                message = f"The container engine did not do it: {clean(str(error), 300)}."
                raise StackError(message, "`triage lab status` shows how the lab stands.") from None


def _noise(name: str) -> LabFault:
    from console.practice.lab.noises import NOISES

    if name not in NOISES:
        raise StackError(f"The lab has no noise {name!r}; there are {', '.join(NOISES)}.", "`triage lint` finds this.")
    return NOISES[name]


def _from_engine(error: Exception) -> bool:
    from docker.errors import DockerException
    from requests import RequestException

    return isinstance(error, DockerException | RequestException)
