"""Procedures on the screen: the list, steps that the console makes, steps that a person ticks."""

from typing import Any

import pytest
from textual.pilot import Pilot

from console.procedures.procedure import Mark
from screens.confirm import ConfirmScreen
from screens.procedures import ProceduresScreen
from tests.ui.opened import press, screen_text, settled, until
from tests.ui.practice import PATIENCE_S, practice

SIZES = [(80, 24), (200, 50)]


async def opened(pilot: Pilot[Any]) -> ProceduresScreen:
    await press(pilot, "p")
    await until(lambda: isinstance(pilot.app.screen, ProceduresScreen), PATIENCE_S)
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, ProceduresScreen)
    return screen


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_list_names_each_with_its_risk_and_a_procedure_its_steps(size: tuple[int, int]) -> None:
    async with practice("healthy", size=size) as pilot:
        await opened(pilot)
        text = screen_text(pilot)
        for words in ("R1 Make a backup now", "R4 Restore from the latest backup", "Weekly list", "Monthly list"):
            assert words in text
        await press(pilot, "down", "enter")
        text = screen_text(pilot)
        assert "RTO 15 min; the clock starts with the first change" in text
        assert "Restore it beside the old database" in text


async def test_a_check_is_made_and_the_next_step_comes_up() -> None:
    async with practice("healthy") as pilot:
        screen = await opened(pilot)
        await press(pilot, "enter", "enter")
        run = screen.run
        assert run is not None
        await until(lambda: run.progress[0].mark is Mark.WELL, PATIENCE_S)
        await until(lambda: "backups;" in screen_text(pilot) or "backup;" in screen_text(pilot), PATIENCE_S)
        assert run.current == 1


async def test_a_change_goes_through_its_preview_and_read_only_makes_none() -> None:
    async with practice("healthy") as pilot:
        screen = await opened(pilot)
        await press(pilot, "enter", "down", "down", "enter")
        await until(lambda: isinstance(pilot.app.screen, ConfirmScreen), PATIENCE_S)
        await press(pilot, "y")
        await until(lambda: pilot.app.screen.progress.phase.name not in ("LOOKING", "DOING"), PATIENCE_S)  # type: ignore[attr-defined]
        await press(pilot, "escape")
        await until(lambda: pilot.app.screen is screen, PATIENCE_S)
        assert screen.run is not None
        assert screen.run.progress[2].mark is Mark.OPEN


async def test_a_person_ticks_a_step_with_a_note() -> None:
    async with practice("healthy") as pilot:
        screen = await opened(pilot)
        await press(pilot, *["down"] * 4, "enter", *["down"] * 3, "enter", *"done", "enter")
        run = screen.run
        assert run is not None
        assert run.procedure.id == "weekly"
        await until(lambda: run.progress[3].mark is Mark.WELL, PATIENCE_S)
        assert run.progress[3].lines == ("done",)
        await press(pilot, "escape", "escape")
        assert pilot.app.screen is not screen
