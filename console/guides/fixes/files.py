"""Old backups: which there are, and removing all but the newest."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from console.config import BackupConfig
from console.guides.checks.commands import docker
from console.guides.checks.containers import NoParameters
from console.guides.checks.words import age, number, size
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.readings import Readings
from console.guides.risk import Risk
from console.reading import Failure, FailureKind, SourceError
from console.system import System
from console.text import clean

_LIMIT_S = 5.0
_DELETE_LIMIT_S = 60.0


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
    container = system.container(backups.role)
    argv = list_argv(backups)
    result = await system.need_engine().execute(container, argv, timeout_s=_LIMIT_S)
    if result.exit_code != 0:
        words = clean(result.stderr.strip(), 200)
        message = f"The backups in {clean(container)} at {clean(backups.path)} could not be listed: {words}"
        raise SourceError(FailureKind.MISSING, message, f"Check [systems.{system.name}.backups] in config.toml.")
    return parse_listing(result.stdout.decode("utf-8", "surrogateescape"))


def list_argv(backups: BackupConfig) -> list[str]:
    return ["find", backups.path, "-maxdepth", "1", "-type", "f", "-name", backups.pattern, "-printf", "%T@ %s %f\\n"]


async def _plan(system: System, _parameters: NoParameters) -> Plan:
    backups = backups_of(system)
    files = await list_backups(system)
    old = removable(files, backups.keep)
    now = Readings(system).wall()
    paths = [f"{backups.path}/{item.name}" for item in old]
    freed = size(sum(item.size_bytes for item in old))
    kept = [item for item in files if item not in old]
    lines = [f"{number(len(old), 'file')}, {freed} in all; kept: {', '.join(clean(item.name) for item in kept) or 'none'}"]
    lines += [f"{clean(item.name)}  {size(item.size_bytes)}  {age(now - item.modified_at)} old" for item in old]
    return Plan(
        targets=tuple(
            Target(clean(item.name), {"file": path, "size": item.size_bytes, "modified_at": item.modified_at})
            for item, path in zip(old, paths, strict=True)
        ),
        lines=tuple(lines),
        effect=f"{freed} come free. The deleted backups cannot be restored from any more.",
        way_back="None: copy the files elsewhere before, if they may still be wanted.",
        command=docker(system.config, "exec", system.container(backups.role), "rm", "-f", "--", *paths),
        confirm_name=clean(system.container(backups.role)),
        empty="" if old else f"There are {number(len(files), 'backup')}, and the newest {backups.keep} are never offered.",
    )


async def _remove(system: System, _parameters: NoParameters, preview: Preview) -> Applied:
    backups = backups_of(system)
    present = {f"{backups.path}/{item.name}": (item.size_bytes, item.modified_at) for item in await list_backups(system)}
    same = [
        str(target.identity["file"])
        for target in preview.targets
        if present.get(str(target.identity["file"])) == (target.identity["size"], target.identity["modified_at"])
    ]
    if not same:
        return Applied(False, ("Every file has changed or gone since the preview: nothing was deleted.",))
    container = system.container(backups.role)
    result = await system.need_engine().execute(container, ["rm", "-f", "--", *same], timeout_s=_DELETE_LIMIT_S)
    if result.exit_code != 0:
        message = f"rm in {clean(container)} failed: {clean(result.stderr.strip(), 200)}"
        return Applied(False, (), Failure(FailureKind.FORBIDDEN, message, f"Try: {shlex.join(['rm', '--', *same[:1]])} as root."))
    skipped = len(preview.targets) - len(same)
    lines = [f"Deleted {number(len(same), 'file')}."]
    if skipped:
        lines.append(f"{number(skipped, 'file')} had changed or gone since the preview and were left alone.")
    return Applied(True, tuple(lines))


ACTIONS = (Action("files.remove_old_backups", NoParameters, Risk.R4, _plan, _remove),)
