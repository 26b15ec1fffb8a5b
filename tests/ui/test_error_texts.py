"""Error texts on the screen: the margin of the log, the key on a line, the picker's search, the palette."""

from typing import Any

from textual.pilot import Pilot

from screens.picker import PickerScreen
from screens.walk import WalkScreen
from tests.ui.opened import press, screen_text, until
from tests.ui.practice import PATIENCE_S, practice
from widgets.log_pane import LogPane


def _issue(pilot: Pilot[Any]) -> str:
    screen = pilot.app.screen
    return screen.issue.id if isinstance(screen, WalkScreen) else ""


def _chords(pilot: Pilot[Any]) -> set[str]:
    return {item.text[:3].strip() for item in pilot.app.screen_stack[0].query_one(LogPane).view.lines}


async def test_lines_of_the_log_carry_the_chord_of_their_issue() -> None:
    async with practice("sms.c2.pool-exhausted") as pilot:
        await until(lambda: _chords(pilot) & {"c1", "c2"}, PATIENCE_S)
        assert "" in _chords(pilot)


async def test_a_key_on_a_line_walks_its_issue() -> None:
    async with practice("sms.c2.pool-exhausted") as pilot:
        await until(lambda: "c2" in _chords(pilot), PATIENCE_S)
        await press(pilot, "4", "slash", *"reserved", "enter", "i")
        await until(lambda: _issue(pilot) == "sms.c2", PATIENCE_S)
        await press(pilot, "escape")
        assert pilot.app.screen is pilot.app.screen_stack[0]


async def test_a_line_that_no_issue_knows_opens_the_picker() -> None:
    async with practice("healthy") as pilot:
        await press(pilot, "4", "slash", *"GET /api", "enter", "space", "i")
        await until(lambda: isinstance(pilot.app.screen, PickerScreen), PATIENCE_S)


async def test_a_pasted_line_finds_its_issue_in_the_picker() -> None:
    async with practice("healthy") as pilot:
        await press(pilot, "g")
        await until(lambda: "Complete outage" in screen_text(pilot), PATIENCE_S)
        await press(pilot, "slash", *"duration: 812.4 ms  statement: SELECT 1")
        shown = screen_text(pilot)
        assert "found in: duration: … ms  statement: …" in shown
        assert "Complete outage" not in shown
        await press(pilot, "enter")
        await until(lambda: _issue(pilot) in ("sms.m1", "smsops.r3"), PATIENCE_S)


async def test_the_palette_takes_an_error_text_and_a_chord() -> None:
    async with practice("healthy") as pilot:
        await press(pilot, "ctrl+p", *"sorry, too many clients already [5]")
        await until(lambda: "Walk c2: Database connection failures" in screen_text(pilot), PATIENCE_S)
        await press(pilot, "enter")
        await until(lambda: _issue(pilot) == "sms.c2", PATIENCE_S)
        await press(pilot, "escape", "ctrl+p", "c", "3")
        await until(lambda: "Walk c3: Backend crash loop" in screen_text(pilot), PATIENCE_S)
