"""How the line of a drill, its screen, the diagnosis and the facilitator's screen look."""

import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from console.practice.drill.referee import Referee
from screens.app import TriageApp
from screens.drill import DrillScreen
from screens.facilitate import FacilitatorApp
from tests.ui.opened import filled, press, screen_text, settled, until
from tests.ui.practice import PATIENCE_S, Clock, practice_system
from tests.ui.referee import WrittenRound
from tests.ui.test_facilitate import FAULTS, Asked

pytestmark = pytest.mark.skipif(
    platform.python_version_tuple()[:2] != ("3", "11"), reason="pictures are drawn with Python 3.11, others differ in details"
)

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [(160, 45), (80, 24)], ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.fixture
def written(tmp_path: Path) -> WrittenRound:
    """Four minutes into a round, acknowledged, with a report, a hint and a diagnosis."""
    written = WrittenRound(tmp_path).begin(after_s=245)
    written.say("phase", phase="detected")
    written.say("report", who="a teacher", text="I cannot log in, and neither can anybody in the staff room.")
    written.say("hint", level=1, text="Look at what holds the connections of the database.")
    written.say("probes", holding=1, of=3, held_s=0.0)
    trainee = written.round.trainee()
    trainee.add("acknowledged", written.now)
    trainee.add("diagnosed", written.now, causes=["sms.c2.database-down"])
    trainee.add("diagnosed", written.now, causes=["sms.c2.pool-exhausted"])
    return written


def _app(written: WrittenRound) -> TriageApp:
    clock = Clock()
    return TriageApp(practice_system("sms.c2.pool-exhausted", clock), clock=clock, round=written.round)


async def _open(pilot: Pilot[Any], written: WrittenRound) -> None:
    app = pilot.app
    assert isinstance(app, TriageApp)
    await until(lambda: filled(app) and written.did("joined"), PATIENCE_S)
    await until(lambda: "I cannot log in" in screen_text(pilot) or "a teacher" in screen_text(pilot), PATIENCE_S)
    await settled(pilot)


@SIZES
def test_the_line_under_the_banner(snap_compare: Compare, size: tuple[int, int], written: WrittenRound) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await _open(pilot, written)

    assert snap_compare(_app(written), terminal_size=size, run_before=before)


@SIZES
def test_the_drill(snap_compare: Compare, size: tuple[int, int], written: WrittenRound) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await _open(pilot, written)
        await press(pilot, "D")
        screen = pilot.app.screen
        assert isinstance(screen, DrillScreen)
        await until(lambda: screen.summaries, PATIENCE_S)
        await settled(pilot)

    assert snap_compare(_app(written), terminal_size=size, run_before=before)


@SIZES
def test_the_diagnosis(snap_compare: Compare, size: tuple[int, int], written: WrittenRound) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await _open(pilot, written)
        await press(pilot, "D", "c")
        await until(lambda: "Marked: sms.c2.pool-exhausted" in screen_text(pilot), PATIENCE_S)
        await press(pilot, "down", "down")

    assert snap_compare(_app(written), terminal_size=size, run_before=before)


@SIZES
def test_the_facilitator(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await until(lambda: "acknowledged" in screen_text(pilot))
        await settled(pilot)

    assert snap_compare(FacilitatorApp(cast(Referee, Asked()), FAULTS), terminal_size=size, run_before=before)
