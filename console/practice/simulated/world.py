"""One deterministic world: containers, database, cache, traffic and their consequences, advanced lazily to the present.

Nothing runs by itself: whoever asks advances the world to the clock first, in steps of half a second. The same seed and
clock give the same world, however often it was asked.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from console.config import PrometheusConfig, SystemConfig
from console.practice.simulated import tracebacks
from console.practice.simulated.backend import ADDRESS, Backend
from console.practice.simulated.container import Load, Program, SimulatedContainer
from console.practice.simulated.log import Log
from console.practice.simulated.postgres import PostgresServer, Refused
from console.practice.simulated.proxy import Bystander, Proxy
from console.practice.simulated.redis import RedisServer
from console.practice.simulated.traffic import Endpoint, Histogram, choose, requests_per_s, slowness
from console.practice.simulated.volume import GIB, MIB, Volume
from console.sources.metrics.window import ScrapeWindow

TICK_S = 0.5
HISTORY_S = 900.0
SCRAPE_EVERY_S = 5.0
PAST_SCRAPE_EVERY_S = 15.0
"""In the past that is made up at the start: reading a scrape is what costs most there."""
SLICE_TICKS = 20
"""So many steps are made before the event loop may do something else."""
MOST_TICKS = int(HISTORY_S / TICK_S)
"""Longer sleeps of the clock (a suspended machine) are not lived through."""
RELEASE = "sms-backend:1.17.6"


@dataclass(frozen=True, slots=True)
class Scrape:
    """What Prometheus saw of the backend: whether it answered, and its counters of requests and of 5xx answers."""

    at: float
    up: bool
    requests: int = 0
    errors: int = 0


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
class Machine:
    """The machine that all this seems to run on."""

    disk_total_bytes: int = 118 * GIB
    disk_used_bytes: int = 71 * GIB
    listeners: dict[int, Listener] = field(default_factory=dict)
    engine_up: bool = True
    images: dict[str, int] = field(default_factory=lambda: {"sms-backend:1.17.5": 412 * MIB, "sms-backend:1.17.4": 409 * MIB})
    volumes: dict[str, int] = field(default_factory=lambda: {"sms_pgdata_old": 1_730 * MIB})


class World:
    """The simulated stack of one system. `now` is how far it has come, Unix seconds."""

    def __init__(self, config: SystemConfig, *, seed: int, clock: Callable[[], float]) -> None:
        self.config = config
        self.machine = Machine()
        self.scrapes: list[Scrape] = []
        self._clock = clock
        self._chance = random.Random(seed)  # noqa: S311 - a practice world, not a secret
        self._began_at = clock() - HISTORY_S
        self._ticks = 0
        self._schedule: list[tuple[float, Callable[[World], None]]] = []
        self._next_scrape_at = self._began_at
        prometheus = config.prometheus or PrometheusConfig()
        self.window = ScrapeWindow(prometheus)
        self.histogram = Histogram(prometheus.duration, prometheus.endpoint_label, prometheus.status_label)
        backups = config.backups
        self.volume = Volume(config.data_path, backups.path if backups else str(PurePosixPath(config.data_path) / "backups"))
        self.containers: dict[str, SimulatedContainer] = {}
        self._build()

    @property
    def now(self) -> float:
        return self._began_at + self._ticks * TICK_S

    def schedule(self, before_present_s: float, change: Callable[["World"], None]) -> None:
        """Let something happen so many seconds before the time at which the world was made."""
        self._schedule.append((self._began_at + HISTORY_S - before_present_s, change))

    async def settle(self) -> None:
        """Advance to the present, and let others run meanwhile."""
        while self.advance(SLICE_TICKS):  # noqa: ASYNC110 - no event to wait for: this is the work itself
            await asyncio.sleep(0)

    def advance(self, most_ticks: int = MOST_TICKS) -> bool:
        """Advance by at most so many steps; whether the present is still ahead."""
        wanted = int((self._clock() - self._began_at) / TICK_S + 1e-6)
        if wanted - self._ticks > MOST_TICKS:
            self._ticks = wanted - MOST_TICKS
        for _ in range(min(most_ticks, wanted - self._ticks)):
            self._ticks += 1
            self._tick()
        return self._ticks < wanted

    def running(self, role: str) -> bool:
        """Whether the container of a role runs (not: whether it works)."""
        container = self.containers.get(self.config.roles.get(role, ""))
        return container is not None and container.running

    def role(self, role: str) -> SimulatedContainer:
        """The container of a role; KeyError when it was deleted."""
        return self.containers[self.config.roles[role]]

    def reach_proxy(self) -> bool:
        """Whether a client gets through to the proxy."""
        return self.machine.engine_up and self.running("proxy")

    def health(self) -> tuple[int, Mapping[str, object]]:
        """What GET /health of the backend answers: status and body."""
        trouble = self.backend.connection_error(self.now)
        if trouble is None and not self.backend.pool:
            trouble = "QueuePool limit of size 8 overflow 32 reached, connection timed out, timeout 2.00"
        database: dict[str, object] = (
            {"status": "healthy", "latency_ms": 1.4} if trouble is None else {"status": "unhealthy", "error": trouble}
        )
        redis: dict[str, object] = {"status": "healthy", "latency_ms": 0.4}
        if not self.cache.up:
            redis = {"status": "unhealthy", "error": tracebacks.NO_CACHE}
        healthy = trouble is None and self.cache.up
        body = {"status": "healthy" if healthy else "unhealthy", "checks": {"database": database, "redis": redis}}
        return (200 if healthy else 503), body

    def _tick(self) -> None:
        now = self.now
        for due in [item for item in self._schedule if item[0] <= now]:
            self._schedule.remove(due)
            due[1](self)
        sampled = now > self._began_at + HISTORY_S - 5
        for container in list(self.containers.values()):
            container.tick(now, TICK_S, sampled=sampled)
        answered, failed = self._traffic(now)
        if self.database.up:
            self.database.count(now, answered, failed)
        if now >= self._next_scrape_at:
            past = now < self._began_at + HISTORY_S - 90
            self._next_scrape_at = now + (PAST_SCRAPE_EVERY_S if past else SCRAPE_EVERY_S)
            self._scrape(now)

    def _traffic(self, now: float) -> tuple[int, int]:
        """Let the requests of one step arrive; how many were answered well and how many badly."""
        expected = requests_per_s(now - self._began_at) * TICK_S
        count = int(expected + self._chance.random())
        times = [now - TICK_S + TICK_S * (number + self._chance.random()) / count for number in range(count)]
        arrivals: list[tuple[float, Endpoint]] = [(at, choose(self._chance)) for at in times]
        if not self.reach_proxy():
            return 0, 0
        if self.backend.frozen:
            for at, endpoint in arrivals:
                self.proxy.gateway_timeout(at, endpoint)
            return 0, 0
        if not self.backend.serving:
            for at, endpoint in arrivals:
                self.proxy.bad_gateway(at, endpoint)
            return 0, 0
        outcomes = self.backend.answer(arrivals, now, TICK_S)
        for outcome in outcomes:
            self.proxy.access(outcome, now, self._chance)
        failed = sum(1 for outcome in outcomes if outcome.status >= 500)
        return len(outcomes) - failed, failed

    def _scrape(self, now: float) -> None:
        if not (self.running("backend") and self.backend.serving and not self.backend.frozen):
            self.scrapes.append(Scrape(now, up=False))
        else:
            self.window.add(self.histogram.exposition(), now)
            self.scrapes.append(Scrape(now, True, *self.histogram.totals()))
        del self.scrapes[:-200]

    # How it was before the world began ------------------------------------------------------------------------------

    def _build(self) -> None:
        began = self._began_at
        logs = {role: Log() for role in ("database", "cache", "backend", "proxy", "backup", "prometheus")}
        chance = self._chance
        self.database = PostgresServer(self.volume, logs["database"], chance)
        self.cache = RedisServer(logs["cache"], chance)
        self.backend = Backend(
            logs["backend"], self.database, self.cache, self.histogram, chance, lambda now: slowness(now - began)
        )
        self.proxy = Proxy(logs["proxy"], "nginx/1.22.1: start worker processes", Load(1.1, 11 * MIB, 6_000, 14_000, 2))
        backup = Bystander(logs["backup"], "Waiting for the next backup", Load(0.0, 6 * MIB))
        greeting = 'level=info msg="Server is ready to receive web requests."'
        prometheus = Bystander(logs["prometheus"], greeting, Load(1.4, 88 * MIB, 2_600, 900, 9))
        lab = self.config.lab
        self._add("database", "postgres:15", self.database, logs, 384, lab.postgres, 5432, started_h=51)
        self._add("cache", "redis:7", self.cache, logs, 96, lab.redis, 6379, started_h=51)
        self._add("backend", RELEASE, self.backend, logs, 256, lab.backend, 8000, started_h=5.3)
        self._add("proxy", "nginx:1.22", self.proxy, logs, 64, lab.proxy, 8080, started_h=51)
        self._add("backup", "postgres:15", backup, logs, 64, None, None, started_h=51)
        self._add("prometheus", "prom/prometheus:v2.42", prometheus, logs, 256, lab.prometheus, 9090, started_h=51)
        self.database.adopt(began - 51 * 3_600)
        self.cache.adopt(began - 51 * 3_600)
        self.backend.adopt()
        for days in range(7, 0, -1):
            self.write_backup(days, 176 * MIB + days * 3_111_021)
        logs["backup"].out(began - 8 * 3_600, f"Backup written: {self.volume.backup_path}/{next(reversed(self.volume.files))}")
        for _ in range(6):
            try:
                self.backend.pool.append(self.database.connect(began - chance.uniform(1, 100), "sms-backend", ADDRESS))
            except Refused:
                break

    def write_backup(self, days_ago: float, size_bytes: int) -> None:
        """Put a nightly dump of some days ago on the volume."""
        at = self._began_at - 8 * 3_600 - (days_ago - 1) * 86_400
        name = f"student_management_{time.strftime('%Y%m%d_%H%M%S', time.gmtime(at))}.sql.gz"
        self.volume.add(name, size_bytes, at)

    def _add(
        self,
        role: str,
        image: str,
        program: Program,
        logs: dict[str, Log],
        limit_mib: int,
        host_port: int | None,
        port: int | None,
        *,
        started_h: float,
    ) -> None:
        name = self.config.roles.get(role, f"{self.config.name or 'sms'}-{role}")
        container = SimulatedContainer(
            id=f"{self._chance.getrandbits(256):064x}",
            name=name,
            image=image,
            program=program,
            log=logs[role],
            labels={"com.sms.network": "sms", "com.docker.compose.service": role},
            created_at=self._began_at - 51.2 * 3_600,
            memory_limit_bytes=limit_mib * MIB,
            host_port=host_port,
            container_port=port,
        )
        container.adopt(self._began_at - started_h * 3_600, self._began_at)
        self.containers[name] = container
