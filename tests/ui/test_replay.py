"""A round that was recorded plays again: the same panes show the same, cell by cell, and nothing else can be done."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from console.practice.drill.review import Lane, Moment
from console.practice.drill.round_clock import clock_of
from console.practice.drill.tape import Player, read_tape
from screens.app import TriageApp
from screens.replay import ReplayApp
from tests.ui import fakes
from tests.ui.opened import app_of, filled, press, screen_text, settled, until
from tests.ui.practice import PATIENCE_S, Clock, practice_system
from tests.ui.referee import WrittenRound

INSTANTS = (0.0, 7.0, 20.0)
PANES = ("containers", "postgres", "redis", "latency")


@asynccontextmanager
async def playing(written: WrittenRound, at: float, size: tuple[int, int] = (160, 45)) -> AsyncIterator[Pilot[Any]]:
    """The replay, standing still at a time."""
    player = Player(read_tape(written.round))
    player.go_to(at)
    player.pause()
    moments = tuple(Moment(at_s, Lane.TRAINEE, f"Did something {at_s:.0f}") for at_s in INSTANTS)
    app = ReplayApp(fakes.config(), player, clock_of(written.round.public().entries()), moments, stack="simulated")
    async with app.run_test(size=size) as pilot:
        await until(lambda: filled(app), PATIENCE_S)
        await settled(pilot)
        yield pilot


def body(pilot: Pilot[Any]) -> list[str]:
    """Everything between the two lines on top and the keys."""
    return screen_text(pilot).splitlines()[2:-1]


@pytest.fixture
async def recorded(tmp_path: Path) -> tuple[WrittenRound, list[tuple[float, list[str]]]]:
    """A round on a stack that breaks further while it is looked at, and what the screen showed at some instants."""
    written, clock = WrittenRound(tmp_path), Clock()
    written.begin()
    app = TriageApp(practice_system("sms.c2.pool-exhausted", clock), clock=clock, round=written.round)
    shown = []
    async with app.run_test(size=(160, 45), notifications=False) as pilot:
        await until(lambda: filled(app) and written.did("joined"), PATIENCE_S)
        for passed_s in INSTANTS:
            clock.now = fakes.NOW + passed_s
            await until(lambda: all(_up_to(app, name, clock.now) for name in PANES), PATIENCE_S)
            await settled(pilot)
            app._notifications.clear()
            app._refresh_notifications()
            await settled(pilot)
            shown.append((clock.now, body(pilot)))
    return written, shown


def _up_to(app: TriageApp, pane: str, now: float) -> bool:
    reading = next(item for item in app.dashboard.panes if item.id == pane).reading
    return reading is not None and reading.asked_at >= now


async def test_a_round_recorded_and_replayed_shows_the_same_frames(
    recorded: tuple[WrittenRound, list[tuple[float, list[str]]]],
) -> None:
    written, shown = recorded
    assert shown[0][1] != shown[-1][1], "something happened in between"
    for at, lines in shown:
        async with playing(written, at) as pilot:
            await until(lambda: body(pilot) == lines, 5.0)  # noqa: B023 -- awaited before the next turn


async def test_it_goes_from_mark_to_mark_pauses_and_changes_its_speed(
    recorded: tuple[WrittenRound, list[tuple[float, list[str]]]],
) -> None:
    written, shown = recorded
    async with playing(written, shown[1][0]) as pilot:
        app = app_of(pilot)
        assert "REPLAY" in screen_text(pilot)
        assert "Did something 7" in screen_text(pilot).splitlines()[1]
        await press(pilot, "left_square_bracket")
        await until(lambda: "Did something 0" in screen_text(pilot).splitlines()[1])
        await until(lambda: filled(app))
        await until(lambda: body(pilot) == shown[0][1], 5.0)
        await press(pilot, "plus", "plus")
        assert "‖ 4x" in screen_text(pilot).splitlines()[1]
        await press(pilot, "space")
        await until(lambda: "end" in screen_text(pilot).splitlines()[1], 10.0)
        assert "Did something 20" in screen_text(pilot).splitlines()[1]


async def test_nothing_is_asked_and_nothing_can_be_changed(
    recorded: tuple[WrittenRound, list[tuple[float, list[str]]]],
) -> None:
    written, shown = recorded
    async with playing(written, shown[0][0]) as pilot:
        dashboard = app_of(pilot).dashboard
        for key in ("g", "x", "d", "p", "w", "D", "r", "t"):
            await press(pilot, key)
            assert pilot.app.screen is dashboard, key
        assert not app_of(pilot).armed.is_armed(0.0)
