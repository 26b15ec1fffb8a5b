"""The issue picker: chords, search, whether each issue fires."""

import asyncio
from typing import Any

import pytest

from console.problem import Problem, Problems
from screens.picker import PickerScreen
from screens.walk import WalkScreen
from tests.ui.opened import press, screen_text, settled, until
from tests.ui.practice import PATIENCE_S, practice


async def test_every_issue_is_listed_with_its_chord_and_whether_it_fires() -> None:
    async with practice("sms.c2.pool-exhausted") as pilot:
        await press(pilot, "g")
        await until(lambda: "✖ found" in screen_text(pilot), PATIENCE_S)
        shown = screen_text(pilot)
        assert "c1   ‼ critical Complete outage" in shown
        assert "c2   ‼ critical Database connection failures" in shown
        assert "c3   ‼ critical Backend crash loop" in shown


async def test_on_a_healthy_stack_nothing_fires() -> None:
    async with practice("healthy") as pilot:
        await press(pilot, "g")
        await until(lambda: screen_text(pilot).count("✔ clear") == 3, PATIENCE_S)


async def test_the_chord_starts_the_walk_although_the_guides_are_still_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    loading = asyncio.Event()

    async def slowly(function: Any, *args: Any) -> Any:
        await loading.wait()
        return function(*args)

    async with practice("healthy") as pilot:
        monkeypatch.setattr("screens.picker.asyncio.to_thread", slowly)
        await pilot.press("g", "c", "2")
        await settled(pilot)
        assert isinstance(pilot.app.screen, PickerScreen)
        loading.set()
        await until(lambda: isinstance(pilot.app.screen, WalkScreen), PATIENCE_S)
        assert pilot.app.screen.issue.id == "sms.c2"  # type: ignore[attr-defined]


async def test_what_is_typed_on_after_the_chord_is_for_the_walk() -> None:
    async with practice("sms.c2.pool-exhausted") as pilot:
        for key in ("g", "c", "2", "a"):
            pilot.app.simulate_key(key)
        await until(lambda: "Cause pool-exhausted" in screen_text(pilot), PATIENCE_S)


async def test_the_chord_works_while_a_check_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(_walk: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("console.guides.walk.Walk.finish", hangs)
    async with practice("healthy") as pilot:
        await press(pilot, "g")
        await until(lambda: "… checking" in screen_text(pilot), PATIENCE_S)
        await press(pilot, "c", "3")
        await until(lambda: isinstance(pilot.app.screen, WalkScreen), PATIENCE_S)


async def test_an_error_text_finds_its_issue() -> None:
    async with practice("healthy") as pilot:
        await press(pilot, "g")
        await until(lambda: "Complete outage" in screen_text(pilot), PATIENCE_S)
        await press(pilot, "slash", *"slots", "space", *"reserved")
        shown = screen_text(pilot)
        assert "found in: remaining connection slots are reserved" in shown
        assert "Backend crash loop" not in shown
        await press(pilot, "enter")
        await until(lambda: isinstance(pilot.app.screen, WalkScreen), PATIENCE_S)
        assert pilot.app.screen.issue.id == "sms.c2"  # type: ignore[attr-defined]


async def test_escape_closes_the_search_and_then_the_picker() -> None:
    async with practice("healthy") as pilot:
        await press(pilot, "g", "slash", *"nothing", "escape")
        assert isinstance(pilot.app.screen, PickerScreen)
        await press(pilot, "escape")
        assert pilot.app.screen is pilot.app.screen_stack[0]


async def test_guides_with_errors_are_told_and_do_not_end_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise Problems([Problem("c2.yaml", 3, 1, "unknown key 'stpes'")])

    monkeypatch.setattr("screens.picker.load_issues", broken)
    async with practice("healthy") as pilot:
        await press(pilot, "g")
        await until(lambda: "c2.yaml:3:1: unknown key 'stpes'" in screen_text(pilot), PATIENCE_S)


@pytest.mark.parametrize("size", [(200, 50), (80, 24), (40, 12)])
async def test_it_fits_every_terminal(size: tuple[int, int]) -> None:
    async with practice("healthy", size) as pilot:
        await press(pilot, "g")
        await until(lambda: "c3" in screen_text(pilot), PATIENCE_S)
        assert "esc" in screen_text(pilot) or size[0] < 60
