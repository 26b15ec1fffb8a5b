"""What is known of one container, one database session or the cache, for the page that Enter opens."""

from collections.abc import Sequence

from console.config import SystemConfig
from console.reading import Reading
from console.sources.protocols.cache import CacheClient
from console.sources.protocols.database import Session
from console.sources.protocols.engine import Container, State, Usage
from screens.page import Lines
from widgets.container_rows import Row, exit_words, ports, state_cell
from widgets.figures import UNKNOWN, age, count, duration, percent, size
from widgets.line import Line, Span, line, wrapped


def detail_lines(found: Row, config: SystemConfig, now: float) -> Lines:
    """Lines that describe one container: state, exits, health output, limits, networks."""
    container, usage = found.container, found.usage

    def make(width: int) -> Sequence[Line]:
        lines = [_pair("state", state_cell(found))]
        if container.state not in (State.RUNNING, State.CREATED):
            lines.append(_pair("exit code", Span(exit_words(container), "bad" if container.exit_code else "")))
        lines += [
            _pair("role", Span(config.role_of(container.name) or "none")),
            _pair("restarts", Span(count(container.restart_count))),
            _pair("started", Span(_since(container.started_at, now))),
        ]
        if config.runs_on_machine:
            lines += [
                _pair("memory", Span(size(usage.memory_used_bytes if usage else None))),
                _pair("is a", Span(container.image)),
            ]
        else:
            lines += [
                _pair("restart policy", Span(container.restart_policy or "no")),
                _pair("created", Span(_since(container.created_at, now))),
                *_usage(container, usage),
                _pair("image", Span(container.image)),
                _pair("id", Span(container.id[:12])),
                _pair("ports", Span(ports(container) or "none published")),
                _pair("networks", Span(" ".join(container.networks) or "none")),
            ]
        if container.error:
            lines += [line(), line(Span("The engine says", "head")), *wrapped(container.error, width, "bad", most=8)]
        if container.health_output:
            lines += [line(), line(Span("Last health check", "head"))]
            lines += [item for part in container.health_output.split("⏎") for item in wrapped(part, width, most=8)]
        if container.labels:
            lines += [line(), line(Span("Labels", "head"))]
            lines += [line(Span(f"{name}=", "muted"), Span(value)) for name, value in sorted(container.labels.items())]
        return lines

    return make


def session_lines(found: Session) -> Lines:
    """Lines that describe one database session: who, since when, what it waits for, and its whole statement."""

    def make(width: int) -> Sequence[Line]:
        waits = f"{found.wait_type}: {found.wait_event}" if found.wait_type else "nothing"
        lines = [
            _pair("state", Span("hidden from this role" if found.hidden else found.state)),
            _pair("in this state", Span(duration(found.state_age_s))),
            _pair("transaction", Span(duration(found.transaction_age_s))),
            _pair("waits for", Span(waits, "warn" if found.waiting_for_lock else "")),
            _pair("user", Span(found.user)),
            _pair("database", Span(found.database)),
            _pair("application", Span(found.application or "not told")),
            _pair("client", Span(found.client or "local socket")),
            line(),
            line(Span("Statement" if found.state == "active" else "Last statement", "head")),
        ]
        lines += [item for part in found.query.split("⏎") for item in wrapped(part, width, most=200)]
        if found.truncated:
            lines.append(line(Span("cut by the server (track_activity_query_size)", "warn")))
        return lines

    return make


def cache_lines(doctor: Reading[tuple[str, ...]], clients: Reading[tuple[CacheClient, ...]]) -> Lines:
    """Lines with what Redis' doctors say and who is connected."""

    def make(width: int) -> Sequence[Line]:
        lines = [line(Span("Doctors", "head"))]
        if doctor.failure is not None:
            lines += wrapped(str(doctor.failure), width, "warn")
        lines += [item for part in doctor.value or () for item in wrapped(part, width, most=20)]
        found = sorted(clients.value or (), key=lambda client: -client.idle_s)
        lines += [
            line(),
            line(Span(f"Clients {len(found) if clients.value is not None else UNKNOWN}: idle for, of connected for", "head")),
        ]
        if clients.failure is not None:
            lines += wrapped(str(clients.failure), width, "warn")
        lines += [
            line(
                Span(f"{client.address:<22} ", "muted"),
                Span(f"{duration(client.idle_s):>6} of {duration(client.age_s):<6} "),
                Span(f"{client.name or 'no name':<16} {client.command}"),
            )
            for client in found
        ]
        return lines

    return make


def _usage(container: Container, usage: Usage | None) -> list[Line]:
    limit = (usage.memory_limit_bytes if usage else None) or container.memory_limit_bytes
    words = f"{size(usage.memory_used_bytes if usage else None)} of {size(limit) if limit else 'no limit'}"
    part = f" ({percent(usage.memory_percent)})" if usage and usage.memory_percent is not None else ""
    return [
        _pair("cpu", Span(f"{percent(usage.cpu_percent if usage else None)} of one core")),
        _pair("memory", Span(words + part)),
        _pair("processes", Span(count(usage.pids if usage else None))),
    ]


def _since(at: float | None, now: float) -> str:
    return UNKNOWN if at is None else age(now - at)


def _pair(name: str, value: Span) -> Line:
    return line(Span(f"{name:<15} ", "muted"), value)
