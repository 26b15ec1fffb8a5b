"""The machine that a simulated stack seems to run on: disks, memory, processes, files, the packet filter, who listens."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from console.practice.simulated.log import Log
from console.practice.simulated.unit import SimulatedUnit
from console.practice.simulated.volume import GIB, MIB

Printed = tuple[int, str, str]
"""Exit code, standard output, standard error."""


@dataclass(slots=True)
class Disk:
    """A file system: bytes and inodes, `device` as df shows it."""

    total_bytes: int
    used_bytes: int
    inodes_total: int = 7_864_320
    inodes_used: int = 412_309
    device: str = "/dev/vda1"

    @property
    def free_bytes(self) -> int:
        return max(0, self.total_bytes - self.used_bytes)


@dataclass(slots=True)
class Memory:
    """`other_used_bytes`: what is used beside the services of the stack."""

    total_bytes: int = 16 * GIB
    other_used_bytes: int = 3 * GIB
    swap_total_bytes: int = 2 * GIB
    swap_used_bytes: int = 41 * MIB


@dataclass(slots=True)
class Process:
    """A process of the machine that is none of the stack's services. `cpu_percent`: of one core."""

    pid: int
    name: str
    command: str
    user: str
    memory_bytes: int
    cpu_percent: float
    started_at: float


@dataclass(slots=True)
class File:
    """A file or a folder. `log`: its text is what a service writes."""

    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    size_bytes: int = 0
    modified_at: float = 0.0
    content: str = ""
    is_folder: bool = False
    log: Log | None = None

    def text(self) -> str:
        if self.log is not None:
            return "".join(f"{line.text}\n" for line in self.log.after(-1))
        return self.content

    def bytes_of(self) -> int:
        return len(self.text().encode()) if self.content or self.log is not None else self.size_bytes


@dataclass(frozen=True, slots=True)
class Listener:
    """A foreign process of the simulated machine that listens on a port."""

    port: int
    pid: int
    process: str
    command: str
    user: str
    started_at: float


@dataclass(slots=True)
class Firewall:
    """ufw: without it every port is open. `denied`: ports that a rule closes, over the default policy."""

    active: bool = False
    default: str = "allow"
    allowed: set[str] = field(default_factory=set)
    """`8000/tcp`"""
    denied: set[str] = field(default_factory=set)
    on_loopback: bool = False
    """Its rules hold for the machine's own connections too: somebody took out the exception for them."""

    def closes_own(self, port: int) -> bool:
        """Whether a connection of the machine to itself is dropped."""
        return self.on_loopback and not self.lets_in(port)

    def lets_in(self, port: int, protocol: str = "tcp") -> bool:
        rule = f"{port}/{protocol}"
        return not self.active or (rule not in self.denied and (self.default == "allow" or rule in self.allowed))

    def status(self) -> str:
        """What `ufw status verbose` prints."""
        if not self.active:
            return "Status: inactive\n"
        rules = [(rule, "DENY") for rule in sorted(self.denied)] + [
            (rule, "ALLOW") for rule in sorted(self.allowed - self.denied)
        ]
        rows = "".join(f"{rule:<26} {verb + ' IN':<11} Anywhere\n" for rule, verb in rules)
        return (
            "Status: active\nLogging: on (low)\n"
            f"Default: {self.default} (incoming), allow (outgoing), disabled (routed)\nNew profiles: skip\n\n"
            f"{'To':<26} {'Action':<11} From\n{'--':<26} {'------':<11} ----\n{rows}"
        )


@dataclass(slots=True)
class Machine:
    """`clock_ahead_s`: by how much its clock is ahead of the true time. `commands`: what other commands print, by their first
    word; `kernel_log`: (time, text) of what dmesg shows."""

    disks: dict[str, Disk] = field(default_factory=lambda: {"/": Disk(118 * GIB, 71 * GIB)})
    memory: Memory = field(default_factory=Memory)
    processes: list[Process] = field(default_factory=list)
    units: dict[str, SimulatedUnit] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    listeners: dict[int, Listener] = field(default_factory=dict)
    firewall: Firewall = field(default_factory=Firewall)
    clock_ahead_s: float = 0.0
    commands: dict[str, Callable[[Sequence[str]], Printed]] = field(default_factory=dict)
    kernel_log: list[tuple[float, str]] = field(default_factory=list)
    engine_up: bool = True
    images: dict[str, int] = field(default_factory=dict)
    """Images that no container uses, and their bytes."""
    volumes: dict[str, int] = field(default_factory=dict)

    def disk_of(self, path: str) -> tuple[str, Disk]:
        """The mount point that holds a path, and its disk."""
        mounts = [mount for mount in self.disks if path == mount or path.startswith(mount.rstrip("/") + "/")]
        found = max(mounts or list(self.disks), key=len)
        return found, self.disks[found]

    def write(self, path: str, content: str, *, owner: str = "root", mode: int = 0o644, at: float) -> File:
        """Put a file, whole."""
        self.files[path] = File(owner, owner, mode, len(content.encode()), at, content)
        return self.files[path]

    def folder(self, path: str, *, owner: str = "root", mode: int = 0o755, at: float) -> File:
        self.files[path] = File(owner, owner, mode, 4096, at, is_folder=True)
        return self.files[path]

    def under(self, path: str) -> dict[str, File]:
        """The files under a folder, whole tree, without folders."""
        root = path.rstrip("/") + "/"
        return {name: item for name, item in self.files.items() if name.startswith(root) and not item.is_folder}

    def environment(self, path: str) -> dict[str, str]:
        """A settings file as the services read it; empty when it is not there."""
        found = self.files.get(path)
        pairs = (line.partition("=") for line in found.content.splitlines()) if found else ()
        return {
            name.strip(): value.strip().strip("\"'")
            for name, found_sign, value in pairs
            if found_sign and not name.startswith("#")
        }

    def set_variable(self, path: str, name: str, value: str | None, *, at: float) -> None:
        """Change one line of a settings file, or take it out (None)."""
        found = self.files[path]
        kept = [line for line in found.content.splitlines() if line.partition("=")[0].strip() != name]
        kept += [f"{name}={value}"] if value is not None else []
        found.content, found.modified_at = "\n".join(kept) + "\n", at

    def dmesg(self) -> str:
        """What `dmesg --time-format iso` prints."""
        return "".join(
            f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at + self.clock_ahead_s))},000000+00:00 {text}\n"
            for at, text in self.kernel_log
        )
