"""One kept connection to PostgreSQL that never makes anybody wait longer than was asked.

The driver's own cancellation waits for the server: up to five seconds late when that is frozen. So a running question is
never cancelled; its socket is shut down, upon which the driver sees the end of the stream and gives up at once.
"""

import asyncio
import contextlib
import os
import socket
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from console.reading import FailureKind, SourceError
from console.sources.postgres import queries
from console.sources.postgres.failures import Place, is_driver_error, login_failure, login_timeout, name_timeout, query_failure
from console.sources.private_thread import PrivateThread

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.AsyncConnection[dict[str, Any]]

T = TypeVar("T")

PREPARE_S = 3.0
"""For importing the driver and resolving the host's name."""
LOGIN_TIMEOUT_S = 5.0
"""Not shorter: through an SSH tunnel a login takes its time."""
ORDINARY_AGAIN_S = 10.0
"""So often the ordinary login is tried again while the emergency one is used; each try is a line in the server's log."""


@dataclass(frozen=True, slots=True)
class Login:
    """How to connect: libpq parameters, the password, and the words for errors."""

    place: Place
    parameters: Mapping[str, Any]
    password: Callable[[], str | None]
    """Looked up at every login: the file may be written, or the variable mended, while we run."""
    host: str
    port: int
    thread: PrivateThread
    """For what blocks before a login."""


async def connect(login: Login, timeout_s: float = LOGIN_TIMEOUT_S) -> "Connection":
    """A fresh connection with nothing set. Raises SourceError; leaves no socket behind when it is cancelled."""
    driver = await _prepared(login)
    task: asyncio.Future[Connection] = asyncio.ensure_future(
        driver.AsyncConnection.connect(
            **login.parameters,
            password=login.password(),
            autocommit=True,
            prepare_threshold=None,
            row_factory=driver.rows.dict_row,
        )
    )
    finished = False
    try:
        finished = bool((await asyncio.wait({task}, timeout=timeout_s))[0])
    finally:
        if not finished:
            _abandon_login(task)
    if not finished:
        raise login_timeout(login.place)
    try:
        connection = task.result()
    except Exception as error:
        if is_driver_error(error):
            raise login_failure(login.place, error) from None
        raise
    if connection.pgconn.server_version < queries.FIRST_VERSION:
        version = server_version(connection)
        connection.pgconn.finish()
        raise SourceError(
            FailureKind.UNSUPPORTED,
            f"{login.place} is version {version}; this console speaks to PostgreSQL 12 and later.",
            f"Check dsn in [{login.place.key}].",
        )
    _read_any_encoding(connection)
    return connection


def server_version(connection: "Connection") -> str:
    """The version as the server tells it at the login (`15.4`, without a distribution's own words)."""
    told = (connection.pgconn.parameter_status(b"server_version") or b"").decode("ascii", "replace")
    return told.split(" ")[0][:20]


class Link:
    """A connection that is opened with the first question and kept, and dropped when a question is given up.

    When the server is full and there is an emergency login, that one is used until the ordinary one gets in again.
    """

    def __init__(self, ordinary: Login, emergency: Login | None, *, read_only: bool, statement_s: float, lock_s: float) -> None:
        self._ordinary = ordinary
        self._emergency = emergency
        self._settings = queries.SETTINGS.format(
            statement_ms=round(statement_s * 1000), lock_ms=round(lock_s * 1000), read_only="on" if read_only else "DEFAULT"
        )
        self._lock = asyncio.Lock()
        self._connection: Connection | None = None
        self._running: asyncio.Future[Any] | None = None
        self._tried_ordinary_at = 0.0
        self.by_emergency = False
        """Whether the connection that is open now came by the emergency login."""

    @property
    def pid(self) -> int | None:
        """The server's process that serves this connection."""
        return None if self._connection is None or self._connection.closed else self._connection.pgconn.backend_pid

    async def ask(
        self,
        work: "Callable[[Connection], Awaitable[T]]",
        *,
        timeout_s: float,
        advice_forbidden: Callable[[str], str] | None = None,
    ) -> T:
        """The answer of `work`, which gets the connection to itself.

        Raises SourceError. The connection is dropped when the time is up and when the asker is cancelled.
        `advice_forbidden` tells for a user what to do when the right is missing.
        """
        async with self._lock:
            connection = await self._ready()
            place = (self._emergency if self.by_emergency and self._emergency else self._ordinary).place
            try:
                return await self._bounded(connection, work(connection), timeout_s)
            except TimeoutError:
                raise SourceError(
                    FailureKind.TIMEOUT,
                    f"{place} has not answered for {timeout_s:g} s.",
                    "It may be frozen or overloaded; the next question takes a fresh connection.",
                ) from None
            except Exception as error:
                if not is_driver_error(error):
                    raise
                advice = advice_forbidden(place.user) if advice_forbidden else ""
                raise query_failure(place, error, advice) from None

    async def prepare(self) -> None:
        """Open the connection if it is not open. Raises SourceError."""
        async with self._lock:
            await self._ready()

    async def aclose(self) -> None:
        """Drop the connection, whatever it is doing, and give what runs on it a moment to notice."""
        connection, self._connection = self._connection, None
        running = self._running
        if connection is not None:
            _sever(connection, running)
        if running is not None and not running.done():
            await asyncio.wait({running}, timeout=0.5)

    async def _ready(self) -> "Connection":
        if self._connection is not None and (self._connection.closed or self._connection.broken):
            self._connection.pgconn.finish()
            self._connection = None
        if self._connection is None:
            self._tried_ordinary_at = time.monotonic()
            try:
                self._connection, self.by_emergency = await self._log_in(self._ordinary), False
            except SourceError as error:
                if self._emergency is None or error.failure.kind is not FailureKind.FULL:
                    raise
                self._connection, self.by_emergency = await self._log_in(self._emergency), True
        elif self.by_emergency and time.monotonic() - self._tried_ordinary_at >= ORDINARY_AGAIN_S:
            self._tried_ordinary_at = time.monotonic()
            with contextlib.suppress(SourceError):
                ordinary = await self._log_in(self._ordinary)
                self._connection.pgconn.finish()
                self._connection, self.by_emergency = ordinary, False
        return self._connection

    async def _log_in(self, login: Login) -> "Connection":
        connection = await connect(login)
        try:
            await self._bounded(connection, connection.execute(self._settings), LOGIN_TIMEOUT_S)
        except TimeoutError:
            raise login_timeout(login.place) from None
        except Exception as error:
            connection.pgconn.finish()
            if is_driver_error(error):
                raise query_failure(login.place, error) from None
            raise
        return connection

    async def _bounded(self, connection: "Connection", work: Awaitable[T], timeout_s: float) -> T:
        self._running = task = asyncio.ensure_future(work)
        finished = False
        try:
            finished = bool((await asyncio.wait({task}, timeout=timeout_s))[0])
        finally:
            if not finished:
                _sever(connection, task)
                if self._connection is connection:
                    self._connection = None
        if not finished:
            raise TimeoutError
        return task.result()


def _sever(connection: "Connection", running: asyncio.Future[Any] | None) -> None:
    """End a connection at once, and free it when what runs on it has noticed."""
    if connection.closed:
        return
    if running is None or running.done():
        connection.pgconn.finish()
        return
    # Closed under the driver's feet, the socket's number could go to somebody else whom the driver would then disturb.
    with socket.socket(fileno=os.dup(connection.pgconn.socket)) as handle, contextlib.suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)

    def free(task: asyncio.Future[Any]) -> None:
        if not task.cancelled():
            task.exception()
        connection.pgconn.finish()

    running.add_done_callback(free)


def _abandon_login(task: "asyncio.Future[Connection]") -> None:
    """Cancel a login and free its socket; should it succeed all the same, its connection is closed."""

    def close(done: "asyncio.Future[Connection]") -> None:
        try:
            done.result().pgconn.finish()
        except BaseException as error:
            # The socket lives as long as the driver's frames do, and whoever keeps the traceback keeps those.
            traceback.clear_frames(error.__traceback__)

    task.add_done_callback(close)
    task.cancel()


async def _prepared(login: Login) -> Any:
    """The driver, imported in a thread, once the host's name resolves.

    The event loop resolves in its executor, where a dead name server would block the exit and everybody else: so the name is
    tried here first.
    """

    def prepare() -> Any:
        import psycopg
        import psycopg.rows

        if not login.host.startswith("/"):  # a socket's folder
            socket.getaddrinfo(login.host, login.port, type=socket.SOCK_STREAM)
        return psycopg

    try:
        return await login.thread.run(prepare, timeout_s=PREPARE_S)
    except TimeoutError:
        raise name_timeout(login.place) from None
    except OSError as error:
        raise login_failure(login.place, error) from None


def _read_any_encoding(connection: "Connection") -> None:
    """Decode text leniently: pg_stat_activity shows statements of other databases as they are, in whatever encoding."""
    from psycopg.abc import Buffer
    from psycopg.adapt import Loader

    class LenientText(Loader):
        def load(self, data: Buffer) -> str:
            return bytes(data).decode("utf-8", "replace")

    for name in ("text", "varchar", "bpchar", "name", '"char"'):
        connection.adapters.register_loader(name, LenientText)
