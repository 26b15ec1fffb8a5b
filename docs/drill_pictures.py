"""Takes the pictures of docs/practice.md from two real rounds on simulated stacks: the trainee's drill, and the facilitator."""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from console.config import load_config, shipped_config
from console.guides.loader import read_guides
from console.practice.drill.referee import Referee
from console.practice.drill.rounds import new_round
from console.practice.drill.scenarios import load_scenario
from console.practice.drill.simulated_stack import SimulatedStack
from console.practice.drill.truths import load_truth
from screens.app import TriageApp
from screens.drill import DrillScreen
from screens.facilitate import FacilitatorApp

SCENARIO = "sms-monday-morning"
SIZE = (112, 30)
PATIENCE_S = 90.0
REPORTED_S = 55.0
"""By then two users have called."""


def referee(folder: Path) -> Referee:
    """One round that is about to begin."""
    system = load_config(shipped_config()).config.system("sms")
    stack = SimulatedStack(system, seed=1)
    issues = read_guides(system.guides).issues
    round_ = new_round("sms", folder)
    return Referee(load_scenario(SCENARIO), load_truth(SCENARIO), stack, round_, person="ada", issues=issues)


async def until(pilot: Pilot[Any], holds: Callable[[], object]) -> None:
    """Wait; raises TimeoutError when it does not come about."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await pilot.pause(0.1)


async def take_trainee(path: Path, folder: Path) -> None:
    """The drill's screen after two reports and an acknowledgement."""
    judge = referee(folder)
    app = TriageApp(judge.stack.system, round=judge.round)
    playing = asyncio.ensure_future(judge.run())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.drill is not None and app.drill.seen.running)
        await pilot.press("D", "a")
        await until(pilot, lambda: isinstance(app.screen, DrillScreen) and judge.state.elapsed_s > REPORTED_S)
        path.write_text(app.export_screenshot(title="Triage: the trainee"), encoding="utf-8")  # noqa: ASYNC240 -- nothing else runs
    judge.abort("The picture is taken.")
    await playing


async def take_facilitator(path: Path, folder: Path) -> None:
    """The facilitator's screen once the trainee has walked and named a wrong cause."""
    judge = referee(folder)
    app = FacilitatorApp(judge, {})
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: judge.state.phase == "running")
        trainee = judge.round.trainee()
        now = judge.stack.system.clock
        trainee.add("joined", now())
        trainee.add("acknowledged", now())
        trainee.add("opened", now(), what="pane logs")
        trainee.add("walk_begins", now(), issue="sms.c2")
        trainee.add("diagnosed", now(), causes=["sms.c2.database-down"])
        await until(pilot, lambda: "diagnosed" in judge.state.reached)
        await pilot.pause(1.5)
        path.write_text(  # noqa: ASYNC240 -- nothing else runs
            app.export_screenshot(title="Triage: the facilitator"), encoding="utf-8"
        )
        judge.abort("The picture is taken.")
        await until(pilot, lambda: app.playing is not None and app.playing.done())


if __name__ == "__main__":
    docs = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(take_trainee(docs / "drill.svg", Path(made)))
        asyncio.run(take_facilitator(docs / "drill-facilitator.svg", Path(made)))
