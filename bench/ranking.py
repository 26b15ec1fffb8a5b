"""`make ranking`: ten faults of the lab, one after the other, and what a quick look at every issue of the system puts first.

A row tells the cause that stands first, how many others fire behind it, of how many issues, and the time of the whole look
without start-up (median of three).
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Mapping
from typing import Any

from console.config import SystemConfig, load_config, shipped_config
from console.guides.check import check
from console.practice.lab.faults import FAULTS
from console.practice.lab.injection import Injection
from console.practice.lab.plan import lab_plan
from console.practice.lab.stack import Lab
from console.system import live_system

TEN = {
    "sms": (
        "sms.c1.container-down",
        "sms.c1.container-unhealthy",
        "sms.c1.port-conflict",
        "sms.c2.database-down",
        "sms.c2.pool-exhausted",
        "sms.c3.out-of-memory",
        "sms.c3.missing-dependency",
    ),
    "planner": ("planner.d1.not-running",),
    "dotmac": ("dotmac.s2.not-running",),
    "sovd": ("sovd.s8.not-running",),
}
FELT_S = 25.0


def main() -> int:
    """Print the table; the number of faults whose issue did not come first is the exit code."""
    argparse.ArgumentParser(prog="python -m bench.ranking", description=__doc__).parse_args()
    config = load_config(shipped_config()).config
    wrong = 0
    print("| fault | first | fires | issues | look |\n|---|---|---:|---:|---:|")
    for name, faults in TEN.items():
        system = config.systems[name]
        assert system.engine is not None
        lab = Lab(lab_plan(name, system), system.engine, lambda line: print(line, file=sys.stderr))
        lab.up()
        injection = Injection(lab, lambda _line: None)
        injection.undo_all()
        for fault in faults:
            injection.inject(FAULTS[fault])
            results, took_s = _first(system, fault)
            first = f"{results[0]['issue']}.{results[0]['cause']}"
            wrong += first != fault
            fires = sum(1 for result in results if result["cause"])
            print(
                f"| {fault} | {'yes' if first == fault else first} | {fires} | {len(results)} | {took_s * 1000:.0f} ms |",
                flush=True,
            )
            injection.undo(fault)
            injection.healed()
        lab.close()
    return wrong


def _first(system: SystemConfig, fault: str) -> tuple[list[Mapping[str, Any]], float]:
    """The results once the fault's issue fires, and the time that a look takes."""
    until = time.monotonic() + FELT_S
    results, _ = asyncio.run(_look(system))
    while not any(f"{item['issue']}.{item['cause']}" == fault for item in results) and time.monotonic() < until:
        results, _ = asyncio.run(_look(system))
    return results, statistics.median(asyncio.run(_look(system))[1] for _ in range(3))


async def _look(config: SystemConfig) -> tuple[list[Mapping[str, Any]], float]:
    system = live_system(config)
    await system.open()
    try:
        began = time.monotonic()
        answer = await check(system)
        return answer["results"], time.monotonic() - began
    finally:
        await system.aclose()


if __name__ == "__main__":
    sys.exit(main())
