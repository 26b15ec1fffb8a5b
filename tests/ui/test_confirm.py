"""Confirming a change: by risk, never by a bare enter; then progress, verification, the way back."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from textual.pilot import Pilot

from console.guides.fixes import Applied, Preview, Target, VerifyState, verify_fix
from console.guides.fixes.adhoc import container_action
from console.guides.issue import Fix
from console.guides.risk import Risk, confirmation
from console.incidents.journal import incidents_dir, read_entries
from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.engine import State
from console.text import clean
from screens import confirm
from screens.arm import ArmScreen
from screens.confirm import ConfirmScreen
from tests.ui.emitted import record_what_is_sent, sent_by
from tests.ui.opened import app_of, press, screen_text, settled, until
from tests.ui.practice import PATIENCE_S, Clock, practice
from widgets.fix_lines import Phase


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verification sees a second pass with each look, without waiting for it."""
    now = [0.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds
        await asyncio.sleep(0.01)

    monkeypatch.setattr(confirm, "verify_fix", partial(verify_fix, clock=lambda: now[0], sleep=sleep))


class Calls:
    """Stands in for previews and for making the change; counts what was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, risk: Risk, environment: str = "production", **changes: Any) -> None:
        self.applied = 0
        self.previewed = 0
        self.apply: Any = None
        values: dict[str, Any] = {
            "fix": "a-fix",
            "title": "A fix",
            "risk": risk,
            "targets": (Target("sms-backend", {"id": "1"}),),
            "lines": tuple(f"line {number} of what will be hit" for number in range(60)),
            "effect": "Requests fail for a moment.",
            "way_back": "Start it again.",
            "command": "docker restart sms-backend",
            "confirmation": confirmation(risk, environment, "sms-backend"),
        }
        self.preview = Preview(**(values | changes))
        monkeypatch.setattr(confirm, "preview_fix", self._preview)
        monkeypatch.setattr(confirm, "apply_fix", self._apply)

    async def _preview(self, _system: Any, _fix: Fix) -> Preview:
        self.previewed += 1
        return self.preview

    async def _apply(self, _system: Any, _fix: Fix, _preview: Preview, _record: Any) -> Applied:
        self.applied += 1
        if self.apply is not None:
            await self.apply()
        return Applied(True, ("Restarted sms-backend.",))


async def confirming(pilot: Pilot[Any], *, others: int = 0, fix: Fix | None = None) -> ConfirmScreen:
    """Open the confirmation of a fix that is not verified, and wait for its preview."""
    app = app_of(pilot)
    plain = Fix("a-fix", "A fix", Risk.R2, "containers.restart_one", container_action(app.system, "stop", "x").parameters)
    more = [Fix(f"other-{n}", f"Another fix {n}", Risk.R2, plain.action, plain.parameters) for n in range(others)]
    screen = ConfirmScreen(fix or plain, more)
    app.push_screen(screen)
    await until(lambda: screen.is_current and screen.progress.preview is not None, PATIENCE_S)
    await settled(pilot)
    return screen


async def test_read_only_nothing_is_confirmed_and_the_key_that_arms_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch, Risk.R2)
    async with practice("healthy") as pilot:
        await confirming(pilot)
        assert "Read-only. Press w to arm writing" in screen_text(pilot)
        await press(pilot, "y", "enter")
        assert calls.applied == 0
        await press(pilot, "w")
        assert isinstance(pilot.app.screen, ArmScreen)
        await press(pilot, "y")
        assert "Press y to go on." in screen_text(pilot)
        await press(pilot, "y")
        await until(lambda: calls.applied == 1, PATIENCE_S)


@pytest.mark.parametrize("risk", list(Risk))
async def test_a_bare_enter_never_confirms(monkeypatch: pytest.MonkeyPatch, risk: Risk) -> None:
    calls = Calls(monkeypatch, risk)
    async with practice("healthy", write=True) as pilot:
        await confirming(pilot)
        await press(pilot, "enter", "enter", "space")
        assert calls.applied == 0


@pytest.mark.parametrize("risk", [Risk.R1, Risk.R2])
async def test_y_confirms_what_can_be_taken_back_and_n_leaves_it(monkeypatch: pytest.MonkeyPatch, risk: Risk) -> None:
    calls = Calls(monkeypatch, risk)
    async with practice("healthy", write=True) as pilot:
        await confirming(pilot)
        await press(pilot, "n")
        assert not isinstance(pilot.app.screen, ConfirmScreen)
        assert calls.applied == 0
        await confirming(pilot)
        await press(pilot, "y")
        await until(lambda: calls.applied == 1, PATIENCE_S)


@pytest.mark.parametrize(("risk", "expected"), [(Risk.R3, "sms-backend"), (Risk.R4, "production sms-backend")])
async def test_what_drops_work_or_data_wants_its_name_typed_whole(
    monkeypatch: pytest.MonkeyPatch, risk: Risk, expected: str
) -> None:
    calls = Calls(monkeypatch, risk)
    async with practice("healthy", write=True) as pilot:
        screen = await confirming(pilot)
        keys = ["space" if character == " " else "minus" if character == "-" else character for character in expected]
        await press(pilot, "y", "enter")
        assert calls.applied == 0
        assert f"that is not “{expected}”" in screen_text(pilot)
        await press(pilot, "ctrl+u", *keys[:-1], "enter")
        assert calls.applied == 0
        await press(pilot, keys[-1], "enter")
        await until(lambda: calls.applied == 1, PATIENCE_S)
        await until(lambda: screen.progress.phase is Phase.ENDED, PATIENCE_S)


async def test_what_cannot_be_confirmed_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch, Risk.R4, environment="")
    async with practice("healthy", write=True) as pilot:
        await confirming(pilot)
        assert "Refused. This loses data, and which environment this is, is not known." in screen_text(pilot)
        await press(pilot, "y")
        assert calls.applied == 0


async def test_writing_that_disarms_itself_takes_the_question_away(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, clock = Calls(monkeypatch, Risk.R3), Clock()
    async with practice("healthy", write=True, clock=clock) as pilot:
        screen = await confirming(pilot)
        clock.now += 601
        await press(pilot, *"sms", "minus", *"backend", "enter")
        assert calls.applied == 0
        await until(lambda: not screen.progress.armed, PATIENCE_S)
        await settled(pilot)
        assert pilot.app.screen is screen
        assert "Writing has disarmed itself." in screen_text(pilot)


async def test_everything_that_will_be_hit_can_be_scrolled_to(monkeypatch: pytest.MonkeyPatch) -> None:
    Calls(monkeypatch, Risk.R2)
    async with practice("healthy", (80, 24)) as pilot:
        await confirming(pilot)
        shown = screen_text(pilot)
        assert "Start it again." in shown
        assert "line 59 of" not in shown
        await press(pilot, *["pagedown"] * 10)
        assert "line 59 of what will be hit" in screen_text(pilot)
        assert "esc" in screen_text(pilot)


async def test_nothing_to_do_offers_the_next_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch, Risk.R2, empty="No session is idle for over an hour.")
    async with practice("healthy", write=True) as pilot:
        screen = await confirming(pilot, others=1)
        assert "Nothing to do: No session is idle for over an hour." in screen_text(pilot)
        assert "f next fix: Another fix 0" in screen_text(pilot)
        await press(pilot, "y")
        assert calls.applied == 0
        await press(pilot, "f")
        await until(lambda: calls.previewed == 2, PATIENCE_S)
        assert screen.progress.fix.id == "other-0"


async def test_what_is_only_shown_is_never_made_and_its_command_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch, Risk.R2, shown_only=True)
    async with practice("healthy", write=True) as pilot:
        copied: list[str] = []
        monkeypatch.setattr(pilot.app, "copy_to_clipboard", copied.append)
        await confirming(pilot)
        assert "This is for you to do" in screen_text(pilot)
        await press(pilot, "y", "c")
        assert (calls.applied, copied) == (0, ["docker restart sms-backend"])


async def test_a_preview_that_cannot_be_made_is_told_and_nothing_can_be_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_args: Any) -> None:
        raise SourceError(FailureKind.TIMEOUT, "The engine has not answered for 3 s.", "It may be frozen.")

    calls = Calls(monkeypatch, Risk.R2)
    monkeypatch.setattr(confirm, "preview_fix", fails)
    async with practice("healthy", write=True) as pilot:
        app_of(pilot).propose(container_action(app_of(pilot).system, "restart", "sms-backend"))
        await until(lambda: "The engine has not answered for 3 s." in screen_text(pilot), PATIENCE_S)
        await press(pilot, "y", "enter")
        assert calls.applied == 0


async def test_between_several_targets_a_change_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch, Risk.R2, targets=(Target("one"), Target("two")))
    calls.apply = asyncio.Event().wait
    async with practice("healthy", write=True) as pilot:
        screen = await confirming(pilot)
        await press(pilot, "y")
        assert "Doing it … 0 s" in screen_text(pilot)
        await press(pilot, "escape")
        assert pilot.app.screen is screen
        await press(pilot, "s")
        await until(lambda: screen.progress.phase is Phase.ENDED, PATIENCE_S)
        await settled(pilot)
        assert "Stopped: some of the targets may have been hit" in screen_text(pilot)


async def test_one_target_cannot_be_stopped_half_way(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, release = Calls(monkeypatch, Risk.R2), asyncio.Event()
    calls.apply = release.wait
    async with practice("healthy", write=True) as pilot:
        screen = await confirming(pilot)
        await press(pilot, "y", "s")
        assert "this cannot be stopped half-way" in screen_text(pilot)
        release.set()
        await until(lambda: screen.progress.phase is Phase.ENDED, PATIENCE_S)
        await settled(pilot)
        assert "Done. Restarted sms-backend." in screen_text(pilot)


async def test_a_restart_is_made_verified_and_journalled() -> None:
    clock = Clock(pace=60)
    async with practice("healthy", write=True, clock=clock) as pilot:
        app = app_of(pilot)
        screen = await confirming(pilot, fix=container_action(app.system, "restart", "sms-backend"))
        await press(pilot, "y")
        await until(lambda: screen.progress.phase is Phase.ENDED, PATIENCE_S)
        await settled(pilot)
        assert screen.progress.held is True
        assert "✔ Verified: held for 3 s." in screen_text(pilot)
        (path,) = incidents_dir().glob("*.jsonl")
        kinds = [entry["kind"] for entry in read_entries(path)]
        assert kinds == ["incident", "fix_begins", "fix_ends", "fix_verified"]


async def test_a_change_that_does_not_hold_shows_the_way_back_and_the_next_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_system: Any, _fix: Fix) -> AsyncIterator[Any]:
        yield _failed()

    Calls(monkeypatch, Risk.R2)
    monkeypatch.setattr(confirm, "verify_fix", never)
    async with practice("healthy", write=True) as pilot:
        app = app_of(pilot)
        screen = await confirming(pilot, others=1, fix=container_action(app.system, "restart", "sms-backend"))
        await press(pilot, "y")
        await until(lambda: screen.progress.phase is Phase.ENDED, PATIENCE_S)
        await settled(pilot)
        shown = screen_text(pilot)
        assert "✖ It did not hold within 60 s. still down" in shown
        assert "Way back: Start it again." in shown
        assert "f next fix: Another fix 0" in shown


async def test_a_target_that_is_another_by_now_is_not_touched() -> None:
    async with practice("healthy", write=True) as pilot:
        app = app_of(pilot)
        engine = app.system.need_engine()
        screen = await confirming(pilot, fix=container_action(app.system, "stop", "sms-backend"))
        assert screen.progress.preview is not None
        stale = Target("sms-backend", {"container": "sms-backend", "id": "another"})
        from dataclasses import replace

        screen.progress = replace(screen.progress, preview=replace(screen.progress.preview, targets=(stale,)))
        await press(pilot, "y")
        await until(lambda: screen.progress.phase is Phase.ENDED, PATIENCE_S)
        await settled(pilot)
        assert "another container by now" in screen_text(pilot)
        assert (await engine.container("sms-backend")).state is State.RUNNING


async def test_a_journal_that_cannot_be_written_means_that_nothing_is_changed() -> None:
    async with practice("healthy", write=True) as pilot:
        app = app_of(pilot)
        folder = incidents_dir()
        folder.rmdir()
        folder.write_text("in the way")
        screen = await confirming(pilot, fix=container_action(app.system, "stop", "sms-backend"))
        await press(pilot, "y")
        await until(lambda: screen.progress.phase is Phase.ENDED, PATIENCE_S)
        await settled(pilot)
        assert "so nothing was changed" in screen_text(pilot)
        assert (await app.system.need_engine().container("sms-backend")).state is State.RUNNING


def _failed() -> Any:
    from console.guides.fixes import Verification

    return Verification(VerifyState.FAILED, 60.0, "still down", 3.0, 60.0)


def test_a_failure_after_the_change_is_shown_whole() -> None:
    from dataclasses import replace

    from console.config import Environment
    from widgets.fix_lines import FixProgress, foot_lines

    applied = Applied(False, ("Ended session 1.",), Failure(FailureKind.LOST, "The connection was lost.", "Look again."))
    fix: Any = Fix("a", "A", Risk.R3, "x", None)  # type: ignore[arg-type]
    progress = replace(FixProgress(fix, Environment.LAB), phase=Phase.ENDED, applied=applied)
    shown = "\n".join(row.text for row in foot_lines(progress, 100))
    assert "✖ The connection was lost. Look again." in shown
    assert "Nothing was changed, or only a part. Ended session 1." in shown


async def test_markup_in_names_is_drawn_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    record_what_is_sent(monkeypatch)
    hostile = clean("[/red][@click=app.quit]x\x1b]0;pwned\x07[/]")
    Calls(monkeypatch, Risk.R3, lines=(hostile,), effect=hostile, targets=(Target(hostile),), command=hostile)
    async with practice("healthy", write=True) as pilot:
        app = app_of(pilot)
        fix = Fix("a-fix", hostile, Risk.R3, "containers.stop_one", container_action(app.system, "stop", "x").parameters)
        await confirming(pilot, fix=fix)
        assert screen_text(pilot).count("[/red][@click=app.quit]x[/]") >= 4
        assert "pwned" not in sent_by(app)
