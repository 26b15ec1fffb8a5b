"""Redis of a simulated stack: INFO, SLOWLOG and CLIENT LIST of the world, read by the parsers of the live source."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from console.config_sources import RedisConfig
from console.practice.simulated.redis import CacheRefused
from console.practice.simulated.world import World
from console.sources.protocols.cache import CacheClient, CacheInfo, CacheKey, CachePrivileges
from console.sources.redis import answers
from console.sources.redis.failures import Place, failure, timed_out
from console.text import Secrets

PING_S = 0.000_4
MOST_VALUE_BYTES = 64 << 10
PATIENCE_S = 2.0
"""A server that takes longer for a command does not answer, for whoever asks."""


class SimulatedCache:
    """Implements `console.sources.protocols.cache.Cache` on a world. `key` is the config's table, for advice."""

    def __init__(self, world: World, config: RedisConfig, *, key: str) -> None:
        self._world = world
        address = urlsplit(config.url)
        self._place = Place(
            address=f"{address.hostname}:{address.port or 6379}",
            user=address.username or "default",
            key=key,
            password_setting=f"{config.password_env or 'password_env'} or password_file in [{key}]",
            secrets=Secrets(),
        )

    async def open(self) -> None:
        """Nothing to prepare."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def ping(self) -> float:
        await self._reach()
        return PING_S + self._world.cache.slow_s

    async def info(self) -> CacheInfo:
        await self._reach()
        server, now = self._world.cache, self._world.now
        oldest, newest = server.counters[0], server.counters[-1]
        info = answers.parse_info(server.info(now, newest))
        before = answers.counted(answers.parse_info(server.info(oldest.at, oldest)), oldest.at)
        slow = [
            [number, int(at), round(seconds * 1e6), command.encode().split(), b"172.18.0.5:51184", b"sms-backend"]
            for number, (at, seconds, command) in enumerate(server.slow)
        ]
        return answers.cache_info(info, slow[::-1], before, answers.counted(info, newest.at), ping_s=PING_S + server.slow_s)

    async def clients(self) -> tuple[CacheClient, ...]:
        await self._reach()
        age_s = int(self._world.now - self._world.cache.started_at)
        lines = [
            f"id={7 + number} addr=172.18.0.5:{51_180 + number} name=sms-backend age={age_s} idle={number % 4} cmd=get"
            for number in range(10)
        ]
        return answers.client_list("\n".join([*lines, f"id=3 addr=127.0.0.1:40112 name=triage age={age_s} idle=0 cmd=client"]))

    async def doctor(self) -> tuple[str, ...]:
        await self._reach()
        return (
            "Sam, I can't find any memory issue in this instance.",
            "The latency monitor is off (latency-monitor-threshold 0).",
        )

    async def privileges(self) -> CachePrivileges:
        await self._reach()
        return CachePrivileges("default", ())

    async def key(self, name: str) -> CacheKey | None:
        await self._reach()
        server, now = self._world.cache, self._world.now
        key = server.find(name, now)
        if key is None:
            return None
        ttl_ms = -1 if key.expires_at is None else int(1000 * (key.expires_at - now))
        value = key.value.encode()
        shown = value[:MOST_VALUE_BYTES] if key.type == "string" else b""
        return answers.cache_key(name, key.type.encode(), ttl_ms, int(now - key.touched_at), len(value) + 56, shown)

    async def delete_key(self, name: str) -> bool:
        await self._reach()
        return self._world.cache.delete(name, self._world.now)

    async def flush(self) -> int:
        await self._reach()
        return self._world.cache.flush(self._world.now)

    async def settings(self, *names: str) -> Mapping[str, str]:
        await self._reach()
        config = self._world.cache.config
        return {name: config[name] for name in names if name in config}

    async def set_setting(self, name: str, value: str) -> None:
        await self._reach()
        try:
            self._world.cache.configure(name, value)
        except CacheRefused as refused:
            raise failure(self._place, str(refused)) from None

    async def _reach(self) -> None:
        await self._world.settle()
        server = self._world.cache
        if not server.up:
            raise failure(self._place, "Connection refused")
        if server.slow_s >= PATIENCE_S:
            raise timed_out(self._place)
        try:
            server.admit()
        except CacheRefused as refused:
            raise failure(self._place, str(refused)) from None
