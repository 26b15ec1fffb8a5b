"""Names and TCP connections: the system's resolver, a named one, and a socket that is connected within a time limit."""

import asyncio
import socket
import threading
import time
from concurrent.futures import Future
from importlib import import_module
from ipaddress import ip_address
from typing import Any

from console.reading import FailureKind, SourceError
from console.sources.network.answers import resolution, unresolved
from console.sources.protocols.network import Resolution
from console.text import clean

DNS_PORT = 53


async def lookup(name: str, port: int = 0) -> list[tuple[Any, ...]]:
    """What getaddrinfo says, for TCP. Raises its OSError or UnicodeError; the caller limits the time.

    It runs in a daemon thread of its own: asyncio would wait at the program's end for a resolver that hangs.
    """
    future: Future[list[tuple[Any, ...]]] = Future()

    def ask() -> None:
        future.set_running_or_notify_cancel()
        try:
            found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(found)

    threading.Thread(target=ask, name="lookup", daemon=True).start()
    return await asyncio.wrap_future(future)


async def resolve(name: str, server: str, timeout_s: float) -> Resolution:
    """The addresses of a name by the DNS server `server` (`address` or `address:port`); empty: by the system's resolver."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(timeout_s):
            if server:
                return resolution(name, server, await _ask_server(name, server, timeout_s), time.monotonic() - started)
            found = [str(item[4][0]) for item in await lookup(name)]
        return resolution(name, server, found, time.monotonic() - started)
    except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
        return unresolved(name, server, error, time.monotonic() - started)
    except Exception as error:
        if not type(error).__module__.startswith("dns."):
            raise
        return unresolved(name, server, error, time.monotonic() - started)


async def connected(host: str, port: int) -> socket.socket:
    """A connected socket to the first address that takes it. Raises the last address's OSError; the caller limits the time."""
    failure: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in await lookup(host, port):
        try:
            opened = socket.socket(family, kind, protocol)
        except OSError as error:  # a family that this machine does not have
            failure = error
            continue
        opened.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(opened, address)
        except OSError as error:
            opened.close()
            failure = error
        except BaseException:
            opened.close()
            raise
        else:
            return opened
    raise failure


async def _ask_server(name: str, server: str, timeout_s: float) -> list[str]:
    """Both kinds of address at once; one kind is enough."""
    await asyncio.to_thread(import_module, "dns.asyncresolver")
    import dns.asyncresolver
    import dns.resolver

    address, port = _server(server)
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [address]
    resolver.port = port
    # A datagram may be lost: it is sent a second time after half of the time.
    resolver.timeout, resolver.lifetime = timeout_s / 2, timeout_s
    both = await asyncio.gather(
        *(resolver.resolve(name, kind, search=False, raise_on_no_answer=False) for kind in ("A", "AAAA")), return_exceptions=True
    )
    found: list[str] = []
    for answer in both:
        if not isinstance(answer, BaseException):
            found += [record.to_text() for record in answer]
    failure = next((item for item in both if isinstance(item, BaseException)), None)
    if not found and failure is not None:
        raise failure
    return found


def _server(server: str) -> tuple[str, int]:
    host, _, port = server.rpartition(":") if server.count(":") == 1 else (server, "", "")
    try:
        return str(ip_address(host.strip("[]"))), int(port or DNS_PORT)
    except ValueError:
        message = f"The DNS server {clean(server, 100)!r} is not an address."
        raise SourceError(
            FailureKind.NOT_CONFIGURED, message, 'Set resolver = "9.9.9.9" (an IP address) in config.toml.'
        ) from None
