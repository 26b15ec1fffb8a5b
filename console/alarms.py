"""What is wrong in the readings, in one line each: the banner shows the worst, the panes colour by the same rules."""

from collections.abc import Iterable
from dataclasses import dataclass

from console.config import SystemConfig
from console.reading import FailureKind, Reading
from console.severity import Severity, above, below
from console.sources.protocols.cache import CacheInfo
from console.sources.protocols.database import Activity
from console.sources.protocols.engine import Container, Containers, Health, State, Usage
from console.sources.protocols.metrics import Latency, Quality

LOOP_RESTARTS = 3
LOOP_UP_S = 600.0
"""A container that was restarted so often and has not been up for so long is in a crash loop, though it runs just now."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong. `text` is short enough for the banner."""

    severity: Severity
    text: str


def worst(alarms: Iterable[Alarm]) -> tuple[Alarm | None, int]:
    """The worst alarm, the first of its kind, and how many others there are."""
    found = list(alarms)
    if not found:
        return None, 0
    return max(found, key=lambda alarm: alarm.severity), len(found) - 1


def source_alarms(what: str, reading: Reading[object] | None) -> list[Alarm]:
    """A source that is configured and does not answer is an alarm itself: what it would tell is unknown."""
    if reading is None or reading.failure is None or reading.failure.kind is FailureKind.NOT_CONFIGURED:
        return []
    words = {
        FailureKind.REFUSED: "refuses connections",
        FailureKind.TIMEOUT: "does not answer",
        FailureKind.LOGIN: "refuses the login",
        FailureKind.FORBIDDEN: "forbids the question",
        FailureKind.FULL: "is full",
        FailureKind.STARTING: "is starting",
    }.get(reading.failure.kind, "cannot be read")
    return [Alarm(Severity.ALERT, f"{what} {words}")]


def container_severity(container: Container, config: SystemConfig) -> Severity:
    """How bad a container's own state is.

    Critical for a role that the system is started with (`order`); of the others one may have ended on purpose, and only a
    failed exit counts.
    """
    needed = config.role_of(container.name) in config.order
    match container.state:
        case State.RUNNING if container.health is Health.UNHEALTHY:
            return Severity.CRITICAL if needed else Severity.ALERT
        case State.RUNNING if container.health is Health.STARTING:
            return Severity.UNKNOWN
        case State.RUNNING:
            return Severity.FINE
        case State.EXITED | State.CREATED if not needed and not container.exit_code:
            return Severity.FINE
        case State.REMOVING:
            return Severity.UNKNOWN
        case _:
            return Severity.CRITICAL if needed else Severity.ALERT


def in_crash_loop(container: Container, now: float) -> bool:
    """Whether it runs, but only since a short while and not for the first time."""
    if container.state is not State.RUNNING or container.started_at is None:
        return False
    return (container.restart_count or 0) >= LOOP_RESTARTS and now - container.started_at < LOOP_UP_S


def cpu_severity(usage: Usage | None, config: SystemConfig) -> Severity:
    return above(usage.cpu_percent if usage else None, config.thresholds.cpu_percent)


def memory_severity(usage: Usage | None, config: SystemConfig) -> Severity:
    """Against the container's own limit; without one there is nothing to be near to."""
    if usage is not None and usage.memory_used_bytes is not None and not usage.memory_limit_bytes:
        return Severity.FINE
    return above(usage.memory_percent if usage else None, config.thresholds.memory_percent)


def container_alarms(containers: Containers, config: SystemConfig, now: float) -> list[Alarm]:
    """Role containers that are missing, down, unhealthy or in a crash loop; usage over its limits. `now` is Unix seconds."""
    alarms = [
        Alarm(Severity.CRITICAL, f"{name} ({role}) is not there")
        for role, name in config.roles.items()
        if role in config.order and containers.named(name) is None
    ]
    for item in containers.items:
        severity = container_severity(item, config)
        if severity >= Severity.ALERT:
            state = "unhealthy" if item.state is State.RUNNING else item.state.value
            alarms.append(Alarm(severity, f"{item.name} is {state}{_exit(item)}"))
        elif in_crash_loop(item, now):
            alarms.append(Alarm(Severity.ALERT, f"{item.name} was restarted {item.restart_count} times"))
        usage = containers.usage.get(item.id)
        if usage is None or item.state is not State.RUNNING:
            continue
        if (severity := cpu_severity(usage, config)) >= Severity.ALERT:
            alarms.append(Alarm(severity, f"{item.name} CPU {usage.cpu_percent:.0f} %"))
        if (severity := memory_severity(usage, config)) >= Severity.ALERT:
            alarms.append(Alarm(severity, f"{item.name} memory {usage.memory_percent:.0f} %"))
    return alarms


def database_alarms(activity: Activity, config: SystemConfig) -> list[Alarm]:
    alarms = []
    severity = above(activity.used_percent, config.thresholds.connections_percent)
    if severity >= Severity.ALERT:
        alarms.append(Alarm(severity, f"PostgreSQL connections {activity.used}/{activity.max_connections}"))
    if activity.roots:
        waiting = sum(root.size for root in activity.roots)
        alarms.append(Alarm(Severity.ALERT, f"{waiting} PostgreSQL session{'s' if waiting != 1 else ''} blocked"))
    oldest = max((session.query_age_s or 0.0 for session in activity.sessions if session.state == "active"), default=0.0)
    severity = above(oldest, config.thresholds.statement_s)
    if severity >= Severity.ALERT:
        alarms.append(Alarm(severity, f"statement running for {oldest:.0f} s"))
    return alarms


def cache_alarms(info: CacheInfo, config: SystemConfig) -> list[Alarm]:
    alarms = []
    if info.memory_percent is not None:
        severity = above(info.memory_percent, config.thresholds.memory_percent)
        if severity >= Severity.ALERT:
            alarms.append(Alarm(severity, f"Redis memory {info.memory_percent:.0f} %"))
    if info.rdb_last_save_ok is False:
        alarms.append(Alarm(Severity.ALERT, "Redis: the last save failed"))
    if info.aof_last_write_ok is False:
        alarms.append(Alarm(Severity.CRITICAL, "Redis: writing the AOF fails"))
    if info.loading:
        alarms.append(Alarm(Severity.ALERT, "Redis is loading its data"))
    return alarms


def latency_alarms(latency: Latency, config: SystemConfig) -> list[Alarm]:
    alarms = []
    if latency.quality is Quality.GOOD and latency.p95_s is not None:
        severity = above(latency.p95_s * 1000, config.thresholds.p95_ms)
        if severity >= Severity.ALERT:
            alarms.append(Alarm(severity, f"p95 {latency.p95_s * 1000:.0f} ms"))
    if latency.error_percent is not None:
        severity = above(latency.error_percent, config.thresholds.error_percent)
        if severity >= Severity.ALERT:
            alarms.append(Alarm(severity, f"errors {latency.error_percent:.1f} %"))
    if latency.requests_per_s is not None:
        severity = below(latency.requests_per_s, config.thresholds.requests_per_s)
        if severity >= Severity.ALERT:
            alarms.append(Alarm(severity, f"only {latency.requests_per_s:.1f} requests/s"))
    alarms.extend(
        Alarm(Severity.CRITICAL if alert.severity == "critical" else Severity.ALERT, f"alert {alert.name}")
        for alert in latency.alerts
        if alert.state == "firing"
    )
    alarms.extend(Alarm(Severity.ALERT, f"target {target.job} is down") for target in latency.targets if not target.up)
    return alarms


def _exit(container: Container) -> str:
    if container.state is State.RUNNING or container.exit_code is None:
        return ""
    return f", exit {container.exit_code}{' (out of memory)' if container.oom_killed else ''}"
