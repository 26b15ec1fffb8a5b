"""`make bench`: every figure of the docs, printed as Markdown. Each row is a median of paired runs; the ratio is what counts."""

import argparse
import asyncio
import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.fifty import fifty_containers
from bench.terminal import Cost, measure
from console.config import SystemConfig, load_config, shipped_config
from console.guides.check import check
from console.system import live_system

TRIAGE = [sys.executable, "-m", "console"]
# What shows that each of the five panes holds live data: a container's state, a log line, connections, memory, a percentile.
MARKS = ["sms-backend", "GET /api", "/40", "64.0 MiB", "1/1 up"]
GUIDE = (
    "pg_isready -U sms_user -d student_management",
    'psql -U sms_user -d student_management -c "SELECT version();"',
    'psql -U sms_user -d student_management -c "SELECT count(*) FROM pg_stat_activity;"',
    "du -sh /var/lib/postgresql/data",
    "psql -U sms_user -d student_management -c \"SELECT pid, usename, query FROM pg_stat_activity WHERE state = 'active';\"",
)


def main() -> int:
    argparse.ArgumentParser(prog="python -m bench", description=__doc__).parse_args()
    # An installed program has its byte code; a checkout that was never run has not.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for package in ("console", "screens", "widgets"):
        compileall.compile_dir(package, quiet=1)
    config = load_config(shipped_config()).config.system("sms")
    print("| what | Triage | peer | ratio | goal | met |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "XDG_STATE_HOME": os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")}
        _paint_and_idle(config, environment)
        _fifty(environment)
    _walks(config)
    return 0


def _paint_and_idle(config: SystemConfig, environment: dict[str, str]) -> None:
    password = config.postgres.find_password() if config.postgres else None
    peer = ["pg_activity", "--host", "127.0.0.1", "--username", "sms_user", "--dbname", "student_management"]
    peer_environment = {**environment, "PGPASSWORD": password or ""}

    def ours(seconds: float, paint: bool) -> Cost:
        return measure(
            TRIAGE, marks=MARKS, seconds=seconds, settle_s=seconds / 2, environment=environment, stop_when_painted=paint
        )

    def theirs(seconds: float, paint: bool) -> Cost:
        return measure(
            peer, marks=["PID"], seconds=seconds, settle_s=seconds / 2, environment=peer_environment, stop_when_painted=paint
        )

    pairs = [(ours(15, True), theirs(15, True)) for _ in range(5)]
    if any(mine.painted_s is None for mine, _ in pairs):
        print(f"never painted: {pairs[0][0].missing}", file=sys.stderr)
    first = statistics.median(mine.first_byte_s or 99 for mine, _ in pairs)
    painted = statistics.median(mine.painted_s or 99 for mine, _ in pairs)
    peers = statistics.median(other.painted_s or 99 for _, other in pairs)
    _row("first byte (first frame) against pg_activity's first paint", first, peers, "s", 1.5)
    _row("all five panes hold live data, against pg_activity's one", painted, peers, "s", 1.5)
    with _without_load():
        mine, other = ours(40, False), theirs(40, False)
    _row("idle output (nobody uses the service), bytes per second", mine.settled_bytes_per_s, other.settled_bytes_per_s, "B/s", 1)
    _row("idle processor, percent of a core", mine.settled_cpu_percent, other.settled_cpu_percent, "%", None)
    mine, other = ours(40, False), theirs(40, False)
    _row("output under the lab's load, following its logs", mine.settled_bytes_per_s, other.settled_bytes_per_s, "B/s", None)
    _row("processor under the lab's load, percent of a core", mine.settled_cpu_percent, other.settled_cpu_percent, "%", None)
    _row("peak resident memory", mine.peak_rss_mib, other.peak_rss_mib, "MiB", None)


@contextmanager
def _without_load() -> Iterator[None]:
    """The lab's load generator stands still: nothing new is there to show."""
    subprocess.run(["docker", "pause", "sms-load"], check=True, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        subprocess.run(["docker", "unpause", "sms-load"], check=True, stdout=subprocess.DEVNULL)


def _fifty(environment: dict[str, str]) -> None:
    with fifty_containers() as config_file:
        command = [*TRIAGE, "--config", str(config_file)]
        cost = measure(command, marks=["bench-"], seconds=40, settle_s=20, environment=environment)
    percent = cost.settled_cpu_percent
    print(f"| idle processor with 50 containers | {percent:.1f} % | – | – | ≤ 5 % | {_met(percent <= 5)} |", flush=True)


def _walks(config: SystemConfig) -> None:
    async def warm() -> list[float]:
        system = live_system(config)
        await system.open()
        try:
            await check(system, ["sms.c2"], timeout_s=10, inputs={})
            return [await _timed(lambda: check(system, ["sms.c2"], timeout_s=10, inputs={})) for _ in range(9)]
        finally:
            await system.aclose()

    def cold() -> float:
        return _command_s([*TRIAGE, "check", "sms.c2"])

    def typed() -> float:
        return _command_s(["sh", "-c", "; ".join(f"docker exec sms-postgres {line}" for line in GUIDE)])

    cold(), typed()
    pairs = [(cold(), typed()) for _ in range(9)]
    peer = statistics.median(other for _, other in pairs)
    _row(
        "warm walk of sms.c2 against the guide's five commands typed by a script",
        statistics.median(asyncio.run(warm())),
        peer,
        "s",
        0.1,
    )
    _row("cold `triage check sms.c2` against the same", statistics.median(mine for mine, _ in pairs), peer, "s", 1)


async def _timed(call: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await call()
    return time.perf_counter() - started


def _command_s(command: list[str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 3, 4):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return time.perf_counter() - started


def _row(what: str, mine: float, peer: float, unit: str, goal: float | None) -> None:
    ratio = mine / peer if peer else float("inf")
    wanted, met = (f"≤ {goal:g}", _met(ratio <= goal)) if goal is not None else ("–", "–")
    print(f"| {what} | {mine:.3g} {unit} | {peer:.3g} {unit} | {ratio:.2f} | {wanted} | {met} |", flush=True)


def _met(yes: bool) -> str:
    return "yes" if yes else "**no**"


if __name__ == "__main__":
    sys.exit(main())
