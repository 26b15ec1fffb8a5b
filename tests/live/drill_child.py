"""A referee in a process of its own, with a trainee inside it: it stops at a phase, says so, and waits to be killed.

`python drill_child.py CONFIG SYSTEM SCENARIO PHASE`
"""

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from console.config import load_config
from console.practice.drill import referee as referee_module
from console.practice.drill.lab_stack import LabStack
from console.practice.drill.referee import Referee
from console.practice.drill.rounds import Round, new_round
from console.practice.drill.scenarios import load_scenario
from console.practice.drill.truths import load_truth
from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.target import Target

PHASES = ("journalled", "injecting", "bitten", "detected", "diagnosed", "mitigated", "healing", "reviewing")


def reached(phase: str) -> NoReturn:
    """Say that the phase is here, and do nothing more."""
    print(f"reached {phase}", flush=True)
    time.sleep(600)
    raise SystemExit(9)


class Stopping(LabStack):
    """The lab, with the places in its threads where a process may die."""

    phase = ""

    def _inject(self, fault: LabFault) -> None:
        def inject(target: Target, notes: Notes) -> None:
            if self.phase == "journalled":
                reached(self.phase)
            fault.inject(target, notes)
            if self.phase == "injecting":
                reached(self.phase)

        super()._inject(replace(fault, inject=inject))

    def _undo_all(self) -> None:
        super()._undo_all()
        if self.phase == "healing":
            reached(self.phase)


def told(round_: Round, kind: str, phase: str = "") -> bool:
    return any(entry["kind"] == kind and entry.get("phase", "") == phase for entry in round_.public().entries())


async def until(round_: Round, kind: str, phase: str = "") -> None:
    while not told(round_, kind, phase):
        await asyncio.sleep(0.1)


async def trainee(round_: Round, stack: Stopping, faults: tuple[str, ...], phase: str) -> None:
    """Goes as far as the phase needs."""
    log = round_.trainee()
    await until(round_, "began")
    if phase == "bitten":
        reached(phase)
    log.add("acknowledged", time.time())
    if phase in ("detected", "mitigated"):
        await until(round_, "phase", "detected")
    if phase == "detected":
        reached(phase)
    if phase == "mitigated":
        for fault in faults:
            await stack.mend(fault)
        await until(round_, "phase", "mitigated")
        reached(phase)
    log.add("diagnosed", time.time(), causes=list(faults))
    await until(round_, "phase", "diagnosed")
    if phase == "diagnosed":
        reached(phase)
    log.add("gave_up", time.time())


async def play(config: Path, system: str, scenario_id: str, phase: str) -> None:
    scenario, truth = load_scenario(scenario_id), load_truth(scenario_id)
    # What comes late would keep the round from being mitigated for minutes.
    scenario = replace(scenario, faults=tuple(item for item in scenario.faults if item.at_s <= 0), noise=())
    stack = Stopping(load_config(config).config.system(system))
    stack.phase = phase
    if phase == "reviewing":
        referee_module.close_books = lambda *_: reached(phase)  # type: ignore[assignment]
    round_ = new_round(system)
    referee = Referee(scenario, truth, stack, round_, person="a test", limit_s=300)
    print(f"round {round_.id}", flush=True)
    acting = asyncio.ensure_future(trainee(round_, stack, tuple(item.fault for item in scenario.faults), phase))
    print(f"ended {await referee.run()} {round_.public().entries()[-1].get('reason')}", flush=True)
    acting.cancel()


if __name__ == "__main__":
    asyncio.run(play(Path(sys.argv[1]), *sys.argv[2:5]))
