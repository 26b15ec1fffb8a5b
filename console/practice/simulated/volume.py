"""The small volume that holds the database's data directory and its backups."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A backup on the volume. `modified_at` is Unix seconds."""

    name: str
    size_bytes: int
    modified_at: float


@dataclass(slots=True)
class Volume:
    """A file system with the data directory, and backup files in `backup_path`."""

    mount: str
    backup_path: str
    total_bytes: int = 20 * GIB
    data_bytes: int = 3_180 * MIB
    files: dict[str, StoredFile] = field(default_factory=dict)

    @property
    def used_bytes(self) -> int:
        """Never more than there is: what would not fit was not written."""
        return min(self.total_bytes, self.data_bytes + sum(item.size_bytes for item in self.files.values()))

    @property
    def free_bytes(self) -> int:
        return self.total_bytes - self.used_bytes

    @property
    def full(self) -> bool:
        """Whether PostgreSQL cannot extend its files any more."""
        return self.free_bytes < 8 * MIB

    def holds(self, path: str) -> bool:
        """Whether a path lies on this volume."""
        roots = (self.mount, self.backup_path)
        return any(path == root or path.startswith(f"{root.rstrip('/')}/") for root in roots)

    def add(self, name: str, size_bytes: int, modified_at: float) -> None:
        self.files[name] = StoredFile(name, size_bytes, modified_at)

    def matching(self, pattern: str) -> list[StoredFile]:
        """The backups whose names match a shell pattern, in the order of their making."""
        return [item for item in self.files.values() if fnmatchcase(item.name, pattern)]

    def remove(self, path: str) -> bool:
        """Delete a backup by its full path; whether it was there."""
        folder, _, name = path.rpartition("/")
        return folder == self.backup_path and self.files.pop(name, None) is not None

    def df(self) -> str:
        """What `df -P -k` prints for a path on this volume."""
        used, free = self.used_bytes // 1024, self.free_bytes // 1024
        percent = -(-100 * self.used_bytes // self.total_bytes)
        return (
            "Filesystem     1024-blocks     Used Available Capacity Mounted on\n"
            f"/dev/vdb1         {self.total_bytes // 1024} {used} {free}      {percent}% {self.mount}\n"
        )
