"""One bounded HTTP GET, and what it means when there is no answer."""

import asyncio
import ssl
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from console.reading import FailureKind, SourceError
from console.text import clean

if TYPE_CHECKING:
    import httpx

CONNECT_S = 2.0
READ_S = 3.0
WHOLE_S = 4.0
"""For all of it: an answer that drips byte by byte satisfies every other limit for ever."""


_NOT_HTTP = frozenset({"RemoteProtocolError", "DecodingError", "BadStatusLine", "LineTooLong", "InvalidHeader", "DecodeError"})
"""Errors by name, so that both drivers of HTTP can be judged without importing either."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer as it came: nothing here is clean yet."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cut: bool
    """The body was longer than was asked for."""
    elapsed_s: float


def build_client() -> "httpx.AsyncClient":
    """A client with our limits. Slow (imports and certificates, some 0.3 s): call it in a thread."""
    import anyio
    import httpx

    # httpx lets anyio import its event loop's half with the first request: better here than on our loop.
    anyio.run(anyio.sleep, 0)
    return httpx.AsyncClient(
        timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
        follow_redirects=False,
        limits=httpx.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=30),
        headers={"User-Agent": "triage"},
        mounts={"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None},  # a proxy cannot know these
    )


async def fetch(client: "httpx.AsyncClient", url: str, *, limit_bytes: int, accept: str = "*/*") -> Fetched:
    """GET `url`, at most `limit_bytes` of its body. Any HTTP status is an answer; no answer is a SourceError."""
    import httpx

    started = time.monotonic()
    name = shown(url)
    body = bytearray()
    try:
        async with asyncio.timeout(WHOLE_S), client.stream("GET", url, headers={"Accept": accept}) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > limit_bytes:
                    break
            headers = tuple(response.headers.multi_items())
            status = response.status_code
    except (TimeoutError, httpx.TimeoutException) as error:
        message = f"{name} has not answered within {time.monotonic() - started:.1f} s."
        if isinstance(error, httpx.ConnectTimeout):
            message = f"{name} could not be connected to within {CONNECT_S:g} s."
        raise SourceError(
            FailureKind.TIMEOUT, message, "The service may be frozen or overloaded, or a firewall drops packets."
        ) from None
    except httpx.HTTPError as error:
        raise failure_of(name, error) from None
    except httpx.InvalidURL as error:
        raise SourceError(
            FailureKind.GARBAGE, f"{name} is no URL: {clean(str(error), 200)}.", "Correct it in config.toml."
        ) from None
    return Fetched(status, headers, bytes(body[:limit_bytes]), len(body) > limit_bytes, time.monotonic() - started)


def failure_of(name: str, error: Exception) -> SourceError:
    """What an error of a driver below HTTP means: the reason lies in the chain of its causes."""
    chain = _causes(error)
    text = " ".join(str(item) for item in chain)
    tls = next((item for item in chain if isinstance(item, ssl.SSLError)), None)
    if tls is not None:
        reason = clean(getattr(tls, "verify_message", "") or tls.reason or str(tls), 200)
        advice = "Check the certificate's dates, names and chain, and whether the port speaks TLS at all."
        return SourceError(FailureKind.UNSUPPORTED, f"{name} could not agree on TLS: {reason}.", advice)
    if (
        any(isinstance(item, OSError) and type(item).__name__ == "gaierror" for item in chain)
        or "Name or service not known" in text
    ):
        return SourceError(
            FailureKind.MISSING, f"The host name of {name} does not resolve.", "Check the URL in config.toml and DNS."
        )
    if any(isinstance(item, TimeoutError) for item in chain) or "timed out" in text:
        advice = "The service may be frozen or overloaded, or a firewall drops packets."
        return SourceError(FailureKind.TIMEOUT, f"{name} has not answered in time.", advice)
    if any(isinstance(item, ConnectionRefusedError) for item in chain) or "refused" in text or "attempts failed" in text:
        return SourceError(
            FailureKind.REFUSED, f"{name} refused the connection: nothing listens there.", "Is the service running?"
        )
    if "unreachable" in text or "No route" in text:
        return SourceError(
            FailureKind.REFUSED, f"There is no route to {name}.", "Check the network and the address in config.toml."
        )
    reason = clean(next((str(item) for item in reversed(chain) if str(item)), type(error).__name__), 200)
    if any(type(item).__name__ in _NOT_HTTP for item in chain):
        return SourceError(
            FailureKind.GARBAGE, f"{name} answered something that is not HTTP: {reason}.", "Is this the right port?"
        )
    return SourceError(
        FailureKind.LOST, f"The connection to {name} broke: {reason}.", "Ask again; if it goes on, look at its log."
    )


def _causes(error: BaseException) -> list[BaseException]:
    """The error and all that it came from, the deepest last. Drivers hide causes in `reason` and in arguments, too."""
    found = [error]
    for item in found:
        for cause in (item.__cause__, item.__context__, getattr(item, "reason", None), *item.args):
            if isinstance(cause, BaseException) and cause not in found:
                found.append(cause)
    return found


def shown(url: str) -> str:
    """A URL for messages: without user, password and query."""
    parts = urlsplit(url)
    try:
        where = f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        where = parts.hostname or ""
    return clean(f"{parts.scheme}://{where}{parts.path}", 200)


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
