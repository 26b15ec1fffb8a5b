"""What fixes change on a server, each on a connection of its own: a VACUUM of minutes keeps nobody from ending a session."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from console.reading import FailureKind, SourceError
from console.sources.postgres.link import Link, Login
from console.sources.protocols.database import Value

if TYPE_CHECKING:
    from console.sources.postgres.link import Connection

T = TypeVar("T")

CHANGE_S = 10.0
"""statement_timeout of an INSERT, UPDATE or DELETE."""
QUEUE_S = 2.0
"""lock_timeout: who waits for a table's lock holds up everybody that comes after."""
MAINTENANCE_DATABASE = "postgres"


async def run(ordinary: Login, emergency: Login | None, statement: str, *, timeout_s: float, administer: bool) -> None:
    """One statement outside a transaction. Raises SourceError.

    A concurrent index build may wait for its locks, since nobody has to wait behind it; everything else gives up soon.
    """
    queue_s = timeout_s if " CONCURRENTLY " in statement else QUEUE_S
    if administer:
        ordinary, emergency = elsewhere(emergency or ordinary, MAINTENANCE_DATABASE), None

    async def work(connection: "Connection") -> None:
        await connection.execute(f"/* triage */ {statement}")

    await _once(ordinary, emergency, work, statement_s=timeout_s, lock_s=queue_s)


async def change(
    ordinary: Login, emergency: Login | None, statement: str, parameters: Mapping[str, Value] | None, *, most_rows: int
) -> int:
    """One INSERT, UPDATE or DELETE; rolled back with DECLINED when it hits more than `most_rows`. Raises SourceError."""

    async def work(connection: "Connection") -> int:
        async with connection.transaction():
            cursor = await connection.execute(f"/* triage: change */ {statement}", parameters or None)
            if cursor.rowcount > most_rows:
                raise SourceError(
                    FailureKind.DECLINED,
                    f"This would change {cursor.rowcount} rows and not at most {most_rows}: it was rolled back.",
                    "Look at the preview again: the data is not what this fix expects.",
                )
            return max(0, cursor.rowcount)

    return await _once(ordinary, emergency, work, statement_s=CHANGE_S, lock_s=QUEUE_S)


async def set_password(ordinary: Login, emergency: Login | None, user: str, password: str) -> None:
    """Give a role a new password. The server gets the verifier that libpq makes of it, never the text. Raises SourceError."""

    async def work(connection: "Connection") -> None:
        from psycopg import sql

        row = await (await connection.execute("/* triage */ SHOW password_encryption")).fetchone()
        method = str(row["password_encryption"]) if row else "scram-sha-256"
        if method not in ("md5", "scram-sha-256"):  # "on" means md5, from before 14
            method = "md5"
        verifier = connection.pgconn.encrypt_password(password.encode(), user.encode(), method.encode())
        statement = sql.SQL("/* triage */ ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), sql.Literal(verifier.decode()))
        await connection.execute(statement)

    await _once(emergency or ordinary, None, work, statement_s=CHANGE_S, lock_s=QUEUE_S)


async def _once(
    ordinary: Login,
    emergency: Login | None,
    work: "Callable[[Connection], Awaitable[T]]",
    *,
    statement_s: float,
    lock_s: float,
) -> T:
    link = Link(ordinary, emergency, read_only=False, statement_s=statement_s, lock_s=lock_s)
    try:
        # The server's own limit comes first: its error says what it was doing.
        return await link.ask(work, timeout_s=statement_s + 2, advice_forbidden=_grant)
    finally:
        await link.aclose()


def elsewhere(login: Login, database: str) -> Login:
    """The same login to another database of the server."""
    return replace(login, parameters={**login.parameters, "dbname": database}, place=replace(login.place, database=database))


def _grant(user: str) -> str:
    return f'It takes an owner or a superuser, and "{user}" is neither: type the command as one, or name one as emergency_user.'
