"""A configured system on the simulated stack, behind the protocols of the live one."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from console.config import Environment, SystemConfig
from console.practice.simulated.blueprints import NAMES, blueprint_name, blueprint_of
from console.practice.simulated.cache import SimulatedCache
from console.practice.simulated.client import SimulatedEndpoints, SimulatedNetwork
from console.practice.simulated.database import SimulatedDatabase
from console.practice.simulated.engine import SimulatedEngine
from console.practice.simulated.faults import HEALTHY, fault_ids, faults_of
from console.practice.simulated.host import SimulatedHost
from console.practice.simulated.metrics import SimulatedMetrics
from console.practice.simulated.world import World
from console.system import System

__all__ = ["choose_fault", "fault_ids", "simulated_config", "simulated_system"]

RANDOM = "random"


def choose_fault(seed: int, config: SystemConfig | None = None) -> str:
    """The fault that `--scenario random` means: the same one for the same seed and system (sms when none is named)."""
    name = "sms" if config is None else blueprint_name(config)
    faults = [fault for fault in faults_of(name or "sms") if fault != HEALTHY]
    return random.Random(seed).choice(faults) if faults else HEALTHY  # noqa: S311 - a drill, not a secret


def simulated_config(config: SystemConfig) -> SystemConfig:
    """The system's config, marked so that nobody takes the practice stack for the real one."""
    return config.model_copy(update={"environment": Environment.SIMULATED})


def simulated_system(
    config: SystemConfig,
    *,
    fault: str = HEALTHY,
    seed: int = 1,
    clock: Callable[[], float] = time.time,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> System:
    """A stack of its own in this process, with a quarter of an hour behind it; nothing outside is touched.

    `fault` is one of `fault_ids(config)` or `random`, which `seed` decides. The same seed and clock give the same readings.
    `pause` lets the time of `clock` pass. Raises ValueError for an unknown fault, and for a system that no stack can play.
    """
    return system_of(simulated_world(config, fault=fault, seed=seed, clock=clock), pause=pause)


def system_of(world: World, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> System:
    """The sources of a world. They stay right when it begins anew."""
    config = world.config
    key = f"systems.{config.name}"
    return System(
        config=config,
        host=SimulatedHost(world),
        engine=SimulatedEngine(world) if config.engine else None,
        database=SimulatedDatabase(world, config.postgres, key=f"{key}.postgres") if config.postgres else None,
        cache=SimulatedCache(world, config.redis, key=f"{key}.redis") if config.redis else None,
        metrics=SimulatedMetrics(world, config.prometheus) if config.prometheus else None,
        endpoints=SimulatedEndpoints(world, config.endpoints) if config.endpoints else None,
        network=SimulatedNetwork(world),
        clock=world.clock,
        pause=pause,
    )


def simulated_world(
    config: SystemConfig, *, fault: str = HEALTHY, seed: int = 1, clock: Callable[[], float] = time.time
) -> World:
    """The world alone, with a fault on its way; as `simulated_system` does it."""
    name = blueprint_name(config)
    if name is None:
        raise ValueError(
            f"The practice stacks are made for {', '.join(NAMES)}; {config.name!r} is none of them, nor are its guides."
        )
    blueprint, faults = blueprint_of(name), faults_of(name)
    missing = [
        part.role for part in blueprint.parts
        if part.role in ("backend", "database", "cache", "proxy") and not part.unit and part.role not in config.roles
    ]  # fmt: skip
    if missing:
        raise ValueError(f"The practice stack needs a container for {', '.join(missing)}; {config.name!r} names none.")
    chosen = choose_fault(seed, config) if fault == RANDOM else fault
    if chosen not in faults:
        raise ValueError(f"There is no fault {fault!r}; there are {', '.join(faults)}.")
    world = World(simulated_config(config), blueprint, seed=seed, clock=clock)
    world.schedule(faults[chosen].onset_s, faults[chosen].apply)
    return world
