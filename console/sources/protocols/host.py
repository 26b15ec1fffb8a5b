"""The machine that Triage runs on: disks, memory, who listens on a port."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Disk:
    path: str
    total_bytes: int
    free_bytes: int

    @property
    def used_percent(self) -> float:
        return 100 * (self.total_bytes - self.free_bytes) / self.total_bytes if self.total_bytes else 0.0


@dataclass(frozen=True, slots=True)
class Memory:
    total_bytes: int
    available_bytes: int
    swap_total_bytes: int
    swap_used_bytes: int


@dataclass(frozen=True, slots=True)
class PortOwner:
    """Who listens on a TCP port of this machine. `pid` is None when we may not see whose socket it is."""

    port: int
    pid: int | None
    process: str
    command: str
    user: str = ""
    started_at: float | None = None


class Host(Protocol):
    async def open(self) -> None: ...
    async def aclose(self) -> None: ...
    async def disk(self, path: str) -> Disk: ...
    async def memory(self) -> Memory: ...
    async def port_owners(self, ports: Sequence[int]) -> tuple[PortOwner, ...]: ...
    async def end_process(self, pid: int, started_at: float) -> bool:
        """Ask a process to end (SIGTERM) if it is still the one that was seen; False when it is gone."""
        ...
