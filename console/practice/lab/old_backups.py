"""Fills the lab's data volume with what looks like backups that nobody removed."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from console.practice.lab.fault import Notes
from console.practice.lab.spec import MIB, Service
from console.practice.lab.target import Target

BACKUPS = "/var/lib/postgresql/backups"
FILLER_BYTES = 24 * MIB


@dataclass(frozen=True, slots=True)
class OldBackup:
    """A file that stands in for a backup that nobody removed."""

    name: str
    size_bytes: int
    made_on: date


def old_backups(
    total_bytes: int, free_bytes: int, used_percent: float, today: date, database: str = "student_management"
) -> tuple[OldBackup, ...]:
    """The daily backups, from forty days ago on, that bring a volume to `used_percent`; none when it is there already."""
    missing = int(free_bytes - total_bytes * (1 - used_percent / 100))
    files: list[OldBackup] = []
    while missing > 0:
        day = today - timedelta(days=40 - len(files))
        files.append(OldBackup(f"{database}_{day:%Y%m%d}_020000.sql.gz", min(missing, FILLER_BYTES), day))
        missing -= FILLER_BYTES
    return tuple(files)


def prepare_backups(used_percent: float, target: Target) -> Notes:
    """Notes that name the files which will fill the volume, so that exactly they are removed again."""
    result = target.run(Service.BACKUP, "df", "--block-size=1", "--output=size,avail", BACKUPS)
    total, free = (int(word) for word in result.stdout.split()[-2:])
    files = old_backups(total, free, used_percent, datetime.now(UTC).date(), target.database)
    return {"files": json.dumps([[item.name, item.size_bytes, item.made_on.isoformat()] for item in files])}


def write_backups(target: Target, notes: Notes) -> None:
    """Make the files of the notes; the last one takes what is left when the volume ends before the plan does."""
    for name, size_bytes, made_on in json.loads(notes["files"]):
        path = f"{BACKUPS}/{name}"
        fill = f"fallocate -l {size_bytes} {path} 2>/dev/null || cat /dev/zero > {path} 2>/dev/null"
        target.run(Service.BACKUP, "sh", "-c", f"{fill}; touch -d '{made_on} 02:00' {path}")


def remove_backups(target: Target, notes: Notes) -> None:
    """Remove the files of the notes, as far as they are still there."""
    target.start(Service.BACKUP)
    names = [f"{BACKUPS}/{name}" for name, _, _ in json.loads(notes["files"])]
    target.run(Service.BACKUP, "rm", "-f", *names)


def disk_used_percent(target: Target) -> float:
    """How full the data volume is, as `df` counts it."""
    result = target.run(Service.BACKUP, "df", "--block-size=1", "--output=used,avail", BACKUPS)
    used, free = (int(word) for word in result.stdout.split()[-2:])
    return 100 * used / (used + free)
