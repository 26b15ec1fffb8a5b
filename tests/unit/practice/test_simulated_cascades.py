"""Causes and effects on the simulated stack: what rises first and what follows, with the log lines that fit."""

import pytest
from instruments import first, first_line, watch
from simulated_worlds import SYSTEMS, Stage
from turned_clock import Clock

from console.practice.simulated.staging import apply_fault
from console.practice.simulated.volume import MIB

FAILING_TOGETHER_S = 6.0
"""The p95 is read from scrapes, each five seconds: it cannot be seen sooner than that."""


def broken(name: str, fault: str, clock: Clock) -> Stage:
    stage = Stage(name, clock)
    stage.passes(30)
    apply_fault(stage.world, fault)
    return stage


def test_a_leak_takes_connections_then_requests_wait_then_the_p95_then_500s_then_the_health_check(clock: Clock) -> None:
    stage = broken("sms", "sms.c2.pool-exhausted", clock)
    began = clock.now
    sights = watch(stage, 880)
    usual = sights[0].p95_s or 0.0
    full = first(sights, lambda item: item.sessions >= 37)
    few = first(sights, lambda item: item.free <= 2)
    slow = first(sights, lambda item: (item.p95_s or 0) > 1.5 * usual)
    waiting = first(sights, lambda item: item.waiting > 8)
    failing = first(sights, lambda item: item.errors > 0)
    unhealthy = first(sights, lambda item: not item.healthy)
    assert full < few < slow < waiting < failing < unhealthy
    refused = first_line(stage, "database", "remaining connection slots are reserved", began)
    exhausted = first_line(stage, "backend", "Connection pool exhausted", began)
    assert full <= refused < exhausted
    assert abs(exhausted - failing) <= 2


def test_a_lock_gathers_waiters_that_hold_the_pool_then_others_wait_and_fail(clock: Clock) -> None:
    stage = broken("sms", "sms.m2.lock-contention", clock)
    began = clock.now
    sights = watch(stage, 60)
    waiter = first(sights, lambda item: item.locked > 0)
    none_free = first(sights, lambda item: item.free == 0)
    waiting = first(sights, lambda item: item.waiting > 8)
    failing = first(sights, lambda item: item.errors > 0)
    slow = first(sights, lambda item: (item.p95_s or 0) > 1)
    unhealthy = first(sights, lambda item: not item.healthy)
    assert waiter < none_free <= waiting < failing < unhealthy
    assert waiting < slow <= failing + FAILING_TOGETHER_S
    assert abs(first_line(stage, "backend", "Connection pool exhausted", began) - failing) <= 2


def test_a_full_volume_stops_writes_then_checkpoints_then_the_server(clock: Clock) -> None:
    stage = broken("sms", "sms.c2.disk-full", clock)
    began = clock.now
    sights = watch(stage, 640)
    writes = first_line(stage, "database", "could not extend file", began)
    checkpoint = first_line(stage, "database", 'could not write to file "pg_wal/xlogtemp.27"', began)
    panic = first_line(stage, "database", "PANIC", began)
    restarted = first_line(stage, "database", 'FATAL:  could not write to file "pg_wal/xlogtemp.29"', began)
    assert writes < checkpoint < panic < restarted
    assert first(sights, lambda item: item.errors > 0) < checkpoint
    down = first(sights, lambda item: not item.database)
    assert abs(down - panic) <= 2
    before = [item for item in sights if item.after_s < down - 5]
    after = [item for item in sights if item.after_s > down + 5]
    assert sum(item.errors for item in before) < 0.2 * sum(item.requests for item in before), "only writes fail"
    assert sum(item.errors for item in after) > 0.5 * sum(item.requests for item in after), "nothing but the cache answers"


def test_room_on_the_volume_lets_the_server_come_back_by_itself_and_recover(clock: Clock) -> None:
    stage = broken("sms", "sms.c2.disk-full", clock)
    stage.passes(600)
    assert not stage.world.database.up
    for name in list(stage.world.volume.files)[:-2]:
        del stage.world.volume.files[name]
    sights = watch(stage, 120)
    assert "automatic recovery in progress" in stage.log("database")
    assert sights[-1].database
    assert sights[-1].errors == 0


def test_without_redis_hits_go_then_the_database_works_more_then_pages_are_slow(clock: Clock) -> None:
    stage = Stage("sms", clock)
    before = watch(stage, 40)
    stage.world.role("cache").stop(stage.world.now)
    began = clock.now
    sights = watch(stage, 90)
    usual_statements = sum(item.statements for item in before) / len(before)
    statements = sum(item.statements for item in sights[5:35]) / 30
    assert statements > 1.25 * usual_statements
    slow = first(sights, lambda item: (item.p95_s or 0) > 2 * (before[-1].p95_s or 0))
    assert first_line(stage, "backend", "Cache read failed: Error 111", began) < 3 < slow


def test_a_full_redis_loses_hits_before_pages_are_slow(clock: Clock) -> None:
    stage = broken("sms", "sms.m1.cache-ineffective", clock)
    usual = stage.world.window.latency().p95_s or 0.0
    sights = watch(stage, 120)
    fewer = first(sights, lambda item: item.hit_percent < 45)
    slow = first(sights, lambda item: (item.p95_s or 0) > 2 * usual)
    assert fewer < slow


def test_a_cache_that_drops_packets_costs_every_page_its_patience(clock: Clock) -> None:
    stage = Stage("sms", clock)
    stage.world.network.blocked.add("sms-redis:6379")
    sights = watch(stage, 60)
    assert (sights[-1].p95_s or 0) > 1


def test_a_memory_leak_slows_the_process_before_it_is_killed_and_begins_anew(clock: Clock) -> None:
    stage = broken("sms", "sms.m2.resource-limit", clock)
    began = clock.now
    usual = stage.world.window.latency().p95_s or 0.0
    sights = watch(stage, 240)
    tight = first(sights, lambda item: item.memory_bytes > 231 * MIB)
    tidying = first_line(stage, "backend", "Garbage collection took", began)
    slow = first(sights, lambda item: (item.p95_s or 0) > 1.5 * usual)
    killed = first(sights, lambda item: item.memory_bytes < 120 * MIB)
    served = first_line(stage, "backend", "Listening on port 8000", began)
    assert abs(tidying - tight) <= 2
    assert tight < slow <= killed + FAILING_TOGETHER_S
    assert tidying < killed < served
    assert stage.world.role("backend").oom_killed


def test_without_its_proxy_nobody_reaches_a_service_that_is_well(clock: Clock) -> None:
    stage = Stage("sms", clock)
    stage.world.role("proxy").stop(stage.world.now)
    sights = watch(stage, 60)
    assert not any(item.requests for item in sights[1:])
    assert all(item.healthy for item in sights)
    stage.world.role("proxy").start(stage.world.now)
    assert any(item.requests for item in watch(stage, 5))


def test_a_frozen_service_lets_the_proxy_time_out_and_its_health_check_fail(clock: Clock) -> None:
    stage = broken("sms", "sms.c1.container-unhealthy", clock)
    sights = watch(stage, 30)
    assert '" 504 ' in stage.log("proxy")
    assert 6 <= first(sights, lambda item: not item.healthy) <= 13, "after three checks in a row"


def test_a_surge_makes_pages_slow_then_requests_wait_then_some_fail(clock: Clock) -> None:
    stage = Stage("sms", clock)
    stage.passes(30)
    for after_s in range(0, 60, 5):
        stage.world.later(after_s, lambda world: setattr(world.traffic, "factor", world.traffic.factor + 0.6))
    sights = watch(stage, 100)
    more = first(sights, lambda item: item.requests > 20)
    slow = first(sights, lambda item: (item.p95_s or 0) > 0.3)
    waiting = first(sights, lambda item: item.waiting > 16)
    failing = first(sights, lambda item: item.errors > 0)
    assert more < slow < failing
    assert waiting < failing


# Fixes, right and wrong ------------------------------------------------------------------------------------------------


def test_after_a_restart_the_server_is_cold_and_gets_warm_by_and_by(clock: Clock) -> None:
    stage = Stage("sms", clock)
    stage.passes(60)
    stage.world.restart("database")
    sights = watch(stage, 240)
    assert sights[0].sessions == 0
    assert first(sights, lambda item: item.free == 8) > 3, "the pool fills by and by"
    usual = sights[0].p95_s or 0.0
    assert first(sights, lambda item: (item.p95_s or 0) > 1.8 * usual) < 40
    assert (sights[-1].p95_s or 0) < 1.3 * usual


def test_restarting_the_database_in_a_surge_makes_it_worse(clock: Clock) -> None:
    left, restarted = (Stage("sms", Clock()) for _ in range(2))
    for stage in (left, restarted):
        stage.world.traffic.factor = 5.0
        stage.passes(60)
    restarted.world.restart("database")
    alone, hurried = watch(left, 60), watch(restarted, 60)
    assert sum(item.errors for item in hurried) > 5 * (1 + sum(item.errors for item in alone))
    assert max(item.waiting for item in hurried) > max(item.waiting for item in alone)
    assert max(item.p95_s or 0 for item in hurried) > 1.3 * max(item.p95_s or 0 for item in alone)


def test_a_backend_that_is_restarted_with_a_cold_cache_is_slower_than_with_a_warm_one(clock: Clock) -> None:
    warm, cold = (Stage("sms", Clock()) for _ in range(2))
    cold.world.cache.flush(cold.world.now)
    for stage in (warm, cold):
        stage.world.restart("backend")
    assert max(item.p95_s or 0 for item in watch(cold, 90)) > 1.25 * max(item.p95_s or 0 for item in watch(warm, 90))


def test_a_restart_of_the_backend_does_not_end_a_lock_that_somebody_else_holds(clock: Clock) -> None:
    stage = broken("sms", "sms.m2.lock-contention", clock)
    stage.passes(30)
    stage.world.restart("backend")
    sights = watch(stage, 60)
    assert sights[-1].locked == 8
    assert sum(item.errors for item in sights[-20:]) > 0
    holder = stage.world.database.locks.held[0].holder
    stage.world.database.terminate(holder, stage.world.now)
    healed = watch(stage, 90)
    assert first(healed, lambda item: item.errors == 0 and item.waiting == 0) <= 15
    assert first(healed, lambda item: item.healthy) <= 20
    assert first(healed, lambda item: (item.p95_s or 9) < 0.5) > 30, "the window of the p95 empties by and by"


def test_flushing_the_cache_does_not_mend_a_dropped_index_and_makes_pages_slower(clock: Clock) -> None:
    stage = broken("sms", "sms.m1.missing-index", clock)
    stage.passes(60)
    before = stage.world.window.latency().p95_s or 0.0
    hits = watch(stage, 1)[-1].hit_percent
    stage.world.cache.flush(stage.world.now)
    sights = watch(stage, 60)
    assert (sights[-1].p95_s or 0) > 0.9 * before
    assert min(item.hit_percent for item in sights) < hits - 15


def test_a_pool_beyond_what_the_server_takes_locks_everybody_else_out(clock: Clock) -> None:
    stage = Stage("dotmac", clock)
    stage.world.set_variable("backend", "DB_POOL_SIZE", "60")
    stage.world.restart("backend")
    began = clock.now
    sights = watch(stage, 60)
    assert sights[-1].sessions >= 37
    assert first_line(stage, "database", "remaining connection slots are reserved", began) > 5
    assert stage.world.backend.connection_error(stage.world.now) is not None


def test_the_same_seed_gives_the_same_cascade_and_another_one_a_different_one() -> None:
    def lived(seed: int) -> list[object]:
        stage = Stage("sms", Clock(), seed=seed)
        apply_fault(stage.world, "sms.m2.lock-contention")
        return [*watch(stage, 40), stage.log("backend", 500)]

    assert lived(3) == lived(3)
    assert lived(3) != lived(4)


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("seed", [2, 3])
def test_a_system_that_is_well_stays_well_for_an_hour(name: str, seed: int) -> None:
    stage = Stage(name, Clock(), seed=seed)
    for _ in range(40):
        (sight,) = watch(stage, 1)
        assert sight.errors == 0
        assert sight.waiting < 4
        assert (sight.p95_s or 0) < 0.3
        assert sight.healthy or name == "dotmac", "a unit has no health check"
        stage.passes(89)
    failed = [line.text for line in stage.world.log("backend").tail(100_000, None) if "ERROR" in line.text]
    assert not failed
