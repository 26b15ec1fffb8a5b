"""A round breaks a world at once or with a history, and puts everything back."""

import asyncio

import pytest
from simulated_worlds import CONFIG, Stage
from turned_clock import Clock

from console.practice.simulated.staging import apply_fault, begin_again
from console.practice.simulated.system import simulated_world, system_of


async def test_faults_with_their_history_bite_at_once(clock: Clock) -> None:
    world = simulated_world(CONFIG.system("sms"), clock=clock)
    system = system_of(world, pause=clock.pause)
    assert (await system.need_endpoints().get("health")).status == 200
    begin_again(world, ["sms.c2.pool-exhausted", "sms.l3.smtp-unreachable"])
    assert (await system.need_endpoints().get("health")).status == 503
    assert (await system.need_database().activity()).used_percent >= 90
    assert all(server.down for server in world.network.mail.values())
    await system.aclose()


async def test_to_begin_again_puts_back_what_the_fault_and_the_responder_did(clock: Clock) -> None:
    world = simulated_world(CONFIG.system("sms"), fault="sms.c1.container-down", clock=clock)
    system = system_of(world, pause=clock.pause)
    engine = system.need_engine()
    before = world.database.tables.count()
    await engine.stop("sms-redis")
    world.database.tables.run("DELETE FROM grade")
    for _ in range(2):
        begin_again(world)
        assert (await system.need_endpoints().get("health")).status == 200
        assert (await engine.container("sms-redis")).state.value == "running"
        assert world.database.tables.count() == before
    await system.aclose()


async def test_who_follows_a_log_comes_to_its_end_when_the_world_begins_again(clock: Clock) -> None:
    world = simulated_world(CONFIG.system("sms"), clock=clock)
    system = system_of(world, pause=clock.pause)
    following = system.need_engine().follow("sms-backend", tail=1)
    await anext(following)
    begin_again(world)

    async def rest() -> None:
        async for _ in following:
            pass

    await asyncio.wait_for(rest(), 5)
    await system.aclose()


def test_a_fault_that_comes_now_leaves_the_past_as_it_was(clock: Clock) -> None:
    stage = Stage("sms", clock)
    stage.passes(100)
    apply_fault(stage.world, "sms.c2.database-down")
    assert not stage.world.running("database")
    assert "500" not in stage.log("proxy", 200)
    stage.passes(20)
    assert '" 500 ' in stage.log("proxy", 200)


def test_what_a_late_fault_has_in_store_comes_after_it(clock: Clock) -> None:
    stage = Stage("sovd", clock)
    stage.passes(300)
    apply_fault(stage.world, "sovd.s4.over-limit")
    assert stage.world.traffic.loops
    stage.passes(50)
    assert stage.world.traffic.loops, "the burst goes on for most of a minute"
    assert "hit rate limit" in stage.log("backend", 500)
    stage.passes(10)
    assert not stage.world.traffic.loops


def test_an_unknown_fault_is_refused_and_nothing_is_changed(clock: Clock) -> None:
    stage = Stage("sms", clock)
    ticks = stage.world.ticks
    with pytest.raises(ValueError, match=r"sms\.c2\.pool-exhausted"):
        begin_again(stage.world, ["sovd.s4.over-limit"])
    assert stage.world.ticks == ticks


def test_a_fault_for_which_the_world_is_too_broken_already_is_refused(clock: Clock) -> None:
    stage = Stage("sms", clock)
    apply_fault(stage.world, "sms.c2.database-down")
    with pytest.raises(ValueError, match="cannot be made now"):
        apply_fault(stage.world, "sms.m2.lock-contention")
