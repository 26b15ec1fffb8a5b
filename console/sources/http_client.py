"""A client of HTTP that is built with the first question: its libraries are slow to import."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


class HttpClient:
    """`build` makes the client, and is called once, in a thread."""

    def __init__(self, build: "Callable[[], httpx.AsyncClient]") -> None:
        self._build = build
        self._client: httpx.AsyncClient | None = None
        self._building = asyncio.Lock()

    async def ready(self) -> "httpx.AsyncClient":
        """The client; it is built if there is none."""
        async with self._building:
            if self._client is None:
                self._client = await asyncio.to_thread(self._build)
            return self._client

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
