"""The practice Redis: keys with their time to live, settings, a password, and what it does when it is full."""

import json
import random
from collections.abc import Callable

import pytest
from turned_clock import NOON, Clock

from console.config import SystemConfig
from console.practice.simulated.cache import SimulatedCache
from console.practice.simulated.catalogue import catalogue
from console.practice.simulated.log import Log
from console.practice.simulated.redis import CacheRefused, Key, RedisServer, cached_grades
from console.practice.simulated.system import simulated_world
from console.practice.simulated.tables import Tables
from console.practice.simulated.world import World
from console.reading import FailureKind, SourceError

Make = Callable[[Callable[[World], None]], tuple[World, SimulatedCache]]


@pytest.fixture
def made(sms: SystemConfig, clock: Clock) -> Make:
    def make(change: Callable[[World], None]) -> tuple[World, SimulatedCache]:
        world = simulated_world(sms, clock=clock)
        world.schedule(120, change)
        assert sms.redis is not None
        return world, SimulatedCache(world, sms.redis, key="systems.sms.redis")

    return make


def nothing(_world: World) -> None:
    """A healthy world."""


async def test_a_cached_key_is_told_with_its_value_and_times(made: Make) -> None:
    _, cache = made(nothing)
    key = await cache.key("grades:student:7")
    assert key is not None
    assert (key.name, key.type) == ("grades:student:7", "string")
    assert 0 < (key.ttl_s or 0) <= 300
    assert 0 <= (key.idle_s or 0) <= 300
    assert json.loads(key.value)[0]["grade_date"] > "2026-11-01"
    assert await cache.key("grades:student:9999") is None


def test_what_is_cached_of_a_student_is_what_the_tables_hold() -> None:
    tables = Tables(catalogue("sms"))
    tables.tell_time(NOON)
    for student in (1, 2, 23, 40):
        rows = tables.run(
            "SELECT c.code, g.assessment_name, g.score, g.grade_date FROM grade g JOIN enrollment e ON e.id = g.enrollment_id "
            "JOIN course c ON c.id = e.course_id WHERE e.student_id = %(id)s ORDER BY g.grade_date DESC, c.id",
            {"id": student},
        )
        told = [{**row, "score": float(row["score"]), "grade_date": str(row["grade_date"])} for row in rows]
        assert json.loads(cached_grades(student, NOON)) == told


async def test_a_key_that_never_expires_stays_until_it_is_deleted(made: Make, clock: Clock) -> None:
    def keep(world: World) -> None:
        world.cache.keys["grades:student:7"] = Key('[{"grade_date": "2026-01-01"}]', None, world.now)

    _, cache = made(keep)
    clock.passes(900)
    key = await cache.key("grades:student:7")
    assert key is not None
    assert (key.ttl_s, key.value) == (None, b'[{"grade_date": "2026-01-01"}]')
    assert await cache.delete_key("grades:student:7")
    assert not await cache.delete_key("grades:student:7")
    assert await cache.key("grades:student:7") is None


async def test_flushing_deletes_every_key_and_logs_everyone_out(made: Make) -> None:
    world, cache = made(nothing)
    before = await cache.info()
    assert await cache.flush() == before.keys["db0"]
    assert (await cache.info()).keys["db0"] < before.keys["db0"] / 5
    assert await cache.key("grades:student:7") is None
    assert world.cache.sessions == 0


async def test_a_full_server_that_evicts_hits_less_and_has_room_after_its_limit_is_raised(made: Make, clock: Clock) -> None:
    def fill(world: World) -> None:
        world.cache.filled_bytes = 60 << 20

    _, cache = made(fill)
    full = await cache.info()
    assert full.memory_percent is not None
    assert full.memory_percent > 99
    assert (full.hit_percent or 100) < 35
    assert (full.evicted_per_s or 0) > 0
    await cache.set_setting("maxmemory", "128mb")
    assert await cache.settings("maxmemory") == {"maxmemory": str(128 << 20)}
    clock.passes(120)
    mended = await cache.info()
    assert (mended.memory_percent or 100) < 70
    assert (mended.hit_percent or 0) > 45
    assert mended.evicted_per_s == 0


async def test_a_full_server_that_may_not_evict_refuses_writes(made: Make) -> None:
    def fill(world: World) -> None:
        world.cache.config["maxmemory-policy"] = "noeviction"
        world.cache.filled_bytes = 60 << 20

    world, cache = made(fill)
    info = await cache.info()
    assert info.memory_percent == 100
    assert info.errors["OOM"] > 10
    assert any("OOM command not allowed" in line.text for line in world.log("backend").tail(2_000, None))


async def test_the_wrong_password_is_refused_and_the_service_goes_on_without_its_cache(made: Make) -> None:
    def ask(world: World) -> None:
        world.cache.password = "secret"

    world, cache = made(ask)
    with pytest.raises(SourceError) as error:
        await cache.info()
    assert error.value.failure.kind is FailureKind.LOGIN
    assert "NOAUTH" in error.value.failure.message
    assert any("Cache read failed: NOAUTH" in line.text for line in world.log("backend").tail(500, None))
    world.cache.given_password = "secret"
    assert await cache.ping() > 0


async def test_a_server_that_is_kept_busy_does_not_answer_in_time(made: Make) -> None:
    def busy(world: World) -> None:
        world.cache.slow_s = 4.0

    _, cache = made(busy)
    with pytest.raises(SourceError) as error:
        await cache.ping()
    assert error.value.failure.kind is FailureKind.TIMEOUT


@pytest.mark.parametrize(("name", "value"), [("nonsense", "1"), ("maxmemory", "plenty"), ("dir", "/tmp")])
def test_settings_that_cannot_be_are_refused(name: str, value: str) -> None:
    server = RedisServer(Log(), random.Random(1))
    before = dict(server.config)
    with pytest.raises(CacheRefused):
        server.configure(name, value)
    assert server.config == before


def test_a_restart_loses_keys_only_without_persistence() -> None:
    for save, kept in (("", False), ("3600 1", True)):
        server = RedisServer(Log(), random.Random(1), config={"save": save})
        server.start(NOON)
        server.tick(NOON + 1)
        assert server.find("grades:student:7", NOON + 1) is not None
        server.stop(NOON + 2)
        server.start(NOON + 4)
        assert (server.find("grades:student:7", NOON + 5) is not None) is kept
