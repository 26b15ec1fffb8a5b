"""INFO, SLOWLOG and CLIENT LIST → what the pane shows."""

from pathlib import Path
from typing import Any

import pytest

from console.sources.redis.answers import Counted, cache_info, client_list, counted, fragmentation, parse_info

INFO = (Path(__file__).parent / "info-7.0.15.txt").read_bytes()
MIB = 1024 * 1024


def info(**changed: str) -> dict[str, str]:
    return parse_info(INFO) | changed


def test_a_recorded_info_is_read_whole() -> None:
    found = cache_info(parse_info(INFO))
    assert (found.version, found.server, found.role, found.eviction_policy) == ("7.0.15", "redis", "master", "allkeys-lru")
    assert (found.max_memory_bytes, found.max_clients, found.aof_enabled, found.rdb_last_save_ok) == (
        64 * MIB,
        10000,
        False,
        True,
    )
    assert found.keys == {"db0": 2, "db3": 1}
    assert found.expiring == {"db0": 1, "db3": 0}
    assert found.errors == {"ERR": 1, "WRONGTYPE": 2}
    assert found.memory_percent == pytest.approx(100 * found.used_memory_bytes / (64 * MIB))
    assert (found.hits_per_s, found.hit_percent, found.evicted_per_s) == (None, None, None)


def test_rates_and_hits_are_of_the_interval() -> None:
    before = counted(info(keyspace_hits="1000", keyspace_misses="1000", evicted_keys="5", expired_keys="7"), at=10.0)
    now = counted(info(keyspace_hits="1030", keyspace_misses="1010", evicted_keys="5", expired_keys="9"), at=20.0)
    found = cache_info(info(), before=before, now=now)
    assert (found.hits_per_s, found.misses_per_s, found.hit_percent) == (3.0, 1.0, 75.0)
    assert (found.evicted_per_s, found.expired_per_s) == (0.0, 0.2)
    assert cache_info(info(evicted_keys="5")).evicted == 5


def test_nobody_looking_anything_up_is_no_hit_ratio() -> None:
    same = {"hits": 10, "misses": 0, "evicted": 0, "expired": 0}
    found = cache_info(info(), before=Counted(0.0, **same), now=Counted(5.0, **same))
    assert (found.hits_per_s, found.hit_percent) == (0.0, None)


@pytest.mark.parametrize(
    ("before", "now"),
    [(Counted(0.0, 500, 5, 5, 5), Counted(9.0, 1, 0, 0, 0)), (Counted(0.0, 1, 1, 1, 1), Counted(0.1, 9, 9, 9, 9))],
    ids=["the server restarted", "too soon"],
)
def test_a_rate_that_cannot_be_told_is_unknown(before: Counted, now: Counted) -> None:
    found = cache_info(info(), before=before, now=now)
    assert (found.hits_per_s, found.misses_per_s, found.hit_percent, found.evicted_per_s) == (None, None, None, None)


@pytest.mark.parametrize(
    ("used", "ratio", "lost", "shown"),
    [
        (400_000, "18.47", 7 * MIB, None),
        (6 * MIB, "2.30", 8 * MIB, None),
        (500 * MIB, "1.60", 300 * MIB, 1.6),
        (500 * MIB, "1.05", 25 * MIB, 1.05),
        (500 * MIB, "0.40", -300 * MIB, 0.4),
        (500 * MIB, "nan", 0, None),
        (500 * MIB, "inf", 0, None),
        (500 * MIB, "-nan", 0, None),
    ],
)
def test_fragmentation_is_told_where_it_means_something(used: int, ratio: str, lost: int, shown: float | None) -> None:
    told = {"used_memory": str(used), "mem_fragmentation_ratio": ratio, "mem_fragmentation_bytes": str(lost)}
    assert fragmentation(told) == shown


def test_valkey_is_called_by_its_own_name_and_version() -> None:
    found = cache_info(info(server_name="valkey", valkey_version="8.0.1", redis_version="7.2.4"))
    assert (found.server, found.version) == ("valkey", "8.0.1")


def test_a_server_that_loads_says_so() -> None:
    assert cache_info(info(loading="1")).loading


@pytest.mark.parametrize("text", [b"", b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n", b"redis_version:7\r\nused_memory:lots\r\n"])
def test_what_is_no_info_is_refused_and_not_read_as_zero(text: bytes) -> None:
    with pytest.raises(ValueError, match="INFO tells no"):
        cache_info(parse_info(text))


def test_what_the_server_does_not_tell_is_unknown() -> None:
    told = info()
    for name in ("maxclients", "rdb_last_bgsave_status", "aof_enabled", "rdb_last_save_time"):
        del told[name]
    found = cache_info(told)
    assert (found.max_clients, found.rdb_last_save_ok, found.aof_enabled, found.rdb_last_save_at) == (None, None, None, None)


def test_the_slow_log_is_clean_cut_and_without_passwords() -> None:
    rows: list[Any] = [
        [3, 1_795_000_000, 15_000, [b"GET", b"grades:\x1b]0;x\x07\x00student"], b"10.0.0.5:4000", b"back\x1bend"],
        [2, 1_795_000_000, 15_000, [b"AUTH", b"hunter2hunter2"], b"10.0.0.5:4000", b""],
        [1, 1_795_000_000, 15_000, [b"SET", b"k", b"x" * 100_000]],
        [0, 1_795_000_000, 15_000, "not a list"],
        "not a row",
        [0, b"x", b"y", []],
    ]
    slow = cache_info(info(), rows).slow_log
    assert [entry.duration_s for entry in slow] == [0.015, 0.015, 0.015]
    assert slow[0].command == "GET grades:␀student"
    assert slow[0].client.isprintable()
    assert "hunter2" not in slow[1].command
    assert slow[1].client == "10.0.0.5:4000"
    assert len(slow[2].command) < 600


def test_a_hostile_info_comes_out_clean() -> None:
    evil = "\x1b[2J\x07evil"
    found = cache_info(info(role=evil, maxmemory_policy=evil, redis_version=evil) | {f"errorstat_{evil}": "count=x"})
    assert (found.role, found.eviction_policy, found.version) == ("␇evil", "␇evil", "␇evil")
    assert all(name.isprintable() for name in found.errors)


def test_clients_are_read_from_their_lines() -> None:
    text = (
        b"id=7 addr=10.0.0.5:4000 laddr=10.0.0.2:6379 fd=8 name=back\x1b[2Jend age=120 idle=3 flags=N db=0 cmd=get user=default\n"
        b"id=8 addr=10.0.0.6:4000 name= age=1 idle=1 cmd=client|list\n"
        b"rubbish\n"
    )
    first, second = client_list(text)
    assert (first.id, first.address, first.name, first.age_s, first.idle_s, first.command) == (
        7,
        "10.0.0.5:4000",
        "backend",
        120,
        3,
        "get",
    )
    assert (second.id, second.name, second.command) == (8, "", "client|list")
