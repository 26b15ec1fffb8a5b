"""Every key is declared once, means one thing at a time, and does something."""

from itertools import combinations

import pytest

from screens.app import TriageApp
from screens.dashboard import Dashboard
from screens.help import help_lines
from tests.ui import fakes
from tests.ui.opened import console, press, screen_text
from widgets.commands import COMMANDS, Command, Scope, bindings, key_words
from widgets.container_table import ContainerTable
from widgets.postgres_pane import PostgresPane

TOGETHER = (
    (Scope.EVERYWHERE, Scope.DASHBOARD, Scope.LIST, Scope.CONTAINERS),
    (Scope.EVERYWHERE, Scope.DASHBOARD, Scope.LIST, Scope.POSTGRES),
    (Scope.EVERYWHERE, Scope.DASHBOARD, Scope.LOGS, Scope.LOG_LINES),
)
"""Scopes whose keys work at the same time."""
REPLACED = {"slash", "escape"}
"""The log pane has its own filter and its own way back under the same keys."""


def keys(command: Command) -> set[str]:
    return set(command.keys.split(","))


@pytest.mark.parametrize("scopes", TOGETHER)
def test_no_key_means_two_things_in_one_place(scopes: tuple[Scope, ...]) -> None:
    here = [command for command in COMMANDS if command.scope in scopes]
    clashes = {
        (one.id, other.id, key) for one, other in combinations(here, 2) for key in keys(one) & keys(other) if key not in REPLACED
    }
    assert not clashes


@pytest.mark.parametrize("scope", list(Scope))
def test_no_key_is_declared_twice_in_one_scope(scope: Scope) -> None:
    declared = [key for command in COMMANDS if command.scope is scope for key in keys(command)]
    assert len(declared) == len(set(declared))


def test_every_command_has_an_identity_and_says_what_it_does() -> None:
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)
    assert all(command.help and len(command.words) <= 12 for command in COMMANDS)


@pytest.mark.parametrize(
    ("scope", "owner"),
    [
        (Scope.EVERYWHERE, TriageApp),
        (Scope.DASHBOARD, Dashboard),
        (Scope.LIST, ContainerTable),
        (Scope.CONTAINERS, ContainerTable),
        (Scope.POSTGRES, PostgresPane),
    ],
)
def test_every_command_has_an_action(scope: Scope, owner: type) -> None:
    for command in COMMANDS:
        if command.scope is scope:
            name = command.action.partition("(")[0]
            target = Dashboard if name.startswith("screen.") else owner
            assert hasattr(target, f"action_{name.removeprefix('screen.')}"), command.id


def test_bindings_carry_the_identities_of_their_commands() -> None:
    found = {binding.id for binding in bindings(Scope.CONTAINERS)}  # type: ignore[union-attr]
    assert found == {command.id for command in COMMANDS if command.scope is Scope.CONTAINERS}


def test_keys_are_written_as_they_stand_on_the_keyboard() -> None:
    assert key_words("question_mark,f1") == "? f1"
    assert not [command.id for command in COMMANDS if "_" in key_words(command.keys)]


async def test_the_help_lists_every_key_of_the_dashboard() -> None:
    async with console(size=(200, 140)) as pilot:
        await press(pilot, "question_mark")
        shown = screen_text(pilot)
        for command in COMMANDS:
            if command.scope in TOGETHER[0]:
                assert command.help[:40] in shown, command.id
        assert shown.index("On a container") < shown.index("On the dashboard") < shown.index("In a walk")
        await press(pilot, "escape")
        assert pilot.app.screen is pilot.app.screen_stack[0]


@pytest.mark.parametrize("width", [64, 100])
def test_every_command_stands_in_the_help_to_its_last_word(width: int) -> None:
    scope = {command.id for command in COMMANDS if command.scope is Scope.DAILY}
    shown = [line.text for line in help_lines(scope)(width)]
    assert max(map(len, shown)) <= width
    written = " ".join(" ".join(shown).split())
    for command in COMMANDS:
        assert command.help in written, command.id
    assert shown[0] == "In the morning check"


async def test_the_palette_offers_the_commands_of_the_focused_pane() -> None:
    async with console() as pilot:
        found = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert {"Restart this container", "Leave Triage", "Focus the logs"} <= found
        assert "End this session" not in found
        await press(pilot, "2")
        found = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert "End this session" in found


async def test_the_footer_shows_the_keys_of_the_focused_pane_first() -> None:
    async with console(fakes.system()) as pilot:
        assert screen_text(pilot).splitlines()[-1].startswith(" enter details")
        await press(pilot, "2")
        assert screen_text(pilot).splitlines()[-1].startswith(" enter details  k cancel  K end")
