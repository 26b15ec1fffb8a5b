"""Redis of a simulated stack: INFO, SLOWLOG and CLIENT LIST of the world, read by the parsers of the live source."""

from urllib.parse import urlsplit

from console.config import RedisConfig
from console.practice.simulated.world import World
from console.reading import FailureKind, SourceError
from console.sources.protocols.cache import CacheClient, CacheInfo, CachePrivileges
from console.sources.redis import answers

PING_S = 0.000_4


class SimulatedCache:
    """Implements `console.sources.protocols.cache.Cache` on a world. `key` is the config's table, for advice."""

    def __init__(self, world: World, config: RedisConfig, *, key: str) -> None:
        self._world = world
        address = urlsplit(config.url)
        self._address = f"{address.hostname}:{address.port or 6379}"
        self._key = key

    async def open(self) -> None:
        """Nothing to prepare."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def ping(self) -> float:
        await self._reach()
        return PING_S

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
        return answers.cache_info(info, slow[::-1], before, answers.counted(info, newest.at), ping_s=PING_S)

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

    async def _reach(self) -> None:
        await self._world.settle()
        if not self._world.cache.up:
            message = f"Redis at {self._address} is not reachable: Connection refused."
            raise SourceError(FailureKind.REFUSED, message, f"Is it running, and is url in [{self._key}] its address?")
