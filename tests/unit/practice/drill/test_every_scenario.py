"""Every shipped scenario, played by robots on the simulated stack: it bites, its tree mends it, and each robot gets its due."""

from pathlib import Path

import pytest
from robots import GUESS, drops, good, play, restarts

from console.practice.drill.scenario import StackKind
from console.practice.drill.scenarios import load_scenario, scenario_ids
from console.practice.drill.truths import load_truth

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
SHORT_S = 90.0
"""Where it is known that nothing will come, nobody waits for four response times."""


@pytest.mark.parametrize("name", SCENARIOS)
async def test_who_walks_the_tree_and_mends_what_it_names_is_done_with_the_best_mark(name: str, tmp_path: Path) -> None:
    played = await play(tmp_path, name, good, limit_s=900)
    assert played.ended == "done", (played.public("ended"), played.marked)
    assert (played.grade["mark"], played.grade["passed"]) == ("A", True), played.marked
    assert played.grade["lost"] == []
    assert await played.stack.why_not_clean() == ()


@pytest.mark.parametrize("name", SAMPLE)
async def test_who_does_nothing_fails_when_the_time_is_up(name: str, tmp_path: Path) -> None:
    played = await play(tmp_path, name, None, limit_s=SHORT_S)
    assert played.ended == "timed_out"
    assert (played.grade["mark"], played.grade["passed"]) == ("F", False), played.marked


@pytest.mark.parametrize("name", SAMPLE)
async def test_who_restarts_everything_and_guesses_does_not_pass(name: str, tmp_path: Path) -> None:
    played = await play(tmp_path, name, restarts, limit_s=SHORT_S)
    assert not played.grade["passed"], played.marked
    assert played.grade["mark"] in ("E", "F"), played.marked
    assert played.grade["wrong_causes"] == [GUESS]
    # Of c1 a restart of everything is one of the cause's own fixes, the last but one.
    assert bool(played.grade["needless_fixes"]) is (name != "sms-monday-morning"), played.marked


@pytest.mark.parametrize("name", [name for name in SAMPLE if load_truth(name).keep_tables])
async def test_who_loses_rows_fails_whatever_else_was_done(name: str, tmp_path: Path) -> None:
    played = await play(tmp_path, name, drops, limit_s=900)
    assert (played.grade["mark"], played.grade["passed"]) == ("F", False), played.marked
    table = load_truth(name).keep_tables[0]
    assert any(table in what for what in played.grade["lost"]), played.grade["lost"]  # type: ignore[attr-defined]


def test_the_sample_has_every_system_a_late_fault_two_causes_and_none() -> None:
    scenarios = [load_scenario(name) for name in SAMPLE]
    assert {scenario.system for scenario in scenarios} == {"sms", "planner", "dotmac", "sovd"}
    assert any(fault.at_s for scenario in scenarios for fault in scenario.faults)
    assert {len(load_truth(name).causes) for name in SAMPLE} == {0, 1, 2}
