"""Backups that are really made and restored: what was damaged is back, and a restore that fails leaves the old database alone.

`make restore` prints the acceptance on the lab: damage, rows before and after, times against what was promised.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.config import SystemConfig, load_config
from console.config_sources import EngineConfig
from console.guides.fixes import Applied, Preview, apply_fix, preview_fix
from console.guides.fixes.action import action
from console.guides.issue import Fix
from console.practice.lab.engine import connect, run_in
from console.practice.lab.image_build import ensure_image
from console.practice.lab.spec import Service
from console.practice.lab.stack import Lab
from console.practice.lab.target import Target
from console.reading import SourceError
from console.system import System, live_system
from tests.live.store_containers import LABEL

pytestmark = pytest.mark.engine

BACKUPS = "/var/lib/postgresql/backups"
DATABASE = "student_management"
SCHEMA = ("pg_dump", "--schema-only", "-U", "postgres", DATABASE)
ENVIRONMENT = {"SYSTEM": "sms", "POSTGRES_USER": "sms_user", "POSTGRES_DB": DATABASE, "POSTGRES_PASSWORD": "only-for-tests"}


@dataclass
class Server:
    """A throw-away PostgreSQL with the lab's tables, and a container that plays the one who writes."""

    client: Any
    database: Any
    writer: Any
    system: System

    def run(self, *command: str) -> str:
        done = run_in(self.client, self.database.id, command)
        assert done.exit_code == 0, done.stderr or done.stdout
        return done.stdout

    def sql(self, *statements: str, database: str = DATABASE) -> str:
        words = [word for statement in statements for word in ("-c", statement)]
        return self.run("psql", "-X", "-q", "-A", "-t", "-U", "postgres", "-d", database, *words).strip()

    def schema(self) -> str:
        """Tables, owners, rights; without the random words that newer pg_dumps write."""
        return "\n".join(line for line in self.run(*SCHEMA).splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))

    def rows(self) -> dict[str, int]:
        names = self.sql("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'").split()
        return {name: int(self.sql(f"SELECT count(*) FROM {name}")) for name in names}

    def databases(self) -> list[str]:
        return self.sql("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1", database="postgres").split()

    def writes(self) -> bool:
        self.writer.reload()
        return bool(self.writer.status == "running")

    async def preview(self, name: str, /, **parameters: Any) -> tuple[Fix, Preview]:
        kind = action(name)
        given = kind.parameters(**parameters)
        fix = Fix(id=name, title=name, risk=kind.risk, action=name, parameters=given, way_back="", verify=None, notes="")
        return fix, await preview_fix(self.system, fix)

    async def do(self, name: str, /, **parameters: Any) -> Applied:
        fix, preview = await self.preview(name, **parameters)
        assert preview.can_apply, preview.empty
        return await apply_fix(self.system, fix, preview, not_written)


async def not_written(kind: str, details: object) -> None:
    """A journal that takes everything."""


def config_of(database: str, writer: str) -> SystemConfig:
    given = {
        "title": "Backups",
        "environment": "lab",
        "roles": {"database": database, "backend": writer},
        "engine": {},
        "postgres": {"dsn": f"postgresql://sms_user@127.0.0.1:1/{DATABASE}"},
        "backups": {"path": BACKUPS, "pattern": f"{DATABASE}_*.sql.gz"},
        "data_path": "/var/lib/postgresql",
    }
    return SystemConfig.model_validate(given)


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> Any:
    room = getattr(request, "param", "320m")
    image = ensure_image(EngineConfig(), print)
    client = connect(EngineConfig())
    common = {"detach": True, "labels": {LABEL: "backups"}, "network_mode": "none"}
    disk = {"/var/lib/postgresql": f"size={room}"}
    database = client.containers.run(image, ["/lab/postgres.sh"], environment=ENVIRONMENT, tmpfs=disk, **common)
    writer = client.containers.run(image, ["sleep", "infinity"], init=True, **common)
    system = live_system(config_of(database.name, writer.name))
    await system.open()
    try:
        found = Server(client, database, writer, system)
        await until(lambda: run_in(client, database.id, ("pg_isready", "-q", "-h", "127.0.0.1")).exit_code == 0)
        yield found
    finally:
        await system.aclose()
        for container in (database, writer):
            with contextlib.suppress(Exception):
                container.remove(force=True, v=True)
        client.close()


async def until(holds: Callable[[], bool], within_s: float = 90.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come to be"
        await asyncio.sleep(0.1)


DAMAGE = ("DELETE FROM attendance", "DROP TABLE grade CASCADE", "UPDATE student SET student_number = 'x' || id")


async def test_what_was_damaged_is_back_with_its_rows_owners_and_rights(server: Server) -> None:
    server.sql(
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE SCHEMA audit AUTHORIZATION sms_user",
        'CREATE TABLE audit."Odd (name)" (id serial PRIMARY KEY, word text)',
        "INSERT INTO audit.\"Odd (name)\" (word) VALUES ('COPY x FROM stdin;'), (E'\\\\.')",
        'CREATE VIEW audit.words AS SELECT word FROM audit."Odd (name)"',
        "CREATE FUNCTION audit.one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TYPE mood OWNER TO sms_user",
        'ALTER TABLE audit."Odd (name)" OWNER TO sms_user',
        "ALTER VIEW audit.words OWNER TO sms_user",
        "ALTER FUNCTION audit.one() OWNER TO sms_user",
        f"ALTER DATABASE {DATABASE} SET work_mem TO '5MB'",
        f"REVOKE CONNECT ON DATABASE {DATABASE} FROM PUBLIC",
    )
    before, schema, rights = server.rows(), server.schema(), "SELECT datacl FROM pg_database WHERE datname = current_database()"
    allowed = server.sql(rights)
    made = await server.do("backup.make")
    assert (made.done, made.failed) == (True, None)
    server.sql(*DAMAGE)
    done = await server.do("backup.restore")
    assert (done.done, done.failed) == (True, None)
    assert server.rows() == before
    assert server.schema() == schema
    assert set(server.sql(rights).strip("{}").split(",")) == set(allowed.strip("{}").split(","))
    assert server.sql("SHOW work_mem") == "5MB"
    assert server.writes()
    assert any("public.grade: ? → 6,000 rows" in line for line in done.lines)
    assert "within the 15 min" in done.lines[-1]


async def test_a_restore_is_taken_back_and_what_is_kept_is_dropped(server: Server) -> None:
    await server.do("backup.make")
    server.sql("DELETE FROM attendance")
    await server.do("backup.restore")
    assert len(server.databases()) == 3
    back = await server.do("backup.take_back")
    assert (back.done, server.rows()["attendance"]) == (True, 0)
    assert (await server.do("backup.drop_kept")).done
    assert server.databases() == ["postgres", DATABASE]
    _, empty = await server.preview("backup.take_back")
    assert empty.empty


async def test_the_loss_of_the_whole_database_is_mended(server: Server) -> None:
    await server.do("backup.make")
    before = server.rows()
    server.sql(f"DROP DATABASE {DATABASE} WITH (FORCE)", database="postgres")
    done = await server.do("backup.restore")
    assert (done.failed, server.rows()) == (None, before)
    assert server.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()") == "sms_user"


def broken_copy(server: Server, change: str) -> None:
    """A newer backup, made of the good one by a shell command from $1 to $2."""
    good = server.run("sh", "-c", f"ls {BACKUPS}/*.sql.gz").split()[-1]
    server.run("sh", "-c", change, "sh", good, f"{BACKUPS}/{DATABASE}_29990101_000000.sql.gz")


CUT = {
    "cut off while it was packed": 'head -c 60000 "$1" > "$2"',
    "cut off before it was packed": 'gzip -dc "$1" | head -n 9000 | gzip > "$2"',
    "empty": ': > "$2"',
}


@pytest.mark.parametrize("change", CUT.values(), ids=CUT)
async def test_a_backup_that_is_cut_off_is_passed_over_and_refused_by_name(server: Server, change: str) -> None:
    await server.do("backup.make")
    broken_copy(server, change)
    _, preview = await server.preview("backup.restore")
    assert any("29990101_000000.sql.gz is broken" in line for line in preview.lines)
    assert "29990101" not in str(preview.targets[0].identity["backup"])
    with pytest.raises(SourceError):
        await server.preview("backup.restore", name=f"{DATABASE}_29990101_000000.sql.gz")


BAD_DUMPS = {
    "a statement that fails": 'gzip -dc "$1" | sed \'s/^CREATE TABLE public.grade /CREATE TABEL public.grade /\' | gzip > "$2"',
    "a row that is not taken": 'gzip -dc "$1" | sed \'/^COPY public.grade /a nonsense\' | gzip > "$2"',
}


@pytest.mark.parametrize("change", BAD_DUMPS.values(), ids=BAD_DUMPS)
async def test_a_backup_that_does_not_load_leaves_the_old_database_in_its_place(server: Server, change: str) -> None:
    await server.do("backup.make")
    broken_copy(server, change)
    await still_there(server, await server.do("backup.restore"))


async def test_a_restore_that_is_killed_leaves_the_old_database_in_its_place(server: Server) -> None:
    await server.do("backup.make")
    # The load waits for the lock that stops it half-way, until its psql is killed.
    broken_copy(server, 'gzip -dc "$1" | sed \'/^COPY public.grade /i SELECT pg_sleep(600);\' | gzip > "$2"')
    fix, preview = await server.preview("backup.restore")
    doing = asyncio.ensure_future(apply_fix(server.system, fix, preview, not_written))
    await until(lambda: server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1")
    assert not server.writes()
    server.run("pkill", "-KILL", "-x", "psql")
    await still_there(server, await doing)


async def test_a_restore_that_is_left_alone_half_way_leaves_the_old_database_in_its_place(server: Server) -> None:
    await server.do("backup.make")
    broken_copy(server, 'gzip -dc "$1" | sed \'/^COPY public.grade /i SELECT pg_sleep(600);\' | gzip > "$2"')
    fix, preview = await server.preview("backup.restore")
    doing = asyncio.ensure_future(apply_fix(server.system, fix, preview, not_written))
    await until(lambda: server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1")
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing
    await still_there(server, None)


async def still_there(server: Server, done: Applied | None) -> None:
    if done is not None:
        assert (done.done, done.failed is None) == (False, False)
        assert "The old database is where it was." in done.lines
    assert server.databases() == ["postgres", DATABASE]
    assert server.rows()["attendance"] == 18_000
    assert server.writes()


@pytest.mark.parametrize("server", ["96m"], indirect=True)
async def test_without_room_beside_the_old_database_nothing_is_begun(server: Server) -> None:
    await server.do("backup.make")
    server.run(
        "sh",
        "-c",
        "df -P -k /var/lib/postgresql | awk 'END { print $4 - 6000 }' | xargs -I{} fallocate -l {}KiB /var/lib/postgresql/fill",
    )
    _, preview = await server.preview("backup.restore")
    assert "are free" in preview.empty
    assert not preview.can_apply
    full = await server.do("backup.make")
    assert full.failed is None or "No space left" in full.failed.message
    assert server.rows()["attendance"] == 18_000


# -- the lab ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def stack(lab: Lab, triage_config: Path) -> Any:
    system = live_system(load_config(triage_config).config.system("sms"))
    await system.open()
    target = Target(lab)
    database = lab.client.containers.get(target.name(Service.DATABASE))
    backend = lab.client.containers.get(target.name(Service.BACKEND))
    yield Server(lab.client, database, backend, system)
    await system.aclose()


def counted(lines: tuple[str, ...]) -> Iterator[str]:
    yield from (line for line in lines if " s  " in line or "→" in line or "RTO" in line)


async def test_on_the_lab_damage_is_restored_within_what_was_promised(stack: Server) -> None:
    began = time.monotonic()
    made = await stack.do("backup.make")
    made_s, before = time.monotonic() - began, stack.rows()
    stack.sql("DELETE FROM attendance", "DROP TABLE grade CASCADE")
    damaged, began = stack.rows(), time.monotonic()
    done = await stack.do("backup.restore")
    restored_s, after = time.monotonic() - began, stack.rows()
    dropped = await stack.do("backup.drop_kept")
    written = made.lines[0].removeprefix("Wrote ").partition(":")[0]
    stack.run("rm", "-f", written, f"{written}.rows")
    promised_s = stack.system.config.recovery.rto_minutes * 60
    print("\n| table | before | damaged | restored |\n|---|---|---|---|")
    for table, rows in sorted(before.items()):
        print(f"| {table} | {rows:,} | {damaged.get(table, 'gone')} | {after.get(table, 'gone'):,} |")
    print(f"\nBackup {made_s:.1f} s, restore {restored_s:.1f} s of the {promised_s} s that were promised (RTO).")
    print(*counted(done.lines), sep="\n")
    assert (made.failed, done.failed, dropped.failed) == (None, None, None)
    # The service goes on writing who logged in; what the guides' tables hold must be what it was.
    still = before.keys() - {"login_event"}
    assert {name: after.get(name) for name in still} == {name: before[name] for name in still}
    assert restored_s < promised_s
