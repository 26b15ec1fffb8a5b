"""How much faster than real time a whole round is refereed on a simulated stack: `python -m bench.rounds [SCENARIO …]`.

The world, every probe, the samples and the logs on the disk are in the figure; nobody plays, so the round runs to its limit.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

from console.config import load_config, shipped_config
from console.practice.drill.referee import Referee
from console.practice.drill.rounds import new_round
from console.practice.drill.scenarios import load_scenario
from console.practice.drill.simulated_stack import SimulatedStack
from console.practice.drill.truths import load_truth

NOON = 1_795_694_400.0
LIMIT_S = 600.0
CASES = ("sms-grade-export", "planner-two-doors", "dotmac-first-of-month", "sovd-two-ways-out")


class Clock:
    """Jumps to where a pause ends."""

    now = NOON

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


async def _referee(name: str, folder: Path) -> tuple[str, float]:
    """How the round ended, and for how long it was refereed, in real seconds."""
    scenario, clock = load_scenario(name), Clock()
    stack = SimulatedStack(load_config(shipped_config()).config.system(scenario.system), clock=clock, pause=clock.pause)
    round_ = new_round(scenario.system, folder)
    began = time.perf_counter()
    how = await Referee(scenario, load_truth(name), stack, round_, person="bench", limit_s=LIMIT_S).run()
    elapsed_s = time.perf_counter() - began
    await stack.aclose()
    return how, elapsed_s


def main(names: tuple[str, ...], out: TextIO) -> None:
    """Print each round's figures as Markdown."""
    print(f"| scenario | ended | {LIMIT_S:.0f} s of a round | times real time |", file=out)
    print("|---|---|---|---|", file=out)
    with tempfile.TemporaryDirectory() as folder:
        for name in names or CASES:
            how, elapsed_s = asyncio.run(_referee(name, Path(folder)))
            print(f"| {name} | {how} | {elapsed_s:.1f} s | {LIMIT_S / elapsed_s:,.0f} |", file=out)


if __name__ == "__main__":
    main(tuple(sys.argv[1:]), sys.stdout)
