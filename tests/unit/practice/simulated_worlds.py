"""Makes worlds of each system for tests that look into them, not only at their answers."""

from collections.abc import Callable

from turned_clock import Clock

from console.config import load_config, shipped_config
from console.practice.simulated.client import SimulatedNetwork
from console.practice.simulated.host import SimulatedHost
from console.practice.simulated.system import simulated_world
from console.practice.simulated.world import World

CONFIG = load_config(shipped_config()).config
SYSTEMS = ("sms", "planner", "dotmac", "sovd")


class Stage:
    """One world, with what asks it. `after` lets a fault happen some seconds before now."""

    def __init__(
        self, name: str, clock: Clock, happens: Callable[[World], None] | None = None, *, before_s: float = 120, seed: int = 1
    ) -> None:
        self.clock = clock
        self.world = simulated_world(CONFIG.system(name), seed=seed, clock=clock)
        if happens is not None:
            self.world.schedule(before_s, happens)
        self.world.advance()
        self.network, self.host = SimulatedNetwork(self.world), SimulatedHost(self.world)

    def passes(self, seconds: float) -> None:
        """Let time pass, and the world live through it."""
        self.clock.passes(seconds)
        self.world.advance()

    def log(self, role: str, lines: int = 60) -> str:
        return "\n".join(line.text for line in self.world.log(role).tail(lines, None))

    def url(self, endpoint: str) -> str:
        return self.world.config.endpoints[endpoint]
