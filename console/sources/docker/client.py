"""The docker package's client, made so that a question can be given up from outside. Imported when the source is first asked."""

import contextlib
import json
import socket
import weakref
from collections.abc import Callable
from typing import Any

from docker import APIClient
from docker.errors import InvalidVersion

from console.sources.docker.address import Address

CONNECT_S = 2.0
NEWEST_API = (1, 51)
"""The newest version whose answers we know; a newer engine is asked in this one, as long as it still speaks it."""


class Client(APIClient):
    """An APIClient with a read time limit a question, whose sockets another thread can break to end a wait at once."""

    def __init__(self, address: Address, version: str) -> None:
        super().__init__(base_url=address.url, version=version, timeout=60, tls=address.tls or False)
        # A socket of this machine is behind no proxy: looking for one in the environment at each question is not free.
        self.trust_env = not address.url.startswith("unix://")
        self.limit_s = 2.5
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        adapter: Any = self.get_adapter(self.base_url)
        find_pool = adapter.get_connection_with_tls_context

        def find_watched_pool(*args: Any, **kwargs: Any) -> Any:
            return self._watched(find_pool(*args, **kwargs))

        adapter.get_connection_with_tls_context = find_watched_pool

    def _set_request_timeout(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        kwargs["timeout"] = (CONNECT_S, self.limit_s)
        return kwargs

    def interrupt(self) -> None:
        """Break every connection: whoever waits for an answer in this client gets a connection error now."""
        for connection in list(self._connections):
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)

    def _watched(self, pool: Any) -> Any:
        if "_get_conn" not in vars(pool):
            take = pool._get_conn

            def take_and_remember(timeout: float | None = None) -> Any:
                connection = take(timeout=timeout)
                self._connections.add(connection)
                return connection

            pool._get_conn = take_and_remember
        return pool


def connect(address: Address, announce: Callable[[Client], object]) -> Client:
    """A client that speaks the newest version both sides know. Asks the engine once; raises what the driver raises.

    `announce` is given the client that waits for the engine's version meanwhile, so that the wait can be interrupted.
    """
    probe = Client(address, version="1.24")
    announce(probe)
    try:
        answer = probe.version(api_version=False)
        if not isinstance(answer, dict) or "ApiVersion" not in answer:
            raise json.JSONDecodeError("no ApiVersion in the answer to /version", "", 0)
        newest, oldest = _number(answer["ApiVersion"]), _number(answer.get("MinAPIVersion") or "1.12")
    finally:
        probe.close()
    spoken = min(newest, NEWEST_API)
    if spoken < oldest or spoken < (1, 24):
        raise InvalidVersion(f"the engine speaks {_text(oldest)} to {_text(newest)}")
    return Client(address, version=_text(spoken))


def _number(version: str) -> tuple[int, int]:
    major, minor = str(version).split(".")
    return int(major), int(minor)


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
