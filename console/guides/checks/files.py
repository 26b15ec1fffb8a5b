"""A folder that the service works in: whose it is, whether its user can write there, and what lies in it."""

import asyncio

from pydantic import Field, model_validator

from console.config import SystemConfig
from console.config_tables import FolderConfig
from console.guides.checks.check import Check, Fact, FactType, FactValue, Findings
from console.guides.checks.commands import joined, on_machine
from console.guides.checks.machine import machine
from console.guides.checks.words import age, number, size
from console.guides.parameters import Parameters, Seconds
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.host import FileEntry
from console.text import clean

MOST_FILES = 20_000
DAY_S = 86_400.0
_SHOWN = 8


class FolderParameters(Parameters):
    folder: str = ""
    """A configured folder, by name."""
    path: str = Field(default="", pattern=r"^$|^/")
    older_than: Seconds = Field(default=30 * DAY_S)

    @model_validator(mode="after")
    def _one_of(self) -> "FolderParameters":
        if bool(self.folder) == bool(self.path):
            raise ValueError("needs either folder or path")
        return self


def folder_config(config: SystemConfig, name: str) -> FolderConfig:
    """A configured folder; raises NOT_CONFIGURED."""
    if name not in config.folders:
        key = f"[systems.{config.name}.folders.{clean(name)}]"
        raise SourceError(FailureKind.NOT_CONFIGURED, f"No folder {clean(name)} is configured.", f"Set {key} in config.toml.")
    return config.folders[name]


def expected_folder(config: SystemConfig, parameters: FolderParameters) -> FolderConfig:
    """The folder with the owner that it should have, which one that is only a path may not have."""
    if parameters.folder:
        return folder_config(config, parameters.folder)
    path = checked_path(parameters.path)
    return next((item for item in config.folders.values() if item.path.rstrip("/") == path), FolderConfig(path=path))


def checked_path(path: str) -> str:
    """An absolute path without a way up and without a slash at its end; raises DECLINED."""
    if not path.startswith("/") or ".." in path.split("/") or not path.isprintable():
        raise SourceError(
            FailureKind.DECLINED, "A folder must be an absolute path without `..`.", "For example /srv/app/uploads."
        )
    return path.rstrip("/") or "/"


def can_write(entry: FileEntry, owner: str) -> bool:
    """Whether the permission bits let a user (`user` or `user:group`) make and delete files in the folder.

    Groups that the user is in besides the named one are not known here.
    """
    user, _, group = owner.partition(":")
    if user == "root":
        return True
    shift = 6 if entry.owner == user else 3 if group and entry.group == group else 0
    return (entry.mode >> shift) & 0o3 == 0o3


async def _folder(readings: Readings, parameters: FolderParameters) -> Findings:
    wanted = expected_folder(readings.system.config, parameters)
    host, path, shown = machine(readings), wanted.path, clean(wanted.path)
    entry = await readings.share(("entry", path), lambda: host.file(path))
    if entry is None or not entry.is_folder:
        nothing: dict[str, FactValue] = {"exists": False, "owner": "", "mode": "", "writable": False}
        empty: dict[str, FactValue] = {"files": 0, "bytes": 0, "old_files": 0, "old_bytes": 0}
        return Findings({**nothing, **empty}, f"There is no folder {shown}.")
    facts: dict[str, FactValue] = {
        "exists": True,
        "owner": entry.owner,
        "mode": f"{entry.mode:o}",
        "writable": can_write(entry, wanted.owner) if wanted.owner else None,
    }
    lines = [f"{shown}: {entry.owner}:{entry.group} {entry.mode:o}"]
    unread: tuple[Failure, ...] = ()
    if wanted.owner:
        lines.append(f"expected: {clean(wanted.owner)} {wanted.mode}")
    try:
        files, now = await asyncio.gather(
            readings.share(("folder", path), lambda: host.folder(path, most=MOST_FILES)),
            readings.share("machine now", host.now),
        )
    except SourceError as error:
        unread = (error.failure,)
    else:
        old = [item for item in files if now - item.modified_at >= parameters.older_than]
        facts |= {"files": len(files), "bytes": sum(item.size_bytes for item in files)}
        facts |= {"old_files": len(old), "old_bytes": sum(item.size_bytes for item in old)}
        least = "at least " if len(files) >= MOST_FILES else ""
        total, unneeded = (size(sum(item.size_bytes for item in which)) for which in (files, old))
        lines.append(
            f"{least}{number(len(files), 'file')}, {total}; {len(old)} older than {age(parameters.older_than)}, {unneeded}"
        )
        lines += [f"{clean(item.path, 120)}  {size(item.size_bytes)}  {age(now - item.modified_at)} old" for item in old[:_SHOWN]]
    if facts["writable"] is False:
        return Findings(facts, f"{clean(wanted.owner)} cannot write to {shown}.", tuple(lines), unread)
    return Findings(facts, f"{shown} belongs to {entry.owner}, mode {entry.mode:o}.", tuple(lines), unread)


def _command(config: SystemConfig, parameters: FolderParameters) -> str:
    try:
        path = expected_folder(config, parameters).path
    except SourceError:
        path = f"<no folder {parameters.folder} configured>"
    find = on_machine(config, "find", path, "-xdev", "-type", "f", "-mmin", f"+{round(parameters.older_than / 60)}", "-ls")
    return joined([on_machine(config, "ls", "-ld", path), on_machine(config, "du", "-sh", path), find])


CHECKS = (
    Check(
        name="files.folder",
        title="Can the service write to its folder, and what lies there?",
        parameters=FolderParameters,
        facts=(
            Fact("exists", FactType.BOOL, "there is such a folder"),
            Fact("owner", FactType.TEXT, "the user that it belongs to"),
            Fact("mode", FactType.TEXT, "its permission bits, octal"),
            Fact("writable", FactType.BOOL, "the configured owner can write there; unknown when none is configured"),
            Fact("files", FactType.NUMBER, "files in it, whole tree"),
            Fact("bytes", FactType.NUMBER, "what they hold", "B"),
            Fact("old_files", FactType.NUMBER, "files that were not changed for so long"),
            Fact("old_bytes", FactType.NUMBER, "what these hold", "B"),
        ),
        command=_command,
        make=_folder,
    ),
)
