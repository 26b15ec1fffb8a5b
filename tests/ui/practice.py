"""The console on the simulated stack, with a fixed seed and a clock that the test moves."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from console.practice.simulated.system import simulated_system
from console.system import System
from screens.app import TriageApp
from screens.walk import WalkScreen
from tests.ui import fakes
from tests.ui.opened import filled, press, settled, until

PATIENCE_S = 60.0
"""Several suites may run on two cores at once; nothing here is about speed."""


class Clock:
    """Time that passes when the test says so, or so many times as fast as on the wall."""

    def __init__(self, pace: float = 0.0) -> None:
        self.now = fakes.NOW
        self._pace = pace
        self._began = time.monotonic()

    def __call__(self) -> float:
        return self.now + (time.monotonic() - self._began) * self._pace


def practice_system(fault: str, clock: Clock) -> System:
    return simulated_system(fakes.config(), fault=fault, seed=7, clock=clock)


@asynccontextmanager
async def practice(
    fault: str, size: tuple[int, int] = (160, 45), *, write: bool = False, clock: Clock | None = None
) -> AsyncIterator[Pilot[Any]]:
    """The console with every pane filled, on a stack that has this fault."""
    clock = clock or Clock()
    app = TriageApp(practice_system(fault, clock), write=write, clock=clock)
    async with app.run_test(size=size) as pilot:
        await until(lambda: filled(app), PATIENCE_S)
        await settled(pilot)
        yield pilot


def walk_screen(pilot: Pilot[Any]) -> WalkScreen:
    assert isinstance(pilot.app.screen, WalkScreen)
    return pilot.app.screen


async def walked(pilot: Pilot[Any], *keys: str) -> WalkScreen:
    """Press keys one by one, each when the walk has done what the one before asked for."""
    for key in keys:
        screen = walk_screen(pilot)
        await until(lambda: not screen.busy, PATIENCE_S)  # noqa: B023 -- awaited before the next turn
        await press(pilot, key)
    screen = walk_screen(pilot)
    await until(lambda: not screen.busy, PATIENCE_S)
    await settled(pilot)
    return screen


async def walking(pilot: Pilot[Any], *chord: str) -> WalkScreen:
    """Open an issue by its chord."""
    await press(pilot, "g", *chord)
    await until(lambda: isinstance(pilot.app.screen, WalkScreen), PATIENCE_S)
    await settled(pilot)
    return walk_screen(pilot)
