"""A drill as its trainee sees it; the referee is the test, which writes the round's public log."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from console.practice.drill.rounds import EventLog
from screens.app import TriageApp
from screens.confirm import ConfirmScreen
from screens.diagnose import DiagnoseScreen
from screens.drill import DrillScreen, RoundOver
from screens.page import Page
from screens.question import QuestionScreen
from screens.walk import WalkScreen
from tests.ui.opened import app_of, filled, press, screen_text, settled, until
from tests.ui.practice import PATIENCE_S, Clock, practice_system, walked
from tests.ui.referee import BRIEF, WrittenRound
from widgets.fix_lines import Phase

SIZES = [(80, 24), (200, 50)]


@pytest.fixture
def written(tmp_path: Path) -> WrittenRound:
    return WrittenRound(tmp_path)


@asynccontextmanager
async def attending(
    written: WrittenRound, size: tuple[int, int] = (160, 45), *, fault: str = "sms.c2.pool-exhausted", write: bool = False
) -> AsyncIterator[Pilot[Any]]:
    """The console of the trainee, with every pane filled and the round read."""
    clock = Clock()
    app = TriageApp(practice_system(fault, clock), clock=clock, round=written.round, write=write)
    async with app.run_test(size=size) as pilot:
        await until(lambda: filled(app) and written.did("joined"), PATIENCE_S)
        await settled(pilot)
        yield pilot


def banner(pilot: Pilot[Any]) -> str:
    """The line under the top line."""
    return screen_text(pilot).splitlines()[1]


async def shows(pilot: Pilot[Any], *texts: str) -> None:
    await until(lambda: all(text in screen_text(pilot) for text in texts), PATIENCE_S)


async def entry(written: WrittenRound, kind: str) -> dict[str, Any]:
    """The trainee's last entry of this kind, once it is there."""
    await until(lambda: written.did(kind), PATIENCE_S)
    return written.did(kind)[-1]


# -- the line under the banner ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_every_screen_has_the_line_with_system_clock_and_phases(written: WrittenRound, size: tuple[int, int]) -> None:
    written.begin(after_s=185)
    written.say("phase", phase="detected")
    async with attending(written, size) as pilot:
        for keys in ([], ["x"], ["escape", "d"], ["escape", "p"], ["escape", "D"]):
            await press(pilot, *keys)
            shown = banner(pilot)
            assert "DRILL sms" in shown
            assert "3:05 of 15:00" in shown
            assert "✔ detected" in shown or "✔det" in shown
            assert "· diagnosed" in shown or "·dia" in shown


async def test_the_line_goes_on_below_the_picker(written: WrittenRound) -> None:
    async with attending(written.begin()) as pilot:
        await press(pilot, "g")
        written.say("report", who="a teacher", text="I cannot log in.")
        await until(lambda: "I cannot log in." in banner(pilot), PATIENCE_S)


async def test_without_a_round_there_is_no_line_and_no_key(tmp_path: Path) -> None:
    del tmp_path
    clock = Clock()
    app = TriageApp(practice_system("healthy", clock), clock=clock)
    async with app.run_test(size=(160, 45)) as pilot:
        await until(lambda: filled(app), PATIENCE_S)
        assert "DRILL" not in screen_text(pilot)
        await press(pilot, "D")
        assert app.screen is app.dashboard


async def test_a_frozen_round_says_so_and_its_clock_stands(written: WrittenRound) -> None:
    written.begin(after_s=60)
    async with attending(written) as pilot:
        assert "1:00 of 15:00" in banner(pilot)
        written.now -= 20
        written.say("frozen")
        await until(lambda: "0:40 of 15:00 FROZEN" in banner(pilot), PATIENCE_S)
        written.now += 20
        written.say("thawed")
        await until(lambda: "FROZEN" not in banner(pilot), PATIENCE_S)
        assert "0:40 of 15:00" in banner(pilot)


async def test_control_characters_of_a_facilitator_never_reach_the_terminal(written: WrittenRound) -> None:
    async with attending(written.begin()) as pilot:
        written.say("report", who="a \x1b]0;teacher", text="no\x1b[2Jbody")
        await until(lambda: "body" in banner(pilot), PATIENCE_S)
        assert "\x1b" not in screen_text(pilot)


# -- the drill's screen ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_screen_shows_the_brief_and_reports_as_they_come(written: WrittenRound, size: tuple[int, int]) -> None:
    async with attending(written.begin(), size) as pilot:
        await press(pilot, "D")
        assert isinstance(pilot.app.screen, DrillScreen)
        await shows(pilot, "Monday, half past eight", BRIEF[:30], "a acknowledge")
        written.say("report", who="a teacher", text="The list of grades stays empty.")
        written.say("message", text="Ten minutes left.")
        await shows(pilot, "a teacher: The list of grades stays empty.", "Ten minutes left.")
        await press(pilot, "D")
        assert not isinstance(pilot.app.screen, DrillScreen)


async def test_a_new_report_is_a_toast_and_an_old_one_is_not(written: WrittenRound) -> None:
    written.begin()
    written.say("report", who="a parent", text="said before")
    async with attending(written) as pilot:
        assert [note.message for note in pilot.app._notifications] == []
        written.say("report", who="a [bold]teacher", text="Is it down?")
        await until(lambda: [note.message for note in pilot.app._notifications] == ["Is it down?"], PATIENCE_S)


async def test_acknowledging_twice_is_written_once(written: WrittenRound) -> None:
    async with attending(written.begin()) as pilot:
        await press(pilot, "D", "a")
        await entry(written, "acknowledged")
        await press(pilot, "a", "a")
        await shows(pilot, "acknowledged; the referee has not seen it yet")
        assert len(written.did("acknowledged")) == 1
        written.say("phase", phase="detected")
        await shows(pilot, "✔ detected")


async def test_before_it_began_and_after_it_ended_nobody_is_listened_to(written: WrittenRound) -> None:
    written.say("round", round=written.round.id, title="Later", system="sms", hints=3)
    async with attending(written) as pilot:
        await press(pilot, "D", "a", "c", "h", "G")
        assert isinstance(pilot.app.screen, DrillScreen)
        assert not written.did("acknowledged")
        written.say("began")
        await shows(pilot, "a acknowledge")
        written.say("ended", how="timed_out", reason="")
        await until(lambda: isinstance(pilot.app.screen, RoundOver), PATIENCE_S)
        await press(pilot, "escape", "a", "c", "G")
        assert isinstance(pilot.app.screen, DrillScreen)
        assert not written.did("acknowledged")
        await shows(pilot, "the time ran out")


# -- the diagnosis --------------------------------------------------------------------------------------------------------


async def diagnosing(pilot: Pilot[Any], *keys: str) -> None:
    await press(pilot, "c")
    await until(lambda: isinstance(pilot.app.screen, DiagnoseScreen) and pilot.app.screen.found, PATIENCE_S)
    await press(pilot, *keys)


async def test_a_cause_is_searched_marked_and_handed_in(written: WrittenRound) -> None:
    async with attending(written.begin()) as pilot:
        await press(pilot, "D")
        await diagnosing(pilot, "slash", *"pool", "enter", "space", "enter")
        assert (await entry(written, "diagnosed"))["causes"] == ["sms.c2.pool-exhausted"]
        await shows(pilot, "now: sms.c2.pool-exhausted Sessions fill the server up to its limit.")


async def test_it_may_be_changed_and_both_are_kept(written: WrittenRound) -> None:
    async with attending(written.begin()) as pilot:
        await press(pilot, "D")
        await diagnosing(pilot, "slash", *"pool", "enter", "space", "enter")
        await entry(written, "diagnosed")
        await diagnosing(pilot, "slash", *"sms.c3.out", "enter", "space", "enter")
        await until(lambda: len(written.did("diagnosed")) == 2, PATIENCE_S)
        assert written.did("diagnosed")[1]["causes"] == ["sms.c2.pool-exhausted", "sms.c3.out-of-memory"]
        await shows(pilot, "now: sms.c3.out-of-memory", "before: sms.c2.pool-exhausted")


async def test_nothing_is_wrong_is_a_diagnosis_and_excludes_causes(written: WrittenRound) -> None:
    async with attending(written.begin()) as pilot:
        await press(pilot, "D")
        await diagnosing(pilot, "down", "space", "home", "up", "space")
        assert "Marked: Nothing is wrong" in screen_text(pilot)
        await press(pilot, "enter")
        assert (await entry(written, "diagnosed"))["causes"] == []
        await shows(pilot, "now: nothing is wrong")


async def test_nothing_marked_hands_nothing_in_and_escape_leaves(written: WrittenRound) -> None:
    async with attending(written.begin()) as pilot:
        await press(pilot, "D")
        await diagnosing(pilot, "enter")
        assert isinstance(pilot.app.screen, DiagnoseScreen)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, DrillScreen)
        assert not written.did("diagnosed")


async def test_every_cause_of_the_system_can_be_chosen(written: WrittenRound) -> None:
    async with attending(written.begin()) as pilot:
        await press(pilot, "D")
        await diagnosing(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, DiagnoseScreen)
        issues = await app_of(pilot).load_issues()
        assert set(screen.found) == {screen.ALONE, *(f"{issue.id}.{cause}" for issue in issues for cause in issue.causes)}


# -- hints, giving up, the end --------------------------------------------------------------------------------------------


async def test_a_hint_tells_its_cost_before_it_is_taken(written: WrittenRound) -> None:
    async with attending(written.begin()) as pilot:
        await press(pilot, "D", "h")
        assert isinstance(pilot.app.screen, QuestionScreen)
        await shows(pilot, "It costs 1 mark: B is the best")
        await press(pilot, "enter", "n")
        assert not written.did("hint_wanted")
        await press(pilot, "h", "y")
        assert (await entry(written, "hint_wanted"))["level"] == 1
        await press(pilot, "h")
        assert isinstance(pilot.app.screen, DrillScreen), "the second one waits for the first"
        written.say("hint", level=1, text="Look at the sessions.")
        await shows(pilot, "1. Look at the sessions.", "h hint 2 of 3")


async def test_giving_up_asks_first(written: WrittenRound) -> None:
    async with attending(written.begin()) as pilot:
        await press(pilot, "D", "G", "escape")
        assert not written.did("gave_up")
        await press(pilot, "G", "y")
        await entry(written, "gave_up")
        written.say("ended", how="gave_up", reason="")
        await until(lambda: isinstance(pilot.app.screen, RoundOver), PATIENCE_S)
        await shows(pilot, "you gave up", "enter opens the review")


async def test_a_console_that_was_left_comes_back_to_the_same_round(written: WrittenRound) -> None:
    written.begin()
    trainee = written.round.trainee()
    trainee.add("acknowledged", written.now)
    trainee.add("diagnosed", written.now, causes=["sms.c2.pool-exhausted"])
    async with attending(written) as pilot:
        await press(pilot, "D", "a")
        await shows(pilot, "now: sms.c2.pool-exhausted", "change the diagnosis")
        assert len(written.did("acknowledged")) == 1


async def test_a_referee_that_is_gone_is_told(written: WrittenRound) -> None:
    async with attending(written.begin()) as pilot:
        written.desert()
        await until(lambda: "triage drill heal" in banner(pilot), PATIENCE_S)


# -- without the trees ----------------------------------------------------------------------------------------------------


async def test_a_round_without_trees_offers_none(written: WrittenRound) -> None:
    async with attending(written.begin(hide_steps=True)) as pilot:
        await press(pilot, "g")
        assert isinstance(pilot.app.screen, Page)
        assert "played without the trees" in screen_text(pilot)
        await press(pilot, "c", "2")
        assert not any(isinstance(screen, WalkScreen) for screen in pilot.app.screen_stack)
        await press(pilot, "escape", "4", "i")
        await shows(pilot, "played without the trees")
        assert not any(isinstance(screen, WalkScreen) for screen in pilot.app.screen_stack)


# -- what is written down -------------------------------------------------------------------------------------------------


async def test_what_was_looked_at_and_walked_is_written_down(written: WrittenRound) -> None:
    async with attending(written.begin()) as pilot:
        await press(pilot, "2", "x", "escape", "g", "c", "2")
        await until(lambda: isinstance(pilot.app.screen, WalkScreen), PATIENCE_S)
        await walked(pilot, "a")
        assert (await entry(written, "conclusion"))["cause"] == "pool-exhausted"
        opened = [item["what"] for item in written.did("opened")]
        assert opened == ["pane postgres", "tool errors", "issue picker", "issue sms.c2"]
        assert {item["issue"] for item in written.did("step")} == {"sms.c2"}


async def test_a_fix_is_written_down_with_the_issue_of_its_walk(written: WrittenRound) -> None:
    async with attending(written.begin(), fault="sms.c1.backend-cannot-reach-database", write=True) as pilot:
        await press(pilot, "g", "c", "1")
        await until(lambda: isinstance(pilot.app.screen, WalkScreen), PATIENCE_S)
        await walked(pilot, "a")
        await press(pilot, "f")
        screen = pilot.app.screen
        assert isinstance(screen, ConfirmScreen)
        await until(lambda: screen.progress.phase is Phase.ASKING, PATIENCE_S)
        await press(pilot, "y")
        begins = await entry(written, "fix_begins")
        assert (begins["issue"], begins["fix"], begins["risk"]) == ("sms.c1", "restart-backend", "R2")


async def test_a_log_that_cannot_be_written_is_told_and_the_round_goes_on(
    written: WrittenRound, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: EventLog, _kind: str, _at: float, **_details: object) -> None:
        raise OSError(28, os.strerror(28))

    async with attending(written.begin()) as pilot:
        say = written.round.public()
        with monkeypatch.context() as patched:
            patched.setattr(EventLog, "add", full)
            await press(pilot, "D", "a")
            await shows(pilot, "cannot be written down (No space left on device)")
        say.add("report", written.now, who="a teacher", text="Still down.")
        await shows(pilot, "a teacher: Still down.")
        await press(pilot, "a")
        await entry(written, "acknowledged")
        await until(lambda: "cannot be written down" not in banner(pilot), PATIENCE_S)
