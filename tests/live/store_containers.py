"""Small throw-away servers in containers, for tests that freeze, fill and lock them."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from console.config_sources import EngineConfig
from console.practice.lab.engine import Output, connect, run_in
from console.practice.lab.image_build import ensure_image

LABEL = "triage.test"


@dataclass(frozen=True, slots=True)
class Server:
    """A running container and the host port of its server."""

    client: Any
    container: Any
    port: int

    def run(self, *command: str) -> str:
        done: Output = run_in(self.client, self.container.id, command)
        assert done.exit_code == 0, done.stderr or done.stdout
        return done.stdout.strip()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Every process of the container stopped, as by SIGSTOP: the network still takes packets, nobody answers."""
        self.container.pause()
        try:
            yield
        finally:
            self.container.unpause()


@contextlib.contextmanager
def server(command: Sequence[str], port: int, ready: Callable[[Server], bool]) -> Iterator[Server]:
    """A container of the lab's image that runs `command`, removed afterwards."""
    image = ensure_image(EngineConfig(), print)
    client = connect(EngineConfig())
    container = client.containers.run(
        image,
        list(command),
        detach=True,
        labels={LABEL: "stores"},
        ports={f"{port}/tcp": ("127.0.0.1", None)},
        network_mode="bridge",
    )
    try:
        container.reload()
        found = Server(client, container, int(container.ports[f"{port}/tcp"][0]["HostPort"]))
        until = time.monotonic() + 60
        while not ready(found):
            assert time.monotonic() < until, container.logs(tail=20).decode("utf-8", "replace")
            time.sleep(0.1)
        yield found
    finally:
        with contextlib.suppress(Exception):
            container.unpause()
        container.remove(force=True, v=True)
        client.close()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sockets_to(port: int) -> int:
    """How many connections this process holds to a port."""
    found = psutil.Process().net_connections("tcp")
    return sum(1 for connection in found if connection.raddr and connection.raddr.port == port)
