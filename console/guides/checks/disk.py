"""Free space: on this machine's disks, and where the database keeps its data."""

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, FactType, Findings
from console.guides.checks.commands import container_name, docker, joined
from console.guides.checks.containers import NoParameters
from console.guides.checks.words import size
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.system import System
from console.text import clean

EXEC_LIMIT_S = 2.5
_LOCAL = ("", "localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Space:
    path: str
    total_bytes: int
    free_bytes: int
    free_percent: float

    def __str__(self) -> str:
        return f"{self.path}: {self.free_percent:.0f} % free, {size(self.free_bytes)} of {size(self.total_bytes)}"


def parse_df(output: str, path: str) -> Space:
    """`df -P -k PATH`. Free percent is of what users may fill, as df counts it: available / (used + available)."""
    row = output.strip().splitlines()[-1] if output.strip() else ""
    match = re.match(r".*?\s(\d+)\s+(\d+)\s+(-?\d+)\s+(?:\d+%|-)\s", f"{row} ")
    if match is None:
        raise SourceError(FailureKind.GARBAGE, f"df on {clean(path)} answered what is not understood: {clean(row, 120)}")
    total, used, free = (int(part) * 1024 for part in match.groups())
    usable = used + max(free, 0)
    return Space(clean(path), total, max(free, 0), 100 * max(free, 0) / usable if usable else 0.0)


def on_this_machine(system: System) -> None:
    """Raises when the containers run elsewhere: then this machine's disks and ports say nothing about the system."""
    if system.config.host.kind == "container":
        return
    engine = system.config.engine
    parts = urlsplit(engine.host) if engine is not None else None
    if parts is not None and parts.scheme in ("ssh", "tcp", "http", "https") and (parts.hostname or "") not in _LOCAL:
        raise SourceError(
            FailureKind.UNSUPPORTED,
            f"The containers run on {clean(parts.hostname or '')}, not on this machine.",
            "Run Triage there.",
        )


async def data_space(readings: Readings) -> Space:
    """Free space of the database's data directory, seen from inside its container."""
    system = readings.system
    name, path = system.container("database"), system.config.data_path
    engine = system.need_engine()
    argv = ["df", "-P", "-k", path]
    result = await readings.share(("df", name, path), lambda: engine.execute(name, argv, timeout_s=EXEC_LIMIT_S))
    if result.exit_code != 0:
        words = clean(result.stderr.strip() or result.stdout.strip(), 200) or f"exit code {result.exit_code}"
        message = f"df on {clean(path)} in {clean(name)} failed: {words}."
        raise SourceError(FailureKind.MISSING, message, "Check data_path in config.toml.")
    return parse_df(result.stdout.decode("utf-8", "replace"), path)


async def host_spaces(readings: Readings) -> list[Space | Failure]:
    """Free space of each configured disk of this machine, or why it is not known."""
    on_this_machine(readings.system)

    async def one(path: str) -> Space | Failure:
        try:
            disk = await readings.share(("disk", path), lambda: readings.system.host.disk(path))
        except SourceError as error:
            return error.failure
        return Space(clean(path), disk.total_bytes, disk.free_bytes, 100 - disk.used_percent)

    return list(await asyncio.gather(*(one(path) for path in readings.system.config.disks)))


async def _free(readings: Readings, _parameters: NoParameters) -> Findings:
    host, data = await asyncio.gather(_host(readings), _data(readings))
    spaces = [item for item in (*host, data) if isinstance(item, Space)]
    unread = tuple(item for item in (*host, data) if isinstance(item, Failure))
    if not spaces:
        failure = unread[0]
        raise SourceError(failure.kind, failure.message, failure.advice)
    facts = {
        "host_free_percent": _least(host, 100 - readings.system.config.thresholds.disk_percent.critical),
        "data_free_percent": round(data.free_percent, 1) if isinstance(data, Space) else None,
    }
    fullest = min(spaces, key=lambda item: item.free_percent)
    return Findings(facts, f"Least free: {fullest}.", tuple(map(str, spaces)), unread)


async def _data_only(readings: Readings, _parameters: NoParameters) -> Findings:
    space = await data_space(readings)
    facts = {"used_percent": round(100 - space.free_percent, 1), "free_bytes": space.free_bytes}
    return Findings(facts, f"The data directory's disk is {100 - space.free_percent:.0f} % full.", (str(space),))


async def _host(readings: Readings) -> list[Space | Failure]:
    try:
        return await host_spaces(readings)
    except SourceError as error:
        return [error.failure]


async def _data(readings: Readings) -> Space | Failure:
    try:
        return await data_space(readings)
    except SourceError as error:
        return error.failure


def _least(host: list[Space | Failure], critical_percent: float) -> float | None:
    """The least free percent. With a disk unread, the others count only when one is already short: missing is not fine."""
    known = [item.free_percent for item in host if isinstance(item, Space)]
    if not known or (len(known) < len(host) and min(known) >= critical_percent):
        return None
    return round(min(known), 1)


def _df_in_container(config: SystemConfig) -> str:
    return docker(config, "exec", container_name(config, "database"), "df", "-P", "-k", config.data_path)


CHECKS = (
    Check(
        name="disk.free",
        title="Is there free space on this machine and where the database keeps its data?",
        parameters=NoParameters,
        facts=(
            Fact("host_free_percent", FactType.NUMBER, "the least of this machine's configured disks", "%"),
            Fact("data_free_percent", FactType.NUMBER, "of the file system with the data directory", "%"),
        ),
        command=lambda config, _parameters: joined([f"df -h {' '.join(config.disks)}", _df_in_container(config)]),
        make=_free,
    ),
    Check(
        name="disk.data",
        title="How full is the disk of the data directory?",
        parameters=NoParameters,
        facts=(
            Fact("used_percent", FactType.NUMBER, "of the file system with the data directory", "%"),
            Fact("free_bytes", FactType.NUMBER, "what is left there", "B"),
        ),
        command=lambda config, _parameters: _df_in_container(config),
        make=_data_only,
    ),
)
