"""How much faster than real time the simulated worlds live: `python -m bench.worlds`. A drill's tests want thirty times."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

from console.config import load_config, shipped_config
from console.practice.simulated.staging import apply_fault
from console.practice.simulated.system import simulated_world

NOON = 1_795_694_400.0
LIVED_S = 600.0
CASES = (
    ("sms", "healthy"),
    ("planner", "healthy"),
    ("dotmac", "healthy"),
    ("sovd", "healthy"),
    ("sms", "sms.c2.pool-exhausted"),
    ("sms", "sms.m1.traffic-surge"),
    ("sms", "sms.m2.lock-contention"),
    ("sms", "sms.c2.disk-full"),
    ("sovd", "sovd.s4.client-loop"),
)


class Clock:
    """Stands still until it is set."""

    now = NOON

    def __call__(self) -> float:
        return self.now


def main(out: TextIO) -> None:
    """Print each case's figures as Markdown: the quarter of an hour that a world begins with, and ten minutes with its fault."""
    systems = load_config(shipped_config()).config
    print("| system | fault | its past (900 s) | times real time | ten minutes | times real time |", file=out)
    print("|---|---|---|---|---|---|", file=out)
    for name, fault in CASES:
        clock = Clock()
        world = simulated_world(systems.system(name), clock=clock)
        past_s = _lived(world.advance)
        if fault != "healthy":
            apply_fault(world, fault)
        clock.now += LIVED_S
        lived_s = _lived(world.advance)
        print(
            f"| {name} | {fault} | {past_s:.2f} s | {900 / past_s:,.0f} | {lived_s:.2f} s | {LIVED_S / lived_s:,.0f} |", file=out
        )


def _lived(advance: Callable[[], bool]) -> float:
    began = time.process_time()
    advance()
    return time.process_time() - began


if __name__ == "__main__":
    main(sys.stdout)
