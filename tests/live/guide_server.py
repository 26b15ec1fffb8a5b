"""A real PostgreSQL with tables to break, and a system of it, for the checks and fixes of the family postgres."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

import psycopg
from store_containers import Server, server

from console.config import SystemConfig
from console.config_sources import EngineConfig, PostgresConfig
from console.guides.checks.check import Outcome, run_check
from console.guides.checks.registry import find_check
from console.guides.fixes import Applied, Preview, apply_fix, preview_fix
from console.guides.fixes.action import action
from console.guides.issue import CheckCall, Fix
from console.guides.readings import Readings
from console.sources.docker.source import DockerEngine
from console.sources.host import LocalHost
from console.sources.postgres.source import Postgres
from console.system import System
from console.text import Secrets

PASSWORD = "not-guessed-1"
MAKE_AND_RUN = """
set -e
export PATH=/usr/lib/postgresql/15/bin:$PATH
mkdir -p /run/postgresql /pg; chown postgres /run/postgresql /pg
as="setpriv --reuid=postgres --regid=postgres --init-groups"
$as initdb --pgdata=/pg/data --encoding=UTF8 --locale=C.UTF-8 --no-sync --data-checksums --auth-local=trust \
    --auth-host=scram-sha-256 >/dev/null
echo "host all all all scram-sha-256" >> /pg/data/pg_hba.conf
$as pg_ctl -D /pg/data -w -o "-c listen_addresses= -c fsync=off -c shared_preload_libraries=pg_stat_statements" start >/dev/null
psql -qX -v ON_ERROR_STOP=1 -U postgres <<'SQL'
ALTER ROLE postgres PASSWORD 'not-guessed-1';
CREATE ROLE app LOGIN PASSWORD 'not-guessed-1';
GRANT pg_monitor, pg_signal_backend TO app;
CREATE ROLE plain LOGIN PASSWORD 'not-guessed-1';
CREATE DATABASE shop OWNER app;
CREATE DATABASE bare OWNER app;
\\connect shop
CREATE EXTENSION pg_stat_statements;
CREATE EXTENSION amcheck;
GRANT EXECUTE ON FUNCTION bt_index_check(regclass), verify_heapam(regclass, boolean, boolean, text, bigint, bigint) TO app;
SET ROLE app;
CREATE TABLE "user" (id serial PRIMARY KEY, email text NOT NULL UNIQUE, locked boolean NOT NULL DEFAULT false, note text);
INSERT INTO "user" (email) SELECT 'user' || i || '@shop.test' FROM generate_series(1, 50) i;
CREATE TABLE sale (id int PRIMARY KEY, buyer int NOT NULL, sold_on date NOT NULL, price numeric(8, 2) NOT NULL);
INSERT INTO sale SELECT i, i % 50 + 1, date '2026-01-01' + i % 200, i % 90 FROM generate_series(1, 30000) i;
CREATE TABLE fragile (id int, word text);
INSERT INTO fragile SELECT i, 'word ' || i FROM generate_series(1, 5000) i;
CREATE INDEX fragile_word ON fragile (word);
CREATE FUNCTION mark_all() RETURNS int LANGUAGE sql VOLATILE AS $$ UPDATE "user" SET note = 'written' RETURNING 1 $$;
SQL
psql -qX -U postgres -d shop -c ANALYZE
$as pg_ctl -D /pg/data -w -m fast stop >/dev/null
exec $as postgres -D /pg/data -c listen_addresses='*' -c shared_preload_libraries=pg_stat_statements -c autovacuum=off
"""


@contextlib.contextmanager
def guide_server() -> Iterator[Server]:
    with server(["bash", "-c", MAKE_AND_RUN], 5432, ready) as found:
        yield found


def ready(found: Server) -> bool:
    """Whether the database `shop` of a server lets its application in."""
    try:
        psycopg.connect(dsn(found), password=PASSWORD, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def dsn(found: Server, user: str = "app", database: str = "shop") -> str:
    return f"postgresql://{user}@127.0.0.1:{found.port}/{database}"


def shop_config(found: Server, user: str = "app", database: str = "shop", *, administrator: bool = True) -> SystemConfig:
    settings = PostgresConfig(
        dsn=dsn(found, user, database),
        password_env="SHOP_PASSWORD",
        emergency_user="postgres" if administrator else "",
        emergency_password_env="SHOP_PASSWORD",
    )
    return SystemConfig.model_validate(
        {
            "title": "Shop",
            "environment": "lab",
            "postgres": settings,
            "roles": {"database": found.container.name},
            "tables": {"users": "user", "sales": "public.sale"},
            "indexes": {"sale_buyer": {"table": "sales", "columns": ["buyer", "sold_on"]}},
        }
    )


@contextlib.asynccontextmanager
async def shop(
    found: Server, user: str = "app", database: str = "shop", *, administrator: bool = True, logs: bool = False
) -> AsyncIterator[System]:
    """The system of that server, as a login would see it; with `logs` its log can be read too."""
    config = shop_config(found, user, database, administrator=administrator)
    assert config.postgres is not None
    secrets = Secrets()
    source = Postgres(config.postgres, key="systems.shop.postgres", secrets=secrets)
    engine = DockerEngine(EngineConfig(), (found.container.name,)) if logs else None
    system = System(config, host=LocalHost(), engine=engine, database=source, secrets=secrets)
    await system.open()
    try:
        yield system
    finally:
        await system.aclose()


async def made(system: System, name: str, parameters: Mapping[str, Any] | None = None, limit_s: float = 5.0) -> Outcome:
    """A check, made as a walk makes it."""
    check = find_check(name)
    assert check is not None
    readings = Readings(system)
    try:
        return await run_check(CheckCall(name, check.parameters.model_validate(parameters or {})), readings, limit_s=limit_s)
    finally:
        readings.close()


def fix_of(name: str, parameters: Mapping[str, Any] | None = None) -> Fix:
    kind = action(name)
    return Fix("it", "Mend it", kind.risk, name, kind.parameters.model_validate(parameters or {}))


async def previewed(system: System, name: str, parameters: Mapping[str, Any] | None = None) -> Preview:
    return await preview_fix(system, fix_of(name, parameters))


async def applied(system: System, name: str, parameters: Mapping[str, Any] | None, preview: Preview) -> Applied:
    async def record(kind: str, details: Mapping[str, object]) -> None:
        del kind
        journal.append(repr(details))

    return await apply_fix(system, fix_of(name, parameters), preview, record)


journal: list[str] = []
"""Everything that was written down."""


@contextlib.asynccontextmanager
async def somebody(
    found: Server, user: str = "app", database: str = "shop", name: str = "clerk"
) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A session of somebody else."""
    connection = await psycopg.AsyncConnection.connect(
        dsn(found, user, database), password=PASSWORD, autocommit=True, application_name=name
    )
    try:
        yield connection
    finally:
        await connection.close()


async def flushed(connection: psycopg.AsyncConnection[Any]) -> None:
    """What a session has done is in the statistics at once, not after the ten seconds that an idle one may take."""
    await connection.execute("SELECT pg_stat_force_next_flush()")


async def until(condition: Callable[[], Awaitable[Any]], within_s: float = 10.0) -> Any:
    deadline = time.monotonic() + within_s
    while not (answer := await condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.05)
    return answer


@contextlib.asynccontextmanager
async def running(connection: psycopg.AsyncConnection[Any], statement: str) -> AsyncIterator[int]:
    """A statement that somebody runs meanwhile; cancelled at the end. Yields the server's process."""
    task = asyncio.ensure_future(connection.execute(statement))
    try:
        yield connection.info.backend_pid
    finally:
        await connection.cancel_safe()
        with contextlib.suppress(psycopg.errors.QueryCanceled):
            await task


def damage(found: Server, index: str) -> None:
    """The catalogue is made to say that the index is sorted downwards; it was built upwards."""
    with psycopg.connect(dsn(found, "postgres"), password=PASSWORD, autocommit=True) as admin:
        admin.execute("SET allow_system_table_mods = on")
        admin.execute("UPDATE pg_index SET indoption = '3'::int2vector WHERE indexrelid = %s::text::regclass", (index,))


@contextlib.contextmanager
def page_damaged(found: Server, relation: str, block: int = 0) -> Iterator[None]:
    """A page is other on disk than it was written, until the end. Nobody must have read the relation since it was written anew
    (VACUUM FULL, CREATE INDEX), or the server knows the page still."""
    with psycopg.connect(dsn(found, "postgres"), password=PASSWORD, autocommit=True) as admin:
        (path,) = admin.execute("SELECT pg_relation_filepath(%s)", (relation,)).fetchone() or ("",)
        admin.execute("CHECKPOINT")
    page = f"dd bs=8192 count=1 conv=notrunc status=none if=%s of=%s {{}}={block}"
    file, kept, other = f"/pg/data/{path}", "/tmp/page", "/dev/urandom"
    found.run("sh", "-c", page.format("skip") % (file, kept))
    found.run("sh", "-c", page.format("seek") % (other, file))
    try:
        yield
    finally:
        found.run("sh", "-c", page.format("seek") % (kept, file))
