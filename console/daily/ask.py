"""Asks everything at once, each source within its own time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import TypeVar

from console.daily.figures import Counters, Figures, Tables, Use
from console.daily.report import Report
from console.daily.rules import judge
from console.guides.checks.files_backups import list_backups
from console.reading import Failure, FailureKind, SourceError
from console.sources.postgres import statistics
from console.sources.protocols.database import Value
from console.sources.protocols.endpoint import Answer
from console.sources.protocols.engine import Container, Containers, State, Usage
from console.system import System
from console.text import clean

T = TypeVar("T")

LIMIT_S = 10.0
"""So long one question may take; the others do not wait for it."""
USERS = "users"
"""The table that is counted, by the name that guides use."""


async def daily(system: System, issues: Collection[str]) -> Report:
    """The morning check of one system. `issues` are the ids (`sms.c1`) that its guides have. Raises for no source."""
    started, config = time.monotonic(), system.config
    figures = await look(system)
    lines, left_out = judge(figures, config, issues, system.clock())
    elapsed_s = time.monotonic() - started
    return Report(config.name, config.title, config.environment.value, system.clock(), elapsed_s, lines, left_out)


async def look(system: System) -> Figures:
    """Read everything that the rules want."""
    async with asyncio.TaskGroup() as group:
        ask, database = group.create_task, system.need_database
        containers = ask(_told("The container engine", lambda: system.need_workloads().containers()))
        health = ask(_told("The health endpoint", partial(_health, system)))
        latency = ask(_told("The metrics", lambda: system.need_metrics().latency()))
        accepts = ask(_told("PostgreSQL", lambda: database().accepts()))
        users = ask(_told("PostgreSQL", partial(_users, system)))
        activity = ask(_told("PostgreSQL", lambda: database().activity()))
        tables = ask(_told("PostgreSQL", partial(_tables, system)))
        counters = ask(_told("PostgreSQL", partial(_counters, system)))
        backups = ask(_told("The list of backups", partial(list_backups, system)))
        disks = {path: ask(_told(f"The disk of {path}", partial(_disk, system, path))) for path in system.config.disks}
        found = await containers
        use = found if isinstance(found, Failure) else await _told("The usage", partial(_use, system, found))
    return Figures(
        containers=found,
        health=health.result(),
        latency=latency.result(),
        use=use,
        disks={path: task.result() for path, task in disks.items()},
        accepts=accepts.result(),
        users=users.result(),
        activity=activity.result(),
        tables=tables.result(),
        counters=counters.result(),
        backups=backups.result(),
    )


async def _told(what: str, ask: Callable[[], Awaitable[T]]) -> T | Failure:
    """The answer, or why there is none. One that came too late is asked for once more: a busy machine is no failure."""
    try:
        async with asyncio.timeout(LIMIT_S):
            try:
                return await ask()
            except SourceError as error:
                if error.failure.kind is not FailureKind.TIMEOUT:
                    raise
            return await ask()
    except SourceError as error:
        return error.failure
    except TimeoutError:
        return Failure(FailureKind.TIMEOUT, f"{what} did not answer within {LIMIT_S:g} s.", "See `triage doctor`.")


async def _health(system: System) -> Answer:
    if "health" not in system.config.endpoints:
        raise SourceError(
            FailureKind.NOT_CONFIGURED,
            "No health endpoint is configured.",
            f"Set health under [systems.{system.name}.endpoints].",
        )
    return await system.need_endpoints().get("health")


async def _disk(system: System, path: str) -> float:
    return (await system.host.disk(path)).used_percent


async def _use(system: System, containers: Containers) -> Use:
    """What the busiest use: of containers each its own limit's share, of services the machine's."""
    running = [item for item in containers.items if item.state is State.RUNNING]
    if system.config.runs_on_machine:
        return await _use_of_machine(system)
    answers = await asyncio.gather(*(_told(item.name, partial(_usage, system, containers, item)) for item in running))
    pairs = list(zip(running, answers, strict=True))
    found = [(item, answer) for item, answer in pairs if not isinstance(answer, Failure)]
    unread = [f"{clean(item.name)}: {answer.message}" for item, answer in pairs if isinstance(answer, Failure)]
    cpu = max(((usage.cpu_percent, item.name) for item, usage in found if usage.cpu_percent is not None), default=(None, ""))
    memory = max(
        ((usage.memory_percent, item.name) for item, usage in found if usage.memory_percent is not None), default=(None, "")
    )
    if memory[0] is None and found and not unread:  # No container has a limit: they share the machine's memory.
        held = await system.host.memory()
        memory = (100 * (1 - held.available_bytes / held.total_bytes), "the machine")
    reason = " ".join(unread) if running else "No container runs."
    return Use(cpu[0], clean(cpu[1]), memory[0], clean(memory[1]), reason)


async def _usage(system: System, containers: Containers, item: Container) -> Usage:
    known = containers.usage.get(item.id)
    return known if known is not None and known.cpu_percent is not None else await system.need_engine().usage(item.name)


async def _use_of_machine(system: System) -> Use:
    held, processes = await asyncio.gather(system.host.memory(), system.host.processes())
    busiest = max(processes, key=lambda item: item.cpu_percent or 0.0, default=None)
    return Use(
        busiest.cpu_percent if busiest else None,
        f"process {busiest.name}" if busiest else "",
        100 * (1 - held.available_bytes / held.total_bytes),
        "the machine",
    )


async def _users(system: System) -> int:
    table = system.config.tables.get(USERS, USERS)
    row = await _one_row(system, f"SELECT count(*) AS count FROM {statistics.quoted(table)}")  # noqa: S608 -- a quoted name
    return int(_number(row["count"]))


async def _tables(system: System) -> Tables:
    rows = await system.need_database().select(statistics.TABLES, limit=5_000)
    return Tables(len(rows), int(sum(_number(row["live"]) for row in rows)), int(sum(_number(row["dead"]) for row in rows)))


async def _counters(system: System) -> Counters:
    row = await _one_row(system, statistics.DATABASE_COUNTERS)
    since, hits, reads = row["counted_for_s"], _number(row["hits"]), _number(row["reads"])
    percent = 100 * hits / (hits + reads) if hits + reads else None
    return Counters(int(_number(row["deadlocks"])), percent, float(since) if isinstance(since, int | float) else None)


async def _one_row(system: System, query: str) -> Mapping[str, Value]:
    rows = await system.need_database().select(query, limit=1)
    if not rows:
        raise SourceError(FailureKind.GARBAGE, "PostgreSQL answered without a row.", "Ask again.")
    return rows[0]


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
