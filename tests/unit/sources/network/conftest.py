import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from ssl import SSLContext

import pytest
from certificate_chains import Authority

from console.sources.network.source import LiveNetwork

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Listen = Callable[..., Awaitable[int]]


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def network(authority: Authority, tmp_path: Path) -> AsyncIterator[LiveNetwork]:
    """Trusts the test's authority besides those of the machine."""
    opened = LiveNetwork((authority.root_file(tmp_path),))
    await opened.open()
    yield opened
    await opened.aclose()


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """Starts a server of our own; gives its port."""
    servers: list[asyncio.Server] = []

    async def start(serve: Serve, context: SSLContext | None = None) -> int:
        servers.append(await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context))
        return int(servers[-1].sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()
