"""Scenarios on real containers: each bites, its own tree mends it, and what was there before is there again."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from robots import Player, good

from console.config import load_config, shipped_config
from console.guides.loader import load_issues
from console.practice.drill.lab_stack import LabStack
from console.practice.drill.referee import Referee
from console.practice.drill.rounds import new_round
from console.practice.drill.scenario import StackKind
from console.practice.drill.scenario_rules import stack_kinds
from console.practice.drill.scenarios import load_scenario, scenario_ids
from console.practice.drill.truths import load_truth
from console.practice.lab.injection import Injection
from console.practice.lab.stack import Lab

pytestmark = pytest.mark.engine

EVERY = "TRIAGE_ALL_FAULTS"
"""Set to 1, every scenario that the lab can play is played."""
SAMPLE = ("sms-monday-morning", "sms-now-and-then")
PLAYABLE = [name for name in scenario_ids() if StackKind.LAB in stack_kinds(load_scenario(name).stack)]
PATIENT_S = 600.0


class RealClock:
    def __call__(self) -> float:
        return time.time()

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.mark.parametrize("name", PLAYABLE if os.environ.get(EVERY) == "1" else SAMPLE)
async def test_the_tree_of_a_scenario_mends_it(
    name: str, lab_of: Callable[[str], Lab], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario, truth = load_scenario(name), load_truth(name)
    lab = lab_of(scenario.system)
    monkeypatch.setenv("XDG_STATE_HOME", str(lab.folder.parents[2]))
    config = load_config(shipped_config()).config.system(scenario.system)
    stack = LabStack(config)
    issues = load_issues(config.guides)
    referee = Referee(
        scenario, truth, stack, new_round(scenario.system, tmp_path), person="Ada", issues=issues, limit_s=PATIENT_S
    )
    player = Player(referee, issues, RealClock())
    await stack.system.open()

    async def plays() -> None:
        while not player.public("began"):
            await asyncio.sleep(0.5)
        await good(player)

    playing = asyncio.ensure_future(plays())
    try:
        how = await referee.run()
    finally:
        playing.cancel()
        (left,) = await asyncio.gather(playing, return_exceptions=True)
        await stack.aclose()
    assert how == "done", (player.marked, left)
    assert player.grade["passed"], player.marked
    assert player.grade["lost"] == []
    assert Injection(lab, print).open() == ()
