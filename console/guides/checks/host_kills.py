"""Processes that the kernel killed for want of memory, by its own log and by what containers and services say."""

import asyncio
import re
from collections.abc import Collection
from datetime import datetime

from pydantic import Field

from console.guides.checks.check import Check, Fact, FactType, Findings
from console.guides.checks.commands import on_machine
from console.guides.checks.machine import is_unit, machine, unit_of
from console.guides.checks.words import age
from console.guides.parameters import Parameters, Seconds
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.text import clean

_SHOWN = 10
_KILLED = re.compile(r"^(\S+) .*\bKilled process (\d+) ")
"""The kernel's line for each process that it killed, with or without "Memory cgroup out of memory:" before it."""
_OOM_CGROUP = re.compile(r"oom-kill:constraint=CONSTRAINT_MEMCG\b.*\btask_memcg=([^,]*),.*\bpid=(\d+)")
_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")
_DMESG = ("dmesg", "--time-format", "iso")


class OomParameters(Parameters):
    window: Seconds = Field(default=3600.0)


async def _oom(readings: Readings, parameters: OomParameters) -> Findings:
    kernel, flagged = await asyncio.gather(_from_kernel(readings, parameters.window), _flagged(readings, parameters.window))
    unread = tuple(item for item in (kernel, flagged) if isinstance(item, Failure))
    told = [item for item in (kernel, flagged) if not isinstance(item, Failure)]
    if not told:
        raise SourceError(unread[0].kind, unread[0].message, unread[0].advice)
    # A container's own limit kills are in the kernel's log too: the longer list holds the shorter one.
    lines = max(told, key=len)
    window = age(parameters.window)
    count = {0: "No process was", 1: "A process was"}.get(len(lines), f"{len(lines)} processes were")
    headline = f"{count} killed for want of memory within the last {window}."
    return Findings({"kills": len(lines)}, headline, tuple(lines[-_SHOWN:]), unread)


async def _from_kernel(readings: Readings, window_s: float) -> list[str] | Failure:
    try:
        host = machine(readings)
        code, stdout, stderr = await readings.share("dmesg", lambda: host.run(_DMESG, timeout_s=2.0))
        now = await readings.share("machine now", host.now)
        ours = {item.id for item in (await readings.containers()).items} if readings.system.engine is not None else set()
    except SourceError as error:
        return error.failure
    if code != 0:
        words = clean(stderr.strip(), 120) or f"exit code {code}"
        return Failure(FailureKind.FORBIDDEN, f"The kernel's log could not be read: {words}", "Run Triage as root for this.")
    return [line for at, line in killed(stdout.decode("utf-8", "replace"), ours) if at >= now - window_s]


def killed(log: str, containers: Collection[str] = ()) -> list[tuple[float, str]]:
    """When the kernel killed which process for want of memory, from `dmesg --time-format iso`.

    One that hit the limit of a container which is not among these ids is somebody else's trouble and left out.
    """
    found = []
    strangers: set[str] = set()
    for line in log.splitlines():
        if (limit := _OOM_CGROUP.search(line)) is not None:
            held = _CONTAINER_ID.search(limit.group(1))
            if held is not None and held.group() not in containers:
                strangers.add(limit.group(2))
        match = _KILLED.match(line)
        if match is None:
            continue
        if match.group(2) in strangers:
            strangers.discard(match.group(2))
            continue
        try:
            at = datetime.fromisoformat(match.group(1).replace(",", ".")).timestamp()
        except ValueError:
            continue
        found.append((at, clean(line, 200)))
    return found


async def _flagged(readings: Readings, window_s: float) -> list[str] | Failure:
    """Containers and services that say themselves that they were killed for want of memory."""
    config, lines = readings.system.config, list[str]()
    try:
        if readings.system.engine is not None:
            for item in (await readings.containers()).items:
                if item.oom_killed and (item.finished_at is None or item.finished_at >= readings.wall() - window_s):
                    lines.append(f"{clean(item.name)} was killed for want of memory")
        for role in config.units:
            if is_unit(config, role) and (unit := await unit_of(readings, role)).result == "oom-kill":
                lines.append(f"{unit.name} was killed for want of memory")
    except SourceError as error:
        return error.failure
    if readings.system.engine is None and not config.units:
        return Failure(FailureKind.NOT_CONFIGURED, "Neither containers nor services are configured.")
    return lines


CHECKS = (
    Check(
        name="host.oom",
        title="Did the kernel kill processes for want of memory?",
        parameters=OomParameters,
        facts=(Fact("kills", FactType.NUMBER, "processes killed within the window"),),
        command=lambda config, _parameters: f"{on_machine(config, 'dmesg', '-T')} | grep -i 'killed process'",
        make=_oom,
    ),
)
