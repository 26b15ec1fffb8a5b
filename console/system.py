"""The sources of one configured system, live or simulated, behind the same protocols."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from console.config import SystemConfig
from console.config_sources import EngineConfig, PostgresConfig, PrometheusConfig, RedisConfig, expand
from console.reading import FailureKind, SourceError
from console.text import Secrets

if TYPE_CHECKING:
    from console.sources.protocols.cache import Cache
    from console.sources.protocols.database import Database
    from console.sources.protocols.endpoint import Endpoints
    from console.sources.protocols.engine import Engine, Workloads
    from console.sources.protocols.host import Host
    from console.sources.protocols.metrics import Metrics
    from console.sources.protocols.network import Network

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Later(Generic[T]):
    """A source that is made when it is first asked for, so that `triage check` pays only for what its issue reads."""

    make: Callable[[], T]


class System:
    """What screens, walks and commands ask. A source that is not configured is None; `need_*` turns that into an error.

    `clock` is the time that the system lives in, Unix seconds: ages are told by it (a simulated stack may have its own).
    `elapsed` counts its seconds without ever jumping, `pause` lets so many of them pass.
    `on_close` is called once after the sources are closed (the simulated world stops its clock).
    """

    def __init__(
        self,
        config: SystemConfig,
        *,
        host: "Host | Later[Host]",
        engine: "Engine | Later[Engine] | None" = None,
        database: "Database | Later[Database] | None" = None,
        cache: "Cache | Later[Cache] | None" = None,
        metrics: "Metrics | Later[Metrics] | None" = None,
        endpoints: "Endpoints | Later[Endpoints] | None" = None,
        network: "Network | Later[Network] | None" = None,
        clock: Callable[[], float] = time.time,
        elapsed: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        secrets: Secrets | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self.config = config
        self.secrets = secrets or Secrets()
        self._sources: dict[str, Any] = {
            "host": host,
            "engine": engine,
            "database": database,
            "cache": cache,
            "metrics": metrics,
            "endpoints": endpoints,
            "network": network,
        }
        self.clock = clock
        self.elapsed = elapsed
        self.pause = pause
        self._on_close = on_close

    @property
    def host(self) -> "Host":
        found: Host = self._source("host")
        return found

    @property
    def engine(self) -> "Engine | None":
        found: Engine | None = self._source("engine")
        return found

    @property
    def database(self) -> "Database | None":
        found: Database | None = self._source("database")
        return found

    @property
    def cache(self) -> "Cache | None":
        found: Cache | None = self._source("cache")
        return found

    @property
    def metrics(self) -> "Metrics | None":
        found: Metrics | None = self._source("metrics")
        return found

    @property
    def endpoints(self) -> "Endpoints | None":
        found: Endpoints | None = self._source("endpoints")
        return found

    @property
    def network(self) -> "Network | None":
        found: Network | None = self._source("network")
        return found

    @property
    def name(self) -> str:
        return self.config.name

    def container(self, role: str) -> str:
        """The container that plays a role; raises NOT_CONFIGURED when the config names none."""
        if role not in self.config.roles:
            raise _absent(f"role {role!r}", f'{role} = "container-name" under [systems.{self.name}.roles]')
        return self.config.roles[role]

    def need_engine(self) -> "Engine":
        if self.engine is None:
            raise _absent("container engine", f"[systems.{self.name}.engine]")
        return self.engine

    def need_workloads(self) -> "Workloads":
        """What the system runs: its containers, or the services of its machine."""
        if not self.config.runs_on_machine:
            return self.need_engine()
        from console.sources.host.services import MachineServices

        return MachineServices(self.host, self.config.units, self.config.log_files, clock=self.clock)

    def need_database(self) -> "Database":
        if self.database is None:
            raise _absent("PostgreSQL", f"[systems.{self.name}.postgres]")
        return self.database

    def need_cache(self) -> "Cache":
        if self.cache is None:
            raise _absent("Redis", f"[systems.{self.name}.redis]")
        return self.cache

    def need_metrics(self) -> "Metrics":
        if self.metrics is None:
            raise _absent("Prometheus", f"[systems.{self.name}.prometheus]")
        return self.metrics

    def need_endpoints(self) -> "Endpoints":
        if self.endpoints is None:
            raise _absent("HTTP endpoint", f"[systems.{self.name}.endpoints]")
        return self.endpoints

    def need_network(self) -> "Network":
        if self.network is None:
            raise SourceError(FailureKind.UNSUPPORTED, "This stack has no network that could be asked.")
        return self.network

    async def open(self) -> None:
        """Open what is made already; opening only prepares, it waits for no network and raises for no server that is away.

        A live source prepares itself with its first question.
        """
        await asyncio.gather(*(source.open() for source in self._made()))

    async def aclose(self) -> None:
        """Close every source, whatever state it is in, within two seconds."""
        closing = [asyncio.ensure_future(source.aclose()) for source in self._made()]
        if closing:
            _, late = await asyncio.wait(closing, timeout=1.5)
            for task in late:
                task.cancel()
        if self._on_close is not None:
            self._on_close()

    def _source(self, name: str) -> Any:
        found = self._sources[name]
        if isinstance(found, Later):
            found = self._sources[name] = found.make()
        return found

    def _made(self) -> list[Any]:
        return [source for source in self._sources.values() if source is not None and not isinstance(source, Later)]


def live_system(config: SystemConfig) -> System:
    """The live sources of a configured system. Nothing is imported, made or opened before it is needed."""
    secrets = Secrets()
    for table in (config.postgres, config.redis):
        if table is not None:
            secrets.add(table.find_password())
    if config.postgres is not None:
        secrets.add(config.postgres.find_emergency_password())
    key = f"systems.{config.name}"

    def host() -> "Host":
        if config.host.kind == "container":
            from console.sources.host.container import ContainerHost

            return ContainerHost(system.need_engine, config.host.container)
        from console.sources.host import LocalHost

        return LocalHost()

    def engine(settings: EngineConfig) -> "Engine":
        from console.sources.docker.source import DockerEngine

        return DockerEngine(settings, names=tuple(config.roles.values()))

    def database(settings: PostgresConfig) -> "Database":
        from console.sources.postgres.source import Postgres

        return Postgres(settings, key=f"{key}.postgres", secrets=secrets)

    def cache(settings: RedisConfig) -> "Cache":
        from console.sources.redis.source import Redis

        return Redis(settings, key=f"{key}.redis", secrets=secrets)

    def metrics(settings: PrometheusConfig) -> "Metrics":
        from console.sources.metrics import ServiceMetrics

        return ServiceMetrics(settings)

    def endpoints() -> "Endpoints":
        from console.sources.endpoint import HttpEndpoints

        return HttpEndpoints(config.endpoints)

    def network() -> "Network":
        from console.sources.network.source import LiveNetwork

        return LiveNetwork(tuple(str(expand(item.authority)) for item in config.certificates.values() if item.authority))

    system = System(
        config,
        host=Later(host),
        engine=Later(partial(engine, config.engine)) if config.engine else None,
        database=Later(partial(database, config.postgres)) if config.postgres else None,
        cache=Later(partial(cache, config.redis)) if config.redis else None,
        metrics=Later(partial(metrics, config.prometheus)) if config.prometheus else None,
        endpoints=Later(endpoints) if config.endpoints else None,
        network=Later(network),
        secrets=secrets,
    )
    return system


def _absent(what: str, key: str) -> SourceError:
    return SourceError(FailureKind.NOT_CONFIGURED, f"No {what} is configured.", f"Set {key} in config.toml.")
