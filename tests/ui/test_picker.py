"""The issue picker: chords, search, whether each issue fires."""

import asyncio
import re
from typing import Any

import pytest

from console.guides.chord import RESERVED
from console.guides.loader import Guides, read_guides
from console.guides.triage import Look
from console.problem import Problem
from screens.picker import PickerScreen
from screens.walk import WalkScreen
from tests.ui.opened import press, screen_text, settled, until
from tests.ui.practice import PATIENCE_S, practice
from widgets.commands import COMMANDS, Scope


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
        await until(lambda: "checking" not in screen_text(pilot) and "✔ clear" in screen_text(pilot), PATIENCE_S)
        for mark in ("✖ found", "▲ escalate", "↳ follows", "? suspicious"):
            assert mark not in screen_text(pilot)


async def test_the_chord_starts_the_walk_although_the_guides_are_still_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    loading = asyncio.Event()

    async def slowly(function: Any, *args: Any) -> Any:
        await loading.wait()
        return function(*args)

    async with practice("healthy") as pilot:
        monkeypatch.setattr("screens.app.asyncio.to_thread", slowly)
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

    monkeypatch.setattr("console.guides.walk.Walk.step", hangs)
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


async def test_a_broken_file_is_told_and_the_other_issues_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(guides: tuple[str, ...]) -> Guides:
        return Guides(read_guides(guides).issues, (Problem("ours/x2-proxy.yaml", 3, 1, "unknown key 'stpes'"),))

    monkeypatch.setattr("console.guides.loader.read_guides", read)
    async with practice("healthy") as pilot:
        await press(pilot, "g")
        await until(lambda: "ours/x2-proxy.yaml:3:1: unknown key 'stpes'" in screen_text(pilot), PATIENCE_S)
        assert "1 file is left out" in screen_text(pilot)
        assert "Complete outage" in screen_text(pilot)
        await press(pilot, "c", "2")
        await until(lambda: isinstance(pilot.app.screen, WalkScreen), PATIENCE_S)


async def test_nothing_but_broken_guides_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Guides((), (Problem("c2.yaml", 3, 1, "unknown key 'stpes'"), Problem("c1.yaml", 1, 1, "is empty")))
    monkeypatch.setattr("console.guides.loader.read_guides", lambda _guides: broken)
    async with practice("healthy") as pilot:
        await press(pilot, "g")
        await until(lambda: "2 files are left out" in screen_text(pilot), PATIENCE_S)
        assert "c2.yaml:3:1: unknown key 'stpes'" in screen_text(pilot)


def _rows(text: str) -> list[str]:
    """The chords of the picker's rows, in their order."""
    found = (re.match(r"[ ┃│]*([a-z]\d{1,2}) +[‼▲●·]", row) for row in text.splitlines())
    return [match[1] for match in found if match]


async def test_a_root_stands_first_and_what_follows_from_it_says_so() -> None:
    async with practice("sms.c2.database-down") as pilot:
        await press(pilot, "g")
        await until(lambda: _rows(screen_text(pilot))[:1] == ["c2"] and "↳ follows" in screen_text(pilot), PATIENCE_S)
        rows = screen_text(pilot).splitlines()
        assert "✖ found" in next(row for row in rows if "Database connection failures" in row)
        assert "↳ follows" in next(row for row in rows if "Complete outage" in row)
        await press(pilot, "slash", *"outage")
        await until(lambda: "It follows from sms.c2.database-down." in screen_text(pilot), PATIENCE_S)
        await press(pilot, "escape", "enter")
        await until(lambda: isinstance(pilot.app.screen, WalkScreen), PATIENCE_S)
        assert pilot.app.screen.issue.id == "sms.c2"  # type: ignore[attr-defined]


async def test_what_a_quick_look_leaves_out_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look(_system: object, issue: Any, _readings: object) -> Look:
        return Look(issue, left="takes longer: Does mail go out?", suspicious=issue.id == "sms.h1")

    monkeypatch.setattr("screens.picker.look_closer", look)
    async with practice("healthy") as pilot:
        await press(pilot, "g")
        await until(lambda: _rows(screen_text(pilot))[:1] == ["h1"], PATIENCE_S)
        rows = screen_text(pilot).splitlines()
        assert "? suspicious" in next(row for row in rows if "h1 " in row)
        assert "· not seen" in next(row for row in rows if "c1 " in row)
        assert "A quick look does not tell; takes longer: Does mail go out?" in screen_text(pilot)


async def test_the_last_issue_is_one_key_away_and_the_keys_of_the_chosen_one_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look(_system: object, issue: Any, _readings: object) -> Look:
        return Look(issue, left="takes longer")

    monkeypatch.setattr("screens.picker.look_closer", look)
    async with practice("healthy", (80, 24)) as pilot:
        await press(pilot, "g")
        await until(lambda: "c1 its keys walk it" in screen_text(pilot), PATIENCE_S)
        await until(lambda: "· not seen" in screen_text(pilot) and "1 to 10 of 17" in screen_text(pilot), PATIENCE_S)
        await press(pilot, "end")
        assert " l3 its keys walk it" in screen_text(pilot)
        assert "8 to 17 of 17" in screen_text(pilot)
        await press(pilot, "pageup")
        assert " h3 its keys walk it" in screen_text(pilot)
        await press(pilot, "home")
        assert " c1 its keys walk it" in screen_text(pilot)


def test_no_chord_begins_with_a_key_of_the_picker() -> None:
    keys = [key for command in COMMANDS if command.scope is Scope.PICKER for key in command.keys.split(",")]
    assert {key for key in keys if len(key) == 1 and key.isalnum()} == set(RESERVED)


@pytest.mark.parametrize("size", [(200, 50), (80, 24), (40, 12)])
async def test_it_fits_every_terminal(size: tuple[int, int]) -> None:
    async with practice("healthy", size) as pilot:
        await press(pilot, "g")
        await until(lambda: re.search(r"\b[acrhlm]\d ", screen_text(pilot)), PATIENCE_S)
        assert "esc" in screen_text(pilot) or size[0] < 60
