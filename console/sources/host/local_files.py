"""Disks, files and folders of this machine. Every function blocks, and tells an OSError as a SourceError."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from console.reading import FailureKind, SourceError
from console.sources.host.answers import is_same_file
from console.sources.protocols.host import Disk, FileEntry
from console.text import clean

_KINDS = (FileNotFoundError, NotADirectoryError)


def disk(path: str) -> Disk:
    with _told(f"The disk of {clean(path)}", "Check `disks` and `folders` in config.toml."):
        found = os.statvfs(path)
    used = (found.f_blocks - found.f_bfree) * found.f_frsize
    free = found.f_bavail * found.f_frsize
    inodes_used = found.f_files - found.f_ffree
    # What root keeps in reserve is not free for the services: df counts it as used, and so do we.
    return Disk(path, used + free, free, inodes_used + found.f_favail or None, found.f_favail if found.f_files else None)


def entry(path: str) -> FileEntry | None:
    with _told(clean(path), "Run Triage as root for this."):
        try:
            return _entry(path, Path(path).stat())
        except _KINDS:
            return None


def under(path: str, before: float, most: int) -> tuple[FileEntry, ...]:
    """The files under a folder that were changed before that time, oldest first."""
    with _told(clean(path), "Check `folders` in config.toml."):
        files = [found for found in _walk(path, Path(path).stat().st_dev) if found.modified_at <= before]
    return tuple(sorted(files, key=lambda found: found.modified_at)[:most])


def end_of(path: str, most_bytes: int) -> bytes:
    with _told(clean(path), "Check its path in config.toml."), Path(path).open("rb") as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.seek(max(0, os.fstat(file.fileno()).st_size - most_bytes))
        return file.read(most_bytes)


def set_owner(path: str, owner: str, mode: int) -> None:
    """`user` or `user:group` for a folder and what is in it; links are changed themselves, never what they lead to."""
    user, _, group = owner.partition(":")
    try:
        uid = pwd.getpwnam(user).pw_uid
        gid = grp.getgrnam(group).gr_gid if group else -1
    except KeyError:
        raise SourceError(FailureKind.MISSING, f"There is no user or group {clean(owner)} on this machine.") from None
    with _told(clean(path), f"sudo chown -R {clean(owner)} {clean(path)}"):
        os.chown(path, uid, gid)
        for folder, folders, files in os.walk(path, onerror=_raise):
            for name in (*folders, *files):
                os.chown(Path(folder, name), uid, gid, follow_symlinks=False)
        Path(path).chmod(mode)


def remove(files: Sequence[FileEntry]) -> tuple[str, ...]:
    removed = []
    for seen in files:
        path = Path(seen.path)
        with _told(clean(seen.path), "Run Triage as root for this."):
            try:
                if is_same_file(_entry(seen.path, path.lstat()), seen):
                    path.unlink()
                    removed.append(seen.path)
            except FileNotFoundError:
                continue
    return tuple(removed)


def _walk(path: str, device: int) -> Iterator[FileEntry]:
    with os.scandir(path) as entries:
        for item in entries:
            try:
                found = item.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode) and found.st_dev == device:
                    yield from _walk(item.path, device)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(found.st_mode):
                yield _entry(item.path, found)


def _entry(path: str, found: os.stat_result) -> FileEntry:
    try:
        user = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        user = str(found.st_uid)
    try:
        group = grp.getgrgid(found.st_gid).gr_name
    except KeyError:
        group = str(found.st_gid)
    is_folder = stat.S_ISDIR(found.st_mode)
    mode = stat.S_IMODE(found.st_mode)
    return FileEntry(path, is_folder, clean(user, 64), clean(group, 64), mode, found.st_size, found.st_mtime)


@contextmanager
def _told(what: str, advice: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        kind = FailureKind.MISSING if isinstance(error, _KINDS) else FailureKind.FORBIDDEN
        reason = error.strerror or type(error).__name__
        raise SourceError(kind, f"{what} could not be read: {reason}.", advice) from None


def _raise(error: OSError) -> None:
    raise error
