"""Every shipped scenario, played by robots on the simulated stack: it bites, its tree mends it, and each robot gets its due."""

import os
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

import pytest
from robots import GUESS, Player, good, restarts
from rounds_played import CONFIG, Game
from turned_clock import SharedClock

from console.guides.issue import Issue
from console.guides.loader import load_issues
from console.practice.drill.scenario import StackKind
from console.practice.drill.scenarios import load_scenario, scenario_ids
from console.practice.drill.simulated_stack import SimulatedStack
from console.practice.drill.truths import load_truth
from console.practice.drill.watching import look

SCENARIOS = [name for name in scenario_ids() if load_scenario(name).stack is not StackKind.LAB]
SAMPLE = (
    "sms-monday-morning",
    "sms-exam-week",
    "sms-enrolment",
    "planner-board-meeting",
    "dotmac-first-of-month",
    "sovd-live-view",
)
"""What those play who do not walk: a round of theirs says little of the scenario."""
EVERY = "TRIAGE_ALL_FAULTS"
"""Set to 1, they play every scenario."""
NOT_WALKED = SCENARIOS if os.environ.get(EVERY) == "1" else SAMPLE
RESTARTED_BY_A_FIX = {"sms-monday-morning", "sms-quiet-server"}
"""One of the fixes of their causes restarts whatever part it is."""
TOLD_BY_ROWS = {"dotmac-double-badge", "dotmac-shop-opening", "planner-two-doors"}
"""Their cause lies in the rows that would be lost: without them nobody finds it, and nothing else can be done right."""
PATIENT_S = 900.0
SHORT_S = 90.0
"""Where it is known that nothing will come, nobody waits for four response times."""


@cache
def issues_of(system: str) -> tuple[Issue, ...]:
    return load_issues(CONFIG.system(system).guides)


async def play(
    folder: Path, name: str, robot: Callable[[Player], Awaitable[None]] | None, *, limit_s: float = PATIENT_S
) -> Player:
    """The round as this robot played it; without one, nobody does anything."""
    scenario = load_scenario(name)
    issues = issues_of(scenario.system)
    game = Game(folder, scenario, load_truth(name), issues=issues, limit_s=limit_s)
    player = Player(game.referee, issues, game.clock)

    async def plays(_game: Game) -> None:
        if robot is not None:
            await robot(player)

    await game.play(plays)
    assert await game.stack.why_not_clean() == ()
    return player


async def loses_rows(player: Player) -> None:
    """Empties a table that the round wants kept, and then does everything right."""
    await player.clock.pause(5)
    table = player.truth.keep_tables[0]
    assert isinstance(player.referee.stack, SimulatedStack)
    rows = player.referee.stack.world.database.tables
    rows.run(f'DELETE FROM "{player.system.config.tables.get(table, table)}"')
    await good(player)


@pytest.mark.parametrize("system", ["sms", "planner", "dotmac", "sovd"])
async def test_every_probe_holds_on_a_stack_that_is_well(system: str) -> None:
    clock = SharedClock()
    stack = SimulatedStack(CONFIG.system(system), clock=clock, pause=clock.pause)
    for name in scenario_ids():
        if load_scenario(name).system == system:
            probed, _ = await look(stack.system, load_truth(name).probes)
            assert [item for item in probed if item.holds is not True] == [], name
    await stack.aclose()


@pytest.mark.parametrize("name", SCENARIOS)
async def test_who_walks_the_tree_and_mends_what_it_names_is_done_with_the_best_mark(name: str, tmp_path: Path) -> None:
    player = await play(tmp_path, name, good)
    assert player.public("ended")[-1]["how"] == "done", player.marked
    assert (player.grade["mark"], player.grade["passed"]) == ("A", True), player.marked
    assert player.grade["lost"] == []


@pytest.mark.parametrize("name", NOT_WALKED)
async def test_who_does_nothing_fails_when_the_time_is_up(name: str, tmp_path: Path) -> None:
    player = await play(tmp_path, name, None, limit_s=SHORT_S)
    assert player.public("ended")[-1]["how"] == "timed_out"
    assert (player.grade["mark"], player.grade["passed"]) == ("F", False), player.marked


@pytest.mark.parametrize("name", NOT_WALKED)
async def test_who_restarts_everything_and_guesses_does_not_pass(name: str, tmp_path: Path) -> None:
    player = await play(tmp_path, name, restarts, limit_s=SHORT_S)
    assert not player.grade["passed"], player.marked
    assert player.grade["mark"] in ("E", "F"), player.marked
    assert player.grade["wrong_causes"] == [GUESS]
    assert bool(player.grade["needless_fixes"]) is (name not in RESTARTED_BY_A_FIX), player.marked


@pytest.mark.parametrize("name", [name for name in NOT_WALKED if load_truth(name).keep_tables and name not in TOLD_BY_ROWS])
async def test_who_loses_rows_fails_whatever_else_was_done(name: str, tmp_path: Path) -> None:
    player = await play(tmp_path, name, loses_rows)
    assert (player.grade["mark"], player.grade["passed"]) == ("F", False), player.marked
    table = load_truth(name).keep_tables[0]
    assert any(table in what for what in player.grade["lost"]), player.grade["lost"]


def test_the_sample_has_every_system_a_late_fault_two_causes_and_none() -> None:
    scenarios = [load_scenario(name) for name in SAMPLE]
    assert {scenario.system for scenario in scenarios} == {"sms", "planner", "dotmac", "sovd"}
    assert any(fault.at_s for scenario in scenarios for fault in scenario.faults)
    assert {len(load_truth(name).causes) for name in SAMPLE} == {0, 1, 2}
