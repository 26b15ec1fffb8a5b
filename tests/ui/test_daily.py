"""The morning check on the screen: every line, what to do about those that failed, and the page that is kept."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from screens.daily import DailyScreen
from screens.walk import WalkScreen
from tests.ui.opened import press, screen_text, settled, until
from tests.ui.practice import PATIENCE_S, practice

SIZES = [(80, 24), (200, 50)]


async def opened(pilot: Pilot[Any]) -> DailyScreen:
    await press(pilot, "d")
    await until(lambda: isinstance(pilot.app.screen, DailyScreen), PATIENCE_S)
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, DailyScreen)
    await until(lambda: screen.report is not None, PATIENCE_S)
    await settled(pilot)
    return screen


async def whole_text(pilot: Pilot[Any]) -> str:
    """What is seen while paging down to the end."""
    seen = [screen_text(pilot)]
    for _ in range(12):
        await press(pilot, "pagedown")
        seen.append(screen_text(pilot))
    return "\n".join(seen)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_healthy_stack_shows_the_five_steps_and_seven_metrics(size: tuple[int, int]) -> None:
    async with practice("healthy", size=size) as pilot:
        await opened(pilot)
        text = await whole_text(pilot)
        for words in ("1. Containers", "2. Health endpoint", "3. Performance", "4. Database answers", "5. Backup"):
            assert words in text
        for words in ("(p95)", "(p99)", "Throughput", "Error rate", "CPU usage", "Memory usage", "Disk usage"):
            assert words in text
        assert "✖" not in text.replace("✖ CRITICAL", "")


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_failed_line_names_the_chord_which_opens_its_walk(size: tuple[int, int]) -> None:
    async with practice("sms.c2.database-down", size=size) as pilot:
        screen = await opened(pilot)
        assert screen.report is not None
        assert "database" in {line.id for line in screen.report.failed}
        assert "g c 2" in await whole_text(pilot)
        await press(pilot, "g", "c", "2")
        await until(lambda: isinstance(pilot.app.screen, WalkScreen), PATIENCE_S)


async def test_the_check_is_copied_and_saved_as_markdown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with practice("healthy") as pilot:
        await opened(pilot)
        await press(pilot, "y")
        assert pilot.app.clipboard.startswith("# Morning check of ")
        await press(pilot, "s")
        (kept,) = (tmp_path / "triage" / "daily").glob("*.md")
        assert kept.read_text(encoding="utf-8") == pilot.app.clipboard
        assert kept.stat().st_mode & 0o077 == 0


async def test_escape_leaves_and_again_asks_anew() -> None:
    async with practice("healthy") as pilot:
        screen = await opened(pilot)
        before = screen.report
        await press(pilot, "r")
        await until(lambda: screen.report is not None and screen.report is not before, PATIENCE_S)
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, DailyScreen)
