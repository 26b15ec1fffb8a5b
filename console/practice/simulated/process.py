"""The process of the simulated backend: its start, its connection pool, and what ends it."""

import contextlib
import math
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from console.practice.simulated.behaviour import Defects
from console.practice.simulated.container import Exit, Load, Probe
from console.practice.simulated.log import Log, stamp
from console.practice.simulated.postgres import PostgresServer
from console.practice.simulated.redis import CacheRefused, RedisServer
from console.practice.simulated.service import Address, Service
from console.practice.simulated.sessions import Refused, ServerSession
from console.practice.simulated.surroundings import Surroundings
from console.practice.simulated.traffic import Arrival, Histogram, Traffic

POOL_WANTED = 8
CONNECTION_MIB = 3.0
"""What each connection beyond the usual ones takes of the service's memory."""
POOL_RECYCLE_S = 120.0
THREADS = 16
BACKLOG = 40
"""So many waiting requests the process keeps in its memory; those beyond wait in the kernel's."""
RETRY_S = 2.0
LOADING_S = 4.0
"""How long the process loads what it keeps in memory, when that is much."""
NEW_TIMES, NEW_S = 1.5, 15.0
"""A process that has just begun to serve is so many times slower on top, fading with that time: it has loaded nothing yet."""
SHORT_FROM = 0.9
"""From this share of its memory limit on the process tidies its memory more and more often."""
SHORT_TIMES = 4.0
"""So many times slower on top it is where the limit is reached."""
TIDIES_EVERY_S = 10.0
ELSEWHERE = ("no_route", "unresolved", "elsewhere")
"""Reasons that are not the server's: it was never reached."""


@dataclass(slots=True)
class Process:
    """What runs in the backend's container, or as its unit. `read_environment` gives what it will find at its next start."""

    service: Service
    log: Log
    database: PostgresServer
    cache: RedisServer
    histogram: Histogram
    traffic: Traffic
    chance: random.Random
    slowness: Callable[[float], float]
    read_environment: Callable[[], Mapping[str, str]]
    memory_limit: Callable[[], int | None] = lambda: None
    blocked: set[str] = field(default_factory=set)
    """`host:port` to which packets are dropped on their way."""
    surroundings: Surroundings | None = None
    database_port: int = 5432
    """Under which the machine's packet filter knows the database."""
    environment: dict[str, str] = field(default_factory=dict)
    """What this process was started with."""
    defects: Defects = field(default_factory=Defects)
    leak_bytes_per_s: float = 0.0
    """Memory that the code takes and never gives back, until a restart."""
    cpu_percent: float = 0.0
    """Percent of one core that a runaway thread burns, until a restart; everything else is slower by it."""
    serving: bool = False
    frozen: bool = False
    leaks_every_s: float | None = None
    """A defect of the running code path: so often a connection is taken out of the pool and never given back."""
    wrong_address: str = ""
    """An address in /etc/hosts under which the database is not; the engine writes that file anew at each start."""
    pool: list[ServerSession] = field(default_factory=list)
    leaked: list[ServerSession] = field(default_factory=list)
    trouble: Refused | None = None
    leaked_bytes: float = 0.0
    _started_at: float = 0.0
    _serving_since: float = -math.inf
    _tidied_at: float = 0.0
    _stage: int = 0
    _queue: deque[Arrival] = field(default_factory=deque)
    _blocked: list[tuple[Arrival, ServerSession]] = field(default_factory=list)
    _retry_at: float = 0.0
    _leak_at: float = 0.0
    _answered: int = 0
    _grown_at: float = 0.0

    @property
    def listens_outside(self) -> bool:
        """Whether it takes connections from beyond its container: HOST may tie it to the loopback."""
        return self.serving and self.environment.get("HOST") not in ("127.0.0.1", "localhost")

    # The process ----------------------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        self._started_at, self._stage = now, 0
        self.environment = dict(self.read_environment())
        self.serving = self.frozen = False
        self.leaks_every_s, self.wrong_address, self.trouble = None, "", None
        self.leaked_bytes, self.cpu_percent = 0.0, 0.0
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
        if self.leak_bytes_per_s:
            self.leaked_bytes += self.leak_bytes_per_s * min(1.0, now - self._grown_at)
            self._grown_at = now
        if self.serving and not self.frozen:
            self._tend_pool(now)
        return None

    def stop(self, now: float) -> int:
        if not self.frozen:
            self._info(now, "main", "Shutting down")
        was_frozen, self.serving = self.frozen, False
        self._drop_connections()
        return 137 if was_frozen else 0

    def killed(self) -> None:
        """The kernel ended the process: its connections are gone, nothing was logged."""
        self.serving = False
        self._drop_connections()

    @property
    def out_of_threads(self) -> bool:
        """Whether every thread waits for a connection or for a lock."""
        return len(self._queue) + len(self._blocked) >= THREADS

    def newness(self, now: float) -> float:
        """How many times longer everything takes because the process is young."""
        return 1 + NEW_TIMES * math.exp((self._serving_since - now) / NEW_S)

    def shortage(self, now: float) -> float:
        """How many times longer everything takes for want of memory, which its log tells too; 1 while there is enough."""
        limit = self.memory_limit()
        if limit is None:
            return 1.0
        used = self.load(now).memory_bytes
        short = min(1.0, max(0.0, used / limit - SHORT_FROM) / (1 - SHORT_FROM))
        if short and now >= self._tidied_at:
            self._tidied_at = now + TIDIES_EVERY_S
            took_ms = 80 + 900 * short
            told = f"Garbage collection took {took_ms:.0f} ms and freed 0 MiB, {used >> 20} MiB of {limit >> 20} MiB are in use"
            self.say(now, "WARNING", "memory", told)
        return 1 + SHORT_TIMES * short

    def probe(self, _now: float) -> Probe | None:
        if self.frozen or self.out_of_threads:
            return Probe(-1, "Health check exceeded timeout (3s)")
        if not self.serving:
            return Probe(7, f"curl: (7) Failed to connect to 127.0.0.1 port {self.service.port}: Connection refused")
        return Probe(0, '{"status": "alive"}')

    def load(self, now: float) -> Load:
        age_s = now - self._started_at
        memory = 118 + 6 * self.slowness(now) + 2 * min(len(self._queue), BACKLOG) + 0.6 * len(self.leaked)
        if not self.serving:
            memory = min(60 + 12 * age_s, 118)
        memory += self.leaked_bytes / (1 << 20) + CONNECTION_MIB * max(0, len(self.pool) - POOL_WANTED)
        if self.defects.start_memory_bytes:
            memory = max(memory, min(1.0, age_s / LOADING_S) * self.defects.start_memory_bytes / (1 << 20))
        per_s = 2.0 * self._answered
        cpu = 0.2 if self.frozen else (3.0 + 1.6 * per_s if self.serving else 70.0)
        return Load(cpu + self.cpu_percent, int(memory * (1 << 20)), 900 + 700 * per_s, 1_500 + 2_400 * per_s, 21)

    def _stages(self) -> tuple[tuple[float, Callable[[float], Exit | None]], ...]:
        """What happens how many seconds after the start of the process."""
        listens_after_s = LOADING_S + 1 if self.defects.start_memory_bytes else 2.0
        return ((0.5, self._greet), (1.0, self._import), (1.5, self._migrate), (listens_after_s, self._listen))

    def _greet(self, now: float) -> None:
        self._info(now, "main", self.service.greet(self.environment))

    def _import(self, now: float) -> Exit | None:
        if self.defects.missing_module:
            self.log.err(now, *self.service.missing_module(self.defects.missing_module))
            return Exit(1)
        if self.defects.broken_configuration:
            self.log.err(now, *self.service.broken_configuration())
            return Exit(1)
        missing = next((name for name in self.service.required if not self.environment.get(name)), None)
        if missing is not None:
            self.log.err(now, *self.service.missing_setting(missing))
            return Exit(1)
        wrong = next((name for name in self.service.numbers if not self.environment.get(name, "0").strip().isdigit()), None)
        if wrong is not None:
            self.log.err(now, *self.service.bad_number(wrong, self.environment[wrong]))
            return Exit(1)
        return None

    def _migrate(self, now: float) -> Exit | None:
        refused = self.connection_error(now)
        if refused is not None:
            with contextlib.suppress(Refused):
                self.database.close(self._connect(now))
        if refused is not None and self.service.needs_database:
            self._error(now, "main", f"Startup failed: could not connect to server: {refused}")
            self.log.err(now, *self.service.connecting(refused))
            return Exit(1)
        if refused is not None:
            self._error(now, "main", "Database connection error at start; migrations were not checked")
            self.log.err(now, *self.service.connecting(refused))
            return None
        if self.defects.missing_table:
            error = f'relation "{self.defects.missing_table}" does not exist'
            self._error(now, "main", f"Startup failed: {error}")
            self.log.err(now, *self.service.query_error("UndefinedTable", error))
            return Exit(1)
        if self.service.migrates and self.database.revision != self.service.revision:
            newest = self.service.revision
            problem = f"Can't locate revision identified by '{self.database.revision}' (this release ends at '{newest}')"
            self._error(now, "main", f"Alembic migration failed: {problem}")
            self.log.err(now, *self.service.migration(problem))
            return Exit(1)
        self._info(now, "main", f"Database is at revision {self.database.revision}")
        if self.defects.start_memory_bytes:
            self._info(now, "timetable", "Building the timetable of all semesters in memory")
        return None

    def _listen(self, now: float) -> None:
        self._info(now, "main", f"Listening on port {self.service.port}")
        self.serving, self._serving_since = True, now

    # The pool -------------------------------------------------------------------------------------------------------

    def connection_error(self, now: float) -> str | None:
        """Why a fresh connection to the database would fail, in the driver's words; None when it would not."""
        try:
            address = self._reach()
            self.database.admit(now, user=address.user, password=address.password, database=address.name)
        except Refused as refused:
            return str(refused) if refused.reason in ELSEWHERE else self.service.driver_error(str(refused))
        return None

    def cache_error(self) -> str | None:
        """Why the cache cannot be asked, in the driver's words; None when it can."""
        address = self.service.cache(self.environment)
        if address.host not in self.service.cache_hosts:
            return f"Error -2 connecting to {address.host}:{address.port}. Name or service not known."
        if f"{address.host}:{address.port}" in self.blocked:
            return f"Error 110 connecting to {address.host}:{address.port}. Connection timed out."
        if address.port != 6379 or not self.cache.up:
            return self.service.no_cache(address.host, address.port)
        try:
            self.cache.admit(address.password)
        except CacheRefused as refused:
            return str(refused)
        return None

    def _connect(self, now: float) -> ServerSession:
        """Open a session as the environment says; raises `Refused`."""
        address = self._reach()
        return self.database.connect(
            now,
            self.service.name,
            self.service.address,
            user=address.user,
            password=address.password,
            database=address.name,
        )

    def _reach(self) -> Address:
        """The address of the database that the environment names; raises `Refused` when it leads elsewhere."""
        if self.wrong_address:
            raise Refused("no_route", self.service.no_route(self.wrong_address))
        address = self.service.database(self.environment)
        if address.host not in self.service.database_hosts:
            raise Refused("unresolved", f'could not translate host name "{address.host}" to address: Name or service not known')
        filtered = self.surroundings is not None and self.surroundings.machine.firewall.closes_own(self.database_port)
        if filtered or f"{address.host}:{address.port}" in self.blocked:
            lead = f'connection to server at "{address.host}" ({self.service.database_address}), port {address.port} failed'
            raise Refused("elsewhere", f"{lead}: Connection timed out")
        if address.port != 5432:
            raise Refused(
                "elsewhere",
                f'connection to server at "{address.host}" ({self.service.database_address}), port {address.port} failed: '
                "Connection refused. Is the server running on that host and accepting TCP/IP connections?",
            )
        return address

    def _tend_pool(self, now: float) -> None:
        alive = {id(session) for session in self.database.sessions}
        self.pool = [item for item in self.pool if id(item) in alive]
        self.leaked = [item for item in self.leaked if id(item) in alive]
        for session in [item for item in self._free() if now - item.backend_start > POOL_RECYCLE_S]:
            self.pool.remove(session)
            self.database.close(session)
            break
        if self.leaks_every_s is not None and self.pool and now >= self._leak_at:
            self._leak_at = now + self.leaks_every_s
            self._leak(self.pool.pop(0), now)
        if len(self.pool) < self._pool_wanted and now >= self._retry_at:
            self._open(now)
        for session in self._free():
            query = self.traffic.choose(self.chance).query if self.chance.random() < 0.14 else ""
            if session.busy_until > now and session.state == "active":
                continue
            if query:
                session.run(query, now)
            else:
                session.rest(now)

    def _free(self) -> list[ServerSession]:
        """The pool's connections that wait for no lock."""
        return [item for item in self.pool if item.wait_type != "Lock"] if self.database.locks.waiting else self.pool

    @property
    def _pool_wanted(self) -> int:
        told = self.environment.get(self.service.pool_variable, "")
        return int(told) if told.isdigit() else POOL_WANTED

    def leak(self, idle_s: float, age_s: float, now: float) -> None:
        """Have lost a connection some time ago."""
        session = self.database.connect(now, self.service.name, self.service.address)
        session.backend_start = now - age_s
        self._leak(session, now - idle_s)

    def _leak(self, session: ServerSession, at: float) -> None:
        session.rest(at)
        session.query, session.query_start, session.state_change = self.service.leaked_query, at - 0.2, at
        self.leaked.append(session)

    def _open(self, now: float) -> None:
        for _ in range(min(2, self._pool_wanted - len(self.pool))):
            try:
                self.pool.append(self._connect(now))
                self.trouble = None
            except Refused as refused:
                self.trouble, self._retry_at = refused, now + RETRY_S
                return

    def _drop_connections(self) -> None:
        for session in (*self.pool, *self.leaked):
            self.database.close(session)
        self.pool, self.leaked = [], []
        self._queue.clear()
        self._blocked.clear()

    # Its log -------------------------------------------------------------------------------------------------------

    def say(self, now: float, level: str, logger: str, text: str, *more: str) -> None:
        """Log one line, and what belongs to it; warnings and errors go to standard error."""
        line = f"{stamp(now)} {level} [{self.service.package}.{logger}] {text}"
        if level == "INFO":
            self.log.out(now, line)
        else:
            self.log.err(now, line, *more)

    def _info(self, now: float, logger: str, text: str) -> None:
        self.log.out(now, f"{stamp(now)} INFO [{self.service.package}.{logger}] {text}")

    def _error(self, now: float, logger: str, text: str) -> None:
        self.log.err(now, f"{stamp(now)} ERROR [{self.service.package}.{logger}] {text}")
