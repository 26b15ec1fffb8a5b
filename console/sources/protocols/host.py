"""The machine of the system: disks, memory, processes, services, files, who listens on a port.

It is this machine, or (when services run on a machine that a container plays) that container.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from console.sources.protocols.engine import LogLine


@dataclass(frozen=True, slots=True)
class Disk:
    path: str
    total_bytes: int
    free_bytes: int
    inodes_total: int | None = None
    """None (or 0) when the file system has no fixed number."""
    inodes_free: int | None = None

    @property
    def used_percent(self) -> float:
        return 100 * (self.total_bytes - self.free_bytes) / self.total_bytes if self.total_bytes else 0.0

    @property
    def inodes_percent(self) -> float | None:
        if not self.inodes_total or self.inodes_free is None:
            return None
        return 100 * (self.inodes_total - self.inodes_free) / self.inodes_total


@dataclass(frozen=True, slots=True)
class Memory:
    total_bytes: int
    available_bytes: int
    swap_total_bytes: int
    swap_used_bytes: int


@dataclass(frozen=True, slots=True)
class Process:
    """A process. `cpu_percent`: of one core, between two looks; None on the first. Texts are clean."""

    pid: int
    name: str
    command: str
    user: str
    memory_bytes: int
    cpu_percent: float | None
    started_at: float | None = None


@dataclass(frozen=True, slots=True)
class PortOwner:
    """Who listens on a TCP port of this machine. `pid` is None when we may not see whose socket it is."""

    port: int
    pid: int | None
    process: str
    command: str
    user: str = ""
    started_at: float | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A service of systemd, as `systemctl show` tells it."""

    name: str
    known: bool
    active: str
    """`active`, `inactive`, `failed`, `activating`, `deactivating`, …"""
    sub: str
    enabled: bool | None
    restarts: int | None
    main_pid: int | None
    memory_bytes: int | None
    since: float | None
    result: str = ""
    """Why it ended: `success`, `exit-code`, `signal`, `oom-kill`, …"""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file or folder. `mode`: the twelve permission bits."""

    path: str
    is_folder: bool
    owner: str
    group: str
    mode: int
    size_bytes: int
    modified_at: float


@dataclass(frozen=True, slots=True)
class Firewall:
    """What the machine's packet filter says of one incoming port. None: cannot be told."""

    active: bool | None
    allows: bool | None
    tool: str = ""
    """`ufw`, `nft`, `iptables`."""
    line: str = ""
    """The rule that decides."""


class Host(Protocol):
    async def open(self) -> None: ...
    async def aclose(self) -> None: ...
    async def disk(self, path: str) -> Disk: ...
    async def memory(self) -> Memory: ...
    async def processes(self) -> tuple[Process, ...]:
        """All processes that we may see; a processor share needs two looks, which this takes by itself (about 0.3 s)."""
        ...

    async def port_owners(self, ports: Sequence[int]) -> tuple[PortOwner, ...]: ...
    async def end_process(self, pid: int, started_at: float) -> bool:
        """Ask a process to end (SIGTERM) if it is still the one that was seen; False when it is gone."""
        ...

    async def now(self) -> float:
        """The machine's clock, Unix seconds."""
        ...

    async def unit(self, name: str) -> Unit: ...
    async def control_unit(self, name: str, verb: str) -> None:
        """`start`, `restart`, `stop` or `enable` a unit; FORBIDDEN when we may not."""
        ...

    async def file(self, path: str) -> FileEntry | None:
        """None when there is no such file; FORBIDDEN when we may not look."""
        ...

    async def folder(self, path: str, *, older_than_s: float = 0.0, most: int = 20_000) -> tuple[FileEntry, ...]:
        """The files under a folder, whole tree, oldest first, at most so many; it follows no links and leaves no file system."""
        ...

    async def read(self, path: str, *, most_bytes: int = 65_536) -> bytes:
        """The end of a file; MISSING, FORBIDDEN."""
        ...

    async def log_tail(self, path: str, *, name: str, lines: int, since: float | None = None) -> tuple[LogLine, ...]:
        """The last lines of a log file, under the name of the role that writes it; time stamps are read from the lines."""
        ...

    async def set_owner(self, path: str, owner: str, mode: int) -> None:
        """Give a folder and what is in it to a user (`user` or `user:group`); `mode` for the folder alone."""
        ...

    async def remove(self, files: Sequence[FileEntry]) -> tuple[str, ...]:
        """Delete those files that are still the ones that were seen; the paths of the deleted ones."""
        ...

    async def firewall(self, port: int, protocol: str = "tcp") -> Firewall: ...
    async def allow_port(self, port: int, protocol: str = "tcp") -> None:
        """Let the packet filter take an incoming port (ufw); UNSUPPORTED with another tool."""
        ...

    async def run(self, argv: Sequence[str], *, timeout_s: float = 5.0) -> tuple[int, bytes, bytes]:
        """Exit code and output of one authored command without effect (a version, a log); MISSING when it is not there."""
        ...
