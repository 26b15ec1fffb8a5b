"""A small sms stack made by hand, behind the source protocols: a test sets what is true, and reads what was done to it."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from console.config import SystemConfig, load_config, shipped_config
from console.guides.checks import Outcome, find_check, run_check
from console.guides.issue import CheckCall
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.sources.protocols.database import Accepts, Activity, DatabasePrivileges, Session, Value
from console.sources.protocols.engine import (
    Container,
    Containers,
    EngineInfo,
    ExecResult,
    Health,
    LogLine,
    Port,
    Reclaimable,
    State,
    Stream,
    Usage,
)
from console.sources.protocols.host import Disk, Memory, PortOwner
from console.system import System

NOW = 1_795_000_000.0
GIB = 2**30
MIB = 2**20
NAMES = {"database": "sms-postgres", "cache": "sms-redis", "backend": "sms-backend", "proxy": "sms-frontend-proxy"}
PORTS = {"database": 5432, "cache": 6379, "backend": 8000, "proxy": 8080}


def sms_config() -> SystemConfig:
    return load_config(shipped_config()).config.system("sms")


def refused(what: str) -> SourceError:
    return SourceError(FailureKind.REFUSED, f"{what} refused the connection.", "Start it.")


def timed_out(what: str) -> SourceError:
    return SourceError(FailureKind.TIMEOUT, f"{what} did not answer.", "Look at it.")


def container(role: str, **changes: Any) -> Container:
    healthy = Container(
        id=f"id-{role}",
        name=NAMES.get(role, role),
        image=f"sms/{role}:1.17",
        state=State.RUNNING,
        health=Health.HEALTHY,
        started_at=NOW - 7200,
        restart_count=0,
        memory_limit_bytes=256 * MIB,
        ports=(Port(PORTS[role], "tcp", "127.0.0.1", PORTS[role]),) if role in PORTS else (),
    )
    return replace(healthy, **changes)


def session(pid: int, state: str = "idle", age_s: float = 10.0, **changes: Any) -> Session:
    ordinary = Session(
        pid=pid,
        backend_start=NOW - 9000 - pid,
        database="student_management",
        user="sms_user",
        application="sms-backend",
        client="172.18.0.5",
        backend_type="client backend",
        state=state,
        wait_type="",
        wait_event="",
        query_age_s=age_s,
        transaction_age_s=None,
        state_age_s=age_s,
        query="SELECT 1",
    )
    return replace(ordinary, **changes)


@dataclass
class FakeEngine:
    items: dict[str, Container] = field(default_factory=lambda: {NAMES[role]: container(role) for role in NAMES})
    lines: list[LogLine] = field(default_factory=list)
    files: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Backups: name → bytes, modification time."""
    free_percent: float = 60.0
    probe: ExecResult = field(default_factory=lambda: ExecResult(0, b"OK\n", b""))
    ran: ExecResult = field(default_factory=lambda: ExecResult(0, b"0003_indexes (head)\n", b""))
    unused: tuple[Reclaimable, ...] = ()
    failure: SourceError | None = None
    asked: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    async def open(self) -> None: ...

    async def aclose(self) -> None: ...

    def ask(self, what: str) -> None:
        self.asked.append(what)
        if self.failure is not None:
            raise self.failure

    def change(self, role: str, **changes: Any) -> None:
        name = NAMES[role]
        self.items[name] = replace(self.items[name], **changes)

    def write(self, role: str, *texts: str, at: float = NOW - 5) -> None:
        self.lines += [LogLine(NAMES[role], Stream.STDERR, at + number / 1000, text) for number, text in enumerate(texts)]

    async def info(self) -> EngineInfo:
        self.ask("info")
        return EngineInfo("20.10", "1.41")

    async def containers(self) -> Containers:
        self.ask("containers")
        return Containers(tuple(self.items.values()))

    async def container(self, name: str) -> Container:
        self.ask(f"container {name}")
        if name not in self.items:
            raise SourceError(FailureKind.MISSING, f"There is no container {name}.")
        return self.items[name]

    async def usage(self, name: str) -> Usage:
        return Usage(NOW, 1.0, 100 * MIB, self.items[name].memory_limit_bytes)

    async def log_tail(self, name: str, *, lines: int, since: float | None = None) -> tuple[LogLine, ...]:
        self.ask(f"log {name}")
        mine = [line for line in self.lines if line.container == name and (since is None or line.at >= since)]
        return tuple(mine[-lines:])

    async def follow(self, name: str, *, tail: int, since: float | None = None) -> AsyncIterator[Sequence[LogLine]]:
        yield ()

    async def execute(self, name: str, argv: Sequence[str], *, timeout_s: float) -> ExecResult:
        self.ask(f"exec {name} {argv[0]}")
        if name in self.items and self.items[name].state is not State.RUNNING:
            raise SourceError(FailureKind.MISSING, f"{name} does not run.", "Start it.")
        if argv[0] == "df":
            used = round(1000 * (100 - self.free_percent))
            row = f"overlay 100000 {used} {100_000 - used} {100 - self.free_percent:.0f}% /data\n"
            return ExecResult(0, f"Filesystem 1024-blocks Used Available Capacity Mounted on\n{row}".encode(), b"")
        if argv[0] == "find":
            return ExecResult(0, "".join(f"{at} {size} {file}\n" for file, (size, at) in self.files.items()).encode(), b"")
        if argv[0] == "rm":
            self.done.append(f"rm {' '.join(argv[3:])}")
            for path in argv[3:]:
                self.files.pop(path.rpartition("/")[2], None)
            return ExecResult(0, b"", b"")
        return self.probe

    async def run_like(self, name: str, argv: Sequence[str], *, timeout_s: float) -> ExecResult:
        self.done.append(f"run_like {name} {' '.join(argv)}")
        return self.ran

    async def start(self, name: str) -> None:
        self._act("start", name)
        self.items[name] = replace(self.items[name], state=State.RUNNING, health=Health.HEALTHY)

    async def stop(self, name: str) -> None:
        self._act("stop", name)
        self.items[name] = replace(self.items[name], state=State.EXITED, exit_code=0)

    async def restart(self, name: str) -> None:
        self._act("restart", name)
        self.items[name] = replace(self.items[name], state=State.RUNNING, health=Health.HEALTHY)

    async def set_memory_limit(self, name: str, limit_bytes: int) -> None:
        self._act(f"limit {limit_bytes}", name)

    async def reclaimable(self) -> tuple[Reclaimable, ...]:
        return self.unused

    async def prune(self, kind: str) -> int:
        self.done.append(f"prune {kind}")
        return 1000

    def _act(self, verb: str, name: str) -> None:
        self.ask(verb)
        self.done.append(f"{verb} {name}")


@dataclass
class FakeDatabase:
    answer: Accepts = field(default_factory=lambda: Accepts(True, server_version="15.9"))
    sessions: list[Session] = field(default_factory=lambda: [session(100), session(101, "active")])
    limit: int = 40
    hidden: int = 0
    accepts_failure: SourceError | None = None
    failure: SourceError | None = None
    ended: list[int] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def open(self) -> None: ...

    async def aclose(self) -> None: ...

    async def accepts(self) -> Accepts:
        self.asked.append("accepts")
        if self.accepts_failure is not None:
            raise self.accepts_failure
        return self.answer

    async def activity(self) -> Activity:
        self.asked.append("activity")
        if self.failure is not None:
            raise self.failure
        return Activity(
            server_version="15.9",
            max_connections=self.limit,
            reserved_connections=3,
            sessions=tuple(self.sessions),
            own_sessions=2,
            used=len(self.sessions) + 2,
            by_state={"idle": sum(1 for item in self.sessions if item.state == "idle")},
            hidden=self.hidden,
        )

    async def privileges(self) -> DatabasePrivileges:
        return DatabasePrivileges("sms_user", False, True, True)

    async def select(
        self, query: str, parameters: Mapping[str, Value] | None = None, *, limit: int = 500, timeout_s: float = 5.0
    ) -> Sequence[Mapping[str, Value]]:
        return ()

    async def cancel(self, pid: int, backend_start: float) -> bool:
        found = self._find(pid, backend_start)
        if found:
            self.cancelled.append(pid)
        return found is not None

    async def terminate(self, pid: int, backend_start: float) -> bool:
        found = self._find(pid, backend_start)
        if found is not None:
            self.ended.append(pid)
            self.sessions.remove(found)
        return found is not None

    async def execute(self, statement: str, *, timeout_s: float = 60.0, administer: bool = False) -> None: ...

    async def change(self, statement: str, parameters: Mapping[str, Value] | None = None, *, most_rows: int) -> int:
        return 0

    async def set_password(self, user: str, password: str) -> None: ...

    def _find(self, pid: int, backend_start: float) -> Session | None:
        return next((item for item in self.sessions if (item.pid, item.backend_start) == (pid, backend_start)), None)


@dataclass
class FakeHost:
    free_percent: float = 50.0
    owners: list[PortOwner] = field(default_factory=list)
    available_bytes: int = 4 * GIB
    failure: SourceError | None = None
    ended: list[int] = field(default_factory=list)

    async def open(self) -> None: ...

    async def aclose(self) -> None: ...

    async def disk(self, path: str) -> Disk:
        if self.failure is not None:
            raise self.failure
        return Disk(path, 100 * GIB, int(self.free_percent * GIB))

    async def memory(self) -> Memory:
        return Memory(8 * GIB, self.available_bytes, 0, 0)

    async def port_owners(self, ports: Sequence[int]) -> tuple[PortOwner, ...]:
        if self.failure is not None:
            raise self.failure
        return tuple(owner for owner in self.owners if owner.port in ports)

    async def end_process(self, pid: int, started_at: float) -> bool:
        found = next((item for item in self.owners if (item.pid, item.started_at) == (pid, started_at)), None)
        if found is not None:
            self.ended.append(pid)
            self.owners.remove(found)
        return found is not None


@dataclass
class Stack:
    """The fakes, and the system made of them."""

    engine: FakeEngine = field(default_factory=FakeEngine)
    database: FakeDatabase = field(default_factory=FakeDatabase)
    host: FakeHost = field(default_factory=FakeHost)
    config: SystemConfig = field(default_factory=sms_config)

    @property
    def system(self) -> System:
        return System(config=self.config, host=self.host, engine=self.engine, database=self.database)

    def cut(self) -> None:
        """No source answers any more, for no reason that says anything about the system."""
        for source in (self.engine, self.database, self.host):
            source.failure = timed_out(type(source).__name__)
        self.database.accepts_failure = timed_out("PostgreSQL")


Make = Callable[[Stack], None]


def clock() -> float:
    return NOW


async def checked(stack: Stack, name: str, **parameters: object) -> Outcome:
    """A check made on the stack as it is."""
    check = find_check(name)
    assert check is not None
    readings = Readings(stack.system, wall=clock)
    outcome = await run_check(CheckCall(name, check.parameters.model_validate(parameters)), readings)
    readings.close()
    return outcome
