"""The backups that are there: how many, how new, and how much the old ones take."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from console.config import SystemConfig
from console.config_tables import BackupConfig
from console.guides.checks.check import Check, Fact, FactType, FactValue, Findings
from console.guides.checks.commands import container_name, docker, on_machine
from console.guides.checks.words import age, number, size
from console.guides.parameters import Parameters, Seconds
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.system import System
from console.text import clean

_LIMIT_S = 5.0
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class BackupFile:
    name: str
    size_bytes: int
    modified_at: float


def parse_listing(output: str) -> tuple[BackupFile, ...]:
    """Lines of `TIME SIZE NAME`, as find prints them, the newest first. A line that is not understood is left out.

    So is a name with a slash: find prints none, but a file whose name holds a line end could forge a line that leads elsewhere.
    """
    found = []
    for line in output.split("\n"):
        parts = line.split(" ", 2)
        try:
            item = BackupFile(parts[2], int(parts[1]), float(parts[0]))
        except (IndexError, ValueError):
            continue
        if "/" not in item.name and item.name.isprintable():
            found.append(item)
    return tuple(sorted(found, key=lambda item: item.modified_at, reverse=True))


def removable(files: Sequence[BackupFile], keep: int) -> tuple[BackupFile, ...]:
    """All but the `keep` newest that hold anything: an empty file is no backup, and may not push out a good one."""
    good = [item for item in files if item.size_bytes > 0]
    kept = {item.name for item in good[:keep]}
    return tuple(item for item in files if item.name not in kept) if good else ()


def backups_of(system: System) -> BackupConfig:
    """The configured backups; raises NOT_CONFIGURED without."""
    if system.config.backups is None:
        message = "Where the backups are is not configured."
        raise SourceError(FailureKind.NOT_CONFIGURED, message, f"Set [systems.{system.name}.backups] in config.toml.")
    return system.config.backups


async def list_backups(system: System) -> tuple[BackupFile, ...]:
    """The backups that are there, the newest first."""
    backups = backups_of(system)
    argv = list_argv(backups)
    if system.config.runs_on_machine:
        container = "the machine"
        exit_code, stdout, stderr = await system.host.run(argv, timeout_s=_LIMIT_S)
    else:
        container = system.container(backups.role)
        result = await system.need_engine().execute(container, argv, timeout_s=_LIMIT_S)
        exit_code, stdout, stderr = result.exit_code, result.stdout, result.stderr
    if exit_code != 0:
        words = clean(stderr.strip(), 200)
        message = f"The backups in {clean(container)} at {clean(backups.path)} could not be listed: {words}"
        raise SourceError(FailureKind.MISSING, message, f"Check [systems.{system.name}.backups] in config.toml.")
    return parse_listing(stdout.decode("utf-8", "surrogateescape"))


def list_argv(backups: BackupConfig) -> list[str]:
    return ["find", backups.path, "-maxdepth", "1", "-type", "f", "-name", backups.pattern, "-printf", "%T@ %s %f\\n"]


class BackupsParameters(Parameters):
    older_than: Seconds = Field(default=30 * 86_400.0)
    """From this age on a backup is an old one; the newest are never, however old they are."""


async def _backups(readings: Readings, parameters: BackupsParameters) -> Findings:
    system = readings.system
    files = await readings.share("backups", lambda: list_backups(system))
    now, keep = readings.wall(), system.config.backups.keep if system.config.backups else 1
    old = [item for item in removable(files, keep) if now - item.modified_at >= parameters.older_than]
    facts: dict[str, FactValue] = {
        "count": len(files),
        "bytes": sum(item.size_bytes for item in files),
        "old": len(old),
        "old_bytes": sum(item.size_bytes for item in old),
        "newest_age_s": round(now - files[0].modified_at) if files else None,
    }
    lines = [f"{clean(item.name, 120)}  {size(item.size_bytes)}  {age(now - item.modified_at)} old" for item in files[:_SHOWN]]
    if len(files) > _SHOWN:
        lines.append(f"… and {number(len(files) - _SHOWN, 'older one')}")
    unread = () if files else (Failure(FailureKind.MISSING, "There is no backup, so none has an age."),)
    taken = f"{size(sum(item.size_bytes for item in old))} in {number(len(old), 'backup')}" if old else "no spare one"
    headline = f"{number(len(files), 'backup')}; {taken} older than {age(parameters.older_than)}."
    return Findings(facts, headline, tuple(lines), unread)


def _command(config: SystemConfig, _parameters: BackupsParameters) -> str:
    if config.backups is None:
        return f"# set [systems.{config.name}.backups]"
    if config.runs_on_machine:
        return on_machine(config, *list_argv(config.backups))
    return docker(config, "exec", container_name(config, config.backups.role), *list_argv(config.backups))


CHECKS = (
    Check(
        name="files.backups",
        title="Which backups are there, and how old are they?",
        parameters=BackupsParameters,
        facts=(
            Fact("count", FactType.NUMBER, "backups"),
            Fact("bytes", FactType.NUMBER, "what they take", "B"),
            Fact("old", FactType.NUMBER, "those that are older than `older_than`, without the newest that are always kept"),
            Fact("old_bytes", FactType.NUMBER, "what the old ones take", "B"),
            Fact("newest_age_s", FactType.NUMBER, "since the newest was written", "s"),
        ),
        command=_command,
        make=_backups,
    ),
)
