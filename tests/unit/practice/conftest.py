"""A simulated stack whose clock the test turns."""

from collections.abc import AsyncIterator, Callable

import pytest
from turned_clock import Clock
from unhurried import take_time

from console.config import SystemConfig, load_config, shipped_config
from console.practice.simulated.system import simulated_system
from console.system import System


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    take_time(monkeypatch)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def sms() -> SystemConfig:
    return load_config(shipped_config()).config.system("sms")


@pytest.fixture
async def stack(sms: SystemConfig, clock: Clock) -> AsyncIterator[Callable[..., System]]:
    """Makes stacks with a fault; closes them all afterwards."""
    made: list[System] = []

    def make(fault: str = "healthy", seed: int = 1) -> System:
        made.append(simulated_system(sms, fault=fault, seed=seed, clock=clock))
        return made[-1]

    yield make
    for system in made:
        await system.aclose()
