"""`triage doctor`: can every source of a system be asked, how fast, with which privileges, and what to do if not."""

import asyncio
import dataclasses
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TextIO

from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.metrics import Latency, Origin, Quality
from console.system import System
from console.watch import once

LIMIT_S = 5.0
"""For one source; all are asked at the same time."""
OK_EXIT = 0
UNDECIDED_EXIT = 4


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """It answers, but something that we would use is missing."""
    FAILED = "failed"
    NOT_CONFIGURED = "not configured"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one source is like. `latency_ms` is one small question over a connection that is open already."""

    source: str
    status: Status
    message: str
    version: str = ""
    latency_ms: float | None = None
    found: tuple[str, ...] = ()
    """Privileges and parts that are there."""
    missing: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    """What to do, one step each."""


async def examine(system: System) -> list[Finding]:
    """Ask every source of the system at once; takes five seconds at most, whatever hangs."""
    endpoints = system.endpoints.names() if system.endpoints is not None else ()
    visits: list[tuple[str, Callable[[], Awaitable[Finding]]]] = [
        ("Container engine", lambda: _engine(system)),
        ("PostgreSQL", lambda: _database(system)),
        ("Redis", lambda: _cache(system)),
        ("Prometheus", lambda: _metrics(system)),
        *((f"Endpoint {name}", _endpoint_visit(system, name)) for name in endpoints),
        ("This machine", lambda: _host(system)),
    ]
    if not endpoints:
        visits.insert(-1, ("Endpoints", lambda: _endpoint(system, "")))
    return list(await asyncio.gather(*(_visit(source, visit) for source, visit in visits)))


def exit_code(findings: Sequence[Finding]) -> int:
    """0 when every configured source answered, 4 when one did not: then nothing can be said about it."""
    return UNDECIDED_EXIT if any(finding.status is Status.FAILED for finding in findings) else OK_EXIT


def text(findings: Sequence[Finding]) -> str:
    """A table for the terminal, each row followed by what to do."""
    heading = ("SOURCE", "STATUS", "VERSION", "LATENCY", "")
    rows = [heading, *(_row(finding) for finding in findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = []
    for row, details in zip(rows, ((), *(_details(finding) for finding in findings)), strict=True):
        source, status, version, latency, message = row
        cells = (source.ljust(widths[0]), status.ljust(widths[1]), version.ljust(widths[2]), latency.rjust(widths[3]), message)
        lines.append("  ".join(cells).rstrip())
        lines.extend(f"    {detail}" for detail in details)
    return "\n".join(lines)


def _row(finding: Finding) -> tuple[str, str, str, str, str]:
    latency = "" if finding.latency_ms is None else f"{finding.latency_ms:.1f} ms"
    return finding.source, finding.status.value, finding.version, latency, finding.message


def _details(finding: Finding) -> tuple[str, ...]:
    there = (f"+ {item}" for item in finding.found)
    away = (f"- missing: {item}" for item in finding.missing)
    return (*there, *away, *(f"→ {step}" for step in finding.advice))


def json_text(system: System, findings: Sequence[Finding], taken_at: float) -> str:
    """One object: `system`, `environment`, `taken_at` (Unix seconds) and `sources`, the findings in their order."""
    answer = {
        "system": system.name,
        "environment": system.config.environment.value,
        "taken_at": taken_at,
        "sources": [dataclasses.asdict(finding) for finding in findings],
    }
    return json.dumps(answer, indent=2, ensure_ascii=False)


async def run(system: System, as_json: bool, out: TextIO) -> int:
    """Examine an open system, print what was found, and give the exit code."""
    findings = await examine(system)
    out.write((json_text(system, findings, time.time()) if as_json else text(findings)) + "\n")
    return exit_code(findings)


async def _visit(source: str, visit: Callable[[], Awaitable[Finding]]) -> Finding:
    reading = await once(visit, timeout_s=LIMIT_S, name=source)
    if reading.value is not None:
        return dataclasses.replace(reading.value, source=source)
    failure = reading.failure or Failure(FailureKind.GARBAGE, f"{source} gave no answer.")
    return _failed(failure, source)


def _failed(failure: Failure, source: str = "") -> Finding:
    status = Status.NOT_CONFIGURED if failure.kind is FailureKind.NOT_CONFIGURED else Status.FAILED
    return Finding(source, status, failure.message, advice=(failure.advice,) if failure.advice else ())


def _finding(
    message: str,
    version: str = "",
    latency_s: float | None = None,
    found: Sequence[str] = (),
    missing: Sequence[str] = (),
    advice: Sequence[str] = (),
) -> Finding:
    latency_ms = None if latency_s is None else round(1000 * latency_s, 2)
    status = Status.WARNING if missing or advice else Status.OK
    return Finding("", status, message, version, latency_ms, tuple(found), tuple(missing), tuple(advice))


async def _timed(ask: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await ask()
    return time.perf_counter() - started


async def _engine(system: System) -> Finding:
    engine = system.need_engine()
    info = await engine.info()
    latency_s = await _timed(engine.info)
    containers = await engine.containers()
    absent = [f"container {name} ({role})" for role, name in system.config.roles.items() if containers.named(name) is None]
    table = f"systems.{system.name}"
    return _finding(
        f"API {info.api_version} on {info.operating_system or '?'}; {len(containers.items)} containers of {system.name}",
        info.version,
        latency_s,
        found=("may use the engine's socket",),
        missing=absent,
        advice=(f"Start them, or correct [{table}.roles] and select in [{table}.engine].",) if absent else (),
    )


async def _database(system: System) -> Finding:
    database = system.need_database()
    accepts = await database.accepts()
    if not accepts.accepting and accepts.reason != "too_many_clients":
        return _failed(await _why(database.privileges, Failure(FailureKind.REFUSED, accepts.message)))
    privileges = await database.privileges()
    latency_s = await _timed(database.privileges)
    name = privileges.user.replace('"', '""')
    rights = {
        "pg_monitor: sees every session": (privileges.sees_all_sessions, f'GRANT pg_monitor TO "{name}";'),
        "pg_signal_backend: may end sessions": (privileges.may_signal, f'GRANT pg_signal_backend TO "{name}";'),
    }
    found = [right for right, (held, _) in rights.items() if held]
    found += ["superuser: may do everything, more than we need"] if privileges.superuser else []
    missing = [right for right, (held, _) in rights.items() if not held]
    advice = [f"As a superuser: {grant}" for held, grant in rights.values() if not held]
    message = f"logs in as {privileges.user}"
    if not accepts.accepting:
        message += f", but only by the reserved slots: {accepts.message}"
        advice.insert(0, "The server is full of connections: walk sms.c2.")
    return _finding(message, accepts.server_version, latency_s, found, missing, advice)


async def _why(ask: Callable[[], Awaitable[object]], otherwise: Failure) -> Failure:
    """The source's own words for what is wrong, which come with advice; else the given ones."""
    try:
        await ask()
    except SourceError as error:
        return error.failure
    return otherwise


async def _cache(system: System) -> Finding:
    cache = system.need_cache()
    info = await cache.info()
    latency_s = await cache.ping()
    privileges = await cache.privileges()
    rules = " ".join(f"+{command.lower().replace(' ', '|')}" for command in privileges.missing)
    return _finding(
        f"{info.server}, {info.role}, logs in as {privileges.user or 'default'}",
        info.version,
        latency_s,
        found=() if privileges.missing else ("every command that we use is allowed",),
        missing=[f"ACL for {command}" for command in privileges.missing],
        advice=(f"ACL SETUSER {privileges.user or 'default'} {rules}", "ACL SAVE, or the same in redis.conf") if rules else (),
    )


async def _metrics(system: System) -> Finding:
    metrics = system.need_metrics()
    version, told = await asyncio.gather(metrics.version(), metrics.latency(), return_exceptions=True)
    if isinstance(version, BaseException):
        if not isinstance(version, SourceError):
            raise version
        failed = _failed(version.failure)
        if isinstance(told, Latency) and told.origin is Origin.SCRAPE:
            return dataclasses.replace(failed, found=("the service's own /metrics, which gives the p95 meanwhile",))
        return failed
    if isinstance(told, BaseException):
        raise told
    latency_s = await _timed(metrics.version) if told.origin is Origin.PROMETHEUS else None
    down = [f"target {target.job} {target.instance}: {target.error}" for target in told.targets if not target.up]
    up = sum(target.up for target in told.targets)
    advice = [*(f"Look at the target: {item.split(':')[0]}" for item in down[:1])]
    missing = down
    if told.quality in (Quality.NO_SERIES, Quality.BAD_HISTOGRAM):
        missing = [*down, f"a usable histogram {_duration(system)}"]
        advice += list(told.notes) or ["Check duration in its table of config.toml."]
    words = {Quality.GOOD: "p95 is known", Quality.NO_TRAFFIC: "no traffic now"}.get(told.quality, "p95 is unknown")
    found = [f"{up} of {len(told.targets)} targets up"] if told.targets else []
    return _finding(f"{words}, from {told.origin.value}", version, latency_s, found, missing, advice)


def _duration(system: System) -> str:
    return system.config.prometheus.duration if system.config.prometheus else ""


def _endpoint_visit(system: System, name: str) -> Callable[[], Awaitable[Finding]]:
    return lambda: _endpoint(system, name)


async def _endpoint(system: System, name: str) -> Finding:
    endpoints = system.need_endpoints()
    await endpoints.get(name)
    answer = await endpoints.get(name)
    advice = []
    if 300 <= answer.status < 400:
        advice.append(
            f"It leads to {answer.headers.get('location', 'another place')}: configure that URL if it is the right one."
        )
    elif answer.status >= 400:
        advice.append("It answers, and says that something is wrong: walk sms.c1, or correct the URL.")
    return _finding(f"{answer.url} answers HTTP {answer.status}", "", answer.elapsed_s, advice=advice)


async def _host(system: System) -> Finding:
    host = system.host
    memory = await host.memory()
    disks = [await host.disk(path) for path in system.config.disks]
    started = time.perf_counter()
    owners = await host.port_owners(system.config.ports)
    latency_s = time.perf_counter() - started
    hidden = sorted({owner.port for owner in owners if owner.pid is None})
    ports = ", ".join(str(port) for port in hidden)
    figures = [f"{disk.path} {disk.used_percent:.0f} % full" for disk in disks]
    figures.append(f"{memory.available_bytes / 2**30:.1f} of {memory.total_bytes / 2**30:.1f} GiB memory available")
    return _finding(
        ", ".join(figures),
        "",
        latency_s,
        found=() if hidden else ("sees who listens on its ports",),
        missing=(f"who listens on port {ports}",) if hidden else (),
        advice=("Run triage as root, or with CAP_SYS_PTRACE, to see processes of other users.",) if hidden else (),
    )
