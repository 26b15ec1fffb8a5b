"""A role's service, whether systemd keeps it or a container engine: does it run, since when, and how did it end?"""

import asyncio
from collections.abc import Mapping

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, FactType, FactValue, Findings
from console.guides.checks.commands import container_name, docker, on_machine
from console.guides.checks.containers import describe, services
from console.guides.checks.machine import is_unit, machine, need_known, unit_of
from console.guides.checks.words import age, size
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.reading import Failure, SourceError
from console.sources.protocols.engine import Container, State
from console.sources.protocols.host import Unit
from console.text import clean

ACTIVE = ("active", "inactive", "failed", "activating", "deactivating", "absent", "other")
_STATES = {
    State.RUNNING: "active",
    State.CREATED: "inactive",
    State.RESTARTING: "activating",
    State.REMOVING: "deactivating",
    State.DEAD: "failed",
}
_STOPPED = (0, 130, 137, 143)
"""Exit codes of a container that ended well or that a person stopped."""


class ServiceParameters(Parameters):
    role: str


async def _state(readings: Readings, parameters: ServiceParameters) -> Findings:
    role = parameters.role
    need_known(readings.system.config, role)
    if is_unit(readings.system.config, role):
        host = machine(readings)
        unit, now = await asyncio.gather(unit_of(readings, role), readings.share("machine now", host.now))
        facts = unit_facts(unit, now)
        return Findings(facts, f"{describe_unit(unit, facts)}.", _unit_lines(unit, facts))
    container = (await services(readings, (role,)))[role]
    now = readings.wall()
    facts = container_facts(container, now)
    unread: tuple[Failure, ...] = ()
    if container is not None and container.state is State.RUNNING:
        try:
            engine = readings.system.need_engine()
            usage = await readings.share(("usage", container.name), lambda: engine.usage(container.name))
            facts["memory_bytes"] = usage.memory_used_bytes
        except SourceError as error:
            unread = (error.failure,)
    line = describe(container, readings.system.container(role), now)
    return Findings(facts, f"{line}.", (line,), unread)


def unit_facts(unit: Unit, now: float) -> dict[str, FactValue]:
    """The facts of a unit at the machine's time `now`. One that does not run uses nothing and is up for no time."""
    running = unit.active == "active"
    active = unit.active if unit.active in ACTIVE else "other"
    return {
        "known": unit.known,
        "running": running,
        "active": active if unit.known else "absent",
        "enabled": unit.enabled if unit.known else False,
        "restarts": unit.restarts if unit.known else 0,
        "result": unit.result,
        "memory_bytes": unit.memory_bytes if running else 0,
        "uptime_s": 0.0 if not running else None if unit.since is None else round(max(0.0, now - unit.since), 1),
    }


def container_facts(container: Container | None, now: float) -> dict[str, FactValue]:
    """The same of a container; what uses memory is asked apart."""
    if container is None:
        nothing: dict[str, FactValue] = {"known": False, "running": False, "active": "absent", "enabled": False}
        return {**nothing, "restarts": 0, "result": "", "memory_bytes": 0, "uptime_s": 0.0}
    running = container.state is State.RUNNING
    ended = "failed" if container.exit_code not in (None, *_STOPPED) or container.oom_killed else "inactive"
    result = "" if running else "oom-kill" if container.oom_killed else "exit-code" if ended == "failed" else "success"
    up = None if container.started_at is None else round(max(0.0, now - container.started_at), 1)
    return {
        "known": True,
        "running": running,
        "active": ended if container.state is State.EXITED else _STATES.get(container.state, "other"),
        "enabled": container.restart_policy not in ("", "no"),
        "restarts": container.restart_count,
        "result": result,
        "memory_bytes": None if running else 0,
        "uptime_s": up if running else 0.0,
    }


def describe_unit(unit: Unit, facts: Mapping[str, FactValue]) -> str:
    """One line on how a unit is."""
    if not unit.known:
        return f"There is no service {unit.name}"
    words = [f"{unit.name}: {unit.active}" + (f" ({unit.sub})" if unit.sub else "")]
    uptime = facts["uptime_s"]
    if isinstance(uptime, float) and uptime:
        words.append(f"up {age(uptime)}")
    if unit.active != "active" and unit.result not in ("", "success"):
        words.append(f"ended by {unit.result}")
    return ", ".join(words)


def _unit_lines(unit: Unit, facts: Mapping[str, FactValue]) -> tuple[str, ...]:
    if not unit.known:
        return (f"{unit.name}: systemd knows no such unit",)
    enabled = {True: "started at boot", False: "not started at boot", None: "systemd does not say whether it starts at boot"}
    lines = [describe_unit(unit, facts), enabled[unit.enabled]]
    if unit.restarts:
        lines.append(f"restarted {unit.restarts} times by systemd")
    if unit.memory_bytes is not None and facts["running"]:
        lines.append(f"memory: {size(unit.memory_bytes)}")
    return tuple(lines)


def _command(config: SystemConfig, parameters: ServiceParameters) -> str:
    if is_unit(config, parameters.role):
        return clean(on_machine(config, "systemctl", "status", config.units[parameters.role]))
    return docker(config, "ps", "-a", "--filter", f"name=^{container_name(config, parameters.role)}$")


CHECKS = (
    Check(
        name="service.state",
        title="Does this service run?",
        parameters=ServiceParameters,
        facts=(
            Fact("known", FactType.BOOL, "there is such a service"),
            Fact("running", FactType.BOOL, "it is active"),
            Fact("active", FactType.TEXT, "the state that its keeper tells", choices=ACTIVE),
            Fact("enabled", FactType.BOOL, "it is started with the machine; unknown when systemd does not say"),
            Fact("restarts", FactType.NUMBER, "how often its keeper restarted it"),
            Fact("result", FactType.TEXT, "how it ended: success, exit-code, signal, oom-kill, …"),
            Fact("memory_bytes", FactType.NUMBER, "what it uses", "B"),
            Fact("uptime_s", FactType.NUMBER, "since when it is active, 0 when it is not", "s"),
        ),
        command=_command,
        make=_state,
    ),
)
