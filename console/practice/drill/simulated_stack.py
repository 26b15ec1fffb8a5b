"""A drill's stack in this process: nothing outside is touched, and nothing is left when the process ends."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import chain

from console.config import SystemConfig
from console.practice.drill.scenario import PlannedFault, PlannedNoise
from console.practice.drill.stack import Baseline, StackError
from console.practice.simulated.faults import HEALTHY, replies_of
from console.practice.simulated.staging import apply_fault, begin_again, make_noise, undo_fault
from console.practice.simulated.system import simulated_config, simulated_world, system_of
from console.system import System


class SimulatedStack:
    """One simulated stack that may be broken. Raises ValueError for a system that no simulated stack plays.

    Faults and noises of second 0 are on their way in the history that the world begins with, so that they bite when the
    trainee comes. `pause` lets the time of `clock` pass.
    """

    def __init__(
        self,
        config: SystemConfig,
        *,
        seed: int = 1,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.world = simulated_world(simulated_config(config), seed=seed, clock=clock)
        self._system = system_of(self.world, pause=pause)
        self._faults: list[str] = []
        self._noises: list[str] = []

    @property
    def kind(self) -> str:
        return "simulated"

    @property
    def system(self) -> System:
        return self._system

    async def why_not_clean(self) -> tuple[str, ...]:
        """Faults that are in place; a world of one's own has nothing else that could be unclean."""
        return tuple(f"{fault} is in place" for fault in self._faults)

    async def baseline(self, tables: tuple[str, ...]) -> Baseline:
        """What exists now; a table that is not there holds no rows. Tables are named as the guides do."""
        world = self.world
        if self._faults or self._noises or world.ticks:  # Otherwise it is as it was made, and has no past to live through.
            await world.settle()
        counts = await asyncio.to_thread(world.database.tables.count) if tables and world.database.exists else {}
        parts = frozenset((*world.containers, *(unit.name for unit in world.units.values())))
        real = world.config.tables
        return Baseline(parts, {table: counts.get(real.get(table, table), 0) for table in tables})

    async def inject(self, fault: PlannedFault) -> None:
        """Break the world, with a history for a fault of second 0; raises StackError for a fault that it does not have."""
        if fault.fault in self._faults:
            return
        if fault.at_s > 0:
            self._change(lambda: apply_fault(self.world, fault.fault))
        else:
            self._change(lambda: begin_again(self.world, [*self._faults, fault.fault], self._noises))
        self._faults.append(fault.fault)

    def cause_of(self, fault: str) -> str:
        """Here every fault has the id of its cause."""
        return fault

    async def mend(self, fault: str) -> None:
        """Let others mend this fault; raises StackError for one that is mended from the console."""
        self._change(lambda: undo_fault(self.world, fault))

    async def make_noise(self, noise: PlannedNoise) -> None:
        """Disturb the world; raises StackError for a noise that it does not have."""
        if noise.at_s > 0:
            self._change(lambda: make_noise(self.world, noise.noise))
        else:
            self._change(lambda: begin_again(self.world, self._faults, [*self._noises, noise.noise]))
        self._noises.append(noise.noise)

    def replies(self, faults: tuple[str, ...]) -> Mapping[str, str]:
        """What the users whom these faults hit would say; the first fault speaks where they disagree."""
        told: dict[str, str] = {}
        for fault in (*faults, HEALTHY):
            try:
                answers, inputs = replies_of(fault, self._system.config)
            except KeyError:
                continue
            told = {**dict(chain(answers.items(), inputs.items())), **told}
        return told

    async def heal(self) -> tuple[str, ...]:
        """Begin the world again, as it was before anybody touched it."""
        self._faults.clear()
        self._noises.clear()
        begin_again(self.world)
        return ()

    async def aclose(self) -> None:
        await self._system.aclose()

    def _change(self, change: Callable[[], None]) -> None:
        try:
            change()
        except ValueError as error:
            raise StackError(str(error), "`triage lint` finds this in a scenario.") from None
