"""The live PostgreSQL source against a real server that is filled, locked, frozen and misused."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import psycopg
import pytest
from guide_server import PASSWORD, dsn, ready
from store_containers import Server, server, sockets_to

from console.config_sources import PostgresConfig
from console.reading import FailureKind, SourceError
from console.sources.postgres.source import Postgres
from console.sources.protocols.database import Activity, Session, Waiter
from console.text import Secrets
from console.watch import watch

pytestmark = pytest.mark.engine

MAKE_AND_RUN = """
set -e
export PATH=/usr/lib/postgresql/15/bin:$PATH
mkdir -p /run/postgresql /pg; chown postgres /run/postgresql /pg
as="setpriv --reuid=postgres --regid=postgres --init-groups"
$as initdb --pgdata=/pg/data --encoding=UTF8 --locale=C.UTF-8 --no-sync --auth-local=trust --auth-host=scram-sha-256 >/dev/null
echo "host all all all scram-sha-256" >> /pg/data/pg_hba.conf
$as pg_ctl -D /pg/data -w -o "-c listen_addresses= -c fsync=off" start >/dev/null
psql -qX -v ON_ERROR_STOP=1 -U postgres <<'SQL'
ALTER ROLE postgres PASSWORD 'not-guessed-1';
CREATE ROLE app LOGIN PASSWORD 'not-guessed-1';
GRANT pg_monitor, pg_signal_backend TO app;
CREATE ROLE plain LOGIN PASSWORD 'not-guessed-1';
CREATE ROLE shy LOGIN PASSWORD 'not-guessed-1' CONNECTION LIMIT 1;
CREATE DATABASE shop OWNER app;
CREATE DATABASE old OWNER app ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;
\\connect shop app
CREATE TABLE item (id int PRIMARY KEY, n int);
INSERT INTO item SELECT i, 0 FROM generate_series(1, 100) i;
SQL
$as pg_ctl -D /pg/data -w -m fast stop >/dev/null
exec $as postgres -D /pg/data -c listen_addresses='*' -c max_connections=14 -c superuser_reserved_connections=3
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with server(["bash", "-c", MAKE_AND_RUN], 5432, ready) as found:
        yield found


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)


def source(
    found: Server, user: str = "app", database: str = "shop", emergency: bool = False, env: str = "SHOP_PASSWORD"
) -> Postgres:
    config = PostgresConfig(
        dsn=dsn(found, user, database),
        password_env=env,
        emergency_user="postgres" if emergency else "",
        emergency_password_env="SHOP_PASSWORD",
    )
    return Postgres(config, key="systems.shop.postgres", secrets=Secrets())


@contextlib.asynccontextmanager
async def opened(made: Postgres) -> AsyncIterator[Postgres]:
    await made.open()
    try:
        yield made
    finally:
        await made.aclose()


@contextlib.asynccontextmanager
async def sessions(
    found: Server, count: int = 1, user: str = "app", database: str = "shop", name: str = "clerk"
) -> AsyncIterator[list[psycopg.AsyncConnection[Any]]]:
    """Open sessions of somebody else; at the end their sockets are closed whatever they wait for."""
    connections: list[psycopg.AsyncConnection[Any]] = []
    try:
        for _ in range(count):
            connections.append(  # noqa: PERF401
                await psycopg.AsyncConnection.connect(
                    dsn(found, user, database), password=PASSWORD, autocommit=True, application_name=name
                )
            )
        yield connections
    finally:
        for connection in connections:
            await connection.close()
        async with await psycopg.AsyncConnection.connect(dsn(found, "postgres"), password=PASSWORD, autocommit=True) as admin:

            async def gone() -> bool:
                query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
                row = await (await admin.execute(query, (name,))).fetchone()
                return row == (0,)

            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", (name,))
            await until(gone)


async def until(condition: Callable[[], Awaitable[Any]], within_s: float = 5.0) -> Any:
    deadline = time.monotonic() + within_s
    while not (answer := await condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.05)
    return answer


async def fill(found: Server, stack: contextlib.AsyncExitStack, user: str = "plain") -> None:
    """Take every connection that an ordinary role can get."""
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(
                dsn(found, user), password=PASSWORD, autocommit=True, application_name="leak"
            )
        except psycopg.OperationalError:
            return
        stack.push_async_callback(connection.close)


def named(activity: Activity, name: str = "clerk") -> list[Session]:
    return [session for session in activity.sessions if session.application == name]


async def settled(made: Postgres, count: int) -> Activity:
    """Activity, once `count` connections are used: closed ones are counted for a moment longer."""

    async def ask() -> Activity | None:
        activity = await made.activity()
        return activity if activity.used == count else None

    result: Activity = await until(ask)
    return result


async def test_a_healthy_server_tells_its_sessions_limits_and_rates(postgres: Server) -> None:
    async with opened(source(postgres)) as made, sessions(postgres, 2) as (idle, in_transaction):
        await idle.execute("SELECT 'nothing new'")
        await in_transaction.execute("BEGIN")
        first = await made.activity()
        assert (first.max_connections, first.reserved_connections, first.commits_per_s) == (14, 3, None)
        by_state = {session.state: session for session in named(first)}
        assert set(by_state) == {"idle", "idle in transaction"}
        assert by_state["idle"].query == "SELECT 'nothing new'"
        assert by_state["idle"].query_age_s is None
        assert (by_state["idle in transaction"].transaction_age_s or 0) > 0
        assert first.by_state == {"idle": 1, "idle in transaction": 1}
        assert (first.database_size_bytes or 0) > 1_000_000
        async with asyncio.timeout(10):
            while (second := await settled(made, 4)).commits_per_s is None:
                await asyncio.sleep(0.05)
        assert second.own_sessions == 2, "the acting connection opens early too"
        assert second.commits_per_s is not None
        assert second.hidden == 0


async def test_without_pg_monitor_sessions_are_counted_as_hidden_and_never_missing(postgres: Server) -> None:
    async with opened(source(postgres, "plain")) as made, sessions(postgres, 2) as (one, _):
        await one.execute("SELECT 1")
        activity = await made.activity()
        assert (activity.hidden, len(activity.sessions), activity.used) == (2, 2, 3)
        assert activity.by_state == {}
        privileges = await made.privileges()
        assert (privileges.user, privileges.superuser, privileges.sees_all_sessions, privileges.may_signal) == (
            "plain",
            False,
            False,
            False,
        )
        hidden = activity.sessions[0]
        with pytest.raises(SourceError) as caught:
            await made.terminate(hidden.pid, hidden.backend_start)
        assert caught.value.failure.kind is FailureKind.FORBIDDEN
        assert "GRANT pg_monitor, pg_signal_backend" in caught.value.failure.advice


async def test_a_full_server_answers_over_the_emergency_login_and_the_ordinary_one_comes_back(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.sources.postgres.link.ORDINARY_AGAIN_S", 0.2)
    async with opened(source(postgres, emergency=True)) as made, opened(source(postgres)) as without:
        async with contextlib.AsyncExitStack() as stack:
            await fill(postgres, stack)
            activity = await made.activity()
            assert activity.emergency
            assert activity.used >= activity.max_connections - activity.reserved_connections
            accepts = await made.accepts()
            assert (accepts.accepting, accepts.reason) == (False, "too_many_clients")
            assert "remaining connection slots" in accepts.message
            with pytest.raises(SourceError) as caught:
                await without.activity()
            assert caught.value.failure.kind is FailureKind.FULL
            assert "emergency_user" in caught.value.failure.advice
            assert (await made.privileges()).user == "app", "the rights told are those of the configured user"
            # And the way out works while it is full.
            victim = named(activity, "leak")[0]
            assert await made.terminate(victim.pid, victim.backend_start)

        async def ordinary() -> bool:
            return not (await made.activity()).emergency

        await until(ordinary)


async def test_a_role_at_its_own_limit_counts_as_full(postgres: Server) -> None:
    async with sessions(postgres, 1, "shy"), opened(source(postgres, "shy")) as made:
        assert (await made.accepts()).reason == "too_many_clients"


@pytest.mark.parametrize(
    ("user", "database", "env", "kind", "reason"),
    [
        ("app", "shop", "WRONG_PASSWORD", FailureKind.LOGIN, "login"),
        ("app", "shop", "UNSET_PASSWORD", FailureKind.LOGIN, "login"),
        ("nobody", "shop", "SHOP_PASSWORD", FailureKind.LOGIN, "login"),
        ("app", "nowhere", "SHOP_PASSWORD", FailureKind.MISSING, "database_missing"),
    ],
)
async def test_a_login_that_fails_tells_why_and_what_to_set(
    postgres: Server, monkeypatch: pytest.MonkeyPatch, user: str, database: str, env: str, kind: FailureKind, reason: str
) -> None:
    monkeypatch.setenv("WRONG_PASSWORD", "guessed-wrong")
    async with opened(source(postgres, user, database, env=env)) as made:
        accepts = await made.accepts()
        assert (accepts.accepting, accepts.reason) == (False, reason)
        with pytest.raises(SourceError) as caught:
            await made.activity()
        assert caught.value.failure.kind is kind
        if kind is FailureKind.LOGIN:
            assert f"{env} or password_file in [systems.shop.postgres]" in caught.value.failure.advice
        assert "guessed-wrong" not in str(caught.value)


async def test_a_frozen_server_is_left_at_once_and_answers_within_five_seconds_of_its_return(postgres: Server) -> None:
    async with opened(source(postgres)) as made:
        await made.activity()
        readings = watch(made.activity, every_s=0.2, timeout_s=1.0, name="PostgreSQL")
        async with contextlib.aclosing(readings):
            assert (await anext(readings)).fresh
            with postgres.frozen():
                reading = await anext(readings)
                while reading.failure is None:
                    reading = await anext(readings)
                assert reading.failure.kind is FailureKind.TIMEOUT
                assert reading.value is not None, "the last good answer stays"
                assert reading.elapsed_s < 1.5
                started = time.monotonic()
                reading = await anext(readings)
                assert time.monotonic() - started < 4.5, "a second question is asked, nothing hangs in the first"
            returned = time.monotonic()
            while not (await anext(readings)).fresh:
                assert time.monotonic() - returned < 5
    await _no_socket_is_left(postgres)


async def test_closing_takes_less_than_a_second_while_a_question_hangs_on_a_frozen_server(postgres: Server) -> None:
    made = source(postgres)
    await made.activity()
    with postgres.frozen():
        question = asyncio.ensure_future(made.activity())
        await asyncio.sleep(0.2)
        started = time.monotonic()
        await made.aclose()
        assert time.monotonic() - started < 1
        with pytest.raises(SourceError):
            await question
        assert time.monotonic() - started < 1
    await _no_socket_is_left(postgres)


async def test_one_stopped_backend_costs_one_answer(postgres: Server) -> None:
    async with opened(source(postgres)) as made:
        await made.activity()
        pid = made._polling.pid
        postgres.run("bash", "-c", f"kill -STOP {pid}")
        try:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(made.activity(), 0.5)
            started = time.monotonic()
            assert await made.activity()
            assert time.monotonic() - started < 1
        finally:
            postgres.run("bash", "-c", f"kill -CONT {pid}")


async def test_a_connection_that_the_server_ended_is_replaced_with_the_next_question(postgres: Server) -> None:
    async with opened(source(postgres)) as made, sessions(postgres, 1, "postgres") as (admin,):
        await made.activity()
        await admin.execute("SELECT pg_terminate_backend(%s)", (made._polling.pid,))
        with pytest.raises(SourceError) as caught:
            await made.activity()
        assert caught.value.failure.kind is FailureKind.LOST
        assert (await made.activity()).used >= 2


async def test_a_chain_of_locks_is_a_tree_from_its_root(postgres: Server) -> None:
    async with opened(source(postgres)) as made, sessions(postgres, 4) as (holder, second, third, fourth):
        await holder.execute("BEGIN")
        await holder.execute("UPDATE item SET n = 1 WHERE id = 1")
        await holder.execute("SELECT pg_advisory_lock(42)")
        await second.execute("BEGIN")
        await second.execute("UPDATE item SET n = 2 WHERE id = 2")
        waiting = [asyncio.ensure_future(second.execute("UPDATE item SET n = 2 WHERE id = 1"))]
        try:
            await until(lambda: _waiting(made, 1))
            waiting.append(asyncio.ensure_future(third.execute("UPDATE item SET n = 3 WHERE id = 2")))
            waiting.append(asyncio.ensure_future(fourth.execute("SELECT pg_advisory_lock(42)")))

            async def whole() -> Waiter | None:
                roots = (await made.activity()).roots
                return roots[0] if roots and roots[0].size == 3 else None

            root: Waiter = await until(whole)
            assert root.pid == holder.info.backend_pid
            assert root.session is not None
            assert root.session.state == "idle in transaction"
            shape = {child.pid: (child.relation, [below.pid for below in child.waiters]) for child in root.waiters}
            assert shape[second.info.backend_pid] == ("item", [third.info.backend_pid])
            assert shape[fourth.info.backend_pid] == ("advisory 0:42", [])
            assert root.waiters[0].waited_s is not None
            assert root.waiters[0].mode == "ShareLock"
        finally:
            # The first one that waits gets its lock now, and the one behind it when that session ends.
            await holder.close()
            await waiting[0]
            await second.close()
            await asyncio.gather(*waiting[1:])


async def test_a_session_is_ended_only_if_it_is_still_the_same_one(postgres: Server) -> None:
    async with opened(source(postgres)) as made, sessions(postgres, 1) as (victim,):
        session = named(await made.activity())[0]
        assert not await made.terminate(session.pid, session.backend_start + 1), "the pid is the same, the session is not"
        await victim.execute("SELECT 1")
        assert await made.terminate(session.pid, session.backend_start)
        assert named(await made.activity()) == []
        assert not await made.terminate(session.pid, session.backend_start)


async def test_cancelling_ends_the_statement_and_not_the_session(postgres: Server) -> None:
    async with opened(source(postgres)) as made, sessions(postgres, 1) as (victim,):
        sleeping = asyncio.ensure_future(victim.execute("SELECT pg_sleep(60)"))

        async def running() -> Session | None:
            return next((found for found in named(await made.activity()) if found.state == "active"), None)

        session: Session = await until(running)
        assert await made.cancel(session.pid, session.backend_start)
        with pytest.raises(psycopg.errors.QueryCanceled):
            await sleeping
        await victim.execute("SELECT 1")


async def test_our_own_sessions_and_background_processes_are_not_ended(postgres: Server) -> None:
    async with opened(source(postgres)) as made, opened(source(postgres)) as colleague:
        await colleague.activity()
        await made.activity()
        rows = await made.select(
            "SELECT pid, backend_type, extract(epoch FROM backend_start)::float8 AS started FROM pg_stat_activity "
            "WHERE application_name = 'triage' OR backend_type = 'checkpointer'"
        )
        assert {row["backend_type"] for row in rows} == {"client backend", "checkpointer"}
        for row in rows:
            assert isinstance(row["pid"], int)
            assert isinstance(row["started"], float)
            with pytest.raises(SourceError) as caught:
                await made.terminate(row["pid"], row["started"])
            assert caught.value.failure.kind is FailureKind.FORBIDDEN


async def test_a_superusers_session_is_out_of_reach_and_the_advice_says_so(postgres: Server) -> None:
    async with opened(source(postgres)) as made, sessions(postgres, 1, "postgres"):
        session = named(await made.activity())[0]
        with pytest.raises(SourceError) as caught:
            await made.terminate(session.pid, session.backend_start)
        assert caught.value.failure.kind is FailureKind.FORBIDDEN
        assert "only a superuser" in caught.value.failure.advice


async def test_select_binds_limits_cleans_and_cannot_write(postgres: Server) -> None:
    async with opened(source(postgres)) as made:
        rows = await made.select(
            "SELECT id, 0::numeric AS n, %(text)s::text AS text FROM item ORDER BY id", {"text": "a\x1b]0;x\x07b"}, limit=3
        )
        assert rows == [{"id": number, "n": 0.0, "text": "ab"} for number in (1, 2, 3)]
        assert await made.select("SHOW max_connections") == [{"max_connections": "14"}]
        with pytest.raises(SourceError) as caught:
            await made.select("WITH gone AS (DELETE FROM item RETURNING id) SELECT * FROM gone")
        assert caught.value.failure.kind is FailureKind.FORBIDDEN
        started = time.monotonic()
        with pytest.raises(SourceError) as caught:
            await made.select("SELECT pg_sleep(5)", timeout_s=0.3)
        assert caught.value.failure.kind is FailureKind.TIMEOUT
        assert time.monotonic() - started < 1
        with pytest.raises(SourceError) as caught:
            await made.select("SELECT * FROM not_there")
        assert caught.value.failure.kind is FailureKind.MISSING
        assert (await made.activity()).used >= 1, "the connection is still good"


async def test_execute_writes_outside_a_transaction(postgres: Server) -> None:
    async with opened(source(postgres)) as made:
        await made.execute("VACUUM ANALYZE item")
        with pytest.raises(SourceError) as caught:
            await made.execute("CHECKPOINT")
        assert caught.value.failure.kind is FailureKind.FORBIDDEN


async def test_a_statement_of_another_encoding_is_shown_broken_but_shown(postgres: Server) -> None:
    async with opened(source(postgres)) as made, sessions(postgres, 1, database="old") as (old,):
        await old.execute("SET client_encoding = 'LATIN1'")
        await old.execute("SELECT 'caf\xe9'")
        assert named(await made.activity())[0].query == "SELECT 'caf\N{REPLACEMENT CHARACTER}'"


async def test_a_hostile_statement_and_name_reach_nobody_as_control_sequences(postgres: Server) -> None:
    async with opened(source(postgres)) as made, sessions(postgres, 1, name="clerk") as (hostile,):
        await hostile.execute("SELECT '\x1b]52;c;aGk=\x07\x1b[2J[red]' /* password='hunter2hunter2' */")
        session = named(await made.activity())[0]
        assert "\x1b" not in session.query
        assert "hunter2" not in session.query
        assert "[red]" in session.query


async def _waiting(made: Postgres, count: int) -> bool:
    return sum(session.waiting_for_lock for session in (await made.activity()).sessions) == count


async def _no_socket_is_left(found: Server) -> None:
    async def none() -> bool:
        return sockets_to(found.port) == 0

    await until(none)
