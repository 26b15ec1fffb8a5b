"""A configured system on the simulated stack, behind the protocols of the live one."""

import random
import time
from collections.abc import Callable

from console.config import Environment, SystemConfig
from console.practice.simulated.cache import SimulatedCache
from console.practice.simulated.database import SimulatedDatabase
from console.practice.simulated.engine import SimulatedEngine
from console.practice.simulated.faults import FAULTS, HEALTHY
from console.practice.simulated.metrics import SimulatedMetrics
from console.practice.simulated.surroundings import SimulatedEndpoints, SimulatedHost
from console.practice.simulated.world import World
from console.system import System

RANDOM = "random"
NEEDED_ROLES = ("backend", "database", "cache", "proxy")


def fault_ids() -> tuple[str, ...]:
    """Every state that the stack can be in: `healthy` and the faults, each `<issue>.<cause>`."""
    return tuple(FAULTS)


def choose_fault(seed: int) -> str:
    """The fault that `--scenario random` means: the same one for the same seed."""
    faults = [fault for fault in FAULTS if fault != HEALTHY]
    return random.Random(seed).choice(faults)  # noqa: S311 - a drill, not a secret


def simulated_config(config: SystemConfig) -> SystemConfig:
    """The system's config, marked so that nobody takes the practice stack for the real one."""
    return config.model_copy(update={"environment": Environment.SIMULATED})


def simulated_system(
    config: SystemConfig, *, fault: str = HEALTHY, seed: int = 1, clock: Callable[[], float] = time.time
) -> System:
    """A stack of its own in this process, with a quarter of an hour behind it; nothing outside is touched.

    `fault` is one of `fault_ids()` or `random`, which `seed` decides. The same seed and clock give the same readings. Raises
    ValueError for an unknown fault, and for a system that lacks one of the roles that the stack plays.
    """
    missing = [role for role in NEEDED_ROLES if role not in config.roles]
    if missing:
        raise ValueError(f"The practice stack is made for sms; {config.name!r} names no container for {', '.join(missing)}.")
    chosen = choose_fault(seed) if fault == RANDOM else fault
    if chosen not in FAULTS:
        raise ValueError(f"There is no fault {fault!r}; there are {', '.join(FAULTS)}.")
    config = simulated_config(config)
    world = World(config, seed=seed, clock=clock)
    world.schedule(FAULTS[chosen].onset_s, FAULTS[chosen].apply)
    return System(
        config=config,
        host=SimulatedHost(world),
        engine=SimulatedEngine(world),
        database=SimulatedDatabase(world, config.postgres, key=f"systems.{config.name}.postgres") if config.postgres else None,
        cache=SimulatedCache(world, config.redis, key=f"systems.{config.name}.redis") if config.redis else None,
        metrics=SimulatedMetrics(world, config.prometheus) if config.prometheus else None,
        endpoints=SimulatedEndpoints(world, config.endpoints) if config.endpoints else None,
    )
