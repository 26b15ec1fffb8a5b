"""The practice PostgreSQL as checks and fixes meet it: statistics, plans, locks, slow statements, and what administers it."""

from collections.abc import Callable

import pytest
from turned_clock import Clock

from console.config import SystemConfig
from console.practice.simulated.catalogue import Index
from console.practice.simulated.database import SimulatedDatabase
from console.practice.simulated.metrics import SimulatedMetrics
from console.practice.simulated.system import simulated_world
from console.practice.simulated.workload import Slowed
from console.practice.simulated.world import World
from console.reading import FailureKind, SourceError
from console.sources.postgres import statistics

Make = Callable[..., tuple[World, SimulatedDatabase]]
ATTENDANCE = "idx_attendance_student_date"
ASKED = "SELECT * FROM attendance WHERE student_id = %(id)s"


@pytest.fixture
def made(sms: SystemConfig, clock: Clock) -> Make:
    def make(change: Callable[[World], None] = lambda _world: None) -> tuple[World, SimulatedDatabase]:
        world = simulated_world(sms, clock=clock)
        world.schedule(300, change)
        assert sms.postgres is not None
        return world, SimulatedDatabase(world, sms.postgres, key="systems.sms.postgres")

    return make


async def p95_ms(world: World) -> float:
    assert world.config.prometheus is not None
    latency = await SimulatedMetrics(world, world.config.prometheus).latency()
    assert latency.p95_s is not None
    return 1000 * latency.p95_s


async def plan(database: SimulatedDatabase, sql: str = ASKED) -> str:
    return str((await database.select(f"/* triage */ EXPLAIN (FORMAT JSON) {sql}", {"id": 3}))[0]["QUERY PLAN"])


# -- questions ------------------------------------------------------------------------------------------------------------


async def test_every_question_to_the_statistics_is_answered(made: Make) -> None:
    _, database = made()
    an_index = int(str((await database.select(statistics.INDEXES))[0]["id"]))
    questions: list[tuple[str, dict[str, str | int] | None]] = [
        (statistics.EXTENSION, {"name": "amcheck"}),
        (statistics.DATABASE, None),
        (statistics.CLOCK, None),
        (statistics.TABLES, None),
        (statistics.TABLE_SIZES, None),
        (statistics.DATABASE_SIZE, None),
        (statistics.WAL_SIZE, None),
        (statistics.INDEXES, None),
        (statistics.SETTING, {"name": "log_min_duration_statement"}),
        (statistics.statements("1.10"), None),
        (statistics.statements("1.10", by_calls=True), None),
        (statistics.index_check(), {"index": an_index}),
        (statistics.present(1), {"t0": '"grade"'}),
    ]
    for sql, values in questions:
        rows = await database.select(sql, values)
        assert rows, sql
        assert any(value is not None for value in rows[0].values()) or "bt_index_check" in sql, sql


async def test_statements_are_counted_with_the_traffic(made: Make, clock: Clock) -> None:
    _, database = made()
    before = {row["query"]: row["calls"] for row in await database.select(statistics.statements("1.10"))}
    clock.passes(30)
    after = {row["query"]: row["calls"] for row in await database.select(statistics.statements("1.10"))}
    assert sum(map(float, after.values())) > sum(map(float, before.values())) > 1_000  # type: ignore[arg-type]


async def test_without_its_extension_there_are_no_statement_statistics(made: Make) -> None:
    _, database = made(lambda world: world.database.extensions.clear())
    with pytest.raises(SourceError, match='relation "pg_stat_statements" does not exist'):
        await database.select(statistics.statements("1.10"))
    assert await database.select(statistics.EXTENSION, {"name": "pg_stat_statements"}) == []
    await database.execute('CREATE EXTENSION IF NOT EXISTS "pg_stat_statements"')
    assert await database.select(statistics.statements("1.10"))


async def test_a_question_may_not_write_and_says_so_as_the_live_source(made: Make) -> None:
    _, database = made()
    with pytest.raises(SourceError) as error:
        await database.select("WITH gone AS (DELETE FROM grade RETURNING id) SELECT count(*) AS n FROM gone")
    assert error.value.failure.kind is FailureKind.FORBIDDEN
    assert "cannot execute DELETE in a read-only transaction" in error.value.failure.message


async def test_a_table_that_is_gone_is_missed_by_name(made: Make) -> None:
    _, database = made(lambda world: world.database.drop_table("grade"))
    assert await database.select(statistics.present(2), {"t0": '"grade"', "t1": '"student"'}) == [{"t0": False, "t1": True}]
    with pytest.raises(SourceError) as error:
        await database.select("SELECT count(*) AS n FROM grade")
    assert error.value.failure.kind is FailureKind.MISSING


# -- indexes, plans and slow statements -----------------------------------------------------------------------------------


async def test_a_missing_index_slows_the_service_until_it_is_created(made: Make, clock: Clock) -> None:
    world, database = made(lambda world: world.database.drop_index(ATTENDANCE))
    assert await p95_ms(world) > 500
    assert "Seq Scan" in await plan(database)
    scans = {row["relname"]: row["seq_scans"] for row in await database.select(statistics.TABLES)}
    assert scans["attendance"] > 20 * scans["student"]  # type: ignore[operator]
    await database.execute(f'CREATE INDEX CONCURRENTLY "{ATTENDANCE}" ON "attendance" ("student_id", "attendance_date")')
    clock.passes(120)
    assert ATTENDANCE in await plan(database)
    assert await p95_ms(world) < 250


async def test_an_index_that_is_not_valid_serves_nobody(made: Make) -> None:
    def leave(world: World) -> None:
        world.database.indexes[ATTENDANCE] = Index("attendance", ("student_id", "attendance_date"), valid=False)

    world, database = made(leave)
    assert "Seq Scan" in await plan(database)
    rows = {row["indexrelname"]: row["valid"] for row in await database.select(statistics.INDEXES)}
    assert [name for name, valid in rows.items() if not valid] == [ATTENDANCE]
    with pytest.raises(SourceError, match="already exists"):
        await database.execute(f"CREATE INDEX CONCURRENTLY {ATTENDANCE} ON attendance (student_id, attendance_date)")
    await database.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{ATTENDANCE}"')
    await database.execute(f"CREATE INDEX CONCURRENTLY {ATTENDANCE} ON attendance (student_id, attendance_date)")
    assert ATTENDANCE in await plan(database)
    assert world.database.indexes[ATTENDANCE].valid


async def test_analysing_cures_slowness_for_want_of_statistics_and_nothing_else(made: Make, clock: Clock) -> None:
    def age(world: World) -> None:
        world.database.workload.slowed["grade"] = Slowed(30, "analyze")
        world.database.table_stats["grade"].analyzed_at = world.now - 20 * 86_400
        world.database.table_stats["grade"].changed = 9_000

    world, database = made(age)
    slow = await p95_ms(world)
    await database.execute("REINDEX TABLE grade")
    clock.passes(90)
    assert await p95_ms(world) > slow / 2
    await database.execute('ANALYZE "grade"')
    clock.passes(90)
    assert await p95_ms(world) < slow / 2
    row = next(row for row in await database.select(statistics.TABLES) if row["relname"] == "grade")
    assert (row["analyze_age_s"], row["changed"]) == (90.0, 0)


async def test_only_a_full_vacuum_gives_dead_rows_back_to_the_disk(made: Make) -> None:
    def bloat(world: World) -> None:
        world.database.table_stats["attendance"].live = 3_000_000
        world.database.table_stats["attendance"].dead = 4_000_000

    async def size() -> float:
        return float((await database.select(statistics.DATABASE_SIZE))[0]["database_bytes"] or 0)

    _, database = made(bloat)
    bloated = await size()
    await database.execute('VACUUM (ANALYZE) "attendance"')
    assert await size() > 0.8 * bloated
    await database.execute("VACUUM FULL attendance")
    assert await size() < 0.6 * bloated


# -- locks and sessions ---------------------------------------------------------------------------------------------------


async def test_a_held_table_blocks_the_service_until_its_holder_is_ended(made: Make, clock: Clock) -> None:
    def hold(world: World) -> None:
        holder = world.database.park(world.now, "psql", "172.18.0.1", idle_s=40, query="LOCK TABLE grade", in_transaction=True)
        world.database.locks.hold("grade", holder)

    world, database = made(hold)
    activity = await database.activity()
    assert len(activity.roots) == 1
    head = activity.roots[0]
    assert head.session is not None
    assert (head.session.application, head.session.state) == ("psql", "idle in transaction")
    assert head.size >= 3
    assert {waiter.relation for waiter in head.waiters} == {"grade"}
    with pytest.raises(SourceError) as error:
        await database.select("SELECT count(*) AS n FROM grade")
    assert error.value.failure.kind is FailureKind.TIMEOUT
    with pytest.raises(SourceError, match="lock timeout"):
        await database.execute("VACUUM FULL grade")
    assert await database.terminate(head.session.pid, head.session.backend_start)
    clock.passes(60)
    assert (await database.activity()).roots == ()
    assert await database.select("SELECT count(*) AS n FROM grade") == [{"n": 6_000}]
    assert await p95_ms(world) < 30_000


async def test_cancelling_ends_a_long_statement(made: Make) -> None:
    def run(world: World) -> None:
        world.database.run_long(world.now, "reporting", "172.18.0.9", "SELECT * FROM attendance a, attendance b", for_s=400)

    _, database = made(run)
    long = [item for item in (await database.activity()).sessions if (item.query_age_s or 0) > 60]
    assert [item.application for item in long] == ["reporting"]
    assert await database.cancel(long[0].pid, long[0].backend_start)
    assert not [item for item in (await database.activity()).sessions if (item.query_age_s or 0) > 60]


async def test_deadlocks_are_counted_and_logged(made: Make) -> None:
    world, database = made(lambda world: world.database.deadlock(world.now, "grade"))
    assert (await database.activity()).deadlocks == 1
    assert any("deadlock detected" in line.text for line in world.log("database").tail(500, None))


# -- damage ---------------------------------------------------------------------------------------------------------------


async def test_a_damaged_index_is_found_by_checking_and_mended_by_rebuilding(made: Make) -> None:
    _, database = made(lambda world: world.database.damage_index(ATTENDANCE, world.now))
    ids = {row["indexrelname"]: row["id"] for row in await database.select(statistics.INDEXES)}
    with pytest.raises(SourceError, match=f'item order invariant violated for index "{ATTENDANCE}"') as error:
        await database.select(statistics.index_check(), {"index": ids[ATTENDANCE]})
    assert error.value.failure.kind is FailureKind.GARBAGE
    assert await database.select(statistics.index_check(), {"index": ids["grade_pkey"]})
    await database.execute("REINDEX DATABASE student_management")
    assert await database.select(statistics.index_check(), {"index": ids[ATTENDANCE]})


async def test_a_bad_page_is_counted(made: Make) -> None:
    _, database = made(lambda world: world.database.find_bad_page(world.now, "grade"))
    assert (await database.select(statistics.DATABASE))[0]["checksum_failures"] == 1


async def test_a_bad_page_is_of_a_table_and_cannot_be_read(made: Make) -> None:
    world, database = made(lambda world: world.database.find_bad_page(world.now, "grade"))
    assert (await database.accepts()).accepting
    (line,) = [line.text for line in world.log("database").tail(500, None) if "invalid page in block 0" in line.text]
    file = int(line.rpartition("/")[2])
    (found,) = await database.select(statistics.FILE, {"tablespace": 1663, "file": file})
    assert (found["relname"], found["kind"]) == ("grade", "r")
    assert (await database.select(statistics.BLOCKS, {"table": file}))[0]["blocks"] != 0
    for question, values in (
        (statistics.heap_check(), {"table": file, "block": 0}),
        (statistics.all_tables_check(), None),
    ):
        with pytest.raises(SourceError, match="invalid page in block 0") as error:
            await database.select(question, values)
        assert error.value.failure.kind is FailureKind.GARBAGE
    assert await database.select(statistics.heap_check(), {"table": file, "block": 1}) == []
    (nobodys,) = await database.select(statistics.FILE, {"tablespace": 1663, "file": 9})
    assert nobodys["id"] is None


async def test_all_tables_and_indexes_of_a_whole_server_can_be_read(made: Make) -> None:
    _, database = made(lambda world: world.database.damage_index(ATTENDANCE, world.now))
    with pytest.raises(SourceError, match="item order invariant"):
        await database.select(statistics.all_trees_check())
    await database.execute("REINDEX DATABASE student_management")
    (tables,), (trees,) = [
        await database.select(question) for question in (statistics.all_tables_check(), statistics.all_trees_check())
    ]
    assert (tables["faults"], trees["others"]) == (0, 0)
    assert tables["tables"]
    assert trees["trees"]


# -- settings, roles and the database itself ------------------------------------------------------------------------------


async def test_a_changed_setting_counts_from_the_reload_on(made: Make) -> None:
    world, database = made(lambda world: world.database.settings.put("log_min_duration_statement", "-1"))

    async def value() -> object:
        return (await database.select(statistics.SETTING, {"name": "log_min_duration_statement"}))[0]["setting"]

    assert await value() == "-1"
    await database.execute("ALTER SYSTEM SET log_min_duration_statement = '250ms'", administer=True)
    assert await value() == "-1"
    await database.execute("SELECT pg_reload_conf()", administer=True)
    assert await value() == "250"
    assert any("received SIGHUP" in line.text for line in world.log("database").tail(50, None))
    await database.execute("ALTER SYSTEM RESET log_min_duration_statement", administer=True)
    await database.execute("SELECT pg_reload_conf()", administer=True)
    assert await value() == "1000"


async def test_a_setting_that_needs_a_restart_waits_for_it(made: Make) -> None:
    _, database = made()
    await database.execute("ALTER SYSTEM SET max_connections = 80")
    await database.execute("SELECT pg_reload_conf()")
    row = (await database.select(statistics.SETTING, {"name": "max_connections"}))[0]
    assert (row["setting"], row["pending_restart"]) == ("40", True)


async def test_slow_statements_are_logged_from_the_set_time_on(made: Make) -> None:
    def slow(world: World) -> None:
        world.database.drop_index(ATTENDANCE)
        world.database.settings.put("log_min_duration_statement", "200")

    world, database = made(slow)
    await database.activity()
    lines = [line.text for line in world.log("database").tail(400, None) if "duration:" in line.text]
    assert any("FROM attendance" in line for line in lines)


async def test_the_right_password_lets_the_service_in_again(made: Make, clock: Clock) -> None:
    def change(world: World) -> None:
        world.database.set_password(world.database.user, "another")
        for session in list(world.database.sessions):
            world.database.terminate(session, world.now)

    world, database = made(change)
    assert (await database.accepts()).reason == "login"
    await database.set_password(world.database.user, world.database.given_password)
    clock.passes(30)
    assert (await database.accepts()).accepting
    assert (await database.activity()).used > 2


async def test_a_missing_database_is_created_empty_and_filled_by_the_services_script(made: Make, clock: Clock) -> None:
    def lose(world: World) -> None:
        world.database.exists = False
        world.database.sessions.clear()

    world, database = made(lose)
    assert (await database.accepts()).reason == "database_missing"
    await database.execute('CREATE DATABASE "student_management" OWNER "sms_user"', administer=True)
    assert (await database.accepts()).accepting
    assert await database.select(statistics.present(1), {"t0": '"grade"'}) == [{"t0": False}]
    world.database.create_schema()
    assert await database.select("SELECT count(*) AS n FROM grade") == [{"n": 6_000}]
    with pytest.raises(SourceError, match="already exists"):
        await database.execute('CREATE DATABASE "student_management"', administer=True)


# -- changes --------------------------------------------------------------------------------------------------------------


async def test_a_change_of_rows_is_bound_limited_and_seen_at_once(made: Make) -> None:
    _, database = made()
    grant = (
        "INSERT INTO user_permission (user_id, permission_name) SELECT id, 'grades:write' FROM \"user\" WHERE email = %(email)s"
    )
    assert await database.change(grant, {"email": "student1@studentmanagement.local"}, most_rows=1) == 1
    asked = 'SELECT count(*) AS n FROM user_permission p JOIN "user" u ON u.id = p.user_id WHERE u.email = %(email)s'
    assert await database.select(asked, {"email": "student1@studentmanagement.local"}) == [{"n": 4}]
    with pytest.raises(SourceError) as error:
        await database.change("DELETE FROM user_permission", most_rows=10)
    assert error.value.failure.kind is FailureKind.DECLINED
    assert await database.select(asked, {"email": "student1@studentmanagement.local"}) == [{"n": 4}]
