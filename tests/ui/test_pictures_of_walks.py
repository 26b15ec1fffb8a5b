"""How the log, the picker, a walk and a confirmation look: the simulated stack with a fixed seed and a clock that stands."""

import platform
import time
from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from console.guides.decisions import Conclusion, Verdict
from console.guides.issue import Issue
from console.guides.triage import Look
from screens.app import TriageApp
from tests.ui.opened import filled, press, screen_text, settled, until
from tests.ui.practice import PATIENCE_S, Clock, practice_system, walked, walking

pytestmark = pytest.mark.skipif(
    platform.python_version_tuple()[:2] != ("3", "11"), reason="pictures are drawn with Python 3.11, others differ in details"
)

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [(200, 50), (80, 24)], ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.fixture(autouse=True)
def _fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr("widgets.evidence.spent", lambda _made: "12 ms")


def _app(fault: str, *, write: bool = False) -> TriageApp:
    clock = Clock()
    return TriageApp(practice_system(fault, clock), clock=clock, write=write)


async def _open(pilot: Pilot[Any]) -> None:
    app = pilot.app
    assert isinstance(app, TriageApp)
    await until(lambda: filled(app), PATIENCE_S)
    await settled(pilot)


async def _look(_system: object, issue: Issue, _readings: object) -> Look:
    """What a quick look finds, one of each: how long the real ones take hangs on the machine."""
    causes = {"sms.c2": "pool-exhausted", "sms.c1": "backend-cannot-reach-database"}
    if issue.id in causes:
        cause = issue.causes[causes[issue.id]]
        return Look(issue, conclusion=Conclusion(Verdict.CAUSE, cause.summary, cause, continues=cause.continues))
    ends = {"c3": (Verdict.ESCALATE, "Call the developers."), "m2": (Verdict.UNKNOWN, "Not known."), "l1": None, "h1": None}
    end = ends.get(issue.chord, (Verdict.CLEAR, "Nothing wrong was found here."))
    if end is None:
        return Look(issue, left="asks: Which user?", suspicious=issue.chord == "h1")
    return Look(issue, conclusion=Conclusion(*end))


@SIZES
def test_the_picker(snap_compare: Compare, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screens.picker.look_closer", _look)

    async def before(pilot: Pilot[Any]) -> None:
        await _open(pilot)
        await press(pilot, "g")
        await until(lambda: "↳ follows" in screen_text(pilot) and "checking" not in screen_text(pilot), PATIENCE_S)
        await settled(pilot)

    assert snap_compare(_app("sms.c2.pool-exhausted"), terminal_size=size, run_before=before)


@SIZES
def test_a_walk_at_its_cause(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await _open(pilot)
        await walking(pilot, "c", "2")
        await walked(pilot, "a")

    assert snap_compare(_app("sms.c2.pool-exhausted"), terminal_size=size, run_before=before)


@SIZES
def test_a_walk_in_the_middle(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await _open(pilot)
        await walking(pilot, "c", "2")
        await walked(pilot, "enter", "enter", "o")

    assert snap_compare(_app("healthy"), terminal_size=size, run_before=before)


@SIZES
def test_a_confirmation(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await _open(pilot)
        await walking(pilot, "c", "2")
        await walked(pilot, "a")
        await press(pilot, "f")
        await until(lambda: "What will be hit" in screen_text(pilot), PATIENCE_S)
        await settled(pilot)

    assert snap_compare(_app("sms.c2.pool-exhausted"), terminal_size=size, run_before=before)


@SIZES
def test_the_log_paused_on_an_error(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await _open(pilot)
        await press(pilot, "4", "z", "e", "enter")

    assert snap_compare(_app("sms.c2.pool-exhausted"), terminal_size=size, run_before=before)
