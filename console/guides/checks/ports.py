"""Ports of this machine that belong to the system: does somebody else hold one that a container needs?"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, FactType, Findings
from console.guides.checks.containers import NoParameters, is_down, port_taken, services
from console.guides.checks.disk import on_this_machine
from console.guides.checks.words import listed
from console.guides.readings import Readings
from console.sources.protocols.engine import Container, State
from console.sources.protocols.host import PortOwner
from console.text import clean

PROXIES = ("docker-proxy", "dockerd", "rootlesskit", "com.docker.backend", "com.docke", "slirp4netns", "rootlessport")
"""Processes that hold a port for a container; the one of ours that publishes it, or one of somebody else."""


def foreign(ports: Sequence[int], owners: Iterable[PortOwner], containers: Iterable[Container]) -> tuple[PortOwner, ...]:
    """Who holds one of the ports although no running container of the system publishes it."""
    published = {
        port.host_port
        for item in containers
        if item.state in (State.RUNNING, State.PAUSED, State.RESTARTING)
        for port in item.ports
    }
    return tuple(owner for owner in owners if owner.port in ports and owner.port not in published)


def conflicts(held: Iterable[PortOwner], by_role: Mapping[str, Container | None]) -> tuple[PortOwner, ...]:
    """Of the foreign holders, those in the way of a container that does not run.

    One that holds a port for containers may do so for ours, which ended a moment ago: it is in the way only when the engine
    said of a container that its port is taken. A container that is down and whose ports the engine tells needs exactly
    these; one whose error names a taken port, or whose ports are not told, may need any. A port of a container that was
    removed cannot be known, so it counts too.
    """
    down = [item for item in by_role.values() if is_down(item)]
    any_port = any(item is None or port_taken(item) or not _host_ports(item) for item in down)
    needed = {port for item in down if item is not None for port in _host_ports(item)}
    refused = any(item is not None and port_taken(item) for item in down)
    return tuple(
        owner for owner in held if down and (any_port or owner.port in needed) and (refused or owner.process not in PROXIES)
    )


def _host_ports(container: Container) -> set[int]:
    return {port.host_port for port in container.ports if port.host_port is not None}


async def foreign_holders(readings: Readings) -> tuple[tuple[PortOwner, ...], tuple[PortOwner, ...]]:
    """The foreign holders of the system's ports, and those of them that are in a container's way."""
    on_this_machine(readings.system)
    ports = readings.system.config.ports
    owners, found, by_role = await asyncio.gather(
        readings.share(("ports", ports), lambda: readings.system.host.port_owners(ports)),
        readings.containers(),
        services(readings),
    )
    held = foreign(ports, owners, found.items)
    return held, conflicts(held, by_role)


def owner_line(owner: PortOwner) -> str:
    """Who holds a port, in one line."""
    if owner.process in PROXIES:
        return f"port {owner.port}: held for a container of another system ({clean(owner.process)})"
    if owner.pid is None:
        return f"port {owner.port}: held by a process that we may not see (run Triage as root to see it)"
    return clean(f"port {owner.port}: {owner.process} (pid {owner.pid}, {owner.user or 'unknown user'}): {owner.command}", 200)


async def _held(readings: Readings, _parameters: NoParameters) -> Findings:
    held, blocking = await foreign_holders(readings)
    facts = {"foreign": len(held), "conflicts": len(blocking)}
    ports = listed([str(port) for port in readings.system.config.ports], 8)
    if blocking:
        headline = f"{owner_line(blocking[0])}."
    elif held:
        headline = "Somebody else listens on a port of this system, but is in no container's way."
    else:
        headline = f"Nobody else holds the ports {ports}." if ports else "No ports are configured for this system."
    return Findings(facts, headline, tuple(map(owner_line, held)))


def _command(config: SystemConfig, _parameters: NoParameters) -> str:
    return "ss -ltnp " + " or ".join(f"sport = :{port}" for port in config.ports)


CHECKS = (
    Check(
        name="ports.held",
        title="Does a foreign process hold a port that a container needs?",
        parameters=NoParameters,
        facts=(
            Fact("foreign", FactType.NUMBER, "ports of the system on which somebody else listens"),
            Fact("conflicts", FactType.NUMBER, "of these, ports that a container needs which does not run"),
        ),
        command=_command,
        make=_held,
    ),
)
