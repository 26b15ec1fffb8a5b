"""Each fault of the practice stack shows in the raw readings, and nothing but the right change mends it."""

from collections.abc import Callable, Sequence

import pytest
from turned_clock import Clock

from console.reading import FailureKind, SourceError
from console.sources.protocols.database import Session
from console.sources.protocols.engine import Container, ExecResult, Health, State
from console.sources.protocols.metrics import Quality
from console.system import System

Stack = Callable[..., System]


async def backend(system: System) -> Container:
    return await system.need_engine().container("sms-backend")


async def log_of(system: System, container: str, lines: int = 200) -> str:
    return "\n".join(line.text for line in await system.need_engine().log_tail(container, lines=lines))


async def run(system: System, container: str, *argv: str) -> ExecResult:
    return await system.need_engine().execute(container, argv, timeout_s=3)


async def probe(system: System) -> ExecResult:
    return await run(system, "sms-backend", *system.config.probes["database_from_backend"])


async def used_percent_of_volume(system: System) -> int:
    row = (await run(system, "sms-db-backup", "df", "-P", "-k", "/var/lib/postgresql")).stdout.decode().splitlines()[1]
    return int(row.split()[4].rstrip("%"))


async def backups(system: System) -> list[str]:
    found = await run(
        system,
        "sms-db-backup",
        *("find", "/var/lib/postgresql/backups", "-maxdepth", "1", "-type", "f"),
        *("-name", "student_management_*.sql.gz", "-printf", "%T@ %s %f\\n"),
    )
    rows = [line.split(" ", 2) for line in found.stdout.decode().splitlines()]
    return [name for _, _, name in sorted(rows, key=lambda row: float(row[0]))]


async def health_status(system: System) -> int:
    return (await system.need_endpoints().get("health")).status


async def end(system: System, sessions: Sequence[Session]) -> None:
    for session in sessions:
        assert await system.need_database().terminate(session.pid, session.backend_start)


def idle_over_an_hour(sessions: Sequence[Session]) -> list[Session]:
    return [item for item in sessions if item.state == "idle" and item.state_age_s is not None and item.state_age_s > 3_600]


# The whole outage ----------------------------------------------------------------------------------------------------


async def test_an_engine_that_is_down_refuses_and_takes_everything_with_it(stack: Stack) -> None:
    system = stack("sms.c1.engine-down")
    for question in (system.need_engine().containers(), system.need_cache().info(), system.need_metrics().latency()):
        with pytest.raises(SourceError) as raised:
            await question
        assert raised.value.failure.kind is FailureKind.REFUSED
    assert (await system.need_database().accepts()).reason == "refused"


async def test_a_stopped_backend_is_exited_and_starts_again(stack: Stack, clock: Clock) -> None:
    system = stack("sms.c1.container-down")
    found = await backend(system)
    assert (found.state, found.exit_code, found.oom_killed) == (State.EXITED, 0, False)
    assert await health_status(system) == 502
    latency = await system.need_metrics().latency()
    assert [target.up for target in latency.targets] == [False]
    assert [(alert.name, alert.state) for alert in latency.alerts] == [("BackendDown", "firing")]
    assert latency.history[-1].p95_s is None
    await system.need_engine().start("sms-backend")
    clock.passes(10)
    assert (await backend(system)).health is Health.HEALTHY
    assert await health_status(system) == 200


async def test_a_frozen_backend_runs_but_is_unhealthy_until_it_is_restarted(stack: Stack, clock: Clock) -> None:
    system = stack("sms.c1.container-unhealthy")
    found = await backend(system)
    assert (found.state, found.health) == (State.RUNNING, Health.UNHEALTHY)
    assert "timeout" in found.health_output
    with pytest.raises(SourceError) as raised:
        await system.need_endpoints().get("health")
    assert raised.value.failure.kind is FailureKind.TIMEOUT
    assert "upstream timed out" in await log_of(system, "sms-frontend-proxy")
    await system.need_engine().restart("sms-backend")
    clock.passes(10)
    assert (await backend(system)).health is Health.HEALTHY


async def test_a_backend_without_a_way_to_its_database_fails_while_the_database_is_fine(stack: Stack, clock: Clock) -> None:
    system = stack("sms.c1.backend-cannot-reach-database")
    assert (await system.need_database().accepts()).accepting
    assert (await backend(system)).health is Health.HEALTHY
    refused = await probe(system)
    assert refused.exit_code == 1
    assert b"No route to host" in refused.stderr
    assert await health_status(system) == 503
    await system.need_engine().restart("sms-backend")
    clock.passes(5)
    assert (await probe(system)).exit_code == 0
    assert await health_status(system) == 200


async def test_old_backups_fill_the_volume_and_removing_them_frees_it(stack: Stack) -> None:
    system = stack("sms.c1.disk-nearly-full")
    assert 91 <= await used_percent_of_volume(system) < 99
    old = (await backups(system))[:-2]
    await run(system, "sms-db-backup", "rm", "-f", "--", *(f"/var/lib/postgresql/backups/{name}" for name in old))
    assert len(await backups(system)) == 2
    assert await used_percent_of_volume(system) < 50


async def test_a_taken_port_keeps_the_proxy_down_until_its_holder_is_gone(stack: Stack, clock: Clock) -> None:
    system = stack("sms.c1.port-conflict")
    engine = system.need_engine()
    proxy = await engine.container("sms-frontend-proxy")
    assert proxy.state is State.EXITED
    assert "address already in use" in proxy.error
    (owner,) = await system.host.port_owners([8080])
    assert (owner.process, owner.command) == ("python3", "python3 -m http.server 8080")
    with pytest.raises(SourceError, match="address already in use"):
        await engine.start("sms-frontend-proxy")
    assert owner.pid is not None
    assert owner.started_at is not None
    assert not await system.host.end_process(owner.pid, owner.started_at - 50), "a pid that is used again"
    assert await system.host.end_process(owner.pid, owner.started_at)
    await engine.start("sms-frontend-proxy")
    clock.passes(2)
    assert await health_status(system) == 200


# The database --------------------------------------------------------------------------------------------------------


async def test_a_stopped_database_refuses_and_its_start_mends_the_service(stack: Stack, clock: Clock) -> None:
    system = stack("sms.c2.database-down")
    answer = await system.need_database().accepts()
    assert (answer.accepting, answer.reason) == (False, "refused")
    assert "Connection refused" in await log_of(system, "sms-backend")
    assert "received fast shutdown request" in await log_of(system, "sms-postgres")
    await system.need_engine().start("sms-postgres")
    clock.passes(1)
    assert (await system.need_database().accepts()).reason == "starting"
    clock.passes(7)
    assert (await system.need_database().accepts()).accepting
    assert await health_status(system) == 200


async def test_an_exhausted_server_is_seen_over_the_emergency_login(stack: Stack) -> None:
    system = stack("sms.c2.pool-exhausted")
    assert (await system.need_database().accepts()).reason == "too_many_clients"
    activity = await system.need_database().activity()
    assert activity.emergency
    assert activity.used_percent >= 90
    assert len(idle_over_an_hour(activity.sessions)) >= 15
    await assert_exhaustion_shows_everywhere(system)


async def assert_exhaustion_shows_everywhere(system: System) -> None:
    latency = await system.need_metrics().latency()
    assert latency.p95_s is not None
    assert latency.p95_s > 1
    assert latency.error_percent is not None
    assert latency.error_percent > 20
    assert {alert.name for alert in latency.alerts} == {"HighErrorRate", "SlowResponses"}
    early = [point.p95_s for point in latency.history[:20] if point.p95_s is not None]
    assert max(early) < 0.5, "it developed: the first minutes were fine"
    assert await health_status(system) == 503
    assert (await backend(system)).health is Health.UNHEALTHY
    assert "QueuePool limit" in await log_of(system, "sms-backend")
    assert "remaining connection slots are reserved" in await log_of(system, "sms-postgres")


async def test_ending_the_oldest_sessions_helps_for_a_while_only(stack: Stack, clock: Clock) -> None:
    system = stack("sms.c2.pool-exhausted")
    database = system.need_database()
    await end(system, idle_over_an_hour((await database.activity()).sessions))
    clock.passes(10)
    relieved = await database.activity()
    assert not relieved.emergency
    assert relieved.used_percent < 80
    clock.passes(60)
    latency = await system.need_metrics().latency()
    assert latency.p95_s is not None
    assert latency.p95_s < 0.5
    assert (await backend(system)).health is Health.HEALTHY
    for _ in range(4):
        clock.passes(400)
        await database.activity()
    assert (await database.activity()).used_percent >= 90


async def test_a_restart_of_the_backend_cures_the_leak(stack: Stack, clock: Clock) -> None:
    system = stack("sms.c2.pool-exhausted")
    await system.need_engine().restart("sms-backend")
    for _ in range(4):
        clock.passes(400)
        activity = await system.need_database().activity()
        assert activity.used_percent < 50
    assert await health_status(system) == 200


async def test_a_session_that_is_not_the_one_seen_is_left_alone(stack: Stack) -> None:
    system = stack()
    session = (await system.need_database().activity()).sessions[0]
    assert not await system.need_database().terminate(session.pid, session.backend_start - 1)
    assert not await system.need_database().cancel(99_999, session.backend_start)
    assert session in (await system.need_database().activity()).sessions


async def test_a_full_volume_fails_writes_until_there_is_room(stack: Stack, clock: Clock) -> None:
    system = stack("sms.c2.disk-full")
    assert await used_percent_of_volume(system) >= 99
    assert "No space left on device" in await log_of(system, "sms-postgres")
    assert "DiskFull" in await log_of(system, "sms-backend", 2_000)
    old = (await backups(system))[:-2]
    await run(system, "sms-db-backup", "rm", "-f", "--", *(f"/var/lib/postgresql/backups/{name}" for name in old))
    clock.passes(90)
    latency = await system.need_metrics().latency()
    assert latency.error_percent == 0


async def test_a_damaged_database_does_not_come_up_however_often_it_is_started(stack: Stack, clock: Clock) -> None:
    system = stack("sms.c2.corrupted")
    assert not (await system.need_database().accepts()).accepting
    log = await log_of(system, "sms-postgres")
    assert "invalid page in block" in log
    assert "could not locate a valid checkpoint record" in log
    await system.need_engine().restart("sms-postgres")
    clock.passes(10)
    assert (await system.need_database().accepts()).reason == "refused"


async def test_a_changed_password_is_told_from_a_server_that_is_down(stack: Stack) -> None:
    system = stack("sms.c2.login-refused")
    assert (await system.need_database().accepts()).reason == "login"
    with pytest.raises(SourceError) as raised:
        await system.need_database().activity()
    assert raised.value.failure.kind is FailureKind.LOGIN
    assert "SMS_DB_PASSWORD" in raised.value.failure.advice
    assert 'password authentication failed for user "sms_user"' in await log_of(system, "sms-backend")
    assert 'FATAL:  password authentication failed for user "sms_user"' in await log_of(system, "sms-postgres")


# The crash loops -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "exit_code", "out_of_memory", "words"),
    [
        ("sms.c3.out-of-memory", 137, True, "Building the timetable"),
        ("sms.c3.missing-dependency", 1, False, "ModuleNotFoundError: No module named 'pyotp'"),
        ("sms.c3.migration-failed", 1, False, "Alembic migration failed"),
        ("sms.c3.unhandled-exception", 1, False, "KeyError: 'started_days_ago'"),
    ],
)
async def test_a_crash_loop_goes_on_and_tells_how_it_ended(
    fault: str, exit_code: int, out_of_memory: bool, words: str, stack: Stack, clock: Clock
) -> None:
    system = stack(fault)
    found = await backend(system)
    assert (found.state, found.exit_code, found.oom_killed) == (State.RESTARTING, exit_code, out_of_memory)
    run_that_ended = await system.need_engine().log_tail("sms-backend", lines=100, since=found.started_at)
    assert any(words in line.text for line in run_that_ended)
    assert (await system.need_metrics().latency()).quality is not Quality.GOOD
    with pytest.raises(SourceError, match="is restarting"):
        await probe(system)
    states = set()
    for _ in range(140):
        states.add((await backend(system)).state)
        clock.passes(0.5)
    assert states == {State.RUNNING, State.RESTARTING}
    assert found.restart_count is not None
    assert found.restart_count >= 5
    assert ((await backend(system)).restart_count or 0) > found.restart_count


async def test_more_memory_mends_the_loop_but_too_little_more_does_not(stack: Stack, clock: Clock) -> None:
    system = stack("sms.c3.out-of-memory")
    limit = (await backend(system)).memory_limit_bytes
    assert limit is not None
    await system.need_engine().set_memory_limit("sms-backend", limit * 5 // 4)
    clock.passes(130)
    assert (await backend(system)).oom_killed
    await system.need_engine().set_memory_limit("sms-backend", limit * 2)
    clock.passes(75)
    found = await backend(system)
    assert (found.state, found.health) == (State.RUNNING, Health.HEALTHY)
    assert await health_status(system) == 200


async def test_taking_the_migration_back_mends_the_loop(stack: Stack, clock: Clock) -> None:
    system = stack("sms.c3.migration-failed")
    engine = system.need_engine()
    current = await engine.run_like("sms-backend", system.config.migration["current"].split(), timeout_s=9)
    assert current.stdout == b"0004_grade_weights\n"
    assert (await engine.run_like("sms-backend", system.config.migration["rollback"].split(), timeout_s=9)).exit_code == 0
    await engine.restart("sms-backend")
    clock.passes(10)
    assert (await backend(system)).health is Health.HEALTHY


@pytest.mark.parametrize("fault", ["sms.c3.missing-dependency", "sms.c3.unhandled-exception", "sms.c3.out-of-memory"])
async def test_a_restart_alone_mends_no_crash_loop(fault: str, stack: Stack, clock: Clock) -> None:
    system = stack(fault)
    await system.need_engine().restart("sms-backend")
    clock.passes(30)
    assert ((await backend(system)).restart_count or 0) > 0
    assert await health_status(system) == 502


async def test_stopping_a_crash_loop_lets_it_rest(stack: Stack, clock: Clock) -> None:
    system = stack("sms.c3.missing-dependency")
    await system.need_engine().stop("sms-backend")
    clock.passes(120)
    assert (await backend(system)).state is State.EXITED


async def test_pruning_frees_what_it_listed(stack: Stack) -> None:
    system = stack()
    engine = system.need_engine()
    images = next(item for item in await engine.reclaimable() if item.kind == "images")
    before = (await system.host.disk("/")).free_bytes
    assert await engine.prune("images") == images.size_bytes
    assert (await system.host.disk("/")).free_bytes - before == images.size_bytes
    assert not next(item for item in await engine.reclaimable() if item.kind == "images").items


async def test_a_cache_that_is_down_slows_the_backend_and_is_told(stack: Stack, clock: Clock) -> None:
    system = stack()
    await system.need_engine().stop("sms-redis")
    clock.passes(10)
    with pytest.raises(SourceError) as raised:
        await system.need_cache().info()
    assert raised.value.failure.kind is FailureKind.REFUSED
    assert await health_status(system) == 503
    assert "Error 111 connecting to sms-redis:6379" in await log_of(system, "sms-backend")
    await system.need_engine().start("sms-redis")
    clock.passes(10)
    assert (await system.need_cache().info()).uptime_s == 10
    assert await health_status(system) == 200
