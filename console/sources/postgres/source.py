"""The live PostgreSQL: questions on one kept connection, cancelling and ending on a second one, changes on their own."""

import asyncio
import contextlib
import functools
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from console.config_sources import PostgresConfig
from console.reading import FailureKind, SourceError
from console.sources.postgres import answers, changes, queries
from console.sources.postgres.failures import Place
from console.sources.postgres.link import Link, Login, connect, server_version
from console.sources.private_thread import PrivateThread
from console.sources.protocols.database import Accepts, Activity, DatabasePrivileges, Value
from console.text import Secrets, printable

if TYPE_CHECKING:
    from console.sources.postgres.link import Connection

QUESTION_S = 2.0
"""statement_timeout of the two kept connections; the client gives up a second later."""
ACCEPTS_TIMEOUT_S = 3.0
GONE_WITHIN_S = 5.0
WAITS_EVERY_S = 2.0
"""pg_blocking_pids() halts the lock manager for a moment: not more often than this."""
SIZE_EVERY_S = 60.0
SIZE_TIMEOUT_MS = 500
SIZE_PAUSE_AFTER_FAILURE_S = 600.0

_REASONS = {
    FailureKind.REFUSED: "refused",
    FailureKind.TIMEOUT: "timeout",
    FailureKind.FULL: "too_many_clients",
    FailureKind.LOGIN: "login",
    FailureKind.MISSING: "database_missing",
    FailureKind.STARTING: "starting",
    FailureKind.LOST: "lost",
}


class Postgres:
    """A configured PostgreSQL. `key` is its table in config.toml, for advice; `secrets` hides configured passwords."""

    def __init__(self, config: PostgresConfig, *, key: str, secrets: Secrets) -> None:
        address = urlsplit(config.dsn)
        secrets.add(unquote(address.password or ""))
        self._secrets = secrets
        self._thread = PrivateThread("postgres")
        self._user = unquote(address.username or "")
        self._ordinary = self._login(config, key, self._user, config.password_env, emergency=False)
        emergency = (
            self._login(config, key, config.emergency_user, config.emergency_password_env, emergency=True)
            if config.emergency_user
            else None
        )
        self._polling = Link(self._ordinary, emergency, read_only=True, statement_s=QUESTION_S, lock_s=0.25)
        self._emergency = emergency
        self._acting = Link(self._ordinary, emergency, read_only=False, statement_s=QUESTION_S, lock_s=QUESTION_S)
        self._opening: asyncio.Task[None] | None = None
        self._counted: deque[Mapping[str, Any]] = deque(maxlen=2)
        self._waits: Sequence[Mapping[str, Any]] = ()
        self._waits_at = 0.0
        self._size_bytes: int | None = None
        self._size_again_at = 0.0
        # Most statements are the same from one question to the next.
        self._show = functools.lru_cache(maxsize=2048)(self._show_afresh)

    async def open(self) -> None:
        """Nothing yet: the connections open with the first question, and are kept from then on."""

    async def aclose(self) -> None:
        """Drop both connections, within a second and whatever the server does."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
        self._thread.stop()
        await asyncio.gather(self._polling.aclose(), self._acting.aclose())

    async def accepts(self) -> Accepts:
        """Whether a fresh login as the configured user gets in; it is closed at once."""
        started = time.monotonic()
        try:
            connection = await connect(self._ordinary, ACCEPTS_TIMEOUT_S)
        except SourceError as error:
            reason = _REASONS.get(error.failure.kind, "other")
            return Accepts(False, reason, error.failure.message, elapsed_s=time.monotonic() - started)
        version = printable(server_version(connection))
        connection.pgconn.finish()
        return Accepts(True, server_version=version, elapsed_s=time.monotonic() - started)

    async def activity(self) -> Activity:
        """Sessions, limits, lock tree and rates, in one round trip and two more while somebody waits for a lock or, once a
        minute, for the size. Raises SourceError."""
        activity = await self._polling.ask(self._activity, timeout_s=QUESTION_S + 1)
        if self._opening is None or self._opening.done():
            # The acting connection must be there before the server is full.
            self._opening = asyncio.ensure_future(self._open_acting())
        return activity

    async def privileges(self) -> DatabasePrivileges:
        """Rights of the configured user, even when the emergency login answers. Raises SourceError."""

        async def ask(connection: "Connection") -> Mapping[str, Any] | None:
            return await (await connection.execute(queries.PRIVILEGES, {"user": self._user})).fetchone()

        row = await self._polling.ask(ask, timeout_s=QUESTION_S + 1)
        if row is None:
            # A pooler may log us in under another name than the server knows.
            return DatabasePrivileges(printable(self._user), superuser=False, sees_all_sessions=False, may_signal=False)
        superuser = bool(row["superuser"])
        return DatabasePrivileges(
            user=printable(row["name"]),
            superuser=superuser,
            sees_all_sessions=superuser or bool(row["sees_all_sessions"]),
            may_signal=superuser or bool(row["may_signal"]),
        )

    async def select(
        self, query: str, parameters: Mapping[str, Value] | None = None, *, limit: int = 500, timeout_s: float = 5.0
    ) -> Sequence[Mapping[str, Value]]:
        """Rows of a read-only query, at most `limit`; values bound, texts cleaned. Raises SourceError."""

        async def ask(connection: "Connection") -> list[dict[str, Any]]:
            # Before 16 a READ ONLY transaction still lets large objects be written: rolled back, nothing stays.
            async with connection.transaction(force_rollback=connection.pgconn.server_version < 160000):
                await connection.execute(
                    f"/* triage */ SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = {round(timeout_s * 1000)}"
                )
                # A cursor of the server, so that a table of millions of rows is not fetched for its first few.
                many = query.lstrip("( \n").lower().startswith(("select", "with", "values", "table"))
                cursor = connection.cursor("triage") if many else connection.cursor()
                await cursor.execute(f"/* triage: select */ {query}", parameters)
                return await cursor.fetchmany(limit) if cursor.description else []

        rows = await self._polling.ask(
            ask, timeout_s=timeout_s + 1, advice_forbidden=lambda user: f'GRANT SELECT on it, or pg_read_all_data, TO "{user}";'
        )
        return [{self._show(str(name)): answers.value(value, self._show) for name, value in row.items()} for row in rows]

    async def cancel(self, pid: int, backend_start: float) -> bool:
        """Cancel the statement of a session. False: that session is gone. Raises SourceError."""
        return await self._signal("pg_cancel_backend", pid, backend_start)

    async def terminate(self, pid: int, backend_start: float) -> bool:
        """End a session and see it gone. False: it was gone before. Raises SourceError, TIMEOUT when it would not end."""
        if not await self._signal("pg_terminate_backend", pid, backend_start):
            return False

        async def there(connection: "Connection") -> bool:
            cursor = await connection.execute(queries.STILL_THERE, {"pid": pid, "backend_start": backend_start})
            return await cursor.fetchone() is not None

        until = time.monotonic() + GONE_WITHIN_S
        pause_s = 0.01
        while await self._acting.ask(there, timeout_s=QUESTION_S + 1):
            if time.monotonic() >= until:
                raise SourceError(
                    FailureKind.TIMEOUT,
                    f"Session {pid} was told to end but is still there after {GONE_WITHIN_S:g} s.",
                    "It may hang in a system call; look again before doing more.",
                )
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.25)
        return True

    async def execute(self, statement: str, *, timeout_s: float = 60.0, administer: bool = False) -> None:
        """Run one authored statement outside a transaction, on a connection of its own. Raises SourceError."""
        await changes.run(self._ordinary, self._emergency, statement, timeout_s=timeout_s, administer=administer)

    async def change(self, statement: str, parameters: Mapping[str, Value] | None = None, *, most_rows: int) -> int:
        """Run one authored INSERT, UPDATE or DELETE; the number of rows. DECLINED when they are more. Raises SourceError."""
        return await changes.change(self._ordinary, self._emergency, statement, parameters, most_rows=most_rows)

    async def set_password(self, user: str, password: str) -> None:
        """Give a role a new password, sent as a verifier. Raises SourceError."""
        self._secrets.add(password)
        await changes.set_password(self._ordinary, self._emergency, user, password)

    async def _activity(self, connection: "Connection") -> Activity:
        cursor = await connection.execute(queries.SERVER + ";" + queries.SESSIONS)
        server = await cursor.fetchone()
        cursor.nextset()
        sessions = await cursor.fetchall()
        if server is None:
            raise SourceError(
                FailureKind.GARBAGE, f"{self._ordinary.place} tells no statistics of its own database.", "Is it a pooler?"
            )
        await self._read_waits(connection, sessions)
        await self._read_size(connection)
        # Two are kept, so that a second asker right after the first still gets rates.
        before = next((row for row in reversed(self._counted) if _apart(row, server)), None)
        if not self._counted or _apart(self._counted[-1], server):
            self._counted.append(server)
        return answers.activity(
            server,
            sessions,
            self._waits,
            before,
            own_pids={pid for pid in (self._polling.pid, self._acting.pid) if pid},
            size_bytes=self._size_bytes,
            emergency=self._polling.by_emergency,
            show=self._show,
        )

    async def _read_waits(self, connection: "Connection", sessions: Sequence[Mapping[str, Any]]) -> None:
        pids = [row["pid"] for row in sessions if row["wait_event_type"] == "Lock"]
        if not pids:
            self._waits = ()
        elif not self._waits or time.monotonic() - self._waits_at >= WAITS_EVERY_S:
            query = queries.waits(connection.pgconn.server_version)
            self._waits = await (await connection.execute(query, {"pids": pids})).fetchall()
            self._waits_at = time.monotonic()

    async def _read_size(self, connection: "Connection") -> None:
        """Walks through all the files of the database, so it is seldom asked, and seldomer when it takes long."""
        import psycopg

        if time.monotonic() < self._size_again_at:
            return
        started = time.monotonic()
        self._size_again_at = started + SIZE_PAUSE_AFTER_FAILURE_S
        with contextlib.suppress(psycopg.errors.QueryCanceled, psycopg.errors.InsufficientPrivilege):
            async with connection.transaction():
                await connection.execute(f"/* triage */ SET LOCAL statement_timeout = {SIZE_TIMEOUT_MS}")
                row = await (await connection.execute(queries.SIZE)).fetchone()
            self._size_bytes = None if row is None else int(row["size_bytes"])
            took_s = time.monotonic() - started
            self._size_again_at = started + max(SIZE_EVERY_S, 1000 * took_s)

    async def _signal(self, function: str, pid: int, backend_start: float) -> bool:
        if backend_start <= 0:
            raise SourceError(
                FailureKind.FORBIDDEN,
                f"Session {pid} is hidden from {self._user}: it cannot be told whether it is still the same one.",
                f'GRANT pg_monitor, pg_signal_backend TO "{self._user}";',
            )
        target = {"pid": pid, "backend_start": backend_start}
        own = [link.pid for link in (self._polling, self._acting) if link.pid]

        async def signal(connection: "Connection") -> Mapping[str, Any] | None:
            query = queries.SIGNAL.format(function=function)
            return await (await connection.execute(query, {**target, "own": own})).fetchone()

        async def owner(connection: "Connection") -> Mapping[str, Any] | None:
            return await (await connection.execute(queries.OWNER, target)).fetchone()

        try:
            row = await self._acting.ask(signal, timeout_s=QUESTION_S + 1, advice_forbidden=_grant_signal)
        except SourceError as error:
            if error.failure.kind is FailureKind.FORBIDDEN:
                found = await self._acting.ask(owner, timeout_s=QUESTION_S + 1)
                if found is not None and found["superuser"]:
                    raise SourceError(
                        FailureKind.FORBIDDEN, error.failure.message, "The session is a superuser's: only a superuser may end it."
                    ) from None
            raise
        if row is None:
            return False
        if row["sent"] is None:
            what = "one of this program's own" if row["ours"] else f"a {printable(row['backend_type'] or 'background process')}"
            raise SourceError(
                FailureKind.FORBIDDEN, f"Session {pid} is {what}, which this console does not end.", "Choose another session."
            )
        return bool(row["sent"])

    async def _open_acting(self) -> None:
        with contextlib.suppress(SourceError):
            await self._acting.prepare()

    def _login(self, config: PostgresConfig, key: str, user: str, password_env: str, *, emergency: bool) -> Login:
        address = urlsplit(config.dsn)
        place = Place(
            address=printable(f"{unquote(address.hostname or '')}:{address.port or 5432}"),
            user=printable(user),
            database=printable(unquote(address.path.lstrip("/"))),
            key=key,
            password_setting=f"{password_env or ('emergency_' if emergency else '') + 'password_env'} or "
            f"{'emergency_' if emergency else ''}password_file in [{key}]",
            secrets=self._secrets,
        )
        parameters = {
            "conninfo": config.dsn,
            "user": user,
            "application_name": queries.PROGRAM,
            "client_encoding": "UTF8",
            "connect_timeout": 5,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 5000,
            "gssencmode": "disable",  # Its look-ups in the network cannot be bounded.
        }
        in_dsn = unquote(address.password) if address.password else None
        find = config.find_emergency_password if emergency else (lambda: config.find_password() or in_dsn)
        return Login(place, parameters, find, unquote(address.hostname or ""), address.port or 5432, self._thread)

    def _show_afresh(self, text: str) -> str:
        return self._secrets.hide(printable(text))


def _grant_signal(user: str) -> str:
    return f'A superuser can allow it: GRANT pg_signal_backend TO "{user}";'


def _apart(before: Mapping[str, Any], server: Mapping[str, Any]) -> bool:
    return bool(server["now"] - before["now"] >= answers.SHORTEST_INTERVAL_S)
