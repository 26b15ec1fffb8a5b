"""Changes to the folders that a service works in: giving one to its user, and deleting what is old in it."""

from pydantic import Field

from console.config_tables import FolderConfig
from console.guides.checks.commands import as_root, joined
from console.guides.checks.files import DAY_S, can_write, folder_config
from console.guides.checks.machine import machine
from console.guides.checks.words import age, number, size
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.parameters import Parameters, Seconds
from console.guides.readings import Readings
from console.guides.risk import Risk
from console.reading import FailureKind, SourceError
from console.sources.protocols.host import FileEntry, Host
from console.system import System
from console.text import clean

MOST_FILES = 2_000
"""So many are deleted at once; each is looked at again before."""
_SHOWN = 30
_SYSTEM = ("bin", "boot", "dev", "etc", "lib", "lib64", "proc", "sbin", "sys", "usr")
_SHARED = ("/var/cache", "/var/lib", "/var/log", "/var/spool")


class FolderParameters(Parameters):
    folder: str
    """A configured folder, by name."""


class OldParameters(FolderParameters):
    older_than: Seconds = Field(default=30 * DAY_S, ge=3600)


def safe_folder(system: System, name: str) -> FolderConfig:
    """A configured folder that is a service's own: never one of the system's, whatever the configuration says."""
    folder = folder_config(system.config, name)
    path = folder.path.rstrip("/") or "/"
    parts = path.split("/")[1:]
    if not path.startswith("/") or ".." in parts or len(parts) < 2 or parts[0] in _SYSTEM or path in _SHARED:
        message = f"{clean(path)} is not changed: it is no folder of a service alone."
        raise SourceError(FailureKind.FORBIDDEN, message, f"Correct [systems.{system.name}.folders.{clean(name)}].")
    return folder.model_copy(update={"path": path})


async def _entry(host: Host, path: str) -> FileEntry:
    entry = await host.file(path)
    if entry is None or not entry.is_folder:
        raise SourceError(FailureKind.MISSING, f"There is no folder {clean(path)}.", "Make it, then look again.")
    return entry


def _host(system: System) -> Host:
    return machine(Readings(system))


async def _plan_owner(system: System, wanted: FolderParameters) -> Plan:
    folder = safe_folder(system, wanted.folder)
    if not folder.owner:
        key = f"[systems.{system.name}.folders.{clean(wanted.folder)}]"
        raise SourceError(
            FailureKind.NOT_CONFIGURED, f"Whose {clean(folder.path)} should be is not configured.", f"Set owner in {key}."
        )
    entry = await _entry(_host(system), folder.path)
    mode, path = int(folder.mode, 8), clean(folder.path)
    right = can_write(entry, folder.owner) and entry.mode == mode and entry.owner == folder.owner.partition(":")[0]
    config = system.config
    return Plan(
        targets=(Target(path, {"folder": folder.path, "owner": entry.owner, "group": entry.group, "mode": f"{entry.mode:o}"}),),
        lines=(
            f"{path}: {entry.owner}:{entry.group} {entry.mode:o} → {clean(folder.owner)} {folder.mode}, with all that is in it",
        ),
        effect=f"{clean(folder.owner)} can write there at once. Files in it that belonged to others belong to it from then on.",
        way_back=joined(
            [
                as_root(config, "chown", f"{entry.owner}:{entry.group}", folder.path),
                as_root(config, "chmod", f"{entry.mode:o}", folder.path),
            ]
        ),
        command=joined(
            [as_root(config, "chown", "-R", folder.owner, folder.path), as_root(config, "chmod", folder.mode, folder.path)]
        ),
        confirm_name=path,
        empty=f"{path} belongs to {clean(folder.owner)} already, mode {folder.mode}." if right else "",
    )


async def _set_owner(system: System, wanted: FolderParameters, preview: Preview) -> Applied:
    folder, host = safe_folder(system, wanted.folder), _host(system)
    entry, seen = await _entry(host, folder.path), preview.targets[0].identity
    path = clean(folder.path)
    if (folder.path, entry.owner, entry.group, f"{entry.mode:o}") != tuple(
        seen[key] for key in ("folder", "owner", "group", "mode")
    ):
        return Applied(False, (f"{path} has changed since the preview: look at a new one.",))
    await host.set_owner(folder.path, folder.owner, int(folder.mode, 8))
    entry = await _entry(host, folder.path)
    return Applied(True, (f"{path} belongs to {entry.owner}:{entry.group} now, mode {entry.mode:o}.",))


async def _plan_old(system: System, wanted: OldParameters) -> Plan:
    folder, host = safe_folder(system, wanted.folder), _host(system)
    files = await host.folder(folder.path, older_than_s=wanted.older_than, most=MOST_FILES)
    now, path = await host.now(), clean(folder.path)
    freed = size(sum(item.size_bytes for item in files))
    at_most = f"; these are the oldest {MOST_FILES:,}, run it again for more" if len(files) == MOST_FILES else ""
    lines = [f"{number(len(files), 'file')} older than {age(wanted.older_than)} in {path}, {freed} in all{at_most}"]
    lines += [f"{clean(item.path, 200)}  {size(item.size_bytes)}  {age(now - item.modified_at)} old" for item in files[:_SHOWN]]
    if len(files) > _SHOWN:
        lines.append(f"… and {number(len(files) - _SHOWN, 'file')} more")
    find = as_root(system.config, "find", folder.path, "-xdev", "-type", "f", "-mmin", f"+{round(wanted.older_than / 60)}")
    return Plan(
        targets=tuple(
            Target(clean(item.path, 200), {"file": item.path, "size": item.size_bytes, "modified_at": item.modified_at})
            for item in files
        ),
        lines=tuple(lines),
        effect=f"{freed} and {number(len(files), 'inode')} come free. What is deleted cannot be had back.",
        way_back="None: copy the files elsewhere before, if they may still be wanted.",
        command=f"{find} -print   # read the list, then: {find} -delete",
        confirm_name=path,
        empty="" if files else f"No file in {path} is older than {age(wanted.older_than)}.",
    )


async def _remove_old(system: System, wanted: OldParameters, preview: Preview) -> Applied:
    folder, host = safe_folder(system, wanted.folder), _host(system)
    files = [
        FileEntry(str(item["file"]), False, "", "", 0, int(item["size"]), float(item["modified_at"]))
        for item in (target.identity for target in preview.targets)
        if _inside(str(item["file"]), folder.path)
    ]
    failed = None
    try:
        removed = set(await host.remove(files))
    except SourceError as error:
        # Some may be gone all the same: what is still there tells which.
        left = {item.path for item in await host.folder(folder.path, older_than_s=wanted.older_than)}
        removed, failed = {item.path for item in files} - left, error.failure
    freed = sum(item.size_bytes for item in files if item.path in removed)
    done = _done(len(removed), len(preview.targets) - len(removed), freed)
    return Applied(bool(removed) and failed is None, done, failed)


def _inside(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/") and ".." not in path.split("/")


def _done(deleted: int, skipped: int, freed: int) -> tuple[str, ...]:
    lines = [f"Deleted {number(deleted, 'file')}, {size(freed)}."]
    if skipped:
        lines.append(f"Not deleted, because changed, gone or refused since the preview: {number(skipped, 'file')}.")
    return tuple(lines)


ACTIONS = (
    Action("files.set_owner", FolderParameters, Risk.R2, _plan_owner, _set_owner),
    Action("files.remove_old", OldParameters, Risk.R4, _plan_old, _remove_old),
)
