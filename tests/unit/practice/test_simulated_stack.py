"""The healthy practice stack: it lives, it repeats itself exactly, it is quick, and it leaves nothing behind."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest
from turned_clock import NOON, Clock

from console.config import Environment, SystemConfig
from console.practice.simulated.system import choose_fault, fault_ids, simulated_system
from console.reading import FailureKind, SourceError
from console.sources.protocols.engine import Health, State, Stream
from console.sources.protocols.metrics import Origin, Quality
from console.system import System

Stack = Callable[..., System]


async def everything(system: System) -> dict[str, Any]:
    """One reading of each kind, failures as their texts."""
    config = system.config
    questions = {
        "containers": system.need_engine().containers(),
        "log": system.need_engine().log_tail(config.roles["backend"], lines=50),
        "activity": system.need_database().activity(),
        "accepts": system.need_database().accepts(),
        "cache": system.need_cache().info(),
        "latency": system.need_metrics().latency(),
        "health": system.need_endpoints().get("health"),
        "disk": system.host.disk("/"),
        "memory": system.host.memory(),
        "ports": system.host.port_owners(config.ports),
    }
    answers: dict[str, Any] = {}
    for name, question in questions.items():
        try:
            answers[name] = await question
        except SourceError as error:
            answers[name] = str(error)
    return answers


async def test_a_stack_says_that_it_is_simulated(stack: Stack) -> None:
    assert stack().config.environment is Environment.SIMULATED


async def test_a_healthy_stack_is_healthy_everywhere(stack: Stack, sms: SystemConfig) -> None:
    read = await everything(stack())
    assert {item.state for item in read["containers"].items} == {State.RUNNING}
    backend = read["containers"].named(sms.roles["backend"])
    assert (backend.health, backend.restart_count, backend.exit_code) == (Health.HEALTHY, 0, None)
    usage = read["containers"].usage[backend.id]
    assert 0 < usage.cpu_percent < 80
    assert 20 < usage.memory_percent < 80
    assert read["accepts"].accepting
    assert read["activity"].used_percent < 70
    assert read["activity"].commits_per_s > 0
    assert read["cache"].hit_percent > 40
    assert read["health"].status == 200
    assert read["disk"].used_percent < 80


async def test_charts_are_full_at_once(stack: Stack) -> None:
    latency = await stack().need_metrics().latency()
    assert (latency.origin, latency.quality) == (Origin.PROMETHEUS, Quality.GOOD)
    assert latency.p95_s is not None
    assert 0.01 < latency.p95_s < 0.5
    assert latency.requests_per_s is not None
    assert latency.requests_per_s > 3
    assert latency.history[-1].at - latency.history[0].at > 800
    assert all(point.p95_s is not None for point in latency.history)
    assert len(latency.endpoints) == 5
    assert not latency.alerts


async def test_the_same_seed_and_clock_give_the_same_readings(stack: Stack) -> None:
    for fault in ("healthy", "sms.c2.pool-exhausted", "sms.c3.out-of-memory"):
        first, second = stack(fault, seed=7), stack(fault, seed=7)
        assert await everything(first) == await everything(second), fault


async def test_asking_more_often_changes_nothing(stack: Stack, clock: Clock) -> None:
    watched, left_alone = stack("sms.c2.pool-exhausted"), stack("sms.c2.pool-exhausted")
    await watched.need_database().activity()
    await left_alone.need_database().activity()
    for _ in range(10):
        clock.passes(1.5)
        await everything(watched)
    assert await everything(watched) == await everything(left_alone)


async def test_another_seed_gives_another_world(stack: Stack) -> None:
    assert (await everything(stack(seed=1)))["log"] != (await everything(stack(seed=2)))["log"]


async def test_time_goes_on_when_the_clock_does(stack: Stack, clock: Clock) -> None:
    system = stack()
    before = await everything(system)
    clock.passes(30)
    after = await everything(system)
    assert after["log"][-1].at > before["log"][-1].at
    assert after["log"] != before["log"]
    assert after["latency"].history[-1].at == pytest.approx(NOON + 30, abs=15)


async def test_a_log_is_in_the_order_of_time_and_never_ahead_of_it(stack: Stack) -> None:
    for fault in ("healthy", "sms.c2.pool-exhausted", "sms.c2.login-refused"):
        lines = await stack(fault).need_engine().log_tail("sms-backend", lines=2_000)
        assert len(lines) == 2_000
        times = [line.at for line in lines]
        assert times == sorted(times), fault
        assert times[-1] <= NOON


async def test_both_streams_of_a_log_are_told_apart(stack: Stack) -> None:
    lines = await stack("sms.c2.login-refused").need_engine().log_tail("sms-backend", lines=200)
    assert all(line.stream is Stream.STDERR for line in lines if " ERROR " in line.text)
    assert all(line.stream is Stream.STDOUT for line in lines if " INFO " in line.text)


async def test_following_a_log_gives_its_tail_and_then_what_comes(stack: Stack, clock: Clock) -> None:
    system = stack()
    async with aclosing(system.need_engine().follow("sms-backend", tail=5)) as batches:
        first = await anext(batches)
        assert len(first) == 5
        clock.passes(3)
        second = await asyncio.wait_for(anext(batches), 5)
    assert second[0].at > first[-1].at


async def test_following_ends_when_the_stack_is_closed(stack: Stack) -> None:
    system = stack()
    batches = system.need_engine().follow("sms-backend", tail=1)
    await anext(batches)
    waiting = asyncio.ensure_future(anext(batches, None))
    await asyncio.sleep(0)
    await system.aclose()
    assert await asyncio.wait_for(waiting, 2) is None


async def test_following_ends_when_the_container_does(stack: Stack) -> None:
    system = stack()
    engine = system.need_engine()
    seen = []
    async for batch in engine.follow("sms-backend", tail=1):
        seen += [line.text for line in batch]
        await engine.stop("sms-backend")
    assert "Shutting down" in seen[-1]


async def test_nothing_runs_after_the_stack_is_closed(stack: Stack) -> None:
    system = stack()
    await system.open()
    await everything(system)
    await system.aclose()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_quarter_of_an_hour_is_lived_through_in_no_time(stack: Stack) -> None:
    started = time.process_time()
    await everything(stack())
    assert time.process_time() - started < 900 / 30


async def test_the_event_loop_is_not_held_up_while_the_past_is_made(stack: Stack) -> None:
    asking = asyncio.ensure_future(stack().need_engine().containers())
    turns = 0
    while not asking.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 50


async def test_a_suspended_machine_does_not_live_through_the_night(stack: Stack, clock: Clock) -> None:
    system = stack()
    await everything(system)
    clock.passes(36_000)
    started = time.process_time()
    assert (await everything(system))["health"].status == 200
    assert time.process_time() - started < 10


async def test_a_container_that_is_not_there_is_missing(stack: Stack) -> None:
    with pytest.raises(SourceError) as raised:
        await stack().need_engine().container("sms-mailer")
    assert raised.value.failure.kind is FailureKind.MISSING


def test_an_unknown_fault_is_refused_with_the_known_ones(sms: SystemConfig) -> None:
    with pytest.raises(ValueError, match=r"sms\.c2\.pool-exhausted"):
        simulated_system(sms, fault="sms.c9.gremlins")


def test_random_is_a_fault_that_the_seed_decides() -> None:
    chosen = {choose_fault(seed) for seed in range(60)}
    assert chosen <= set(fault_ids()) - {"healthy"}
    assert len(chosen) > 10
    assert choose_fault(5) == choose_fault(5)
