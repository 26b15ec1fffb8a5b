"""A system whose sources answer at once with what the test gave them: fixed values, a failure, or nothing ever."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Self

from console.config import SystemConfig, load_config, shipped_config
from console.reading import SourceError
from console.sources.protocols.cache import CacheClient, CacheInfo, SlowEntry
from console.sources.protocols.database import Activity, Session, Waiter
from console.sources.protocols.engine import Container, Containers, Health, LogLine, Port, State, Stream, Usage
from console.sources.protocols.metrics import Alert, EndpointLatency, Latency, Origin, Point, Quality, Target
from console.system import System

NOW = 1_795_000_000.0
"""Fixed: 2026-11-18."""
MIB = 1024**2


class Hangs:
    """A source that never answers."""


class Fake:
    """Answers every question of a protocol from `answers`; an exception is raised, `Hangs` waits for ever."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def open(self) -> None: ...

    async def aclose(self) -> None: ...

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        async def ask(*args: Any, **kwargs: Any) -> Any:
            self.asked.append(name)
            answer = self.answers[name]
            if isinstance(answer, Hangs):
                await asyncio.Event().wait()
            if isinstance(answer, SourceError):
                raise answer
            return answer(*args, **kwargs) if callable(answer) else answer

        return ask

    def given(self, **answers: Any) -> Self:
        """Answer differently from now on."""
        self.answers |= answers
        return self


class FakeEngine(Fake):
    """With logs that are written once and then stay open."""

    def __init__(self, lines: Sequence[LogLine] = (), **answers: Any) -> None:
        super().__init__(**answers)
        self.lines = lines

    async def follow(self, name: str, *, tail: int, since: float | None = None) -> AsyncIterator[Sequence[LogLine]]:
        mine = [line for line in self.lines if line.container == name and (since is None or line.at >= since)]
        yield mine[-tail:]
        await asyncio.Event().wait()


def config() -> SystemConfig:
    return load_config(shipped_config()).config.system("sms")


def container(name: str, number: int, **changes: Any) -> Container:
    values: dict[str, Any] = {
        "id": f"{number:02}" * 32,
        "name": name,
        "image": f"registry.example/{name}:1.4",
        "state": State.RUNNING,
        "health": Health.HEALTHY,
        "created_at": NOW - 90_000,
        "started_at": NOW - 86_000 + number,
        "restart_count": 0,
        "memory_limit_bytes": 512 * MIB,
        "restart_policy": "unless-stopped",
        "networks": ("sms",),
    }
    return Container(**(values | changes))


def usage(cpu_percent: float, used_mib: int, limit_mib: int = 512) -> Usage:
    return Usage(NOW, cpu_percent, used_mib * MIB, limit_mib * MIB, 12)


def containers() -> Containers:
    items = (
        container("sms-postgres", 1, ports=(Port(5432, "tcp", "127.0.0.1", 5432),)),
        container("sms-redis", 2, ports=(Port(6379, "tcp", "127.0.0.1", 6379),)),
        container("sms-backend", 3, health=Health.UNHEALTHY, restart_count=4, ports=(Port(8000, "tcp", "127.0.0.1", 8000),)),
        container("sms-frontend-proxy", 4, health=Health.NONE, ports=(Port(80, "tcp", "127.0.0.1", 8080),)),
        container("sms-db-backup", 5, state=State.EXITED, health=Health.NONE, exit_code=0, finished_at=NOW - 7200),
        container("sms-worker", 6, state=State.EXITED, health=Health.NONE, exit_code=137, oom_killed=True, finished_at=NOW - 300),
    )
    found = {
        items[0].id: usage(3.2, 96),
        items[1].id: usage(0.4, 12, 256),
        items[2].id: usage(86.0, 470),
        items[3].id: usage(0.1, 5),
    }
    return Containers(items, found)


def session(pid: int, state: str, age_s: float, query: str, **changes: Any) -> Session:
    values: dict[str, Any] = {
        "pid": pid,
        "backend_start": NOW - 4000 - pid,
        "database": "student_management",
        "user": "sms_user",
        "application": "backend",
        "client": "172.18.0.5",
        "backend_type": "client backend",
        "state": state,
        "wait_type": "",
        "wait_event": "",
        "query_age_s": age_s,
        "transaction_age_s": age_s if state != "idle" else None,
        "state_age_s": age_s,
        "query": query,
    }
    return Session(**(values | changes))


def activity() -> Activity:
    root = session(4711, "idle in transaction", 312.0, "UPDATE grade SET value = 5 WHERE id = 17")
    lock = {"wait_type": "Lock", "wait_event": "transactionid"}
    first = session(4720, "active", 280.0, "UPDATE grade SET value = 6 WHERE id = 17", **lock)
    second = session(4721, "active", 30.0, "SELECT * FROM grade WHERE id = 17 FOR UPDATE", **lock)
    busy = session(4730, "active", 2.4, "SELECT avg(value) FROM grade JOIN student USING (student_id) GROUP BY class_id")
    idle = [session(4800 + number, "idle", 40.0 + number, "COMMIT") for number in range(20)]
    return Activity(
        server_version="15.9",
        max_connections=40,
        reserved_connections=3,
        sessions=(root, first, second, busy, *idle),
        own_sessions=2,
        used=30,
        by_state={"idle": 20, "active": 3, "idle in transaction": 1},
        roots=(
            Waiter(
                root,
                4711,
                waiters=(Waiter(first, 4720, "ShareLock", "grade", 280.0, (Waiter(second, 4721, "RowExclusive", "", 30.0),)),),
            ),
        ),
        commits_per_s=41.2,
        rollbacks_per_s=0.1,
        cache_hit_percent=99.3,
        deadlocks=0,
        database_size_bytes=812 * MIB,
        started_at=NOW - 86_000,
    )


def cache_info() -> CacheInfo:
    return CacheInfo(
        version="7.0.15",
        server="redis",
        uptime_s=86_400,
        role="master",
        used_memory_bytes=58 * MIB,
        max_memory_bytes=64 * MIB,
        peak_memory_bytes=60 * MIB,
        eviction_policy="allkeys-lru",
        fragmentation_ratio=1.1,
        clients=12,
        max_clients=10_000,
        blocked_clients=1,
        rejected_connections=0,
        operations_per_s=312.0,
        hits_per_s=200.0,
        misses_per_s=50.0,
        hit_percent=80.0,
        evicted_per_s=1.5,
        expired_per_s=0.2,
        keys={"db0": 15_321},
        rdb_last_save_at=NOW - 300,
        rdb_changes_since_save=120,
        rdb_last_save_ok=True,
        aof_enabled=False,
        errors={"ERR": 2},
        slow_log=(SlowEntry(NOW - 60, 0.0153, "KEYS grades:student:*"), SlowEntry(NOW - 600, 0.0112, "HGETALL sessions")),
        ping_s=0.0004,
    )


def latency() -> Latency:
    history = tuple(
        Point(NOW - 900 + 15 * step, 0.05, 0.18 + 0.9 * max(0, step - 40) / 20, 0.4)
        if step not in (10, 11)
        else Point(NOW - 900 + 15 * step, None, None, None)
        for step in range(61)
    )
    return Latency(
        origin=Origin.PROMETHEUS,
        window_s=60,
        quality=Quality.GOOD,
        p50_s=0.052,
        p95_s=1.08,
        p99_s=2.3,
        requests_per_s=24.5,
        error_percent=2.4,
        endpoints=(EndpointLatency("/api/v1/grades", 10.0, 1.31, 4.2), EndpointLatency("/api/v1/students", 14.5, 0.11, 0.0)),
        history=history,
        targets=(Target("backend", "backend:8000", True), Target("node", "node:9100", False, "connection refused")),
        alerts=(Alert("HighLatency", "firing", "warning", NOW - 200, "p95 above 500 ms for 5 minutes"),),
    )


def log_lines() -> tuple[LogLine, ...]:
    words = (
        "INFO [backend.api] GET /api/v1/grades 200 52ms",
        "ERROR [backend.db] connection pool exhausted",
        "INFO [backend.api] GET /health 200 2ms",
    )
    return tuple(LogLine("sms-backend", Stream.STDOUT, NOW - 30 + number, words[number % 3]) for number in range(30))


def system(**sources: Any) -> System:
    """The sms system with every source answering; give a source to replace it, None to leave it out."""
    given: dict[str, Any] = {
        "engine": FakeEngine(log_lines(), containers=containers()),
        "database": Fake(activity=activity()),
        "cache": Fake(
            info=cache_info(),
            doctor=("Sam, I detected a few issues in this Redis instance memory implants:",),
            clients=(CacheClient(7, "10.0.0.9:5512", "backend", 900, 30, "get"),),
        ),
        "metrics": Fake(latency=latency()),
        "endpoints": Fake(),
    } | sources
    return System(config=config(), host=Fake(), **given)
