"""The machine of a simulated stack: raw output of its commands, read by the parsers of the live source."""

from collections.abc import Sequence

from console.practice.simulated import shell
from console.practice.simulated.world import World
from console.sources.host.command import CommandHost, Output


class SimulatedHost(CommandHost):
    """Implements `console.sources.protocols.host.Host` on a world: a machine that is made up whole."""

    def __init__(self, world: World) -> None:
        async def answer(argv: Sequence[str], _timeout_s: float) -> Output:
            await world.settle()
            code, stdout, stderr = shell.run(world, argv)
            return code, stdout.encode(), stderr.encode()

        super().__init__(answer, where="the simulated machine")
        self._world = world

    async def open(self) -> None:
        """Make up the world's past now: half a second of work, in slices, that the first question need not wait for."""
        await self._world.settle()
