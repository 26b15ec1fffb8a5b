"""Every shipped scenario, played by robots on the simulated stack: it bites, it can be mended by its tree, and each gets what they deserve."""

from pathlib import Path

import pytest
from robots import Played, drops, good, play, restarts

from console.practice.drill.scenario import StackKind
from console.practice.drill.scenarios import load_scenario, scenario_ids

SCENARIOS = [name for name in scenario_ids() if load_scenario(name).stack is not StackKind.LAB]
SHORT_S = 90.0
"""Where it is known that nothing will come, nobody waits for four response times."""


@pytest.mark.parametrize("name", SCENARIOS)
async def test_who_walks_the_tree_and_mends_what_it_names_is_done_with_the_best_mark(name: str, tmp_path: Path) -> None:
    played = await play(tmp_path, name, good, limit_s=900)
    assert played.ended == "done", (played.public("ended"), played.marked)
    assert (played.grade["mark"], played.grade["passed"]) == ("A", True), played.marked
    assert played.grade["lost"] == []
    assert await played.stack.why_not_clean() == ()
