"""A fake web server and a dead port for the sources that speak HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from web_server import WebServer


@pytest.fixture
async def web() -> AsyncIterator[WebServer]:
    fake = WebServer()
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    yield fake
    server.close()


@pytest.fixture
def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
