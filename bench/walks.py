"""`make walks`: every fault of the lab is made, walked and undone; docs/walks.md tells which cause was named and in what time.

`python -m bench.walks [SYSTEM …] [--only PREFIX]` does a part anew and keeps the rest of the last run.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from console.config import Config, SystemConfig, load_config, shipped_config
from console.guides.check import check
from console.guides.loader import load_issues
from console.practice.lab.errors import LabError
from console.practice.lab.fault import LabFault
from console.practice.lab.faults import BY_SYSTEM
from console.practice.lab.injection import Injection
from console.practice.lab.plan import lab_plan
from console.practice.lab.stack import Lab
from console.practice.simulated.faults import replies_of
from console.state import state_dir, write_private
from console.system import live_system

PAGE = Path(__file__).parent.parent / "docs" / "walks.md"
FELT_S = 25.0
"""So long an effect may take until it is felt: health checks, log lines, rates."""
HEALED_S = 200.0
"""Some walks look back for minutes."""
FIRST = ("smsops.a3.one-endpoint", "smsops.a3.server-errors")
"""A stack whose parts are not of one age looks freshly deployed: these are made on a lab that is new."""
LAST = ("sms.m1.traffic-surge",)
"""What is usual has to be known by then."""
Row = dict[str, Any]


def main(argv: Sequence[str]) -> int:
    """Walk the faults of these systems; the number of walks that named another cause, at most 100, is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.walks", description=__doc__)
    parser.add_argument("systems", nargs="*", default=list(BY_SYSTEM), metavar="SYSTEM")
    parser.add_argument("--only", default="", metavar="PREFIX", help="faults whose id begins so")
    parser.add_argument("--only-failed", action="store_true", help="those that named another cause last time")
    parser.add_argument("--page", action="store_true", help="write docs/walks.md from the last runs")
    arguments = parser.parse_args(argv)
    config = load_config(shipped_config()).config
    wrong = 0
    for name in arguments.systems:
        kept = _kept(name)
        if not arguments.page:
            chosen = [
                fault
                for fault in BY_SYSTEM[name]
                if fault.id.startswith(arguments.only) and not (arguments.only_failed and _right(kept.get(fault.id, {})))
            ]
            for row in _walked(name, config.systems[name], chosen):
                kept[row["fault"]] = row
                wrong += not _right(row)
                write_private(_file(name), json.dumps(kept, indent=1))
    PAGE.write_text(page(config, {name: _kept(name) for name in BY_SYSTEM}), encoding="utf-8")
    return min(wrong, 100)


def _walked(name: str, config: SystemConfig, faults: Sequence[LabFault]) -> Iterator[Row]:
    assert config.engine is not None
    lab = Lab(lab_plan(name, config), config.engine, lambda line: print(line, file=sys.stderr))
    if any(fault.id in FIRST for fault in faults):
        lab.down()
    lab.up()
    injection = Injection(lab, lambda _line: None)
    injection.undo_all()
    known = {f"{issue.id}.{cause}" for issue in load_issues(config.guides) for cause in issue.causes}
    for fault in sorted(faults, key=lambda item: (item.id not in FIRST, item.id in LAST)):
        if fault.shows:
            continue  # A kind of a cause that has a fault of its own.
        if fault.id not in known:
            print(f"  {fault.id:<45} has no walk", file=sys.stderr)
            continue
        row = _one(name, config, injection, fault)
        print(f"{'ok' if _right(row) else '!!'} {fault.id:<45} {row['found']:<45} {row['walk_ms']:>6.0f} ms", file=sys.stderr)
        if not _right(row):
            print(f"     {row['summary']}", file=sys.stderr)
        yield row
    lab.close()


def _one(name: str, config: SystemConfig, injection: Injection, fault: LabFault) -> Row:
    issue = fault.id.rpartition(".")[0]
    began = time.monotonic()
    try:
        injection.inject(fault)
    except LabError as error:
        return {"fault": fault.id, "found": "not injected", "walk_ms": 0, "summary": str(error), "clear": False}
    bitten_s = time.monotonic() - began
    answers, inputs = injection.replies(fault)
    result = _until(config, issue, {**inputs, **answers}, fault.id.rpartition(".")[2], FELT_S)
    injection.undo(fault.id)
    injection.healed()
    clear = _until(config, issue, _well(config, injection), "", HEALED_S)
    return {
        "fault": fault.id,
        "found": f"{issue}.{result['cause']}" if result["cause"] else result["outcome"],
        "walk_ms": result["elapsed_ms"],
        "felt_s": round(bitten_s, 1),
        "summary": result["summary"],
        "clear": clear["outcome"] == "clear",
        "after": clear["summary"],
        "at": time.strftime("%Y-%m-%d"),
        "system": name,
    }


def _well(config: SystemConfig, injection: Injection) -> dict[str, str]:
    """What a well user of the lab gives and answers."""
    answers, _ = replies_of("healthy", config)
    return {**injection.replies(None)[1], **answers}


def _until(config: SystemConfig, issue: str, told: Mapping[str, str], cause: str, within_s: float) -> dict[str, Any]:
    """The walk's result once it names the cause (empty: is clear), or the last one."""

    async def once() -> dict[str, Any]:
        system = live_system(config)
        await system.open()
        try:
            answer = await check(system, [issue], timeout_s=15, told=told)
        finally:
            await system.aclose()
        result: dict[str, Any] = answer["results"][0]
        return result

    until = time.monotonic() + within_s
    while True:
        result = asyncio.run(once())
        if result["cause"] == cause or (not cause and result["outcome"] == "clear") or time.monotonic() > until:
            return result
        time.sleep(0.5)


def page(config: Config, runs: Mapping[str, Mapping[str, Row]]) -> str:
    """The table of all issues and causes, and what the lab showed of each."""
    causes = {
        f"{issue.id}.{cause}": system.title
        for system in config.systems.values()
        for issue in load_issues(system.guides)
        for cause in issue.causes
    }
    rows = {fault: row for run in runs.values() for fault, row in run.items()}
    issues = {cause.rpartition(".")[0] for cause in causes}
    right = [cause for cause in causes if _right(rows.get(cause, {}))]
    shown = {cause.rpartition(".")[0] for cause in right}
    lines = [
        "# Walks on the lab",
        "",
        "Written by `make walks`: each fault that containers can show is made on the lab, walked, and undone. *Named* is the",
        "cause that the walk found, *walk* its time without start-up, *clear again* whether the walk was clear afterwards.",
        "Every cause, also one without a line here, is shown on the simulated stacks",
        "(`tests/unit/practice/test_every_cause.py`).",
        "",
        f"{len(right)} of {len(causes)} causes and {len(shown)} of {len(issues)} issues were shown on the lab.",
        "",
        "| cause | named | walk | clear again |",
        "|---|---|---:|---|",
    ]
    for cause in causes:
        row = rows.get(cause)
        if row is None:
            lines.append(f"| {cause} | – | | |")
            continue
        named = "yes" if _named(row) else f"**{row['found']}**"
        lines.append(f"| {cause} | {named} | {row['walk_ms']:.0f} ms | {'yes' if row['clear'] else '**no**'} |")
    return "\n".join(lines) + "\n"


def _named(row: Mapping[str, Any]) -> bool:
    return bool(row) and row["found"] == row["fault"]


def _right(row: Mapping[str, Any]) -> bool:
    return _named(row) and bool(row["clear"])


def _file(name: str) -> Path:
    return state_dir() / "walks" / f"{name}.json"


def _kept(name: str) -> dict[str, Row]:
    try:
        kept: dict[str, Row] = json.loads(_file(name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
