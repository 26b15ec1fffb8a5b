"""Checks of Redis and the changes to it, on a Redis made by hand."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from fake_cache import MIB, FakeCache, cache_info, system_with
from guide_stack import Stack

from console.guides.checks import run_check
from console.guides.checks.cache import HitsParameters
from console.guides.checks.cache_keys import CompareParameters, KeyParameters, fields
from console.guides.checks.check import Outcome
from console.guides.checks.containers import NoParameters
from console.guides.fixes import Applied, Preview, apply_fix, preview_fix
from console.guides.fixes.action import action
from console.guides.issue import CheckCall, Fix
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.sources.protocols.cache import CacheKey
from console.sources.protocols.engine import Details, Mount
from console.system import System

NONE = NoParameters()


async def made(name: str, cache: FakeCache | None, parameters: Any = NONE, stack: Stack | None = None) -> Outcome:
    stack = stack or Stack()
    system = system_with(cache, stack) if cache is not None else stack.system

    async def at_once(_seconds: float) -> None: ...

    system.pause = at_once
    return await run_check(CheckCall(name, parameters), Readings(system, wall=system.clock))


def error(kind: FailureKind, message: str = "It did not work.") -> SourceError:
    return SourceError(kind, message)


# -- ping -----------------------------------------------------------------------------------------------------------------


async def test_a_ping_that_is_answered_has_a_time() -> None:
    found = await made("cache.ping", FakeCache())
    assert found.facts == {"answers": True, "reason": "", "elapsed_ms": 0.4}


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (error(FailureKind.REFUSED), "refused"),
        (error(FailureKind.REFUSED, "Error -2: Name or service not known."), "unresolved"),
        (error(FailureKind.TIMEOUT), "timeout"),
        (error(FailureKind.LOGIN), "auth"),
        (error(FailureKind.STARTING), "loading"),
        (error(FailureKind.LOST), "lost"),
        (error(FailureKind.FULL), "other"),
    ],
)
async def test_a_ping_that_is_not_answered_tells_why(failure: SourceError, reason: str) -> None:
    found = await made("cache.ping", FakeCache(failure=failure))
    assert found.facts == {"answers": False, "reason": reason, "elapsed_ms": None}
    assert failure.failure.message in found.headline


async def test_a_redis_that_says_nothing_is_a_timeout_and_not_a_step_without_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = FakeCache()

    async def hangs() -> float:
        await asyncio.Event().wait()
        return 0.0

    monkeypatch.setattr(cache, "ping", hangs)
    monkeypatch.setattr("console.guides.checks.cache.PING_LIMIT_S", 0.05)
    assert (await made("cache.ping", cache)).facts["reason"] == "timeout"


@pytest.mark.parametrize("name", ["cache.ping", "cache.memory", "cache.hits", "cache.persistence"])
async def test_without_a_redis_everything_is_unknown(name: str) -> None:
    found = await made(name, None, HitsParameters() if name == "cache.hits" else NONE)
    assert set(found.facts.values()) == {None}
    assert found.failure is not None
    assert found.failure.kind is FailureKind.NOT_CONFIGURED


# -- memory and hits ------------------------------------------------------------------------------------------------------


async def test_room_is_told_against_the_limit() -> None:
    found = await made("cache.memory", FakeCache())
    assert found.facts == {
        "used_percent": 31.2,
        "limited": True,
        "full": False,
        "evicting": False,
        "policy": "allkeys-lru",
        "used_bytes": 20 * MIB,
    }


async def test_a_full_redis_that_refuses_writes_is_full_and_evicts_nothing() -> None:
    info = cache_info(used_memory_bytes=64 * MIB, eviction_policy="noeviction", evicted_per_s=None, errors={"OOM": 12})
    found = await made("cache.memory", FakeCache(looks=[info]))
    assert (found.facts["full"], found.facts["evicting"]) == (True, False)
    assert "refused 12 writes for want of memory since it started" in found.evidence


async def test_eviction_is_seen_by_looking_twice() -> None:
    looks = [
        cache_info(evicted_per_s=None, used_memory_bytes=63 * MIB),
        cache_info(evicted_per_s=4.0, used_memory_bytes=63 * MIB),
    ]
    found = await made("cache.memory", FakeCache(looks=looks))
    assert (found.facts["full"], found.facts["evicting"]) == (True, True)


async def test_a_redis_that_never_evicted_a_key_needs_no_second_look() -> None:
    cache = FakeCache(looks=[cache_info(evicted_per_s=None, evicted=0), cache_info(evicted_per_s=4.0, evicted=4)])
    assert (await made("cache.memory", cache)).facts["evicting"] is False


async def test_steps_that_ask_the_same_at_the_same_time_share_one_answer() -> None:
    cache = FakeCache(looks=[cache_info(used_memory_bytes=size * MIB) for size in (10, 20, 30)])
    system = system_with(cache, Stack())
    readings, call = Readings(system, wall=system.clock), CheckCall("cache.memory", NONE)
    found = await asyncio.gather(*(run_check(call, readings, shared=True) for _ in range(5)))
    assert {outcome.facts["used_bytes"] for outcome in found} == {10 * MIB}
    assert len(cache.looks) == 2, "INFO was asked once"


async def test_without_a_limit_there_is_no_share_and_nothing_is_full() -> None:
    found = await made("cache.memory", FakeCache(looks=[cache_info(max_memory_bytes=0)]))
    assert (found.facts["used_percent"], found.facts["limited"], found.facts["full"]) == (None, False, False)
    assert found.headline == "Redis uses 20.0 MiB and has no limit."


async def test_hits_are_of_now_and_the_lifetime_is_evidence() -> None:
    looks = [cache_info(hit_percent=None, hits_per_s=None, misses_per_s=None), cache_info()]
    found = await made("cache.hits", FakeCache(looks=looks), HitsParameters())
    assert found.facts == {"hit_percent": 75.0}
    assert found.evidence == ("60.0 hits/s, 20.0 misses/s", "since it started: 90.0 % of 10,000 lookups were hits")


async def test_hits_without_traffic_are_unknown_and_not_zero() -> None:
    idle = cache_info(hit_percent=None, hits_per_s=0.0, misses_per_s=0.0)
    found = await made("cache.hits", FakeCache(looks=[idle]), HitsParameters())
    assert found.facts == {"hit_percent": None}
    assert found.unread


# -- persistence ----------------------------------------------------------------------------------------------------------


def on_disk(*mounts: Mount) -> Stack:
    stack = Stack()

    async def details(name: str) -> Details:
        assert name == "sms-redis"
        return Details({}, mounts, (), ())

    stack.engine.details = details  # type: ignore[attr-defined, method-assign]
    return stack


async def test_snapshots_on_a_volume_survive() -> None:
    found = await made("cache.persistence", FakeCache(), stack=on_disk(Mount("volume", "redis", "/data", True)))
    assert found.facts == {"enabled": True, "last_ok": True, "saved_age_s": 600, "on_volume": True}


async def test_nothing_kept_is_told_and_a_folder_inside_the_container_is_no_volume() -> None:
    cache = FakeCache(configured={"save": "", "appendonly": "no", "dir": "/data"})
    found = await made("cache.persistence", cache, stack=on_disk(Mount("volume", "other", "/database", True)))
    assert (found.facts["enabled"], found.facts["on_volume"]) == (False, False)


async def test_what_redis_does_not_tell_stays_unknown() -> None:
    cache = FakeCache(settings_failure=error(FailureKind.FORBIDDEN, "Redis forbids this."))
    found = await made("cache.persistence", cache, stack=on_disk())
    assert (found.facts["enabled"], found.facts["on_volume"], found.facts["last_ok"]) == (None, None, True)
    assert "Redis forbids this." in [item.message for item in found.unread]


# -- keys -----------------------------------------------------------------------------------------------------------------

GRADES = CacheKey(
    "grades:student:42", "string", 90.0, 5.0, 2048, b'{"grades": [{"grade_date": "2026-11-01"}, {"grade_date": "2026-11-20"}]}'
)


def with_grades(**changes: Any) -> FakeCache:
    key = CacheKey(**{name: getattr(GRADES, name) for name in GRADES.__slots__} | changes)
    return FakeCache(found={key.name: key})


async def test_a_key_is_told_with_its_time() -> None:
    found = await made("cache.key", with_grades(), KeyParameters(key=GRADES.name))
    assert found.facts == {"present": True, "ttl_s": 90, "idle_s": 5.0, "size_bytes": 2048, "type": "string"}
    assert found.headline == "grades:student:42 is in the cache and expires in 1 min 30 s."


async def test_a_key_that_is_not_there_is_an_answer() -> None:
    found = await made("cache.key", FakeCache(), KeyParameters(key="no"))
    assert found.facts == {"present": False, "ttl_s": None, "idle_s": None, "size_bytes": None, "type": ""}


async def test_what_a_key_holds_is_shown_clean_and_without_secrets() -> None:
    cache = with_grades(value=b'\x1b]0;title\x07{"password": "hunter2-hunter2"}')
    found = await made("cache.key", cache, KeyParameters(key=GRADES.name))
    assert all(line.isprintable() for line in found.evidence)
    assert "hunter2" not in repr(found)


def compare(rows: Sequence[Mapping[str, Any]]) -> tuple[CompareParameters, Stack]:
    stack = Stack()

    async def select(_query: str, _parameters: object = None, **_limits: object) -> Sequence[Mapping[str, Any]]:
        return rows

    stack.database.select = select  # type: ignore[assignment, method-assign]
    sql = "SELECT max(grade_date) AS newest FROM {grades} WHERE student_id = :student"
    return CompareParameters(key=GRADES.name, field="grade_date", sql=sql, values={"student": 42}), stack


@pytest.mark.parametrize(
    ("actual", "stale"),
    [("2026-11-20", False), ("2026-11-20T00:00:00+00:00", False), ("2026-11-21", True), (None, True)],
)
async def test_the_newest_of_the_cache_is_held_against_the_database(actual: str | None, stale: bool) -> None:
    wanted, stack = compare([{"newest": actual}])
    found = await made("cache.compare", with_grades(), wanted, stack)
    assert found.facts == {"present": True, "cached": "2026-11-20", "actual": actual or "", "stale": stale}


async def test_what_is_not_cached_is_not_stale() -> None:
    wanted, stack = compare([{"newest": "2026-11-21"}])
    found = await made("cache.compare", FakeCache(), wanted, stack)
    assert found.facts == {"present": False, "cached": "", "actual": "2026-11-21", "stale": False}


@pytest.mark.parametrize("value", [b"not json", b'{"grades": [', b"[" * 40_000, b"\xff\xfe"])
async def test_a_cached_value_that_is_no_json_leaves_it_unknown(value: bytes) -> None:
    wanted, stack = compare([{"newest": "2026-11-21"}])
    found = await made("cache.compare", with_grades(value=value), wanted, stack)
    assert (found.facts["cached"], found.facts["stale"]) == (None, None)
    assert found.unread


@pytest.mark.parametrize("rows", [[], [{"a": 1}, {"a": 2}], [{"a": 1, "b": 2}]])
async def test_a_question_without_one_answer_is_unknown(rows: list[dict[str, Any]]) -> None:
    wanted, stack = compare(rows)
    found = await made("cache.compare", with_grades(), wanted, stack)
    assert found.facts["stale"] is None


def test_fields_are_found_however_deep() -> None:
    document = json.loads('[{"at": 1, "in": [{"at": "2"}, {"at": {"at": 3}}]}, "at", null]')
    assert list(fields(document, "at")) == [1, "2", 3]


# -- changes --------------------------------------------------------------------------------------------------------------


async def record(_kind: str, _details: Mapping[str, object]) -> None: ...


def fix(name: str, **parameters: object) -> Fix:
    kind = action(name)
    return Fix(name, name, kind.risk, name, kind.parameters.model_validate(parameters))


async def done(system: System, wanted: Fix) -> tuple[Preview, Applied]:
    preview = await preview_fix(system, wanted)
    return preview, await apply_fix(system, wanted, preview, record)


async def test_one_key_is_deleted_and_one_that_is_not_there_is_nothing_to_do() -> None:
    cache = with_grades()
    preview, applied = await done(system_with(cache), fix("cache.delete_key", key=GRADES.name))
    assert preview.command == "redis-cli -u redis://127.0.0.1:6379/0 DEL grades:student:42"
    assert applied.done
    assert (await preview_fix(system_with(cache), fix("cache.delete_key", key=GRADES.name))).empty == (
        "grades:student:42 is not in the cache."
    )


async def test_flushing_says_what_is_lost_and_wants_environment_and_name() -> None:
    cache = FakeCache()
    preview, applied = await done(system_with(cache), fix("cache.flush"))
    assert preview.lines == ("120 keys of database 0, of which 20 would never expire", "3 keys of other databases stay")
    assert "Everybody is logged out" in preview.effect
    assert preview.confirmation.expects == "lab sms-redis"
    assert preview.command.endswith("FLUSHDB ASYNC")
    assert (applied.lines, cache.done) == (("Deleted 120 keys.",), ["flush"])


async def test_the_limit_is_raised_from_what_it_was_when_previewed() -> None:
    cache = FakeCache()
    preview, applied = await done(system_with(cache), fix("cache.set_maxmemory", factor=2))
    assert preview.lines == ("maxmemory 64.0 MiB becomes 128.0 MiB", "its container may use 256.0 MiB")
    assert preview.way_back.endswith(f"CONFIG SET maxmemory {64 * MIB}")
    assert applied.done
    assert cache.configured["maxmemory"] == str(128 * MIB)


async def test_a_limit_that_was_changed_meanwhile_is_left_alone() -> None:
    cache = FakeCache()
    system, wanted = system_with(cache), fix("cache.set_maxmemory", factor=2)
    preview = await preview_fix(system, wanted)
    cache.configured["maxmemory"] = str(100 * MIB)
    applied = await apply_fix(system, wanted, preview, record)
    assert not applied.done
    assert cache.configured["maxmemory"] == str(100 * MIB)


@pytest.mark.parametrize(("limit", "factor", "told"), [(0, 2, "no memory limit"), (64 * MIB, 4, "do not fit into its container")])
async def test_a_limit_that_cannot_be_raised_is_not(limit: int, factor: int, told: str) -> None:
    cache = FakeCache()
    cache.configured["maxmemory"] = str(limit)
    preview = await preview_fix(system_with(cache), fix("cache.set_maxmemory", factor=factor))
    assert told in preview.empty
    assert not preview.can_apply
