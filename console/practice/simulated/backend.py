"""The simulated backend: its start, its connection pool, its requests, and how it fails."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from console.practice.simulated import tracebacks
from console.practice.simulated.container import Exit, Load, Probe
from console.practice.simulated.log import Log, stamp
from console.practice.simulated.postgres import PostgresServer, Refused, ServerSession
from console.practice.simulated.redis import RedisServer
from console.practice.simulated.traffic import LOGIN, Endpoint, Histogram, choose

ADDRESS = "172.18.0.5"
NEWEST_REVISION = "0003_login_event"
POOL_WANTED = 8
POOL_TIMEOUT_S = 4.0
POOL_RECYCLE_S = 120.0
HOLD_S = 0.05
"""How long a request keeps a connection."""
THREADS = 16
RETRY_S = 2.0
LOADING_S = 4.0
"""How long the process loads what it keeps in memory, when that is much."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the backend logs beside a failed answer."""

    text: str
    traceback: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answered request; `at` is when the answer was sent."""

    at: float
    endpoint: Endpoint
    status: int
    elapsed_s: float
    why: Complaint | None = None


@dataclass(slots=True)
class Defects:
    """What is wrong with the container's files or environment: a restart of the process does not change it."""

    missing_module: str = ""
    broken_configuration: bool = False
    start_memory_bytes: int = 0
    """What loading everything at the start takes, when that is more than usual."""


@dataclass(slots=True)
class Backend:
    """The process of the backend's container."""

    log: Log
    database: PostgresServer
    cache: RedisServer
    histogram: Histogram
    chance: random.Random
    slowness: Callable[[float], float]
    defects: Defects = field(default_factory=Defects)
    serving: bool = False
    frozen: bool = False
    leaks_every_s: float | None = None
    """A defect of the running code path: so often a connection is taken out of the pool and never given back."""
    wrong_address: str = ""
    """An address in /etc/hosts under which the database is not; the engine writes that file anew at each start."""
    pool: list[ServerSession] = field(default_factory=list)
    leaked: list[ServerSession] = field(default_factory=list)
    trouble: Refused | None = None
    _started_at: float = 0.0
    _stage: int = 0
    _queue: deque[tuple[float, Endpoint]] = field(default_factory=deque)
    _retry_at: float = 0.0
    _leak_at: float = 0.0
    _traceback_at: float = 0.0
    _cache_missed_at: float = 0.0
    _answered: int = 0

    # The process ----------------------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        self._started_at, self._stage = now, 0
        self.serving = self.frozen = False
        self.leaks_every_s, self.wrong_address, self.trouble = None, "", None
        self.histogram.clear()
        self._drop_connections()

    def adopt(self) -> None:
        """Have been serving since long before the world began."""
        self.serving, self._stage = True, len(self._stages())

    def tick(self, now: float) -> Exit | None:
        stages = self._stages()
        while self._stage < len(stages) and now - self._started_at >= stages[self._stage][0]:
            ended = stages[self._stage][1](now)
            self._stage += 1
            if ended is not None:
                self._drop_connections()
                self.serving = False
                return ended
        if self.serving and not self.frozen:
            self._tend_pool(now)
        return None

    def stop(self, now: float) -> int:
        if not self.frozen:
            self._info(now, "backend.main", "Shutting down")
        was_frozen, self.serving = self.frozen, False
        self._drop_connections()
        return 137 if was_frozen else 0

    def killed(self) -> None:
        """The kernel ended the process: its connections are gone, nothing was logged."""
        self.serving = False
        self._drop_connections()

    def probe(self, _now: float) -> Probe | None:
        if self.frozen or len(self._queue) >= THREADS:
            return Probe(-1, "Health check exceeded timeout (3s)")
        if not self.serving:
            return Probe(7, "curl: (7) Failed to connect to 127.0.0.1 port 8000: Connection refused")
        return Probe(0, '{"status": "alive"}')

    def load(self, now: float) -> Load:
        age_s = now - self._started_at
        memory = 118 + 6 * self.slowness(now) + 2 * len(self._queue) + 0.6 * len(self.leaked)
        if not self.serving:
            memory = min(60 + 12 * age_s, 118)
        if self.defects.start_memory_bytes:
            memory = max(memory, min(1.0, age_s / LOADING_S) * self.defects.start_memory_bytes / (1 << 20))
        per_s = 2.0 * self._answered
        cpu = 0.2 if self.frozen else (3.0 + 1.6 * per_s if self.serving else 70.0)
        return Load(cpu, int(memory * (1 << 20)), 900 + 700 * per_s, 1_500 + 2_400 * per_s, 21)

    def _stages(self) -> tuple[tuple[float, Callable[[float], Exit | None]], ...]:
        """What happens how many seconds after the start of the process."""
        listens_after_s = LOADING_S + 1 if self.defects.start_memory_bytes else 2.0
        return ((0.5, self._greet), (1.0, self._import), (1.5, self._migrate), (listens_after_s, self._listen))

    def _greet(self, now: float) -> None:
        self._info(now, "backend.main", "Starting backend 1.17.6, AUTH_MODE=permissive, semester Current semester")

    def _import(self, now: float) -> Exit | None:
        if self.defects.missing_module:
            self.log.err(now, *tracebacks.missing_module(self.defects.missing_module))
            return Exit(1)
        if self.defects.broken_configuration:
            self.log.err(now, *tracebacks.BROKEN_CONFIGURATION)
            return Exit(1)
        return None

    def _migrate(self, now: float) -> Exit | None:
        refused = self.connection_error(now)
        if refused is not None:
            self._error(now, "backend.main", "Database connection error at start; migrations were not checked")
            self.log.err(now, *tracebacks.connecting(refused))
            return None
        if self.database.revision != NEWEST_REVISION:
            problem = f"Can't locate revision identified by '{self.database.revision}' (this release ends at '{NEWEST_REVISION}')"
            self._error(now, "backend.main", f"Alembic migration failed: {problem}")
            self.log.err(now, *tracebacks.migration(problem))
            return Exit(1)
        self._info(now, "backend.main", f"Database is at revision {self.database.revision}")
        if self.defects.start_memory_bytes:
            self._info(now, "backend.timetable", "Building the timetable of all semesters in memory")
        return None

    def _listen(self, now: float) -> None:
        self._info(now, "backend.main", "Listening on port 8000")
        self.serving = True

    # The pool -------------------------------------------------------------------------------------------------------

    def connection_error(self, now: float) -> str | None:
        """Why a fresh connection to the database would fail, in the driver's words; None when it would not."""
        if self.wrong_address:
            return tracebacks.NO_ROUTE.format(address=self.wrong_address)
        try:
            self.database.admit(now)
        except Refused as refused:
            return tracebacks.driver_error(str(refused))
        return None

    def _tend_pool(self, now: float) -> None:
        alive = {id(session) for session in self.database.sessions}
        self.pool = [item for item in self.pool if id(item) in alive]
        self.leaked = [item for item in self.leaked if id(item) in alive]
        for session in [item for item in self.pool if now - item.backend_start > POOL_RECYCLE_S]:
            self.pool.remove(session)
            self.database.close(session)
            break
        if self.leaks_every_s is not None and self.pool and now >= self._leak_at:
            self._leak_at = now + self.leaks_every_s
            self._leak(self.pool.pop(0), now)
        if len(self.pool) < POOL_WANTED and now >= self._retry_at:
            self._open(now)
        for session in self.pool:
            if self.chance.random() < 0.14:
                session.run(choose(self.chance).query, now)
            else:
                session.rest(now)

    def leak(self, idle_s: float, age_s: float, now: float) -> None:
        """Have lost a connection some time ago."""
        session = self.database.connect(now, "sms-backend", ADDRESS)
        session.backend_start = now - age_s
        self._leak(session, now - idle_s)

    def _leak(self, session: ServerSession, at: float) -> None:
        session.rest(at)
        session.query, session.query_start, session.state_change = tracebacks.EXPORT_QUERY, at - 0.2, at
        self.leaked.append(session)

    def _open(self, now: float) -> None:
        if self.wrong_address:
            self.trouble = Refused("no_route", tracebacks.NO_ROUTE.format(address=self.wrong_address))
            self._retry_at = now + RETRY_S
            return
        for _ in range(min(2, POOL_WANTED - len(self.pool))):
            try:
                self.pool.append(self.database.connect(now, "sms-backend", ADDRESS))
                self.trouble = None
            except Refused as refused:
                self.trouble, self._retry_at = refused, now + RETRY_S
                return

    def _drop_connections(self) -> None:
        for session in (*self.pool, *self.leaked):
            self.database.close(session)
        self.pool, self.leaked = [], []
        self._queue.clear()

    # The requests ---------------------------------------------------------------------------------------------------

    def answer(self, arrivals: list[tuple[float, Endpoint]], now: float, elapsed_s: float) -> list[Outcome]:
        """Take in requests (time, endpoint) and give back those that are answered by now, in the order of their answers."""
        outcomes = []
        slowness = self.slowness(now)
        if not self.cache.up and now >= self._cache_missed_at:
            self._cache_missed_at = now + RETRY_S
            self.log.err(now, f"{stamp(now)} WARNING [backend.cache] Cache read failed: {tracebacks.NO_CACHE}")
        for at, endpoint in arrivals:
            if endpoint.path.endswith("/grades") and self.cache.lookup(now):
                wait_s = self.chance.uniform(0.4, 2.4) if len(self._queue) >= THREADS else 0.0
                outcomes.append(self._done(at, endpoint, 200, wait_s + self.chance.lognormvariate(-5.6, 0.4)))
            else:
                self._queue.append((at, endpoint))
        capacity = int(len(self.pool) * elapsed_s / HOLD_S)
        while self._queue and capacity > 0:
            at, endpoint = self._queue.popleft()
            capacity -= 1
            outcomes.append(self._served(at, endpoint, max(0.0, now - elapsed_s - at), slowness, now))
        at_once = self.trouble is not None and self.trouble.reason != "too_many_clients"
        while self._queue and not self.pool and (at_once or now - self._queue[0][0] >= POOL_TIMEOUT_S):
            at, endpoint = self._queue.popleft()
            elapsed = 0.006 + 0.004 * self.chance.random() if at_once else POOL_TIMEOUT_S + 0.05 * self.chance.random()
            outcomes.append(self._failed(at, endpoint, elapsed, now))
        outcomes.sort(key=lambda outcome: outcome.at)
        self._answered = len(outcomes)
        for outcome in outcomes:
            self._report(outcome, min(outcome.at, now))
        return outcomes

    def _served(self, at: float, endpoint: Endpoint, waited_s: float, slowness: float, now: float) -> Outcome:
        elapsed_s = waited_s + endpoint.median_s * slowness * self.chance.lognormvariate(0, 0.5)
        if endpoint is LOGIN and self.database.volume.full:
            self.database.complain_of_space(now)
            return self._done(at, endpoint, 500, elapsed_s, Complaint("Database error", tracebacks.NO_SPACE_LEFT))
        rejected = endpoint is LOGIN and self.chance.random() < 0.03
        return self._done(at, endpoint, 401 if rejected else 200, elapsed_s)

    def _failed(self, at: float, endpoint: Endpoint, elapsed_s: float, now: float) -> Outcome:
        if self.trouble is None or self.trouble.reason == "too_many_clients":
            why = Complaint("Connection pool exhausted", tracebacks.pool_timeout(POOL_TIMEOUT_S))
        else:
            error = self.connection_error(now) or tracebacks.driver_error(str(self.trouble))
            why = Complaint("Database connection error", tracebacks.connecting(error))
        return self._done(at, endpoint, 500, elapsed_s, why)

    def _done(self, at: float, endpoint: Endpoint, status: int, elapsed_s: float, why: Complaint | None = None) -> Outcome:
        self.histogram.observe(endpoint, status, elapsed_s)
        return Outcome(at + elapsed_s, endpoint, status, elapsed_s, why)

    def _report(self, outcome: Outcome, at: float) -> None:
        """Log an answer; the traceback of a failed one at most once a second, as the service's own log filter does."""
        request = f"{outcome.endpoint.method} {outcome.endpoint.path}"
        if outcome.why is not None:
            self._error(at, "backend.api", f"{outcome.why.text} while answering {request}")
            if at >= self._traceback_at:
                self._traceback_at = at + 1
                self.log.err(at, *outcome.why.traceback)
        line = f"{request} {outcome.status} {outcome.elapsed_s * 1000:.0f}ms request_id={self.chance.getrandbits(48):012x}"
        (self._error if outcome.status >= 500 else self._info)(at, "backend.api", line)

    def _info(self, now: float, logger: str, text: str) -> None:
        self.log.out(now, f"{stamp(now)} INFO [{logger}] {text}")

    def _error(self, now: float, logger: str, text: str) -> None:
        self.log.err(now, f"{stamp(now)} ERROR [{logger}] {text}")
