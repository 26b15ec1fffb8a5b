"""The machine of a system, for the checks that ask it: which one it is, and which processes and ports are whose."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from console.config import SystemConfig
from console.guides.checks.disk import on_this_machine
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.sources.protocols.host import Disk, Host, Memory, PortOwner, Process, Unit
from console.text import clean

_USUAL = {"database": 5432, "cache": 6379}
_BY_SCHEME = {"http": 80, "https": 443}


def machine(readings: Readings) -> Host:
    """The machine on which the system runs; raises when that is not the one that we can ask."""
    on_this_machine(readings.system)
    return readings.system.host


async def disk_of(readings: Readings, path: str) -> Disk:
    host = machine(readings)
    return await readings.share(("disk", path), lambda: host.disk(path))


async def memory_of(readings: Readings) -> Memory:
    host = machine(readings)
    return await readings.share("memory", host.memory)


async def processes_of(readings: Readings) -> tuple[Process, ...]:
    host = machine(readings)
    return await readings.share("processes", host.processes)


async def unit_of(readings: Readings, role: str) -> Unit:
    """The unit of a role that has one."""
    host, name = machine(readings), readings.system.config.units[role]
    return await readings.share(("unit", name), lambda: host.unit(name))


def is_unit(config: SystemConfig, role: str) -> bool:
    """Whether a role's service runs on the machine itself, and not in a container."""
    return role in config.units and role not in config.roles


def need_known(config: SystemConfig, role: str) -> None:
    """Raises when a role is neither a container nor a unit."""
    if role not in config.roles and role not in config.units:
        raise SourceError(
            FailureKind.NOT_CONFIGURED,
            f"The role {clean(role)} is neither a container nor a service of the machine.",
            f"Name it under [systems.{config.name}.roles] or [systems.{config.name}.units].",
        )


def configured_port(config: SystemConfig, role: str) -> int:
    """The port at which a role is reached, by the configured addresses."""
    url = {
        "database": config.postgres.dsn if config.postgres else "",
        "cache": config.redis.url if config.redis else "",
    }.get(role, config.endpoints.get("health") or next(iter(config.endpoints.values()), "") if role == "backend" else "")
    parts = urlsplit(url)
    port = parts.port or _USUAL.get(role) or _BY_SCHEME.get(parts.scheme)
    if not url or port is None:
        message = f"The port of the role {clean(role)} is not configured."
        raise SourceError(FailureKind.NOT_CONFIGURED, message, "Name the port in the step instead.")
    return port


async def port_on_machine(readings: Readings, role: str) -> int:
    """The port of a role as the machine sees it: inside a container that plays the machine it may be another than outside."""
    config = readings.system.config
    port = configured_port(config, role)
    if config.host.kind != "container" or readings.system.engine is None:
        return port
    engine, name = readings.system.engine, config.host.container
    try:
        ports = (await readings.share(("container", name), lambda: engine.container(name))).ports
    except SourceError as error:
        if error.failure.kind is not FailureKind.MISSING:
            raise
        ports = ()
    inside = [item.container_port for item in ports if item.host_port == port]
    return inside[0] if inside else port


def belongs_to(owner: PortOwner, units: Iterable[Unit]) -> bool:
    """Whether a listener is one of the services: its main process, or one that goes by the service's name.

    A service may be kept by several units (postgresql.service starts postgresql@15-main), so the pid alone does not tell.
    """
    for unit in units:
        stem = unit.name.removesuffix(".service").partition("@")[0]
        if owner.pid is not None and owner.pid == unit.main_pid:
            return True
        if owner.process and (stem.startswith(owner.process) or owner.process.startswith(stem)):
            return True
        if stem in owner.command.split(" ", 1)[0]:
            return True
    return False


def of_unit(running: Iterable[Process], unit: Unit) -> tuple[Process, ...]:
    """The main process of a unit; nothing when it has none."""
    return tuple(item for item in running if unit.main_pid is not None and item.pid == unit.main_pid)
