"""The checks of the family postgres on a real server that is locked, bloated, damaged and asked to write."""

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from guide_server import (
    PASSWORD,
    damage,
    flushed,
    guide_server,
    made,
    page_damaged,
    running,
    shop,
    somebody,
    until,
)
from store_containers import Server

from console.guides.checks.postgres_statements import FEWEST_CALLS
from console.reading import FailureKind, SourceError

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with guide_server() as found:
        yield found


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)


COUNT = {
    "sql": "SELECT count(*) AS users, bool_or(email = :email) AS known, min(email) AS first FROM {users} WHERE email LIKE 'u%'",
    "values": {"email": "user7@shop.test"},
    "facts": {"users": "number", "known": "bool", "first": "text"},
    "rows": "SELECT id, email FROM {users} WHERE email = :email",
    "about": "There are {users} users; this one is known: {known}.",
}


async def test_a_question_of_a_guide_gives_its_columns_as_facts_and_its_rows_as_evidence(postgres: Server) -> None:
    async with shop(postgres) as system:
        found = await made(system, "postgres.select", COUNT)
    assert found.failure is None
    assert found.facts == {"users": 50, "known": True, "first": "user10@shop.test"}
    assert found.headline == "There are 50 users; this one is known: yes."
    assert found.evidence == ("id  email", "7   user7@shop.test")


async def test_what_is_given_as_a_value_is_a_value_whatever_it_holds(postgres: Server) -> None:
    hostile = 'x\'; DROP TABLE "user"; -- %s %(email)s'
    async with shop(postgres) as system:
        found = await made(system, "postgres.select", COUNT | {"values": {"email": hostile}})
        again = await made(system, "postgres.select", COUNT)
    assert found.facts["known"] is False
    assert found.evidence == ("no rows",)
    assert again.facts["users"] == 50


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT mark_all() AS done",
        "SELECT set_config('transaction_read_only', 'off', false) IS NULL AS done, mark_all()",
        "SELECT nextval('user_id_seq') > 0 AS done",
    ],
)
async def test_a_question_cannot_write_also_not_through_a_function(postgres: Server, sql: str) -> None:
    async with shop(postgres) as system:
        found = await made(system, "postgres.select", {"sql": sql, "facts": {"done": "bool"}})
        assert found.facts == {"done": None}
        assert found.failure is not None
        assert found.failure.kind in (FailureKind.FORBIDDEN, FailureKind.GARBAGE, FailureKind.UNSUPPORTED), found.failure
        assert await system.need_database().select('SELECT 1 FROM "user" WHERE note IS NOT NULL') == []
        last = await system.need_database().select("SELECT last_value AS last FROM user_id_seq")
        assert last == [{"last": 50}]


async def test_a_large_object_that_a_question_makes_does_not_stay(postgres: Server) -> None:
    """Before 16 a READ ONLY transaction does not refuse it."""
    async with shop(postgres) as system:
        await made(system, "postgres.select", {"sql": "SELECT lo_create(0) > 0 AS done", "facts": {"done": "bool"}})
        assert await system.need_database().select("SELECT oid FROM pg_largeobject_metadata") == []


async def test_a_question_that_takes_too_long_is_given_up_by_the_server(postgres: Server) -> None:
    async with shop(postgres) as system:
        with pytest.raises(SourceError) as caught:
            await system.need_database().select("SELECT pg_sleep(30)", timeout_s=0.3)
        assert caught.value.failure.kind is FailureKind.TIMEOUT
        async with somebody(postgres) as other:
            query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'triage' AND query LIKE '%pg_sleep(30)%'"
            query += " AND state = 'active'"
            await until(lambda: nothing(other, query))


async def nothing(connection: psycopg.AsyncConnection[Any], query: str) -> bool:
    return await (await connection.execute(query)).fetchone() == (0,)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ('SELECT true AS known FROM "user"', "several rows"),
        ("SELECT true AS known WHERE false", "no row"),
        ("SELECT true AS other, 1 AS known_not, 'known' AS x WHERE true -- known", ""),
    ],
)
async def test_an_answer_that_is_not_one_row_is_unknown(postgres: Server, sql: str, why: str) -> None:
    if not why:
        with pytest.raises(ValueError, match="is no column"):
            async with shop(postgres) as system:
                await made(system, "postgres.select", {"sql": sql, "facts": {"known": "bool"}})
        return
    async with shop(postgres) as system:
        found = await made(system, "postgres.select", {"sql": sql, "facts": {"known": "bool"}})
    assert found.facts == {"known": None}
    assert found.failure is not None
    assert why in found.failure.message


async def test_null_and_another_type_are_unknown_and_say_so(postgres: Server) -> None:
    parameters = {"sql": "SELECT max(note) AS newest, 3 AS good FROM {users}", "facts": {"newest": "text", "good": "bool"}}
    async with shop(postgres) as system:
        found = await made(system, "postgres.select", parameters)
    assert found.facts == {"newest": None, "good": None}
    assert [failure.kind for failure in found.unread] == [FailureKind.MISSING, FailureKind.GARBAGE]


async def test_a_table_that_is_not_there_is_told(postgres: Server) -> None:
    async with shop(postgres) as system:
        found = await made(system, "postgres.select", {"sql": "SELECT count(*) AS n FROM {gone}", "facts": {"n": "number"}})
        there = await made(system, "postgres.exists", {"tables": ("users", "sales", "gone")})
    assert found.failure is not None
    assert (found.failure.kind, found.facts) == (FailureKind.MISSING, {"n": None})
    assert there.facts == {"missing": 1, "first_missing": "gone", "database_exists": True}


async def test_a_database_that_is_not_there_is_told(postgres: Server) -> None:
    async with shop(postgres, database="nowhere") as system:
        found = await made(system, "postgres.exists", {"tables": ("users",)})
    assert found.facts == {"missing": None, "first_missing": None, "database_exists": False}


async def test_a_plan_tells_the_table_that_is_read_whole(postgres: Server) -> None:
    by_buyer = {"sql": "SELECT * FROM {sales} WHERE buyer = :buyer", "values": {"buyer": 7}}
    by_id = {"sql": "SELECT * FROM {sales} WHERE id = :id", "values": {"id": 7}}
    async with shop(postgres) as system:
        whole = await made(system, "postgres.explain", by_buyer)
        indexed = await made(system, "postgres.explain", by_id)
    assert (whole.facts["seq_scan"], whole.facts["table"]) == (True, "sale")
    assert (whole.facts["cost"] or 0) > 100
    assert (indexed.facts["seq_scan"], indexed.facts["table"]) == (False, "")
    assert "Index Scan on sale by sale_pkey" in indexed.evidence[0]


async def test_statements_tell_the_long_ones_and_the_blocked_ones(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as slow, somebody(postgres) as holder, somebody(postgres) as waiter:
        await holder.execute("BEGIN; LOCK TABLE fragile")
        async with running(slow, "SELECT pg_sleep(60)") as pid, running(waiter, "SELECT count(*) FROM fragile"):

            async def seen() -> Any:
                found = await made(system, "postgres.statements", {"over": "1s"})
                return found if found.facts["long"] == 1 and found.facts["blocked"] == 1 else None

            found = await until(seen)
            assert found.facts["longest_pid"] == pid
            assert (found.facts["active"], found.facts["idle_in_transaction"]) == (2, 1)
            assert found.facts["longest_s"] >= 1
            locks = await made(system, "postgres.locks")
            assert (locks.facts["waiting"], locks.facts["head_pid"]) == (1, holder.info.backend_pid)
            assert locks.facts["head_state"] == "idle in transaction"
            assert locks.facts["longest_wait_s"] is not None
            assert "waits" in locks.evidence[1]
        await holder.execute("ROLLBACK")
        free = await made(system, "postgres.locks")
        assert (free.facts["waiting"], free.facts["head_pid"], free.facts["head_state"]) == (0, 0, "")


async def test_a_deadlock_is_recent_when_there_is_one_more_than_at_the_first_look(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as one, somebody(postgres) as two:
        first = await made(system, "postgres.locks")
        assert first.facts["deadlocks_recent"] is None
        assert (await made(system, "postgres.locks")).facts["deadlocks_recent"] is False
        await one.execute("BEGIN; SELECT pg_advisory_xact_lock(1)")
        await two.execute("BEGIN; SELECT pg_advisory_xact_lock(2)")
        waits = asyncio.gather(
            one.execute("SELECT pg_advisory_xact_lock(2)"), two.execute("SELECT pg_advisory_xact_lock(1)"), return_exceptions=True
        )
        ends = [end for end in await asyncio.wait_for(waits, 10) if isinstance(end, Exception)]
        assert [type(end) for end in ends] == [psycopg.errors.DeadlockDetected]
        await asyncio.gather(one.execute("ROLLBACK"), two.execute("ROLLBACK"))

        async def recent() -> bool:
            return bool((await made(system, "postgres.locks")).facts["deadlocks_recent"])

        await until(recent)


async def test_states_that_are_hidden_from_the_role_are_unknown(postgres: Server) -> None:
    async with shop(postgres, "plain", administrator=False) as system, somebody(postgres) as other:
        await other.execute("SELECT 1")
        found = await made(system, "postgres.statements")
    assert set(found.facts.values()) == {None}
    assert [(failure.kind, "pg_monitor" in failure.advice) for failure in found.unread] == [(FailureKind.FORBIDDEN, True)]


async def test_the_slowest_statement_and_its_share_are_told(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as busy:
        postgres.run("psql", "-qXU", "postgres", "-d", "shop", "-c", "SELECT pg_stat_statements_reset()")
        for _ in range(FEWEST_CALLS):
            await busy.execute("SELECT pg_sleep(0.2)")
        found = await made(system, "postgres.slowest", {"over_ms": 150})
    assert (found.facts["available"], found.facts["slow"]) == (True, 1)
    assert (found.facts["slowest_mean_ms"] or 0) >= 200
    assert "pg_sleep" in found.evidence[0]
    assert 0 < (found.facts["top_share_percent"] or 0) <= 100
    assert found.facts["calls_per_request"] is None, "there are no metrics"
    assert not any("triage" in line for line in found.evidence)


async def test_a_server_that_does_not_count_its_statements_says_how_it_would(postgres: Server) -> None:
    async with shop(postgres, database="bare") as system:
        found = await made(system, "postgres.slowest")
    assert found.facts == {
        "available": False,
        "slow": None,
        "slowest_mean_ms": None,
        "top_share_percent": None,
        "calls_per_request": None,
        "most_rows": None,
    }
    assert "shared_preload_libraries" in found.unread[0].advice


async def test_statements_of_others_are_hidden_from_a_plain_role(postgres: Server) -> None:
    async with shop(postgres, "plain", administrator=False) as system, somebody(postgres) as other:
        await other.execute("SELECT count(*) FROM sale")
        found = await made(system, "postgres.slowest")
    assert found.facts["available"] is True
    assert any("pg_read_all_stats" in failure.advice for failure in found.unread)


async def test_dead_rows_and_stale_statistics_are_told(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as clerk:
        await clerk.execute("CREATE TABLE worn AS SELECT i AS id FROM generate_series(1, 40000) i")
        await clerk.execute("DELETE FROM worn WHERE id % 2 = 0")
        await flushed(clerk)

        async def counted() -> Any:
            found = await made(system, "postgres.tables")
            return found if found.facts["dead_table"] == "worn" else None

        found = await until(counted)
        assert found.facts["dead_percent"] == pytest.approx(50, abs=1)
        assert found.facts["bloated"] is True
        assert found.facts["never_analyzed"] == 1
        assert (found.facts["largest_bytes"] or 0) > 1_000_000
        only = await made(system, "postgres.tables", {"tables": ("users",)})
        assert (only.facts["bloated"], only.facts["largest"]) == (False, "user")
        sizes = await made(system, "postgres.sizes")
        assert sizes.failure is None
        assert not sizes.unread
        assert (sizes.facts["wal_bytes"] or 0) >= 16 << 20
        assert (sizes.facts["dead_bytes"] or 0) > 500_000
        await clerk.execute("DROP TABLE worn")


async def test_a_table_that_is_being_rewritten_hides_no_counters(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as holder:
        await holder.execute("BEGIN; LOCK TABLE sale IN ACCESS EXCLUSIVE MODE")
        found = await made(system, "postgres.tables")
        assert found.facts["bloated"] is False
        assert found.facts["largest"] is None
        assert [failure.kind for failure in found.unread] == [FailureKind.TIMEOUT]
        await holder.execute("ROLLBACK")


async def test_without_pg_monitor_the_log_of_writes_is_unknown_and_the_rest_is_told(postgres: Server) -> None:
    async with shop(postgres, "plain", administrator=False) as system:
        found = await made(system, "postgres.sizes")
    assert found.facts["wal_bytes"] is None
    assert (found.facts["database_bytes"] or 0) > 1_000_000
    assert "pg_monitor" in found.unread[0].advice


async def test_a_configured_index_is_missing_until_one_with_its_columns_first_is_there(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as clerk:
        found = await made(system, "postgres.indexes")
        assert (found.facts["missing"], found.facts["first_missing"]) == (1, "sale_buyer")
        await clerk.execute("CREATE INDEX partial ON sale (buyer, sold_on) WHERE price > 10")
        await clerk.execute("CREATE INDEX backward ON sale (sold_on, buyer)")
        assert (await made(system, "postgres.indexes")).facts["missing"] == 1
        await clerk.execute('CREATE INDEX "Named Otherwise" ON sale (buyer DESC NULLS LAST, sold_on, price) INCLUDE (id)')
        found = await made(system, "postgres.indexes", {"tables": ("sales",)})
        assert (found.facts["missing"], found.facts["first_missing"]) == (0, "")
        assert found.facts["unused"] == 3
        await clerk.execute('DROP INDEX partial, backward, "Named Otherwise"')


async def test_an_index_that_was_never_finished_is_invalid(postgres: Server) -> None:
    async with shop(postgres) as system, somebody(postgres) as clerk:
        with pytest.raises(psycopg.errors.UniqueViolation):
            await clerk.execute("CREATE UNIQUE INDEX CONCURRENTLY half_done ON sale (buyer)")
        found = await made(system, "postgres.indexes")
        assert found.facts["invalid"] == 1
        assert any("half_done" in line for line in found.evidence)
        await clerk.execute("DROP INDEX half_done")


async def test_settings_are_read_with_their_unit(postgres: Server) -> None:
    async with shop(postgres) as system:
        off = await made(system, "postgres.setting", {"name": "log_min_duration_statement"})
        name = await made(system, "postgres.setting", {"name": "server_version"})
        none = await made(system, "postgres.setting", {"name": "no_such_setting"})
    assert off.facts == {"set": True, "value": "-1", "number": -1, "off": True}
    assert off.headline == "log_min_duration_statement is -1 ms."
    assert (name.facts["number"], name.facts["off"]) == (None, False)
    assert none.failure is not None
    assert none.failure.kind is FailureKind.MISSING


async def test_a_damaged_index_is_found_and_a_whole_database_is_told_as_such(postgres: Server) -> None:
    async with shop(postgres) as system:
        whole = await made(system, "postgres.integrity")
        assert (whole.facts["checked"], whole.facts["index_errors"], whole.facts["checksum_failures"]) == (True, 0, 0)
        damage(postgres, "fragile_word")
        found = await made(system, "postgres.integrity")
        assert (found.facts["checked"], found.facts["index_errors"]) == (True, 1)
        assert found.headline == "Damaged: index fragile_word."
        assert any("public.fragile_word" in line for line in found.evidence)
        async with somebody(postgres) as clerk:
            await clerk.execute("REINDEX INDEX fragile_word")
        assert (await made(system, "postgres.integrity")).facts["index_errors"] == 0


async def meet(found: Server, statement: str) -> None:
    """Somebody's statement meets a damaged page."""
    async with somebody(found) as clerk:
        with pytest.raises(psycopg.errors.DataCorrupted, match="invalid page in block"):
            await clerk.execute(statement)


async def test_a_damaged_page_of_a_table_is_damage_until_it_is_mended(postgres: Server) -> None:
    async with somebody(postgres) as clerk:
        await clerk.execute("CREATE TABLE cold AS SELECT n FROM generate_series(1, 5000) n")
        await clerk.execute("VACUUM FULL cold")
    async with shop(postgres, logs=True) as system:
        with page_damaged(postgres, "cold", block=3):
            await meet(postgres, "SELECT count(*) FROM cold")
            found = await made(system, "postgres.integrity")
            assert found.facts["page_errors"] == 2, "the wrong checksum and the page"
            assert any("block 3 of public.cold is still damaged" in line for line in found.evidence)
        mended = await made(system, "postgres.integrity")
    assert mended.facts == {"page_errors": 0, "index_errors": 0, "checksum_failures": 0, "checked": True}, mended
    assert any("counted was mended" in line for line in mended.evidence)


async def test_a_damaged_page_of_a_table_that_was_written_anew_is_of_the_past(postgres: Server) -> None:
    async with somebody(postgres) as clerk:
        await clerk.execute("CREATE TABLE lost AS SELECT n FROM generate_series(1, 5000) n")
        await clerk.execute("VACUUM FULL lost")
        with page_damaged(postgres, "lost"):
            await meet(postgres, "SELECT count(*) FROM lost")
            await clerk.execute("TRUNCATE lost")
    async with shop(postgres, logs=True) as system:
        found = await made(system, "postgres.integrity")
    assert (found.facts["page_errors"], found.facts["index_errors"]) == (0, 0)
    assert any("belongs to nothing any more" in line for line in found.evidence)


async def test_a_damaged_page_of_an_index_is_no_damage_of_rows(postgres: Server) -> None:
    async with somebody(postgres) as clerk:
        await clerk.execute("CREATE TABLE noted AS SELECT n FROM generate_series(1, 5000) n")
        await clerk.execute("CREATE INDEX noted_n ON noted (n)")
    async with shop(postgres, logs=True) as system:
        with page_damaged(postgres, "noted_n", block=1):
            await meet(postgres, "SET enable_seqscan = off; SELECT n FROM noted ORDER BY n LIMIT 1")
            found = await made(system, "postgres.integrity")
            assert (found.facts["page_errors"], found.facts["index_errors"]) == (0, 1)
            assert found.headline == "Damaged: index noted_n."
            async with somebody(postgres) as clerk:
                await clerk.execute("REINDEX INDEX noted_n")
        mended = await made(system, "postgres.integrity")
    assert mended.facts == {"page_errors": 0, "index_errors": 0, "checksum_failures": 0, "checked": True}, mended


async def test_without_the_right_to_look_a_damaged_page_counts_as_the_log_tells_it(postgres: Server) -> None:
    async with somebody(postgres) as clerk:
        await clerk.execute("CREATE TABLE hidden AS SELECT n FROM generate_series(1, 5000) n")
        await clerk.execute("VACUUM FULL hidden")
    with page_damaged(postgres, "hidden"):
        await meet(postgres, "SELECT count(*) FROM hidden")
    async with shop(postgres, user="plain", logs=True) as system:
        found = await made(system, "postgres.integrity")
    assert (found.facts["page_errors"] or 0) >= 2
    assert any("verify_heapam" in failure.advice for failure in found.unread)


async def test_without_amcheck_it_was_not_looked(postgres: Server) -> None:
    async with shop(postgres, database="bare") as system:
        found = await made(system, "postgres.integrity")
    assert found.facts["checked"] is False
    assert found.facts["index_errors"] is None, "neither amcheck nor a log could be read"
    assert any("CREATE EXTENSION amcheck" in failure.advice for failure in found.unread)
