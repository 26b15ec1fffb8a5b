"""The sources of one configured system, live or simulated, behind the same protocols."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from console.config import SystemConfig
from console.reading import FailureKind, SourceError
from console.sources.protocols.cache import Cache
from console.sources.protocols.database import Database
from console.sources.protocols.endpoint import Endpoints
from console.sources.protocols.engine import Engine
from console.sources.protocols.host import Host
from console.sources.protocols.metrics import Metrics
from console.text import Secrets


@dataclass(slots=True)
class System:
    """What screens, walks and commands ask. A source that is not configured is None; `need_*` turns that into an error."""

    config: SystemConfig
    host: Host
    engine: Engine | None = None
    database: Database | None = None
    cache: Cache | None = None
    metrics: Metrics | None = None
    endpoints: Endpoints | None = None
    secrets: Secrets = field(default_factory=Secrets)
    on_close: Callable[[], None] | None = None
    """Called once after the sources are closed (the simulated world stops its clock)."""

    @property
    def name(self) -> str:
        return self.config.name

    def container(self, role: str) -> str:
        """The container that plays a role; raises NOT_CONFIGURED when the config names none."""
        if role not in self.config.roles:
            raise _absent(f"role {role!r}", f'{role} = "container-name" under [systems.{self.name}.roles]')
        return self.config.roles[role]

    def need_engine(self) -> Engine:
        if self.engine is None:
            raise _absent("container engine", f"[systems.{self.name}.engine]")
        return self.engine

    def need_database(self) -> Database:
        if self.database is None:
            raise _absent("PostgreSQL", f"[systems.{self.name}.postgres]")
        return self.database

    def need_cache(self) -> Cache:
        if self.cache is None:
            raise _absent("Redis", f"[systems.{self.name}.redis]")
        return self.cache

    def need_metrics(self) -> Metrics:
        if self.metrics is None:
            raise _absent("Prometheus", f"[systems.{self.name}.prometheus]")
        return self.metrics

    def need_endpoints(self) -> Endpoints:
        if self.endpoints is None:
            raise _absent("HTTP endpoint", f"[systems.{self.name}.endpoints]")
        return self.endpoints

    async def open(self) -> None:
        """Open every source; opening only prepares, it waits for no network and raises for no server that is away."""
        await asyncio.gather(*(source.open() for source in self._sources()))

    async def aclose(self) -> None:
        """Close every source, whatever state it is in, within two seconds."""
        closing = [asyncio.ensure_future(source.aclose()) for source in self._sources()]
        if closing:
            _, late = await asyncio.wait(closing, timeout=1.5)
            for task in late:
                task.cancel()
        if self.on_close is not None:
            self.on_close()

    def _sources(self) -> list[Host | Engine | Database | Cache | Metrics | Endpoints]:
        found = (self.host, self.engine, self.database, self.cache, self.metrics, self.endpoints)
        return [source for source in found if source is not None]


def live_system(config: SystemConfig) -> System:
    """The live sources of a configured system. Nothing is imported or opened before it is needed."""
    from console.sources.docker.source import DockerEngine
    from console.sources.endpoint import HttpEndpoints
    from console.sources.host import LocalHost
    from console.sources.metrics import ServiceMetrics
    from console.sources.postgres.source import Postgres
    from console.sources.redis.source import Redis

    secrets = Secrets()
    for table in (config.postgres, config.redis):
        if table is not None:
            secrets.add(table.find_password())
    if config.postgres is not None:
        secrets.add(config.postgres.find_emergency_password())
    return System(
        config=config,
        host=LocalHost(),
        engine=DockerEngine(config.engine, names=tuple(config.roles.values())) if config.engine else None,
        database=Postgres(config.postgres, key=f"systems.{config.name}.postgres", secrets=secrets) if config.postgres else None,
        cache=Redis(config.redis, key=f"systems.{config.name}.redis", secrets=secrets) if config.redis else None,
        metrics=ServiceMetrics(config.prometheus) if config.prometheus else None,
        endpoints=HttpEndpoints(config.endpoints) if config.endpoints else None,
        secrets=secrets,
    )


def _absent(what: str, key: str) -> SourceError:
    return SourceError(FailureKind.NOT_CONFIGURED, f"No {what} is configured.", f"Set {key} in config.toml.")
