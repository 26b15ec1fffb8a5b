"""The container engine of a simulated stack: raw answers of the world, read by the parsers of the live source."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from console.logs.frames import LineAssembler
from console.practice.simulated import commands
from console.practice.simulated.container import SimulatedContainer, stats
from console.practice.simulated.log import Written, frames
from console.practice.simulated.world import World
from console.reading import FailureKind, SourceError
from console.sources.docker.answers import container as container_answer
from console.sources.docker.answers import details as details_answer
from console.sources.docker.answers import processes as processes_answer
from console.sources.docker.answers import reclaimable as reclaimable_answer
from console.sources.docker.answers import usage as usage_answer
from console.sources.docker.errors import explain, from_status
from console.sources.protocols.engine import (
    Container,
    ContainerProcess,
    Containers,
    Details,
    EngineInfo,
    ExecResult,
    LogLine,
    Reclaimable,
    Usage,
)

SOCKET = "unix:///var/run/docker.sock"
LOOK_S = 0.25
"""How often a follower looks for new lines."""
SMALLEST_LIMIT_BYTES = 6 << 20


class SimulatedEngine:
    """Implements `console.sources.protocols.engine.Engine` on a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._closed = asyncio.Event()

    async def open(self) -> None:
        """Make up the world's past now, so that the first question need not wait for it."""
        await self._world.settle()

    async def aclose(self) -> None:
        self._closed.set()

    async def info(self) -> EngineInfo:
        await self._reach()
        return EngineInfo("27.3.1", "1.47", "Practice stack in this process (simulated)", "/var/lib/docker")

    async def containers(self) -> Containers:
        await self._reach()
        now = self._world.now
        found = sorted(self._world.containers.values(), key=lambda item: item.name)
        items = tuple(container_answer(item.listed(now), item.inspected()) for item in found)
        usage = {item.id: used for item in found if (used := _usage(item)) is not None}
        return Containers(items, usage)

    async def container(self, name: str) -> Container:
        found = await self._find(name)
        return container_answer(found.listed(self._world.now), found.inspected())

    async def usage(self, name: str) -> Usage:
        used = _usage(await self._find(name))
        if used is None:
            raise SourceError(FailureKind.MISSING, f"{name} does not run: it uses nothing.", "Start it first.")
        return used

    async def log_tail(self, name: str, *, lines: int, since: float | None = None) -> tuple[LogLine, ...]:
        found = await self._find(name)
        return tuple(_lines(found, found.log.tail(lines, since)))

    async def follow(self, name: str, *, tail: int, since: float | None = None) -> AsyncIterator[Sequence[LogLine]]:
        found = await self._find(name)
        log, last = found.log, found.log.last_number
        first = _lines(found, log.tail(tail, since))
        if first:
            yield first
        started_at = found.started_at
        while not self._closed.is_set():
            ended = not found.running or found.started_at != started_at or self._world.containers.get(name) is not found
            written = log.after(last)
            last = log.last_number
            if written:
                yield _lines(found, written)
            if ended:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), LOOK_S)
            await self._reach()

    async def execute(self, name: str, argv: Sequence[str], *, timeout_s: float) -> ExecResult:  # noqa: ARG002
        found = await self._find(name)
        if found.state == "restarting":
            raise from_status(409, f"Container {found.id} is restarting, wait until the container is running", SOCKET, name)
        if not found.running:
            raise from_status(409, f"container {found.id} is not running", SOCKET, name)
        return self._run(found, argv)

    async def run_like(self, name: str, argv: Sequence[str], *, timeout_s: float) -> ExecResult:  # noqa: ARG002
        return self._run(await self._find(name), argv)

    async def details(self, name: str) -> Details:
        return details_answer((await self._find(name)).inspected())

    async def processes(self, name: str) -> tuple[ContainerProcess, ...]:
        found = await self._find(name)
        if not found.running:
            raise from_status(409, f"Container {found.id} is not running", SOCKET, name)
        return processes_answer(found.top())

    async def start(self, name: str) -> None:
        found = await self._find(name)
        self._start(found)

    async def stop(self, name: str) -> None:
        found = await self._find(name)
        found.stop(self._world.now)

    async def restart(self, name: str) -> None:
        found = await self._find(name)
        found.stop(self._world.now)
        self._start(found)

    async def set_memory_limit(self, name: str, limit_bytes: int) -> None:
        found = await self._find(name)
        if limit_bytes < SMALLEST_LIMIT_BYTES:
            raise from_status(400, "Minimum memory limit allowed is 6MB", SOCKET, name)
        found.memory_limit_bytes = limit_bytes

    async def reclaimable(self) -> tuple[Reclaimable, ...]:
        await self._reach()
        return reclaimable_answer(self._df())

    async def prune(self, kind: str) -> int:
        await self._reach()
        machine, containers = self._world.machine, self._world.containers
        wanted = next((item for item in reclaimable_answer(self._df()) if item.kind == kind), None)
        if wanted is None:
            raise SourceError(FailureKind.UNSUPPORTED, f"{kind} cannot be pruned.", "Known: containers, images, volumes.")
        stores: dict[str, dict[str, int] | dict[str, SimulatedContainer]] = {
            "images": machine.images,
            "volumes": machine.volumes,
            "containers": containers,
        }
        for name, _ in wanted.items:
            del stores[kind][name]
        machine.disk_of("/var/lib/docker")[1].used_bytes -= wanted.size_bytes
        return wanted.size_bytes

    def _run(self, found: SimulatedContainer, argv: Sequence[str]) -> ExecResult:
        return commands.run(self._world, found, tuple(argv))

    def _start(self, found: SimulatedContainer) -> None:
        listener = self._world.machine.listeners.get(found.host_port or 0)
        if listener is not None and not found.running:
            error = (
                f"driver failed programming external connectivity on endpoint {found.name} ({found.id[:12]}): Error starting "
                f"userland proxy: listen tcp4 127.0.0.1:{found.host_port}: bind: address already in use"
            )
            found.fail_to_start(self._world.now, error)
            raise from_status(500, error, SOCKET, found.name)
        found.start(self._world.now)

    def _df(self) -> dict[str, Any]:
        machine = self._world.machine
        stopped = [item for item in self._world.containers.values() if item.state in ("created", "exited")]
        return {
            "Images": [{"Id": name, "RepoTags": [name], "Size": size, "Containers": 0} for name, size in machine.images.items()],
            "Containers": [
                {"Id": item.id, "Names": [f"/{item.name}"], "State": item.state, "SizeRw": 1 << 20} for item in stopped
            ],
            "Volumes": [{"Name": name, "UsageData": {"Size": size, "RefCount": 0}} for name, size in machine.volumes.items()],
        }

    async def _reach(self) -> None:
        await self._world.settle()
        if not self._world.machine.engine_up:
            raise explain(ConnectionRefusedError(111, "Connection refused"), SOCKET)

    async def _find(self, name: str) -> SimulatedContainer:
        await self._reach()
        for item in self._world.containers.values():
            if item.name == name or item.id == name or (len(name) >= 12 and item.id.startswith(name)):
                return item
        raise from_status(404, f"No such container: {name}", SOCKET, name)


def _usage(found: SimulatedContainer) -> Usage | None:
    if not found.running or not found.samples:
        return None
    oldest, newest = found.samples[0], found.samples[-1]
    before = stats(oldest, found.memory_limit_bytes) if newest.at > oldest.at else None
    return usage_answer(before, stats(newest, found.memory_limit_bytes), newest.at)


def _lines(found: SimulatedContainer, written: Sequence[Written]) -> list[LogLine]:
    return LineAssembler(found.name).feed(frames(written))
