"""One deterministic world: containers or units, database, cache, traffic and their consequences, advanced lazily to the present.

Nothing runs by itself: whoever asks advances the world to the clock first, in steps of half a second. The same blueprint, seed
and clock give the same world, however often it was asked.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from console.config import SystemConfig
from console.config_sources import PrometheusConfig
from console.practice.simulated.backend import Backend
from console.practice.simulated.blueprint import Blueprint, Part
from console.practice.simulated.container import Load, Program, SimulatedContainer
from console.practice.simulated.limits import RateLimits
from console.practice.simulated.log import Log
from console.practice.simulated.machine import File, Machine
from console.practice.simulated.network import NetworkAround
from console.practice.simulated.postgres import PostgresServer
from console.practice.simulated.proxy import Bystander, Proxy
from console.practice.simulated.redis import RedisServer
from console.practice.simulated.sessions import Refused
from console.practice.simulated.surroundings import Surroundings
from console.practice.simulated.traffic import Arrival, Histogram, Traffic, slowness
from console.practice.simulated.unit import SimulatedUnit
from console.practice.simulated.volume import MIB, Volume
from console.sources.metrics.window import ScrapeWindow

TICK_S = 0.5
HISTORY_S = 900.0
SCRAPE_EVERY_S = 5.0
PAST_SCRAPE_EVERY_S = 15.0
"""In the past that is made up at the start: reading a scrape is what costs most there."""
SLICE_TICKS = 20
"""So many steps are made before the event loop may do something else."""
DRAWN = ("database", "cache", "backend", "proxy", "backup", "prometheus")
"""Roles whose ids are drawn from the world's one chance; a part that is added draws apart, and changes nothing of the rest."""
MOST_TICKS = int(HISTORY_S / TICK_S)
"""Longer sleeps of the clock (a suspended machine) are not lived through."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """What Prometheus saw of the backend: whether it answered, and its counters of requests and of 5xx answers."""

    at: float
    up: bool
    requests: int = 0
    errors: int = 0


class World:
    """The simulated stack of one system. `now` is how far it has come, Unix seconds."""

    def __init__(self, config: SystemConfig, blueprint: Blueprint, *, seed: int, clock: Callable[[], float]) -> None:
        self.config = config
        self.blueprint = blueprint
        self.clock = clock
        self._seed = seed
        self.begin()

    def begin(self) -> None:
        """Be as at first, whatever happened since: well, with a quarter of an hour behind the clock's present to live through."""
        config, blueprint, seed = self.config, self.blueprint, self._seed
        self.machine = Machine(images=dict(blueprint.images), volumes=dict(blueprint.volumes))
        self.network = NetworkAround()
        self.scrapes: list[Scrape] = []
        self.ticks = 0
        self._chance = random.Random(seed)  # noqa: S311 - a practice world, not a secret
        self._others = random.Random(seed + 1)  # noqa: S311
        self._began_at = self.clock() - HISTORY_S
        self.present = self._began_at + HISTORY_S
        """When an operator looks first at what happens; a fault that comes later has a later one."""
        self._schedule: list[tuple[float, Callable[[World], None]]] = []
        self._next_scrape_at = self._began_at
        prometheus = config.prometheus or PrometheusConfig()
        self.window = ScrapeWindow(prometheus)
        self.histogram = Histogram(prometheus.duration, prometheus.endpoint_label, prometheus.status_label)
        self.traffic = Traffic(
            blueprint.endpoints, {item.address: 1 / len(blueprint.clients) for item in blueprint.clients}, seed=seed
        )
        backups = config.backups
        self.volume = Volume(config.data_path, backups.path if backups else str(PurePosixPath(config.data_path) / "backups"))
        self.containers: dict[str, SimulatedContainer] = {}
        self.units: dict[str, SimulatedUnit] = {}
        """By role; `machine.units` has them by name."""
        self._logs: dict[str, Log] = {part.role: Log() for part in blueprint.parts}
        self._build()

    @property
    def now(self) -> float:
        return self._began_at + self.ticks * TICK_S

    def schedule(self, before_present_s: float, change: Callable[["World"], None]) -> None:
        """Let something happen so many seconds before an operator looks first (negative: after it)."""
        self._schedule.append((self.present - before_present_s, change))

    def later(self, after_s: float, change: Callable[["World"], None]) -> None:
        """Let something happen so many seconds from now."""
        self._schedule.append((self.now + after_s, change))

    async def settle(self) -> None:
        """Advance to the present, and let others run meanwhile."""
        while self.advance(SLICE_TICKS):  # noqa: ASYNC110 - no event to wait for: this is the work itself
            await asyncio.sleep(0)

    def advance(self, most_ticks: int = MOST_TICKS) -> bool:
        """Advance by at most so many steps; whether the present is still ahead."""
        wanted = int((self.clock() - self._began_at) / TICK_S + 1e-6)
        if wanted - self.ticks > MOST_TICKS:
            self.ticks = wanted - MOST_TICKS
        for _ in range(min(most_ticks, wanted - self.ticks)):
            self.ticks += 1
            self._tick()
        return self.ticks < wanted

    def running(self, role: str) -> bool:
        """Whether the container or unit of a role runs (not: whether it works)."""
        if role in self.units:
            return self.units[role].running
        container = self.containers.get(self.config.roles.get(role, ""))
        return container is not None and container.running

    def role(self, role: str) -> SimulatedContainer:
        """The container of a role; KeyError when there is none, or it was deleted."""
        return self.containers[self.config.roles[role]]

    def part(self, role: str) -> SimulatedContainer | SimulatedUnit:
        """The container or the unit of a role: both can be started, stopped and asked whether they run."""
        return self.units[role] if role in self.units else self.role(role)

    def restart(self, role: str) -> None:
        """Restart a role's container or unit, as an operator or a deployment does."""
        part = self.part(role)
        part.stop(self.now)
        part.start(self.now)

    def log(self, role: str) -> Log:
        """What a role writes."""
        return self._logs[role]

    def set_variable(self, role: str, name: str, value: str | None) -> None:
        """Change the environment that a role finds at its next start; None takes the variable out."""
        if role in self.units:
            self.machine.set_variable(self.units[role].settings_file, name, value, at=self.now)
            return
        environment = self.role(role).environment
        environment.pop(name, None)
        if value is not None:
            environment[name] = value

    def lose_tables(self, first_missing: str) -> None:
        """Have a database without its tables; `first_missing` is the one that the service notices."""
        self.database.tables.empty()
        self.backend.defects.missing_table = first_missing

    def initialise(self) -> str:
        """Run the script that makes the tables; what it prints."""
        self.database.tables.restore()
        self.backend.defects.missing_table = ""
        return "Creating the tables ... done\nSeeding roles and users ... done\n"

    def upgrade(self) -> str:
        """Run the migrations of the release, from the first where there are no tables; what they print."""
        if self.backend.defects.missing_table or not self.database.table_stats:
            self.database.create_schema()
            self.backend.defects.missing_table = ""
        before, self.database.revision = self.database.revision, self.blueprint.service.revision
        if before == self.database.revision:
            return "INFO  [alembic.runtime.migration] Will assume transactional DDL.\n"
        return f"INFO  [alembic.runtime.migration] Running upgrade {before} -> {self.database.revision}\n"

    def reachable(self) -> bool:
        """Whether a client's connection gets as far as the service, or the proxy before it."""
        if self.blueprint.behind_proxy:
            return self.machine.engine_up and self.running("proxy")
        if "backend" in self.units:
            return self.units["backend"].running and self.backend.serving
        return self.machine.engine_up and self.running("backend") and self.backend.listens_outside

    def _tick(self) -> None:
        now = self.now
        for due in [item for item in self._schedule if item[0] <= now]:
            self._schedule.remove(due)
            due[1](self)
        sampled = now > self._began_at + HISTORY_S - 5
        parts: list[SimulatedContainer | SimulatedUnit] = [*self.containers.values(), *self.units.values()]
        for part in parts:
            part.tick(now, TICK_S, sampled=sampled)
        answered, failed = self._traffic(now)
        if self.database.up:
            self.database.count(now, answered, failed)
        if now >= self._next_scrape_at:
            past = now < self._began_at + HISTORY_S - 90
            self._next_scrape_at = now + (PAST_SCRAPE_EVERY_S if past else SCRAPE_EVERY_S)
            self._scrape(now)

    def _traffic(self, now: float) -> tuple[int, int]:
        """Let the requests of one step arrive; how many were answered well and how many badly."""
        arrivals = self.traffic.arrivals(self._chance, now, now - self._began_at, TICK_S)
        if not self.reachable():
            return 0, 0
        if self.backend.frozen or not self.backend.serving:
            if self.proxy is not None:
                self._turned_away(self.proxy, arrivals)
            return 0, 0
        outcomes = self.backend.answer(arrivals, now, TICK_S)
        if self.proxy is not None:
            for outcome in outcomes:
                self.proxy.access(outcome, now, self._chance)
        failed = sum(1 for outcome in outcomes if outcome.status >= 500)
        return len(outcomes) - failed, failed

    def _turned_away(self, proxy: Proxy, arrivals: list[Arrival]) -> None:
        for arrival in arrivals:
            if self.backend.frozen:
                proxy.gateway_timeout(arrival)
            else:
                proxy.bad_gateway(arrival)

    def _scrape(self, now: float) -> None:
        if not (self.running("backend") and self.backend.serving and not self.backend.frozen):
            self.scrapes.append(Scrape(now, up=False))
        else:
            self.window.add(self.histogram.exposition(), now)
            self.scrapes.append(Scrape(now, True, *self.histogram.totals()))
        del self.scrapes[:-200]

    # How it was before the world began ------------------------------------------------------------------------------

    def _build(self) -> None:
        began, chance, service = self._began_at, self._chance, self.blueprint.service
        postgres = urlsplit(self.config.postgres.dsn) if self.config.postgres else urlsplit("")
        self.database = PostgresServer(
            self.volume,
            self._logs["database"],
            chance,
            system=self.blueprint.name,
            name=postgres.path.lstrip("/") or self.blueprint.name,
            user=postgres.username or "",
            given_password=self.blueprint.password,
            revision=service.revision,
        )
        self.database.roles[self.database.user] = self.blueprint.password
        self.cache = RedisServer(
            self._logs["cache"],
            chance,
            system=self.blueprint.name,
            given_password=self.blueprint.cache_password,
            config={"requirepass": self.blueprint.cache_password},
        )
        self.backend = Backend(
            service,
            self._logs["backend"],
            self.database,
            self.cache,
            self.histogram,
            self.traffic,
            chance,
            lambda now: slowness(now - began),
            lambda: self._environment("backend"),
            lambda: self._memory_limit("backend"),
            blocked=self.network.blocked,
            users={item.address: item for item in self.blueprint.clients if item.user},
            limits=RateLimits(self.config.rate_limits),
            surroundings=Surroundings(self.machine, self.network, self._user_of("backend")),
            database_port=self.config.lab.postgres,
        )
        self.proxy: Proxy | None = None
        for part in self.blueprint.parts:
            if part.unit:
                self._add_unit(part, self._program(part))
            else:
                self._add_container(part, self._program(part))
        self.database.adopt(began - 51 * 3_600)
        self.cache.adopt(began - 51 * 3_600)
        self.backend.adopt()
        for days in range(7, 0, -1):
            self.write_backup(days, 176 * MIB + days * 3_111_021)
        if "backup" in self._logs:
            newest = next(reversed(self.volume.files))
            self._logs["backup"].out(began - 8 * 3_600, f"Backup written: {self.volume.backup_path}/{newest}")
        self.blueprint.furnish(self)
        for _ in range(6):
            try:
                at = began - chance.uniform(1, 100)
                self.backend.pool.append(self.database.connect(at, service.name, service.address))
            except Refused:
                break

    def write_backup(self, days_ago: float, size_bytes: int) -> None:
        """Put a nightly dump of some days ago on the volume."""
        at = self._began_at - 8 * 3_600 - (days_ago - 1) * 86_400
        self.volume.add(time.strftime(self.blueprint.backup_name, time.gmtime(at)), size_bytes, at)

    def _user_of(self, role: str) -> str:
        return next(part.user for part in self.blueprint.parts if part.role == role)

    def _environment(self, role: str) -> dict[str, str]:
        if role in self.units:
            return self.machine.environment(self.units[role].settings_file)
        name = self.config.roles.get(role, "")
        return self.containers[name].environment if name in self.containers else {}

    def _memory_limit(self, role: str) -> int | None:
        found = self.units.get(role) or self.containers.get(self.config.roles.get(role, ""))
        return found.memory_limit_bytes if found is not None else None

    def own_words(self, environment: Mapping[str, str]) -> dict[str, str]:
        """A blueprint's environment with this system's own names: `{user}`, `{password}` and `{database}` of PostgreSQL, and
        the host ports of its lab (`{frontend}`)."""
        server = self.database
        words = {"user": server.user, "password": self.blueprint.password, "database": server.name}
        words |= {name: str(port) for name, port in self.config.lab}
        return {name: value.format_map(words) for name, value in environment.items()}

    def _program(self, part: Part) -> Program:
        if part.role == "proxy" and self.blueprint.behind_proxy:
            self.proxy = Proxy(self._logs["proxy"], part.greeting, part.usage or Load(1.0, 11 * MIB))
            return self.proxy
        own: dict[str, Program] = {"database": self.database, "cache": self.cache, "backend": self.backend}
        return own.get(part.role) or Bystander(self._logs[part.role], part.greeting, part.usage or Load(1.0, 32 * MIB))

    def _add_container(self, part: Part, program: Program) -> None:
        number, config = len(self.containers), self.config
        name = config.roles.get(part.role, f"{config.name or self.blueprint.name}-{part.role}")
        wanted = (config.engine.select.get("label", "") if config.engine else "").partition("=")
        label = {wanted[0]: wanted[2]} if wanted[0] else {}
        container = SimulatedContainer(
            id=f"{(self._chance if part.role in DRAWN else self._others).getrandbits(256):064x}",
            name=name,
            image=part.image,
            program=program,
            log=self._logs[part.role],
            labels={**label, "com.docker.compose.service": part.role},
            created_at=self._began_at - 51.2 * 3_600,
            memory_limit_bytes=part.limit_mib * MIB,
            host_port=getattr(config.lab, part.lab_port) if part.lab_port else None,
            container_port=part.port,
            command=tuple(part.command.split()),
            restart_policy=part.restart,
            network=self.blueprint.network,
            address=f"172.18.0.{number + 3}",
            aliases=part.names,
            environment=self.own_words(part.environment),
            mounts=list(part.mounts),
        )
        self.containers[name] = container
        container.adopt(self._began_at - part.started_h * 3_600, self._began_at)

    def _add_unit(self, part: Part, program: Program) -> None:
        config, machine = self.config, self.machine
        name = config.units.get(part.role, part.unit)
        settings = config.settings_files.get(part.role, part.settings_file)
        unit = SimulatedUnit(
            name=name,
            program=program,
            log=self._logs[part.role],
            user=part.user,
            command=part.command,
            pid=700 + 113 * len(self.units),
            port=getattr(config.lab, part.lab_port) if part.lab_port else part.port,
            settings_file=settings,
        )
        self.units[part.role] = machine.units[name] = unit
        if part.environment:
            lines = "".join(f"{key}={value}\n" for key, value in self.own_words(part.environment).items())
            machine.write(settings, lines, owner=part.user, mode=0o600, at=self._began_at - 51 * 3_600)
        log_file = config.log_files.get(part.role, part.log_file)
        if log_file:
            machine.files[log_file] = File(part.user, "adm", 0o640, log=unit.log)
        unit.adopt(self._began_at - part.started_h * 3_600, self._began_at)
