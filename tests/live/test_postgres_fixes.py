"""The fixes of the family postgres on a real server: what a preview lists, what is done, and what is left alone."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from guide_server import (
    PASSWORD,
    applied,
    damage,
    dsn,
    flushed,
    guide_server,
    journal,
    made,
    previewed,
    running,
    shop,
    somebody,
    until,
)
from store_containers import Server

from console.guides.risk import Asks
from console.reading import FailureKind, SourceError

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with guide_server() as found:
        yield found


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    journal.clear()


INDEX = {"index": "sale_buyer"}


async def test_a_missing_index_is_created_and_its_way_back_takes_it_away(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as clerk:
        preview = await previewed(system, "postgres.create_index", INDEX)
        assert preview.lines == ('CREATE INDEX CONCURRENTLY "sale_buyer" ON "public"."sale" ("buyer", "sold_on")',)
        done = await applied(system, "postgres.create_index", INDEX, preview)
        assert (done.done, done.lines, done.failed) == (True, ("Created sale_buyer.",), None)
        assert (await made(system, "postgres.indexes")).facts["missing"] == 0
        again = await previewed(system, "postgres.create_index", {"missing": True})
        assert again.empty == "Every configured index is there."
        assert "DROP INDEX CONCURRENTLY" in preview.way_back
        await clerk.execute("DROP INDEX CONCURRENTLY sale_buyer")


async def test_what_an_earlier_build_left_behind_is_dropped_first(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as clerk:
        with pytest.raises(psycopg.errors.UniqueViolation):
            await clerk.execute("CREATE UNIQUE INDEX CONCURRENTLY sale_buyer ON sale (buyer)")
        preview = await previewed(system, "postgres.create_index", INDEX)
        assert preview.lines[0] == "drop public.sale_buyer first: it was never finished"
        done = await applied(system, "postgres.create_index", INDEX, preview)
        assert done.lines == ("Dropped the unfinished sale_buyer.", "Created sale_buyer.")
        found = await made(system, "postgres.indexes")
        assert (found.facts["missing"], found.facts["invalid"]) == (0, 0)
        await clerk.execute("DROP INDEX sale_buyer")


async def test_a_build_that_fails_leaves_no_unfinished_index(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open transaction that has changed the table keeps a concurrent build waiting, here until its time is up."""
    monkeypatch.setattr("console.guides.fixes.postgres_tables.BUILD_S", 1.0)
    async with shop(postgres) as system, somebody(postgres) as writer:
        await writer.execute("BEGIN; UPDATE sale SET price = 1 WHERE id = 1")
        preview = await previewed(system, "postgres.create_index", INDEX)
        task = asyncio.ensure_future(applied(system, "postgres.create_index", INDEX, preview))
        await asyncio.wait({task}, timeout=1.3)
        await writer.execute("ROLLBACK")
        done = await task
        assert not done.done
        assert done.failed is not None
        assert done.failed.kind is FailureKind.TIMEOUT
        assert (await made(system, "postgres.indexes")).facts["invalid"] == 0


async def test_an_index_that_somebody_made_meanwhile_is_not_made_twice(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as clerk:
        preview = await previewed(system, "postgres.create_index", INDEX)
        await clerk.execute("CREATE INDEX sale_buyer ON sale (buyer, sold_on)")
        done = await applied(system, "postgres.create_index", INDEX, preview)
        assert (done.done, done.lines) == (False, ("sale_buyer is there by now.",))
        await clerk.execute("DROP INDEX sale_buyer")


async def test_a_good_index_of_that_name_on_other_columns_is_left_alone(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as clerk:
        await clerk.execute("CREATE INDEX sale_buyer ON sale (price)")
        preview = await previewed(system, "postgres.create_index", INDEX)
        assert preview.empty == "sale_buyer is the name of another index: rename one of them."
        await clerk.execute("DROP INDEX sale_buyer")


async def test_stale_statistics_are_renewed(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as clerk:
        await clerk.execute("CREATE TABLE fresh AS SELECT i AS id FROM generate_series(1, 5000) i")
        await flushed(clerk)
        await until(lambda: never_analysed(system, 1))
        preview = await previewed(system, "postgres.analyze")
        assert [target.name for target in preview.targets] == ["fresh"]
        assert (await applied(system, "postgres.analyze", {}, preview)).lines == ("Analysed fresh.",)
        await until(lambda: never_analysed(system, 0))
        await clerk.execute("DROP TABLE fresh")


async def never_analysed(system: Any, count: int) -> bool:
    return bool((await made(system, "postgres.tables")).facts["never_analyzed"] == count)


async def worn(clerk: psycopg.AsyncConnection[Any], system: Any) -> None:
    await clerk.execute("CREATE TABLE worn AS SELECT i AS id FROM generate_series(1, 40000) i")
    await clerk.execute("DELETE FROM worn WHERE id % 2 = 0")
    await flushed(clerk)

    async def counted() -> bool:
        return bool((await made(system, "postgres.tables")).facts["dead_table"] == "worn")

    await until(counted)


async def test_a_table_full_of_dead_rows_is_rewritten(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as clerk:
        await worn(clerk, system)
        preview = await previewed(system, "postgres.vacuum_full")
        assert (preview.confirmation.asks, preview.confirmation.expects) == (Asks.TYPE, "worn")
        done = await applied(system, "postgres.vacuum_full", {}, preview)
        assert done.done, done
        assert "became" in done.lines[0]

        async def clean() -> bool:
            return (await made(system, "postgres.tables")).facts["bloated"] is False

        await until(clean)
        await clerk.execute("DROP TABLE worn")


async def test_rewriting_gives_up_instead_of_queueing_everybody_behind_it(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as clerk, somebody(postgres) as reader:
        await worn(clerk, system)
        preview = await previewed(system, "postgres.vacuum_full")
        await reader.execute("BEGIN; SELECT count(*) FROM worn")
        done = await asyncio.wait_for(applied(system, "postgres.vacuum_full", {}, preview), 6)
        assert not done.done
        assert done.failed is not None
        assert done.failed.kind is FailureKind.TIMEOUT
        assert "lock timeout" in done.failed.message
        await reader.execute("ROLLBACK")
        await clerk.execute("DROP TABLE worn")


async def test_a_session_can_be_ended_while_a_table_is_being_rewritten(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres, name="victim") as victim:
        task = asyncio.ensure_future(system.need_database().execute("SELECT pg_sleep(1.5)", timeout_s=10))
        pid = victim.info.backend_pid
        activity = await system.need_database().activity()
        start = next(item.backend_start for item in activity.sessions if item.pid == pid)
        assert await system.need_database().terminate(pid, start)
        assert not task.done(), "both ran at the same time"
        await task


async def test_a_damaged_index_is_rebuilt(postgres: Server) -> None:
    async with shop(postgres) as system:
        assert (await previewed(system, "postgres.reindex")).empty == "No index is known to be damaged."
        damage(postgres, "fragile_word")
        preview = await previewed(system, "postgres.reindex")
        assert preview.lines == ("public.fragile_word on fragile",)
        assert (await applied(system, "postgres.reindex", {}, preview)).lines == ("Rebuilt fragile_word.",)
        assert (await made(system, "postgres.integrity")).facts["index_errors"] == 0


@pytest.mark.parametrize("fix", ["postgres.cancel_long", "postgres.end_long"])
async def test_long_statements_are_stopped_and_those_done_by_themselves_are_told(postgres: Server, fix: str) -> None:
    over = {"over": "1s"}
    async with shop(postgres) as system, somebody(postgres) as slow, somebody(postgres) as done_soon:
        with contextlib.suppress(psycopg.OperationalError):
            async with running(slow, "SELECT pg_sleep(60)") as pid, running(done_soon, "SELECT pg_sleep(1.6)") as other:

                async def two() -> bool:
                    return (await made(system, "postgres.statements", over)).facts["long"] == 2

                await until(two)
                preview = await previewed(system, fix, {"over": "1s"})
                assert {target.identity["pid"] for target in preview.targets} == {pid, other}

                async def one() -> bool:
                    return (await made(system, "postgres.statements", over)).facts["long"] == 1

                await until(one)
                done = await applied(system, fix, {"over": "1s"}, preview)
                assert done.done
                assert done.lines[0].endswith("1 session.")
                assert done.lines[1] == "1 session was done by itself, or no longer in the way."

                async def none() -> bool:
                    return (await made(system, "postgres.statements", over)).facts["long"] == 0

                await until(none)


async def test_the_head_of_the_chain_is_ended_and_the_others_go_on(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as holder, somebody(postgres) as waiter:
        assert (await previewed(system, "postgres.end_blocker")).empty == "Nobody waits for a lock."
        await holder.execute("BEGIN; LOCK TABLE fragile")
        task = asyncio.ensure_future(waiter.execute("SELECT count(*) FROM fragile"))

        async def waiting() -> bool:
            return (await made(system, "postgres.locks")).facts["waiting"] == 1

        await until(waiting)
        preview = await previewed(system, "postgres.end_blocker")
        assert preview.targets[0].identity["pid"] == holder.info.backend_pid
        assert preview.lines[1] == "1 session waits for it"
        assert (await applied(system, "postgres.end_blocker", {}, preview)).lines == ("Ended 1 session.",)
        assert await (await task).fetchone() == (5000,)
        late = await applied(system, "postgres.end_blocker", {}, preview)
        assert (late.done, late.lines[0]) == (False, "Ended 0 sessions.")


SETTING = {"name": "log_min_duration_statement", "value": "500"}


async def test_a_setting_is_changed_at_once_and_its_way_back_resets_it(postgres: Server) -> None:
    async with shop(postgres) as system:
        preview = await previewed(system, "postgres.set_setting", SETTING)
        assert preview.lines == ("log_min_duration_statement: -1 ms → 500",)
        assert "postgres@127.0.0.1" in preview.command
        assert (await applied(system, "postgres.set_setting", SETTING, preview)).done
        await until(lambda: is_set(system, "500"))
        refused = await applied(system, "postgres.set_setting", SETTING, preview)
        assert refused.failed is not None
        assert refused.failed.kind is FailureKind.DECLINED, "it is not what the preview showed any more"
        assert (await previewed(system, "postgres.set_setting", SETTING)).empty
        for part in preview.way_back.rstrip(";").split(";"):
            await system.need_database().execute(part.strip(), administer=True)
        await until(lambda: is_set(system, "-1"))


async def is_set(system: Any, value: str) -> bool:
    return bool((await made(system, "postgres.setting", {"name": "log_min_duration_statement"})).facts["value"] == value)


async def test_without_an_administrator_a_setting_says_what_it_takes(postgres: Server) -> None:
    async with shop(postgres, administrator=False) as system:
        preview = await previewed(system, "postgres.set_setting", SETTING)
        done = await applied(system, "postgres.set_setting", SETTING, preview)
    assert done.failed is not None
    assert done.failed.kind is FailureKind.FORBIDDEN
    assert "emergency_user" in done.failed.advice


NEW_PASSWORD = "quite-another-'2'"


async def test_a_password_is_set_and_stands_nowhere(postgres: Server) -> None:
    postgres.run("psql", "-qXU", "postgres", "-c", "ALTER SYSTEM SET log_statement = 'all'", "-c", "SELECT pg_reload_conf()")
    parameters = {"user": "plain", "password": NEW_PASSWORD}
    async with shop(postgres) as system:
        preview = await previewed(system, "postgres.set_password", parameters)
        assert preview.targets[0].name == "plain"
        done = await applied(system, "postgres.set_password", parameters, preview)
    assert done.done, done
    async with await psycopg.AsyncConnection.connect(dsn(postgres, "plain"), password=NEW_PASSWORD) as session:
        assert session.info.user == "plain"
    with pytest.raises(psycopg.OperationalError):
        await psycopg.AsyncConnection.connect(dsn(postgres, "plain"), password=PASSWORD)
    log = postgres.container.logs().decode()
    assert "ALTER ROLE" in log
    assert "SCRAM-SHA-256$" in log
    for text in (log, repr(preview), repr(done), *journal):
        assert "quite-another" not in text
    assert journal


async def test_a_database_that_is_missing_is_created_for_its_user(postgres: Server) -> None:
    async with shop(postgres, database="my.new-shop") as system:
        preview = await previewed(system, "postgres.create_database")
        assert "/postgres" in preview.command
        assert (await applied(system, "postgres.create_database", {}, preview)).lines == ("Created the database my.new-shop.",)
        assert (await made(system, "postgres.accepts")).facts["accepting"] is True
        assert (await system.need_database().select("SELECT current_user AS me"))[0]["me"] == "app"
        assert (await previewed(system, "postgres.create_database")).empty == "The database my.new-shop is there."


CHANGE: dict[str, Any] = {
    "sql": "UPDATE {users} SET locked = true WHERE email LIKE :pattern",
    "preview": "SELECT id, email, locked FROM {users} WHERE email LIKE :pattern ORDER BY id",
    "values": {"pattern": "user4%@shop.test"},
    "most_rows": 11,
}


async def test_rows_are_changed_as_previewed(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as clerk:
        preview = await previewed(system, "postgres.change", CHANGE)
        assert len(preview.targets) == 11
        assert preview.lines[1].split() == ["4", "user4@shop.test", "no"]
        assert preview.command.endswith("""-c "UPDATE \\"user\\" SET locked = true WHERE email LIKE 'user4%@shop.test'\"""")
        assert (await applied(system, "postgres.change", CHANGE, preview)).lines == ("Changed 11 rows.",)
        assert await (await clerk.execute('SELECT count(*) FROM "user" WHERE locked')).fetchone() == (11,)
        late = await applied(system, "postgres.change", CHANGE, preview)
        assert late.failed is not None
        assert late.failed.kind is FailureKind.DECLINED, "the rows are not what the preview showed"
        await clerk.execute('UPDATE "user" SET locked = false')


async def test_more_rows_than_allowed_are_never_changed(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as clerk:
        assert not (await previewed(system, "postgres.change", CHANGE | {"most_rows": 10})).can_apply
        with pytest.raises(SourceError) as caught:
            await system.need_database().change('UPDATE "user" SET locked = true WHERE id > 0', most_rows=10)
        assert caught.value.failure.kind is FailureKind.DECLINED
        assert await (await clerk.execute('SELECT count(*) FROM "user" WHERE locked')).fetchone() == (0,)


async def test_a_change_that_meets_a_held_row_gives_up(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as holder:
        await holder.execute("""BEGIN; SELECT 1 FROM "user" WHERE email = 'user4@shop.test' FOR UPDATE""")
        preview = await previewed(system, "postgres.change", CHANGE)
        done = await asyncio.wait_for(applied(system, "postgres.change", CHANGE, preview), 6)
        assert done.failed is not None
        assert done.failed.kind is FailureKind.TIMEOUT
        await holder.execute("ROLLBACK")
