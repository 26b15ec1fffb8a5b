"""The HTTP endpoints and the machine of a simulated stack."""

import json
from collections.abc import Mapping, Sequence

from console.practice.simulated.world import World
from console.reading import FailureKind, SourceError
from console.sources.protocols.endpoint import Answer
from console.sources.protocols.host import Disk, Memory, PortOwner
from console.text import block

GIB = 1 << 30


class SimulatedEndpoints:
    """Implements `console.sources.protocols.endpoint.Endpoints` on a world: whatever is asked is the service's /health."""

    def __init__(self, world: World, endpoints: Mapping[str, str]) -> None:
        self._world = world
        self._urls = dict(endpoints)

    async def open(self) -> None:
        """Nothing to prepare."""

    async def aclose(self) -> None:
        """Nothing to close."""

    def names(self) -> tuple[str, ...]:
        return tuple(self._urls)

    async def get(self, name: str) -> Answer:
        await self._world.settle()
        if name not in self._urls:
            message = f"No endpoint {name!r} is configured; there is {', '.join(self._urls) or 'none'}."
            raise SourceError(FailureKind.NOT_CONFIGURED, message, "Set it in the endpoints table of the system in config.toml.")
        url, backend = self._urls[name], self._world.backend
        if not self._world.reach_proxy():
            raise SourceError(
                FailureKind.REFUSED, f"{url} refused the connection: nothing listens there.", "Is the service running?"
            )
        if backend.frozen:
            message = f"{url} has not answered within 4.0 s."
            raise SourceError(
                FailureKind.TIMEOUT, message, "The service may be frozen or overloaded, or a firewall drops packets."
            )
        if not backend.serving:
            return Answer(url, 502, 0.002, {"content-type": "text/html", "server": "nginx"}, "<h1>502 Bad Gateway</h1>")
        status, value = self._world.health()
        body = "\n".join(block(json.dumps(value)))
        return Answer(url, status, 0.011 if status == 200 else 2.01, {"content-type": "application/json"}, body)


class SimulatedHost:
    """Implements `console.sources.protocols.host.Host` on a world: a machine that is made up whole."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def open(self) -> None:
        """Nothing to prepare."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def disk(self, path: str) -> Disk:
        await self._world.settle()
        machine = self._world.machine
        return Disk(path, machine.disk_total_bytes, machine.disk_total_bytes - machine.disk_used_bytes)

    async def memory(self) -> Memory:
        await self._world.settle()
        used = sum(item.samples[-1].memory_bytes for item in self._world.containers.values() if item.samples)
        return Memory(16 * GIB, 16 * GIB - 3 * GIB - used, 2 * GIB, 41 << 20)

    async def port_owners(self, ports: Sequence[int]) -> tuple[PortOwner, ...]:
        await self._world.settle()
        machine, owners = self._world.machine, []
        for number, item in enumerate(self._world.containers.values()):
            if item.running and machine.engine_up and item.host_port in ports and item.host_port is not None:
                command = (
                    f"/usr/bin/docker-proxy -proto tcp -host-ip 127.0.0.1 -host-port {item.host_port} "
                    f"-container-ip 172.18.0.{number + 3} -container-port {item.container_port}"
                )
                owners.append(PortOwner(item.host_port, 2_101 + 17 * number, "docker-proxy", command, "root", item.started_at))
        owners += [
            PortOwner(item.port, item.pid, item.process, item.command, item.user, item.started_at)
            for item in machine.listeners.values()
            if item.port in ports
        ]
        return tuple(sorted(owners, key=lambda owner: owner.port))

    async def end_process(self, pid: int, started_at: float) -> bool:
        await self._world.settle()
        listeners = self._world.machine.listeners
        found = next((item for item in listeners.values() if item.pid == pid and abs(item.started_at - started_at) < 1), None)
        if found is None:
            return False
        del listeners[found.port]
        return True
