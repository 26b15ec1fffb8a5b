"""One bounded HTTP request, or one request for a WebSocket. Any answer is an answer; redirects are not followed."""

import asyncio
import base64
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from console.reading import FailureKind, SourceError
from console.sources.network.answers import BODY_BYTES, http_answer, http_silence, shown_url, why
from console.sources.network.certificates import context
from console.sources.protocols.network import HttpAnswer

if TYPE_CHECKING:
    import httpx


def build_client(authorities: tuple[str, ...]) -> "httpx.AsyncClient":
    """A client that keeps no connection: each answer shows the whole way. Slow (some 0.3 s): call it in a thread."""
    import anyio
    import httpx

    # httpx lets anyio import its event loop's half with the first request: better here than on our loop.
    anyio.run(anyio.sleep, 0)
    return httpx.AsyncClient(
        verify=context(authorities),
        timeout=None,  # noqa: S113 - the whole question has a limit of its own
        follow_redirects=False,
        limits=httpx.Limits(max_connections=32, max_keepalive_connections=0),
        headers={"User-Agent": "triage"},
        mounts={"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None},  # a proxy cannot know these
    )


async def ask(
    client: "httpx.AsyncClient",
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    json: Mapping[str, str] | None,
    timeout_s: float,
) -> HttpAnswer:
    """The answer, with at most 64 KiB of its body, or why there was none. Raises GARBAGE for what is no URL."""
    _check(url)
    started = time.monotonic()
    body = bytearray()
    try:
        async with (
            asyncio.timeout(timeout_s),
            client.stream(method, url, headers=dict(headers), json=None if json is None else dict(json)) as response,
        ):
            if response.status_code != 101:
                async for chunk in response.aiter_bytes(BODY_BYTES):
                    body += chunk
                    if len(body) >= BODY_BYTES:
                        break
            pairs = response.headers.multi_items()
            status = response.status_code
    except Exception as error:
        return _silence(url, error, time.monotonic() - started)
    return http_answer(url, status, pairs, bytes(body), time.monotonic() - started)


def upgrade_headers(origin: str, token: str) -> dict[str, str]:
    """What a browser sends that wants a WebSocket (RFC 6455, 4.1)."""
    wanted = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }
    if origin:
        wanted["Origin"] = origin
    if token:
        wanted["Authorization"] = f"Bearer {token}"
    return wanted


def as_http(url: str) -> str:
    """ws:// as http://, wss:// as https://."""
    return url.replace("ws", "http", 1) if url.startswith(("ws://", "wss://")) else url


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or not url.isprintable() or " " in url:
        raise SourceError(
            FailureKind.GARBAGE, f"{shown_url(url)!r} is no address of a web server.", "Write http://… or https://…."
        )


def _silence(url: str, error: Exception, elapsed_s: float) -> HttpAnswer:
    import httpx

    known = (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ExceptionGroup)
    if not isinstance(error, known):
        raise error
    reason, words = why(error)
    return http_silence(url, reason, words, elapsed_s)
