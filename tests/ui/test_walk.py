"""Walking an issue on the simulated stack: what each key does, and what the screen shows."""

import asyncio
from typing import Any

import pytest
from textual.pilot import Pilot

from console.incidents.journal import incidents_dir, read_entries
from screens.confirm import ConfirmScreen
from screens.escalation import EscalationScreen
from tests.ui.opened import app_of, press, screen_text, settled, until
from tests.ui.practice import PATIENCE_S, Clock, practice, walk_screen, walked, walking
from widgets.log_pane import LogPane
from widgets.log_view import LogView


def _journal() -> list[dict[str, Any]]:
    (path,) = incidents_dir().glob("*.jsonl")
    return list(read_entries(path))


def _told(pilot: Pilot[Any]) -> list[str]:
    return [notification.message for notification in pilot.app._notifications]


async def test_enter_makes_one_check_and_shows_its_evidence_and_the_facts_that_decided() -> None:
    async with practice("sms.c2.pool-exhausted") as pilot:
        await walking(pilot, "c", "2")
        assert "First: Does PostgreSQL accept connections?" in screen_text(pilot)
        await walked(pilot, "enter")
        shown = screen_text(pilot)
        assert "too_many_clients  ◀ decided" in shown
        assert "$ pg_isready" in shown
        assert "reason == 'too_many_clients' → holders" in shown
        assert "▶ Who holds the connections?" in shown


async def test_a_goes_on_to_the_cause_and_its_fixes() -> None:
    async with practice("sms.c2.pool-exhausted") as pilot:
        screen = await walking(pilot, "c", "2")
        await walked(pilot, "a")
        shown = screen_text(pilot)
        assert "✖ Cause pool-exhausted" in shown
        assert "1 R3  End the sessions that have been idle for over an hour" in shown
        assert [entry["kind"] for entry in _journal()] == ["incident", "walk_begins", "step", "step", "conclusion"]
        assert screen.walk.conclusion is not None


async def test_a_healthy_stack_is_clear() -> None:
    async with practice("healthy") as pilot:
        await walking(pilot, "c", "2")
        await walked(pilot, "a")
        assert "✔ Clear" in screen_text(pilot)


async def test_b_takes_a_step_back_and_it_can_be_made_again() -> None:
    async with practice("healthy") as pilot:
        screen = await walking(pilot, "c", "2")
        await walked(pilot, "enter", "enter")
        assert len(screen.walk.path) == 2
        await walked(pilot, "b")
        assert len(screen.walk.path) == 1
        await walked(pilot, "enter")
        assert len(screen.walk.path) == 2


async def test_a_verdict_is_overridden_kept_and_marked() -> None:
    async with practice("healthy") as pilot:
        screen = await walking(pilot, "c", "2")
        await walked(pilot, "enter", "o")
        assert "Which way from “Does PostgreSQL accept connections?”?" in screen_text(pilot)
        await walked(pilot, "3")
        assert screen.walk.conclusion is not None
        assert screen.walk.conclusion.cause is not None
        assert screen.walk.conclusion.cause.id == "login-refused"
        assert "(you chose)" in screen_text(pilot)
        assert any(entry["kind"] == "override" for entry in _journal())


async def test_escape_leaves_an_override_unmade() -> None:
    async with practice("healthy") as pilot:
        screen = await walking(pilot, "c", "2")
        await walked(pilot, "enter", "o", "escape")
        assert walk_screen(pilot) is screen
        assert not screen.walk.path[0].overridden


async def test_a_note_is_kept_with_its_step() -> None:
    async with practice("healthy") as pilot:
        await walking(pilot, "c", "2")
        await walked(pilot, "enter", "n")
        await press(pilot, *"called bob", "enter")
        await walked(pilot)
        assert "✎ called bob" in screen_text(pilot)
        assert _journal()[-1] | {"at": 0} == {"at": 0, "kind": "note", "issue": "sms.c2", "step": "accepts", "text": "called bob"}


async def test_y_copies_the_command_of_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    async with practice("healthy") as pilot:
        copied: list[str] = []
        monkeypatch.setattr(pilot.app, "copy_to_clipboard", copied.append)
        await walking(pilot, "c", "2")
        await walked(pilot, "y", "enter", "y")
        assert copied[0] == copied[1]
        assert copied[0].startswith("pg_isready")


async def test_the_hand_over_says_what_is_known() -> None:
    async with practice("sms.c2.pool-exhausted") as pilot:
        await walking(pilot, "c", "2")
        await walked(pilot, "a")
        await press(pilot, "exclamation_mark")
        assert isinstance(pilot.app.screen, EscalationScreen)
        shown = screen_text(pilot)
        assert "To: the database administrator" in shown
        assert "Outcome: cause pool-exhausted" in shown
        await press(pilot, "escape")
        walk_screen(pilot)


async def test_when_the_time_is_up_the_headline_says_whom_to_call() -> None:
    clock = Clock()
    async with practice("healthy", clock=clock) as pilot:
        screen = await walking(pilot, "c", "2")
        assert "0s of 15m, then the database administrator" in screen_text(pilot)
        clock.now += 15 * 60
        screen._draw()
        await settled(pilot)
        assert "▲ 15m are over: call the database administrator." in screen_text(pilot)


async def test_a_check_that_hangs_is_shown_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    async with practice("healthy") as pilot:

        async def hangs() -> None:
            await asyncio.Event().wait()

        screen = await walking(pilot, "c", "2")
        monkeypatch.setattr(screen.walk.system.database, "accepts", hangs)
        await press(pilot, "enter")
        assert "checking … 0 s" in screen_text(pilot)
        assert "… Does PostgreSQL accept connections?" in screen_text(pilot)
        await press(pilot, "s")
        await until(lambda: not screen.busy, PATIENCE_S)
        await settled(pilot)
        assert "Stopped. Enter makes the check again" in screen_text(pilot)
        assert screen.walk.path == ()


async def test_what_could_not_be_read_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from console.reading import FailureKind, SourceError

    async with practice("healthy") as pilot:

        async def refuses() -> None:
            raise SourceError(FailureKind.FORBIDDEN, "PostgreSQL hides the sessions from us.", "GRANT pg_monitor TO sms_user.")

        screen = await walking(pilot, "c", "2")
        monkeypatch.setattr(screen.walk.system.database, "activity", refuses)
        await walked(pilot, "enter", "enter")
        shown = screen_text(pilot)
        assert "Could not be read" in shown
        assert "? PostgreSQL hides the sessions from us." in shown
        assert "GRANT pg_monitor TO sms_user." in shown
        await walked(pilot, "a")
        assert "? Not known" in screen_text(pilot)
        assert "Do: GRANT pg_monitor TO sms_user." in screen_text(pilot)


async def test_a_cause_with_an_issue_of_its_own_goes_on_there() -> None:
    async with practice("sms.c1.backend-cannot-reach-database") as pilot:
        first = await walking(pilot, "c", "1")
        await walked(pilot, "a")
        assert "Goes on at sms.c2" in screen_text(pilot)
        await press(pilot, "enter")
        await until(lambda: walk_screen(pilot) is not first, PATIENCE_S)
        assert walk_screen(pilot).issue.id == "sms.c2"


async def test_a_cause_with_an_issue_of_its_own_also_offers_its_fix() -> None:
    async with practice("sms.c1.backend-cannot-reach-database") as pilot:
        await walking(pilot, "c", "1")
        await walked(pilot, "a")
        assert "1 R2  Restart the backend, so that it connects anew" in screen_text(pilot)
        await press(pilot, "f")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert pilot.app.screen.progress.fix.id == "restart-backend"


@pytest.mark.parametrize(
    ("fault", "chord", "says"),
    [
        ("sms.c3.missing-dependency", "c3", "ModuleNotFoundError"),
        ("sms.c2.corrupted", "c2", "could not locate a valid checkpoint"),
        ("sms.c2.corrupted", "c1", ""),
    ],
)
@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_l_puts_the_log_at_the_line_that_decided(fault: str, chord: str, says: str, size: tuple[int, int]) -> None:
    async with practice(fault, size) as pilot:
        screen = await walking(pilot, *chord)
        await walked(pilot, "a")
        assert "l in the log" in screen_text(pilot)
        line = screen.walk.path[-1].log_line
        assert line is not None
        assert says in line.text
        view = app_of(pilot).dashboard.query_one(LogView)
        await press(pilot, "l")
        await until(lambda: view.cursor is not None, PATIENCE_S)
        await settled(pilot)
        assert pilot.app.screen is app_of(pilot).dashboard
        assert view.has_focus
        assert not view.following
        assert view.cursor is not None
        assert view.cursor.line == line
        assert any(item.selected for item in view.lines)


async def test_the_line_is_shown_although_another_container_was_chosen_and_the_filter_hides_it() -> None:
    async with practice("sms.c3.missing-dependency") as pilot:
        pane = app_of(pilot).dashboard.query_one(LogPane)
        pane.choose(frozenset({"sms-redis"}))
        pane.find("nothing like this")
        screen = await walking(pilot, "c", "3")
        await walked(pilot, "a")
        await press(pilot, "l")
        await until(lambda: pane.view.cursor is not None, PATIENCE_S)
        assert pane.view.cursor is not None
        assert pane.view.cursor.line == screen.walk.path[-1].log_line


async def test_the_chord_comes_back_to_the_walk_that_was_left_for_the_log() -> None:
    async with practice("sms.c3.missing-dependency") as pilot:
        screen = await walking(pilot, "c", "3")
        await walked(pilot, "a")
        walk = screen.walk
        await press(pilot, "l")
        assert _told(pilot) == ["g c 3 comes back to the walk."]
        again = await walking(pilot, "c", "3")
        assert again.walk is walk
        shown = screen_text(pilot)
        assert "✖ Cause missing-dependency" in shown
        assert "You are back where you left it" in shown
        assert [entry["kind"] for entry in _journal()].count("walk_begins") == 1
        await walked(pilot, "b")
        assert len(again.walk.path) == 1
        await press(pilot, "escape")
        assert (await walking(pilot, "c", "3")).walk is not walk


async def test_a_step_that_read_no_log_has_no_line_there() -> None:
    async with practice("healthy") as pilot:
        screen = await walking(pilot, "c", "2")
        await walked(pilot, "enter")
        assert "in the log" not in screen_text(pilot)
        await press(pilot, "l")
        assert pilot.app.screen is screen
        assert _told(pilot) == ["The step that is shown names no line of a log."]


async def test_a_digit_chooses_a_fix_and_f_opens_it() -> None:
    async with practice("sms.c2.pool-exhausted") as pilot:
        await walking(pilot, "c", "2")
        await walked(pilot, "a", "2")
        await press(pilot, "f")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert pilot.app.screen.progress.fix.id == "end-idle"
        await press(pilot, "escape")
        walk_screen(pilot)


async def test_leaving_keeps_the_walk_in_the_journal() -> None:
    async with practice("healthy") as pilot:
        await walking(pilot, "c", "2")
        await walked(pilot, "enter")
        await press(pilot, "escape")
        assert pilot.app.screen is pilot.app.screen_stack[0]
        assert [entry["kind"] for entry in _journal()] == ["incident", "walk_begins", "step"]


async def test_the_path_and_the_evidence_stand_above_each_other_in_a_narrow_terminal() -> None:
    async with practice("sms.c2.pool-exhausted", (80, 24)) as pilot:
        screen = await walking(pilot, "c", "2")
        await walked(pilot, "a")
        path, evidence = screen.query_one("#path").region, screen.query_one("#evidence").region
        assert path.bottom <= evidence.y
        assert evidence.height >= 4
        shown = screen_text(pilot)
        assert "4 R2  Restart the backend" in shown
        assert "esc" in shown or "f opens it" in shown


async def test_in_a_tiny_terminal_the_evidence_and_what_comes_next_are_still_read() -> None:
    async with practice("sms.c2.pool-exhausted", (40, 12)) as pilot:
        await walking(pilot, "c", "2")
        await walked(pilot, "enter")
        assert "Does PostgreSQL accept" in screen_text(pilot)
        await walked(pilot, "a")
        assert "✖ Cause pool-exhausted" in screen_text(pilot)
        await walked(pilot, "pagedown", "pagedown")
        assert "4 R2  Restart the backend" in screen_text(pilot)


async def test_a_journal_that_cannot_be_written_does_not_stop_a_walk_and_is_told() -> None:
    async with practice("healthy") as pilot:
        folder = incidents_dir()
        folder.rmdir()
        folder.write_text("in the way")
        await walking(pilot, "c", "2")
        await walked(pilot, "enter")
        assert "The journal cannot be written" in screen_text(pilot)
        assert len(walk_screen(pilot).walk.path) == 1
