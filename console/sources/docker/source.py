"""The Docker engine behind the protocol `Engine`: the constructor stores, every method is one question."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from console.config_sources import EngineConfig
from console.logs.frames import LineAssembler
from console.reading import FailureKind, SourceError
from console.sources.docker import answers, upkeep
from console.sources.docker.address import Address, resolve
from console.sources.docker.commands import Commands
from console.sources.docker.errors import garbage, lost, timed_out
from console.sources.docker.events import FILTERS, Events
from console.sources.docker.meter import Meter
from console.sources.docker.roster import Roster
from console.sources.docker.stream import Body, request
from console.sources.docker.tunnel import Tunnel
from console.sources.docker.workers import Workers
from console.sources.protocols.engine import (
    Container,
    ContainerProcess,
    Containers,
    Details,
    EngineInfo,
    ExecResult,
    LogLine,
    Reclaimable,
    State,
    Usage,
)
from console.text import clean

if TYPE_CHECKING:
    from console.sources.docker.client import Client

T = TypeVar("T")

ANSWER_S = 2.5
INSPECTIONS_S = 1.5
"""A container in transition can make its inspection hang; the others are shown without waiting longer for it."""
SAMPLES_S = 4.0
"""The engine's first sample comes within one second, the second after another; a busy engine takes longer."""
PROCESS_COLUMNS = "-eo pid,pcpu,rss,args"
"""What `ps` is asked for; the engine needs the pid among it to tell which processes are the container's."""
GRACE_S = 10
"""Seconds between the polite signal and the kill."""
ACTION_S = GRACE_S + 20.0
DISK_S = 30.0
"""Counting what images and volumes hold reads the disk."""
PRUNE_S = 300.0


class DockerEngine:
    """`config` says where the engine is and what belongs to the system, `names` are the containers that roles name."""

    def __init__(self, config: EngineConfig, names: tuple[str, ...]) -> None:
        self._config = config
        self._roster = Roster(config.select, names)
        self._one_round = asyncio.Lock()
        self._rounds_begun = 0
        self._newest: tuple[int, Containers] | None = None
        """The number of the last round that was answered, and its answer."""
        self._workers = Workers(self._locate, lambda: self._shown)
        self._events = Events(self._event_stream, self._roster.touch)
        self._meter = Meter(self._stats_stream)
        self._commands = Commands(self._workers, self._request, lambda: self._shown)
        self._address: Address | None = None
        self._tunnel: Tunnel | None = None
        self._version = ""
        self._bodies: set[Body] = set()
        self._locating = threading.Lock()
        self._closed = False

    async def open(self) -> None:
        """Nothing is dialled before the first question."""

    async def aclose(self) -> None:
        """Close every connection and end every thread, also when the engine is frozen."""
        self._closed = True
        for body in list(self._bodies):
            body.abort()
        if self._tunnel is not None:
            self._tunnel.close()
        await asyncio.gather(self._events.aclose(), self._meter.aclose(), self._workers.aclose())

    async def info(self) -> EngineInfo:
        def look(client: "Client") -> EngineInfo:
            facts = client.info()
            return EngineInfo(
                version=clean(str(facts["ServerVersion"]), 64),
                api_version=client.api_version,
                operating_system=clean(str(facts.get("OperatingSystem") or ""), 200),
                root_dir=clean(str(facts.get("DockerRootDir") or ""), 1024),
            )

        return await self._ask(look)

    async def containers(self) -> Containers:
        """One round for all who asked before it began."""
        begun = self._rounds_begun
        async with self._one_round:
            if self._newest is not None and self._newest[0] > begun:
                return self._newest[1]
            self._rounds_begun = number = self._rounds_begun + 1
            touched = self._roster.take_touched()
            try:
                items = await self._ask(lambda client: _look_round(client, self._roster, touched))
            except BaseException:
                for container_id in touched:
                    self._roster.touch(container_id)
                raise
            self._events.listen()
            usage = self._meter.want([item.id for item in items if item.state is State.RUNNING])
            self._newest = number, Containers(items, usage)
            return self._newest[1]

    async def container(self, name: str) -> Container:
        return await self._ask(lambda client: answers.inspected_only(client.inspect_container(name)), name)

    async def usage(self, name: str) -> Usage:
        found = await self.container(name)
        if found.state is not State.RUNNING:
            raise SourceError(FailureKind.MISSING, f"{found.name} uses nothing: it is {found.state}.", "Is it meant to run?")
        try:
            async with asyncio.timeout(SAMPLES_S):
                return await self._meter.sample(found.id)
        except TimeoutError:
            raise timed_out(self._shown, SAMPLES_S) from None

    async def log_tail(self, name: str, *, lines: int, since: float | None = None) -> tuple[LogLine, ...]:
        try:
            async with asyncio.timeout(ANSWER_S):
                return tuple([line async for batch in self._log(name, lines, since, follow=False) for line in batch])
        except TimeoutError:
            raise timed_out(self._shown, ANSWER_S) from None

    async def follow(self, name: str, *, tail: int, since: float | None = None) -> AsyncIterator[Sequence[LogLine]]:
        async with contextlib.aclosing(self._log(name, tail, since, follow=True)) as batches:
            async for batch in batches:
                yield batch

    async def execute(self, name: str, argv: Sequence[str], *, timeout_s: float) -> ExecResult:
        return await self._commands.execute(name, argv, timeout_s)

    async def run_like(self, name: str, argv: Sequence[str], *, timeout_s: float) -> ExecResult:
        return await self._commands.run_like(name, argv, timeout_s)

    async def details(self, name: str) -> Details:
        return await self._ask(lambda client: answers.details(client.inspect_container(name)), name)

    async def processes(self, name: str) -> tuple[ContainerProcess, ...]:
        return await self._ask(lambda client: answers.processes(client.top(name, ps_args=PROCESS_COLUMNS)), name)

    async def start(self, name: str) -> None:
        await self._ask(lambda client: upkeep.start(client, name), name, ACTION_S)

    async def stop(self, name: str) -> None:
        await self._ask(lambda client: client.stop(name, timeout=GRACE_S), name, ACTION_S)

    async def restart(self, name: str) -> None:
        await self._ask(lambda client: client.restart(name, timeout=GRACE_S), name, ACTION_S)

    async def set_memory_limit(self, name: str, limit_bytes: int) -> None:
        await self._ask(lambda client: upkeep.set_memory_limit(client, name, limit_bytes), name, ACTION_S)

    async def reclaimable(self) -> tuple[Reclaimable, ...]:
        return await self._ask(upkeep.find_reclaimable, limit_s=DISK_S)

    async def prune(self, kind: str) -> int:
        return await self._ask(lambda client: upkeep.prune(client, kind), limit_s=PRUNE_S)

    async def _ask(self, question: Callable[["Client"], T], subject: str = "", limit_s: float = ANSWER_S) -> T:
        return await self._workers.ask(question, limit_s=limit_s, subject=subject)

    async def _log(self, name: str, tail: int, since: float | None, *, follow: bool) -> AsyncGenerator[list[LogLine], None]:
        container = await self.container(name)
        assembler = LineAssembler(container.name, tty=container.tty)
        query: dict[str, str | int] = {"stdout": 1, "stderr": 1, "timestamps": 1, "tail": tail, "follow": int(follow)}
        if since is not None:
            query["since"] = f"{since:.9f}"
        path = f"/containers/{container.id}/logs"
        async with self._request("GET", path, query, answer_s=ANSWER_S, subject=name) as body:
            async for piece in body.pieces():
                try:
                    lines = assembler.feed(piece)
                except ValueError as error:
                    raise garbage(self._shown, str(error)) from None
                if lines:
                    yield lines
                # A container that floods has the next piece ready at once; the keys must have their turn.
                await asyncio.sleep(0)
            if last := assembler.finish():
                yield last

    def _event_stream(self) -> contextlib.AbstractAsyncContextManager[Body]:
        return self._request("GET", "/events", {"filters": FILTERS}, answer_s=None)

    def _stats_stream(self, container_id: str) -> contextlib.AbstractAsyncContextManager[Body]:
        return self._request("GET", f"/containers/{container_id}/stats", {"stream": 1}, answer_s=None)

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        *,
        body: Any = None,
        answer_s: float | None,
        subject: str = "",
    ) -> AsyncIterator[Body]:
        if not self._version:
            self._version = await self._ask(lambda client: client.api_version)
        if self._address is None:
            raise lost(self._shown)
        try:
            opened = request(
                self._address, method, path, query, version=self._version, body=body, answer_s=answer_s, subject=subject
            )
            async with opened as answer:
                if self._closed:
                    raise lost(self._shown)
                self._bodies.add(answer)
                try:
                    yield answer
                finally:
                    self._bodies.discard(answer)
        except SourceError as error:
            # Another engine may be listening at the address by now: ask for its version again.
            if error.failure.kind in (FailureKind.UNSUPPORTED, FailureKind.LOST, FailureKind.REFUSED):
                self._version = ""
            raise

    @property
    def _shown(self) -> str:
        return self._address.shown if self._address is not None else clean(self._config.host, 200) or "the usual address"

    def _locate(self) -> Address:
        """Where to dial; makes the tunnel of an ssh:// host. Blocks: for a worker's thread."""
        with self._locating:
            if self._address is None:
                self._address = resolve(self._config)
                if self._address.url.startswith("ssh://"):
                    self._tunnel = Tunnel(self._address.url)
            if self._tunnel is not None:
                through = self._address.shown
                self._address = Address(f"unix://{self._tunnel.open()}", through=through)
            return self._address


def _look_round(client: "Client", roster: Roster, touched: frozenset[str]) -> tuple[Container, ...]:
    """One list call, and the inspections that are due. Runs in a worker's thread."""
    from docker.errors import APIError, NotFound
    from requests.exceptions import Timeout

    until = time.monotonic() + INSPECTIONS_S
    listed: list[Mapping[str, Any]] = roster.belonging(client.containers(all=True))
    inspections: dict[str, Mapping[str, Any] | None] = {}
    for container_id in roster.due(listed, touched):
        client.limit_s = until - time.monotonic()
        if client.limit_s <= 0.05:
            break
        try:
            inspections[container_id] = client.inspect_container(container_id)
        except NotFound:
            inspections[container_id] = None
        except (APIError, Timeout):
            roster.touch(container_id)
    return roster.settle(listed, inspections)
