"""A walk that asks for inputs: the field, its errors, secrets, what is remembered and how it is forgotten."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot

from console.guides.compiling import compile_issue
from console.incidents.journal import incidents_dir
from console.practice.simulated.cache import SimulatedCache
from console.sources.protocols.cache import CacheKey
from screens.app import TriageApp
from screens.confirm import ConfirmScreen
from screens.inputs import InputsScreen
from screens.walk import WalkScreen
from tests.asking_issue import DROP, HEAD, KEY, SECOND, WORD
from tests.ui.opened import press, screen_text, settled, until
from tests.ui.practice import PATIENCE_S, Clock, practice_system, walk_screen, walked

SIZES = pytest.mark.parametrize("size", [(200, 50), (80, 24)], ids=lambda size: f"{size[0]}x{size[1]}")
ISSUE = (
    HEAD
    + """\
      - {when: present, cause: old}
      - {else: second}
"""
    + SECOND
    + """\
      - {when: present, cause: other}
      - {else: clear}
causes:
  old: {summary: It is old., fixes: [drop, drop-other]}
  other: {summary: The other is there.}
fixes:
"""
    + DROP
    + """\
  drop-other:
    title: Delete the other
    action: cache.delete_key
    with: {key: $word}
    verify: {step: known, holds: not present, for: 1s, within: 5s}
"""
)


@asynccontextmanager
async def asking(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int] = (160, 45), told: dict[str, str] | None = None
) -> AsyncIterator[Pilot[Any]]:
    """The walk of an issue that needs a number and a password."""

    async def key(_self: SimulatedCache, name: str) -> CacheKey | None:
        return CacheKey(name, "string", 60.0, 1.0, 100, b"{}") if name in (KEY, WORD) else None

    monkeypatch.setattr(SimulatedCache, "key", key, raising=False)
    clock = Clock()
    app = TriageApp(practice_system("healthy", clock), clock=clock, told=told)
    issue = compile_issue(ISSUE, Path("demo/h1-grades.yaml"), "demo")
    async with app.run_test(size=size) as pilot:
        await app.push_screen(WalkScreen(issue))
        await settled(pilot)
        yield pilot


async def give(pilot: Pilot[Any], text: str) -> None:
    await press(pilot, *text, "enter")
    screen = walk_screen(pilot)
    await until(lambda: not screen.busy, PATIENCE_S)
    await settled(pilot)


def written() -> str:
    return "".join(path.read_text() for path in incidents_dir().glob("*.jsonl"))


@SIZES
async def test_an_input_is_asked_for_with_its_form_and_the_step_is_made(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with asking(monkeypatch, size) as pilot:
        shown = screen_text(pilot)
        assert "Number of the student" in shown
        assert "Wanted: a number such as 42." in shown
        assert "enter asks for it" in shown
        await press(pilot, "enter")
        assert "enter gives it" in screen_text(pilot)
        await give(pilot, "42")
        assert "✖ Cause old" in screen_text(pilot)
        assert '"name": "student_id", "value": "42"' in written()


@SIZES
async def test_a_wrong_form_is_told_under_the_field_which_stays_open(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with asking(monkeypatch, size) as pilot:
        await press(pilot, "enter", *"1 OR 1=1", "enter")
        assert "student_id must be a number such as 42, not '1 OR 1=1'" in screen_text(pilot)
        assert walk_screen(pilot).walk.path == ()
        await press(pilot, *["backspace"] * 8)
        assert "must be a number" not in screen_text(pilot)
        await give(pilot, "42")
        assert len(walk_screen(pilot).walk.path) == 1


async def test_escape_leaves_it_unanswered_and_the_walk_open(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(monkeypatch) as pilot:
        await press(pilot, "enter", "4", "escape")
        screen = walk_screen(pilot)
        assert screen.walk.path == ()
        assert screen.walk.question is not None
        await press(pilot, "enter")
        await give(pilot, "42")
        assert len(screen.walk.path) == 1


async def test_a_secret_is_masked_never_shown_and_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(monkeypatch) as pilot:
        await press(pilot, "enter")
        await give(pilot, "7")
        await press(pilot, "enter", *WORD)
        assert WORD not in screen_text(pilot)
        assert "•" * len(WORD) in screen_text(pilot)
        await press(pilot, "enter")
        screen = walk_screen(pilot)
        await until(lambda: not screen.busy and len(screen.walk.path) == 2, PATIENCE_S)
        await settled(pilot)
        assert "✖ Cause other" in screen_text(pilot)
        assert "$word" in screen.walk.path[1].command
        assert WORD not in screen_text(pilot)
        assert WORD not in written()


async def test_the_key_shows_what_was_given_and_forgets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(monkeypatch) as pilot:
        await press(pilot, "enter")
        await give(pilot, "7")
        await press(pilot, "enter", *WORD, "enter")
        screen = walk_screen(pilot)
        await until(lambda: len(screen.walk.path) == 2, PATIENCE_S)
        await press(pilot, "I")
        assert isinstance(pilot.app.screen, InputsScreen)
        shown = screen_text(pilot)
        assert "student_id  7" in shown
        assert "a secret: never shown" in shown
        assert WORD not in shown
        await press(pilot, "x")
        await walked(pilot, "r")
        assert walk_screen(pilot).walk.question is not None
        assert "inputs_forgotten" in written()


async def test_another_walk_of_the_incident_does_not_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(monkeypatch) as pilot:
        await press(pilot, "enter")
        await give(pilot, "42")
        await walked(pilot, "r", "enter")
        assert "✖ Cause old" in screen_text(pilot)


async def test_practice_shows_what_the_user_says_and_types_it_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(monkeypatch, told={"student_id": "42"}) as pilot:
        assert "The user says: 42" in screen_text(pilot)
        assert walk_screen(pilot).walk.path == ()
        await press(pilot, "enter")
        await give(pilot, "")
        assert "✖ Cause old" in screen_text(pilot)


async def test_a_fix_asks_for_what_it_needs_before_it_is_previewed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(monkeypatch) as pilot:
        await press(pilot, "enter")
        await give(pilot, "42")
        await press(pilot, "2", "f")
        assert not isinstance(pilot.app.screen, ConfirmScreen)
        await press(pilot, *WORD, "enter")
        await until(lambda: isinstance(pilot.app.screen, ConfirmScreen), PATIENCE_S)
        await until(lambda: "Press" in screen_text(pilot) or "armed" in screen_text(pilot), PATIENCE_S)
        assert WORD not in screen_text(pilot)


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("x" * 2**20, "1,048,576 characters; at most 20,000"),
        ("a\x1b]0;title\x07", "control characters"),
        ("1\n2", "several lines"),
    ],
)
async def test_what_may_not_be_pasted_is_refused_whole(monkeypatch: pytest.MonkeyPatch, pasted: str, told: str) -> None:
    async with asking(monkeypatch) as pilot:
        await press(pilot, "enter")
        field = walk_screen(pilot).query_one("#typed")
        field.post_message(Paste(pasted))
        await until(lambda: told in screen_text(pilot), PATIENCE_S)
        assert field.value == ""  # type: ignore[attr-defined]


async def test_keys_that_come_in_one_packet_are_done_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(monkeypatch, told={"student_id": "7"}) as pilot:
        await press(pilot, "enter")
        for key in ("backspace", "x", "backspace", "4", "3", "left", "backspace", "4", "end", "backspace", "2", "enter"):
            pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        screen = walk_screen(pilot)
        await until(lambda: len(screen.walk.path) == 1, PATIENCE_S)
        assert KEY in screen.walk.path[0].command
