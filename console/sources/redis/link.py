"""One kept connection to Redis, dropped when a question on it is given up.

The driver's connection is used without its client and pool: those try again by themselves (for up to a minute on a frozen
server), and close a connection that only answered LOADING. RESP 2 is spoken, for every server knows it, and HELLO, which
servers before 6 and many proxies do not know, is not needed for anything here.
"""

import asyncio
import contextlib
import importlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.sources.private_thread import PrivateThread
from console.sources.redis.failures import Place, failure, name_timeout, timed_out, words

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

PROGRAM = "triage"
LOGIN_S = 3.0
ANSWER_S = 3.0


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that the server answered with an error, while the connection is fine."""

    message: str


@dataclass(frozen=True, slots=True)
class Answers:
    """The replies to commands that were sent together, and the seconds from the first byte out to the last one in."""

    replies: tuple[Any, ...]
    elapsed_s: float


class Link:
    """A connection that is opened with the first question and kept."""

    def __init__(self, url: str, password: Callable[[], str | None], place: Place) -> None:
        """`password` is looked up at every login: the file may be written while we run."""
        self._url = url
        self._password = password
        self._place = place
        self._thread = PrivateThread("redis")
        self._lock = asyncio.Lock()
        self._connection: AbstractConnection | None = None

    async def ask(self, *commands: tuple[str, ...]) -> Answers:
        """The replies to commands sent in one go, `Refused` for those that the server refuses. Raises SourceError."""
        async with self._lock:
            connection = await self._ready()
            started = time.monotonic()
            try:
                async with asyncio.timeout(ANSWER_S):
                    await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
                    replies = tuple([await _reply(connection) for _ in commands])
            except BaseException as error:
                await self._drop()
                raise self._told(error) from None
            return Answers(replies, time.monotonic() - started)

    async def aclose(self) -> None:
        """Drop the connection; nothing is waited for."""
        self._thread.stop()
        await self._drop()

    async def _ready(self) -> "AbstractConnection":
        if self._connection is not None and self._connection.is_connected:
            return self._connection
        try:
            connection = self._connection = await self._thread.run(self._make, timeout_s=LOGIN_S)
        except TimeoutError:
            raise name_timeout(self._place) from None
        except OSError as error:
            raise self._told(error) from None
        try:
            async with asyncio.timeout(LOGIN_S):
                await connection.connect()  # type: ignore[no-untyped-call]
                # The name shows in CLIENT LIST. A user without the right to set one gets along without.
                await connection.send_command("CLIENT", "SETNAME", PROGRAM, check_health=False)
                await _reply(connection)
        except BaseException as error:
            await self._drop()
            raise self._told(error) from None
        return connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                await connection.disconnect(nowait=True)

    def _make(self) -> "AbstractConnection":
        """The connection, not yet opened, once the host's name resolves; blocks.

        The event loop resolves in its executor, where a dead name server would block the exit and everybody else: so the name
        is tried here first.
        """
        from redis.asyncio.connection import Connection, parse_url
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        options: dict[str, Any] = dict(parse_url(self._url))
        kind = options.pop("connection_class", Connection)
        if "path" not in options:
            socket.getaddrinfo(options.get("host", "localhost"), options.get("port", 6379), type=socket.SOCK_STREAM)
        options |= {
            "password": self._password() or options.get("password"),
            "protocol": 2,
            "socket_timeout": ANSWER_S,
            "socket_connect_timeout": LOGIN_S,
            "retry": Retry(NoBackoff(), 0),
            "health_check_interval": 0,
            "driver_info": None,
        }
        connection: AbstractConnection = kind(**options)
        return connection

    def _told(self, error: BaseException) -> BaseException:
        """The SourceError of what a driver or a time limit raised; what is neither stays as it is."""
        if isinstance(error, TimeoutError):
            return timed_out(self._place)
        exceptions = importlib.import_module("redis.exceptions")
        if isinstance(error, (exceptions.RedisError, OSError, EOFError, ValueError, asyncio.IncompleteReadError)):
            return failure(self._place, error)
        return error


async def _reply(connection: "AbstractConnection") -> Any:
    """One reply, `Refused` for an error of the command itself."""
    from redis.exceptions import BusyLoadingError, ResponseError

    try:
        return await connection.read_response(disconnect_on_error=False)
    except (ResponseError, BusyLoadingError) as error:
        return Refused(words(error))
