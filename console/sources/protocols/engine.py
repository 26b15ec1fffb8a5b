"""The container engine: containers, what they use, their logs, and the few changes we make to them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class State(StrEnum):
    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"


class Health(StrEnum):
    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class Stream(StrEnum):
    STDOUT = "stdout"
    STDERR = "stderr"


@dataclass(frozen=True, slots=True)
class Port:
    """A container's port. `host_port`: where it is published, or is to be while the container is down; None: only exposed."""

    container_port: int
    protocol: str
    host_ip: str | None = None
    host_port: int | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """One container as the engine describes it. Times are Unix seconds. None means the engine did not say."""

    id: str
    name: str
    image: str
    state: State
    health: Health = Health.NONE
    created_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    exit_code: int | None = None
    oom_killed: bool | None = None
    restart_count: int | None = None
    memory_limit_bytes: int | None = None
    restart_policy: str = ""
    error: str = ""
    """The engine's own words when the container could not start (for example a port that is taken)."""
    health_output: str = ""
    """The last output of the health check."""
    tty: bool = False
    image_id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """What a running container uses, between two samples. CPU is percent of one core; memory leaves out the page cache."""

    taken_at: float
    cpu_percent: float | None
    memory_used_bytes: int | None
    memory_limit_bytes: int | None
    pids: int | None = None
    network_received_bytes: int | None = None
    network_sent_bytes: int | None = None

    @property
    def memory_percent(self) -> float | None:
        if self.memory_used_bytes is None or not self.memory_limit_bytes:
            return None
        return 100 * self.memory_used_bytes / self.memory_limit_bytes


@dataclass(frozen=True, slots=True)
class Containers:
    """The containers of a system and what the running ones use (by container id; missing until sampled)."""

    items: tuple[Container, ...]
    usage: Mapping[str, Usage] = field(default_factory=dict)

    def named(self, name: str) -> Container | None:
        return next((item for item in self.items if item.name == name), None)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One whole line that a container wrote; `text` is clean. `at` is the engine's time stamp, Unix seconds."""

    container: str
    stream: Stream
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command inside a container printed (raw) and its exit code."""

    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class Mount:
    """What is mounted into a container. `kind`: volume, bind, tmpfs."""

    kind: str
    source: str
    target: str
    writable: bool


@dataclass(frozen=True, slots=True)
class Link:
    """A container's place in one network: its address and the names under which others find it there."""

    network: str
    address: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Details:
    """What the list of containers leaves out. The environment's values are raw: hide secrets before showing."""

    environment: Mapping[str, str]
    mounts: tuple[Mount, ...]
    links: tuple[Link, ...]
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContainerProcess:
    """A process inside a container, by the machine's numbers; `cpu_percent` as ps tells it (over its whole life)."""

    pid: int
    cpu_percent: float | None
    memory_bytes: int | None
    command: str


@dataclass(frozen=True, slots=True)
class EngineInfo:
    version: str
    api_version: str
    operating_system: str = ""
    root_dir: str = ""
    """Where the engine keeps its data: the disk to watch."""


@dataclass(frozen=True, slots=True)
class Reclaimable:
    """What a prune would delete: one kind ("images", "volumes", "containers"), each item's name and bytes."""

    kind: str
    items: tuple[tuple[str, int], ...]

    @property
    def size_bytes(self) -> int:
        return sum(size for _, size in self.items)


class LogSource(Protocol):
    """What the log pane follows."""

    def follow(self, name: str, *, tail: int, since: float | None = None) -> AsyncIterator[Sequence[LogLine]]:
        """Batches of lines as they are written, beginning with the last `tail`; ends when the log ends."""
        ...


class Workloads(LogSource, Protocol):
    """What the container pane lists: containers, or the services of a machine."""

    async def containers(self) -> Containers: ...


class Engine(Protocol):
    """Questions and actions. A container is named by id or name; actions raise MISSING when it is gone."""

    async def open(self) -> None: ...
    async def aclose(self) -> None: ...
    async def info(self) -> EngineInfo: ...
    async def containers(self) -> Containers:
        """The system's containers, running or not, with usage of the running ones as far as it is sampled."""
        ...

    async def container(self, name: str) -> Container:
        """One container, freshly inspected, also when the system's selector leaves it out."""
        ...

    async def usage(self, name: str) -> Usage:
        """What one container uses now; waits for the engine's second sample when there is none yet."""
        ...

    async def log_tail(self, name: str, *, lines: int, since: float | None = None) -> tuple[LogLine, ...]:
        """The last lines of both streams, oldest first."""
        ...

    def follow(self, name: str, *, tail: int, since: float | None = None) -> AsyncIterator[Sequence[LogLine]]:
        """Batches of lines as they are written, beginning with the last `tail`; ends when the container's log ends.

        Resume with `since` = the last line's time: lines already given at that very time may come again.
        """
        ...

    async def execute(self, name: str, argv: Sequence[str], *, timeout_s: float) -> ExecResult: ...
    async def run_like(self, name: str, argv: Sequence[str], *, timeout_s: float) -> ExecResult:
        """Run a command in a new container with the image, environment, volumes and networks of `name`, then remove it.

        For what must happen inside a container that cannot stay up.
        """
        ...

    async def details(self, name: str) -> Details:
        """Environment, mounts and networks of one container."""
        ...

    async def processes(self, name: str) -> tuple[ContainerProcess, ...]:
        """What runs inside a running container (`docker top`)."""
        ...

    async def start(self, name: str) -> None:
        """Bring it up: one that does not run is started, a paused one goes on where it was paused."""
        ...

    async def stop(self, name: str) -> None: ...
    async def restart(self, name: str) -> None: ...
    async def set_memory_limit(self, name: str, limit_bytes: int) -> None: ...
    async def reclaimable(self) -> tuple[Reclaimable, ...]: ...
    async def prune(self, kind: str) -> int:
        """Delete what `reclaimable` lists of one kind; the bytes that came free."""
        ...
