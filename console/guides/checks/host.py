"""The machine: its disks, memory, processes, who holds a port, its packet filter and the processes that the kernel killed."""

import asyncio
from typing import Literal

from pydantic import Field, model_validator

from console.config import SystemConfig
from console.config_tables import PortNumber
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.commands import as_root, joined, on_machine
from console.guides.checks.containers import NoParameters
from console.guides.checks.machine import (
    belongs_to,
    configured_port,
    disk_of,
    is_unit,
    machine,
    memory_of,
    need_known,
    of_unit,
    port_on_machine,
    processes_of,
    unit_of,
)
from console.guides.checks.ports import foreign, owner_line
from console.guides.checks.words import size
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.host import Memory, PortOwner, Process
from console.text import clean

_SHOWN = 10


class DiskParameters(Parameters):
    path: str = Field(default="", pattern=r"^$|^/")
    folder: str = ""
    """A configured folder, by name: the disk that holds it."""

    @model_validator(mode="after")
    def _one_of(self) -> "DiskParameters":
        if self.path and self.folder:
            raise ValueError("needs either path or folder")
        return self


class ProcessesParameters(Parameters):
    by: Literal["memory", "cpu"] = "memory"
    service: str = ""
    """The role whose share is told as well."""


class PortParameters(Parameters):
    port: PortNumber | None = None
    role: str = ""
    """Its configured port."""

    @model_validator(mode="after")
    def _one_of(self) -> "PortParameters":
        if (self.port is None) == (not self.role):
            raise ValueError("needs either port or role")
        return self


class FirewallParameters(PortParameters):
    protocol: Literal["tcp", "udp"] = "tcp"


def wanted_path(config: SystemConfig, parameters: DiskParameters) -> str:
    if parameters.folder:
        if parameters.folder not in config.folders:
            raise SourceError(
                FailureKind.NOT_CONFIGURED,
                f"No folder {clean(parameters.folder)} is configured.",
                f"Set [systems.{config.name}.folders.{clean(parameters.folder)}].",
            )
        return config.folders[parameters.folder].path
    return parameters.path or (config.disks[0] if config.disks else "/")


async def wanted_port(readings: Readings, parameters: PortParameters) -> int:
    return parameters.port if parameters.port is not None else await port_on_machine(readings, parameters.role)


async def _disk(readings: Readings, parameters: DiskParameters) -> Findings:
    path = wanted_path(readings.system.config, parameters)
    disk = await disk_of(readings, path)
    # A file system without a fixed number of inodes cannot run out of them.
    inodes = disk.inodes_percent or 0.0
    facts: Facts = {
        "used_percent": round(disk.used_percent, 1),
        "free_bytes": disk.free_bytes,
        "inodes_percent": round(inodes, 1),
    }
    told = f"{inodes:.0f} % used, {disk.inodes_free:,} of {disk.inodes_total:,} free" if disk.inodes_total else "no fixed number"
    lines = (
        f"{clean(path)}: {disk.used_percent:.0f} % used, {size(disk.free_bytes)} of {size(disk.total_bytes)} free",
        f"{clean(path)}: inodes: {told}",
    )
    return Findings(facts, f"The disk of {clean(path)} is {disk.used_percent:.0f} % full.", lines)


async def _memory(readings: Readings, _parameters: NoParameters) -> Findings:
    memory = await memory_of(readings)
    used = _used_percent(memory)
    swap = 100 * memory.swap_used_bytes / memory.swap_total_bytes if memory.swap_total_bytes else 0.0
    facts: Facts = {
        "used_percent": round(used, 1),
        "swap_used_percent": round(swap, 1),
        "available_bytes": memory.available_bytes,
    }
    swapped = f"{size(memory.swap_used_bytes)} of {size(memory.swap_total_bytes)} used" if memory.swap_total_bytes else "none"
    lines = (f"memory: {size(memory.available_bytes)} of {size(memory.total_bytes)} available", f"swap: {swapped}")
    return Findings(facts, f"The machine's memory is {used:.0f} % used.", lines)


def _used_percent(memory: Memory) -> float:
    return 100 * (memory.total_bytes - memory.available_bytes) / memory.total_bytes if memory.total_bytes else 0.0


async def _processes(readings: Readings, parameters: ProcessesParameters) -> Findings:
    role = parameters.service
    if role:
        need_known(readings.system.config, role)
    running, memory = await asyncio.gather(processes_of(readings), memory_of(readings))
    by_memory = parameters.by == "memory"
    known = [item for item in running if by_memory or item.cpu_percent is not None]
    if not known:
        raise SourceError(FailureKind.UNSUPPORTED, "The processor shares of this machine's processes cannot be told.")
    ordered = sorted(known, key=lambda item: item.memory_bytes if by_memory else item.cpu_percent or 0.0, reverse=True)
    top = ordered[0]
    facts: dict[str, float | str | None] = {
        "top_percent": _share(top.memory_bytes, memory) if by_memory else round(top.cpu_percent or 0.0, 1),
        "top_name": clean(top.name, 100),
        "service_percent": None,
        "service_memory_bytes": None,
        "count": len(running),
    }
    unread: tuple[Failure, ...] = ()
    if role:
        try:
            used, percent = await _of_service(readings, role, running)
            facts["service_memory_bytes"] = used
            facts["service_percent"] = (None if used is None else _share(used, memory)) if by_memory else percent
        except SourceError as error:
            unread = (error.failure,)
    lines = tuple(_line(item, memory) for item in ordered[:_SHOWN])
    words = f"{size(top.memory_bytes)} of memory" if by_memory else f"{top.cpu_percent or 0:.0f} % of a core"
    return Findings(facts, f"{clean(top.name, 100)} (pid {top.pid}) uses most: {words}.", lines, unread)


async def _of_service(readings: Readings, role: str, running: tuple[Process, ...]) -> tuple[int | None, float | None]:
    """Memory and processor share (of one core) of a role's service."""
    config = readings.system.config
    if not is_unit(config, role):
        engine, name = readings.system.need_engine(), readings.system.container(role)
        usage = await readings.share(("usage", name), lambda: engine.usage(name))
        return usage.memory_used_bytes, usage.cpu_percent
    unit = await unit_of(readings, role)
    own = of_unit(running, unit)
    if not own and unit.memory_bytes is None:
        raise SourceError(FailureKind.MISSING, f"The service {unit.name} has no process.")
    used = unit.memory_bytes if unit.memory_bytes is not None else own[0].memory_bytes
    return used, own[0].cpu_percent if own else None


def _share(used_bytes: int, memory: Memory) -> float:
    return round(100 * used_bytes / memory.total_bytes, 1) if memory.total_bytes else 0.0


def _line(item: Process, memory: Memory) -> str:
    cpu = "" if item.cpu_percent is None else f"{item.cpu_percent:5.1f} % cpu  "
    used = f"{_share(item.memory_bytes, memory):5.1f} % {size(item.memory_bytes):>10}"
    return clean(f"pid {item.pid:<7} {item.user or '?':<10} {cpu}{used}  {item.command}", 200)


async def _port(readings: Readings, parameters: PortParameters) -> Findings:
    port, host = await wanted_port(readings, parameters), machine(readings)
    owners = await readings.share(("ports", (port,)), lambda: host.port_owners((port,)))
    foreign_ones = await _foreign(readings, port, owners, parameters.role)
    owner = (*foreign_ones, *owners)[0] if owners else None
    # Whether a holder that may not be seen is a service of this machine cannot be told.
    unseen = any(item.pid is None for item in foreign_ones) and bool(readings.system.config.units)
    facts: Facts = {
        "held": bool(owners),
        "foreign": None if unseen else bool(foreign_ones),
        "process": clean(owner.process, 100) if owner else "",
        "pid": owner.pid if owner else None,
    }
    lines = tuple(map(owner_line, owners))
    if owner is None:
        return Findings({**facts, "pid": 0}, f"Nobody listens on port {port}.", lines)
    unread = () if owner.pid is not None else (Failure(FailureKind.FORBIDDEN, lines[0]),)
    if owner.pid is None:
        return Findings(facts, f"Port {port} is held by a process that we may not see.", lines, unread)
    words = "somebody else" if foreign_ones else "the system's own service"
    return Findings(facts, f"Port {port} is held by {words}: {owner.process}.", lines, unread)


async def _foreign(readings: Readings, port: int, owners: tuple[PortOwner, ...], role: str) -> tuple[PortOwner, ...]:
    """The holders that are neither a service of the machine nor publish the port for a container of the system."""
    config = readings.system.config
    if not owners:
        return ()
    roles = [item for item in config.units if is_unit(config, item) and role in ("", item)]
    units = await asyncio.gather(*(unit_of(readings, item) for item in roles))
    others = tuple(owner for owner in owners if not belongs_to(owner, units))
    if readings.system.engine is None:
        return others
    found = await readings.containers()
    return foreign((port,), others, found.items)


async def _firewall(readings: Readings, parameters: FirewallParameters) -> Findings:
    port, host = await wanted_port(readings, parameters), machine(readings)
    key = ("firewall", port, parameters.protocol)
    found = await readings.share(key, lambda: host.firewall(port, parameters.protocol))
    facts: Facts = {"active": found.active, "allows": found.allows}
    shown = f"{port}/{parameters.protocol}"
    lines = (clean(f"{found.tool}: {found.line}", 200),) if found.line else ()
    if found.allows is None:
        message = f"Whether the packet filter lets {shown} in cannot be told."
        advice = "No ufw, nft or iptables is there to ask." if not found.tool else "Its rules are not understood: read them."
        return Findings(facts, message, lines, (Failure(FailureKind.UNSUPPORTED, message, advice),))
    if not found.active:
        return Findings(facts, "No packet filter is active on this machine.", lines)
    return Findings(facts, f"The packet filter {'lets' if found.allows else 'does not let'} {shown} in.", lines)


def _disk_command(config: SystemConfig, parameters: DiskParameters) -> str:
    try:
        path = wanted_path(config, parameters)
    except SourceError:
        path = f"<no folder {parameters.folder} configured>"
    return joined([on_machine(config, "df", "-h", path), on_machine(config, "df", "-i", path)])


def _port_of(config: SystemConfig, parameters: PortParameters) -> str:
    try:
        return str(parameters.port or configured_port(config, parameters.role))
    except SourceError:
        return f"<port of {parameters.role}>"


def _ps(config: SystemConfig, parameters: ProcessesParameters) -> str:
    column = "%mem" if parameters.by == "memory" else "%cpu"
    return f"{on_machine(config, 'ps', 'aux', f'--sort=-{column}')} | head -{_SHOWN + 1}"


CHECKS = (
    Check(
        name="host.disk",
        title="How full is this disk, in bytes and in inodes?",
        parameters=DiskParameters,
        facts=(
            Fact("used_percent", FactType.NUMBER, "of what users may fill", "%"),
            Fact("free_bytes", FactType.NUMBER, "what is left", "B"),
            Fact("inodes_percent", FactType.NUMBER, "inodes used; 0 where there is no fixed number of them", "%"),
        ),
        command=_disk_command,
        make=_disk,
    ),
    Check(
        name="host.memory",
        title="How much memory and swap does the machine use?",
        parameters=NoParameters,
        facts=(
            Fact("used_percent", FactType.NUMBER, "memory that is not available to new work", "%"),
            Fact("swap_used_percent", FactType.NUMBER, "of the swap space; 0 without any", "%"),
            Fact("available_bytes", FactType.NUMBER, "memory that new work can have without swapping", "B"),
        ),
        command=lambda config, _parameters: on_machine(config, "free", "-h"),
        make=_memory,
    ),
    Check(
        name="host.processes",
        title="Which processes use most?",
        parameters=ProcessesParameters,
        facts=(
            Fact("top_percent", FactType.NUMBER, "the heaviest process: of the machine's memory, or of one core", "%"),
            Fact("top_name", FactType.TEXT, "its name"),
            Fact("service_percent", FactType.NUMBER, "the named service: of the machine's memory, or of one core", "%"),
            Fact("service_memory_bytes", FactType.NUMBER, "the memory of the named service", "B"),
            Fact("count", FactType.NUMBER, "processes that can be seen"),
        ),
        command=_ps,
        make=_processes,
    ),
    Check(
        name="host.port",
        title="Who listens on this port of the machine?",
        parameters=PortParameters,
        facts=(
            Fact("held", FactType.BOOL, "somebody listens there"),
            Fact("foreign", FactType.BOOL, "that is no service or container of the system"),
            Fact("process", FactType.TEXT, "its name, empty when it is nobody or may not be seen"),
            Fact("pid", FactType.NUMBER, "its number, 0 when it is nobody; unknown when it may not be seen"),
        ),
        command=lambda config, parameters: on_machine(config, "ss", "-ltnp", f"sport = :{_port_of(config, parameters)}"),
        make=_port,
    ),
    Check(
        name="host.firewall",
        title="Does the packet filter let this port in?",
        parameters=FirewallParameters,
        facts=(
            Fact("active", FactType.BOOL, "a packet filter looks at incoming connections"),
            Fact("allows", FactType.BOOL, "it lets the port in"),
        ),
        command=lambda config, _parameters: as_root(config, "ufw", "status", "verbose"),
        make=_firewall,
    ),
)
