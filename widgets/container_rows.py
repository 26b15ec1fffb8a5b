"""The rules of the container table: what each cell says, what sorts before what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.alarms import container_severity, cpu_severity, in_crash_loop, memory_severity
from console.config import SystemConfig
from console.severity import Severity
from console.sources.protocols.engine import Container, Containers, Health, State, Usage
from widgets.figures import UNKNOWN, percent, short_size, uptime
from widgets.grid import Column
from widgets.line import Span, marked, severity_style

COLUMNS = (
    Column("name", "NAME", 18, grow=3, most=32),
    Column("role", "ROLE", 8, rank=5, most=10, grow=1),
    Column("state", "STATE", 11, most=14, grow=1),
    Column("exit", "EXIT", 7, rank=4),
    Column("restarts", "RST", 4, right=True, rank=3),
    Column("cpu", "CPU", 6, right=True),
    Column("memory", "MEMORY", 11, right=True, rank=1),
    Column("limit", "MEM%", 5, right=True),
    Column("uptime", "UP", 5, right=True, rank=2),
    Column("ports", "PORTS", 10, rank=6, grow=1, most=24),
    Column("image", "IMAGE", 16, rank=7, grow=2, most=48),
)

_LOOKS = {
    State.CREATED: ("○", "created"),
    State.RUNNING: ("●", "running"),
    State.PAUSED: ("‖", "paused"),
    State.RESTARTING: ("↻", "restarting"),
    State.REMOVING: ("○", "removing"),
    State.EXITED: ("■", "exited"),
    State.DEAD: ("■", "dead"),
}
SIGKILL_EXIT = 137


@dataclass(frozen=True, slots=True)
class Row:
    """One container with what belongs to it."""

    container: Container
    usage: Usage | None
    role: str | None
    severity: Severity

    @property
    def running(self) -> bool:
        return self.container.state is State.RUNNING


def rows(containers: Containers, config: SystemConfig) -> list[Row]:
    found = []
    for item in containers.items:
        role = config.role_of(item.name)
        found.append(Row(item, containers.usage.get(item.id), role, container_severity(item, config)))
    return found


def searchable(item: Row) -> str:
    """What the filter looks at."""
    container = item.container
    return f"{container.name} {item.role or ''} {container.state} {container.health} {container.image}"


def cells(item: Row, config: SystemConfig, now: float) -> dict[str, Span]:
    container, usage = item.container, item.usage
    idle = Span("–", "muted")
    memory = usage.memory_used_bytes if usage else None
    return {
        "name": Span(container.name, "strong" if item.role else ""),
        "role": Span(item.role or "", "accent"),
        "state": state_cell(item),
        "exit": _exit_cell(container),
        "restarts": _restarts(container, now),
        "cpu": marked(percent(usage.cpu_percent if usage else None), cpu_severity(usage, config)) if item.running else idle,
        "memory": Span(_memory(memory, usage, container)) if item.running else idle,
        "limit": marked(_limit(usage), memory_severity(usage, config)) if item.running else idle,
        "uptime": Span(_uptime(container, now), "" if item.running else "muted"),
        "ports": Span(ports(container), "muted"),
        "image": Span(container.image, "muted"),
    }


def state_cell(item: Row) -> Span:
    """State and health in one: a glyph, a word, and the colour of how bad it is."""
    container = item.container
    glyph, word = _LOOKS[container.state]
    if container.state is State.RUNNING:
        if container.health is Health.UNHEALTHY:
            return Span("▲ unhealthy", severity_style(item.severity))
        if container.health is Health.STARTING:
            return Span("◐ starting", "accent")
        return Span(f"{glyph} {'healthy' if container.health is Health.HEALTHY else word}", "good")
    return Span(f"{glyph} {word}", severity_style(item.severity) or "muted")


def ports(container: Container) -> str:
    """Published ports as host→container, the equal ones once."""
    found = dict.fromkeys(
        f"{port.host_port}" if port.host_port == port.container_port else f"{port.host_port}→{port.container_port}"
        for port in container.ports
        if port.host_port is not None
    )
    return " ".join(found)


def exit_words(container: Container) -> str:
    """The exit code with what it means when that is known."""
    if container.exit_code is None:
        return UNKNOWN
    if container.oom_killed:
        return f"{container.exit_code} OOM"
    if container.exit_code == SIGKILL_EXIT:
        return f"{container.exit_code} kill"
    return str(container.exit_code)


SORTS: dict[str, tuple[Callable[[Row], object], bool]] = {
    "state": (lambda row: (-row.severity, row.role is None, row.container.name), False),
    "name": (lambda row: row.container.name, False),
    "cpu": (lambda row: ((row.usage and row.usage.cpu_percent) or 0.0, row.container.name), True),
    "memory": (lambda row: ((row.usage and row.usage.memory_used_bytes) or 0, row.container.name), True),
    "restarts": (lambda row: (row.container.restart_count or 0, row.container.name), True),
    "uptime": (lambda row: (-(row.container.started_at or 0.0), row.container.name), False),
}
"""What sorts the table: by which key, and whether the largest comes first."""
LIVE_SORTS = ("cpu", "memory")
"""These change all the time: the order follows every three seconds at most."""
LIVE_SORT_S = 3.0


def ordered(found: Sequence[Row], by: str) -> list[Row]:
    key, descending = SORTS[by]
    return sorted(found, key=key, reverse=descending)  # type: ignore[arg-type]  # each key is of one comparable type


def _exit_cell(container: Container) -> Span:
    if container.state in (State.RUNNING, State.CREATED, State.PAUSED):
        return Span("")
    text = exit_words(container)
    return Span(text, "bad" if container.oom_killed or container.exit_code not in (0, None) else "muted")


def _restarts(container: Container, now: float) -> Span:
    if container.restart_count is None:
        return Span(UNKNOWN, "muted")
    if in_crash_loop(container, now):
        return Span(f"{container.restart_count}▲", "warn")
    return Span(str(container.restart_count), "" if container.restart_count else "muted")


def _memory(used: int | None, usage: Usage | None, container: Container) -> str:
    limit = usage.memory_limit_bytes if usage and usage.memory_limit_bytes else container.memory_limit_bytes
    return f"{short_size(used)}/{short_size(limit)}" if limit else short_size(used)


def _limit(usage: Usage | None) -> str:
    if usage is not None and usage.memory_used_bytes is not None and not usage.memory_limit_bytes:
        return "–"
    return percent(usage.memory_percent if usage else None)


def _uptime(container: Container, now: float) -> str:
    if container.state in (State.RUNNING, State.PAUSED):
        return UNKNOWN if container.started_at is None else uptime(now - container.started_at)
    return "" if container.finished_at is None else f"-{uptime(now - container.finished_at)}"
