"""INFO, SLOWLOG and CLIENT LIST → `CacheInfo` and its kin. Pure: the live source and the simulated stack answer through here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.sources.protocols.cache import CacheClient, CacheInfo, CacheKey, SlowEntry
from console.text import clean

SHORTEST_INTERVAL_S = 0.5
"""Over less than this a rate is noise."""

# The floors of the server's own MEMORY DOCTOR (redis src/object.c): below them every ratio is high and means nothing, as a
# fresh server's 18.
FRAGMENTATION_FROM_USED_BYTES = 5 * 1024 * 1024
FRAGMENTATION_FROM_LOST_BYTES = 10 * 1024 * 1024
FRAGMENTATION_RATIO = 1.4

COMMAND_LENGTH = 512
NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Counted:
    """The counters of one INFO, which rates reach back to. `at` is in seconds of any steady clock."""

    at: float
    hits: int | None
    misses: int | None
    evicted: int | None
    expired: int | None


def parse_info(text: str | bytes) -> dict[str, str]:
    """`name:value` lines without the headings. Values are as the server sent them: clean what is shown."""
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    pairs = (line.partition(":") for line in decoded.splitlines() if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, separator, value in pairs if separator}


def counted(info: Mapping[str, str], at: float) -> Counted:
    """The counters of `parse_info` at a moment."""
    return Counted(
        at,
        hits=_whole(info, "keyspace_hits"),
        misses=_whole(info, "keyspace_misses"),
        evicted=_whole(info, "evicted_keys"),
        expired=_whole(info, "expired_keys"),
    )


def cache_info(
    info: Mapping[str, str],
    slow_log: Sequence[Any] = (),
    before: Counted | None = None,
    now: Counted | None = None,
    *,
    slow_log_failure: str = "",
    ping_s: float | None = None,
    show: Callable[[str | bytes, int], str] = clean,
) -> CacheInfo:
    """One moment of the server.

    `info` is what `parse_info` gives, `slow_log` the reply of SLOWLOG GET; rates reach from `before` to `now`. `show` makes
    foreign text safe and cuts it. Raises ValueError when INFO lacks what every server tells.
    """
    hits, misses = _rate(before, now, "hits"), _rate(before, now, "misses")
    looked_up = None if hits is None or misses is None else hits + misses
    valkey = info.get("server_name") == "valkey"
    keys, expiring = _keyspace(info, show)
    return CacheInfo(
        # Valkey tells a redis_version for old clients' sake.
        version=show(info["valkey_version"] if valkey and "valkey_version" in info else _text(info, "redis_version"), 40),
        server="valkey" if valkey else "redis",
        uptime_s=_needed(info, "uptime_in_seconds"),
        role=show(info.get("role", ""), 40),
        used_memory_bytes=_needed(info, "used_memory"),
        max_memory_bytes=_whole(info, "maxmemory") or 0,
        peak_memory_bytes=_needed(info, "used_memory_peak"),
        eviction_policy=show(info.get("maxmemory_policy", ""), 40),
        fragmentation_ratio=fragmentation(info),
        clients=_needed(info, "connected_clients"),
        max_clients=_whole(info, "maxclients"),
        blocked_clients=_whole(info, "blocked_clients") or 0,
        rejected_connections=_whole(info, "rejected_connections") or 0,
        operations_per_s=float(_needed(info, "instantaneous_ops_per_sec")),
        hits_per_s=hits,
        misses_per_s=misses,
        hit_percent=100 * hits / looked_up if hits is not None and looked_up else None,
        evicted_per_s=_rate(before, now, "evicted"),
        expired_per_s=_rate(before, now, "expired"),
        hits=_whole(info, "keyspace_hits"),
        misses=_whole(info, "keyspace_misses"),
        evicted=_whole(info, "evicted_keys"),
        keys=keys,
        expiring=expiring,
        rdb_last_save_at=_moment(info, "rdb_last_save_time"),
        rdb_changes_since_save=_whole(info, "rdb_changes_since_last_save"),
        rdb_last_save_ok=_ok(info, "rdb_last_bgsave_status"),
        aof_enabled=_flag(info, "aof_enabled"),
        aof_last_write_ok=_ok(info, "aof_last_write_status"),
        loading=bool(_flag(info, "loading")),
        errors=_errors(info, show),
        slow_log=tuple(entry for entry in (_slow(row, show) for row in slow_log) if entry is not None),
        slow_log_failure=slow_log_failure,
        ping_s=ping_s,
    )


def fragmentation(info: Mapping[str, str]) -> float | None:
    """mem_fragmentation_ratio where it means something, by the floors of MEMORY DOCTOR; None for a small server, and for a
    high ratio that is but a few megabytes."""
    ratio, lost, used = (info.get(name) for name in ("mem_fragmentation_ratio", "mem_fragmentation_bytes", "used_memory"))
    try:
        value = float(ratio or "nan")
        if not value > 0 or value == float("inf") or int(used or 0) < FRAGMENTATION_FROM_USED_BYTES:
            return None
        return None if value > FRAGMENTATION_RATIO and int(lost or 0) < FRAGMENTATION_FROM_LOST_BYTES else value
    except ValueError:
        return None


def client_list(text: str | bytes, show: Callable[[str | bytes, int], str] = clean) -> tuple[CacheClient, ...]:
    """The lines of CLIENT LIST; a line without an id is left out."""
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    found = []
    for line in decoded.split("\n"):
        fields = {name: value for name, _, value in (part.partition("=") for part in line.split(" "))}
        number = _whole(fields, "id")
        if number is not None:
            found.append(
                CacheClient(
                    id=number,
                    address=show(fields.get("addr", ""), NAME_LENGTH),
                    name=show(fields.get("name", ""), NAME_LENGTH),
                    age_s=_whole(fields, "age") or 0,
                    idle_s=_whole(fields, "idle") or 0,
                    command=show(fields.get("cmd", ""), NAME_LENGTH),
                )
            )
    return tuple(found)


def cache_key(
    name: str,
    kind: bytes,
    ttl_ms: int,
    idle_s: Any,
    size_bytes: Any,
    value: bytes,
    show: Callable[[str | bytes, int], str] = clean,
) -> CacheKey | None:
    """The replies of TYPE, PTTL, OBJECT IDLETIME and MEMORY USAGE; None when there is no such key.

    PTTL is -2 without the key and -1 without an end. What is no number there is an error of a server that does not tell.
    """
    if kind == b"none" or ttl_ms == -2:
        return None
    return CacheKey(
        name=show(name, NAME_LENGTH),
        type=show(kind, 40),
        ttl_s=ttl_ms / 1000 if ttl_ms >= 0 else None,
        idle_s=float(idle_s) if isinstance(idle_s, int) else None,
        size_bytes=size_bytes if isinstance(size_bytes, int) else None,
        value=value,
    )


def _slow(row: Any, show: Callable[[str | bytes, int], str]) -> SlowEntry | None:
    """[id, Unix seconds, microseconds, [argument, …], address, name]; the last two since Redis 4."""
    if not isinstance(row, (list, tuple)) or len(row) < 4 or not isinstance(row[3], (list, tuple)):
        return None
    if not isinstance(row[1], int) or not isinstance(row[2], int):
        return None
    # Joined first: a secret is told by the word before it, as in AUTH … .
    command = b" ".join(part if isinstance(part, bytes) else str(part).encode("utf-8", "replace") for part in row[3])
    name, address = (row[5], row[4]) if len(row) > 5 else (b"", b"")
    return SlowEntry(
        at=float(row[1]),
        duration_s=row[2] / 1e6,
        command=show(command, COMMAND_LENGTH),
        client=show(name or address or b"", NAME_LENGTH),
    )


def _keyspace(info: Mapping[str, str], show: Callable[[str | bytes, int], str]) -> tuple[dict[str, int], dict[str, int]]:
    keys: dict[str, int] = {}
    expiring: dict[str, int] = {}
    for name, value in info.items():
        if name.startswith("db") and name[2:].isdecimal():
            fields = dict(part.partition("=")[::2] for part in value.split(","))
            keys[show(name, 10)] = _whole(fields, "keys") or 0
            expiring[show(name, 10)] = _whole(fields, "expires") or 0
    return keys, expiring


def _errors(info: Mapping[str, str], show: Callable[[str | bytes, int], str]) -> dict[str, int]:
    found = {}
    for name, value in info.items():
        if name.startswith("errorstat_"):
            count = _whole({"count": value.removeprefix("count=")}, "count")
            found[show(name.removeprefix("errorstat_"), 60)] = count or 0
    return found


def _rate(before: Counted | None, now: Counted | None, name: str) -> float | None:
    if before is None or now is None or now.at - before.at < SHORTEST_INTERVAL_S:
        return None
    old, new = getattr(before, name), getattr(now, name)
    # Smaller than before: the server restarted, or its statistics were reset.
    return None if old is None or new is None or new < old else float((new - old) / (now.at - before.at))


def _needed(info: Mapping[str, str], name: str) -> int:
    value = _whole(info, name)
    if value is None:
        raise ValueError(f"INFO tells no {name}")
    return value


def _text(info: Mapping[str, str], name: str) -> str:
    if name not in info:
        raise ValueError(f"INFO tells no {name}")
    return info[name]


def _whole(info: Mapping[str, str], name: str) -> int | None:
    try:
        return int(info[name])
    except (KeyError, ValueError):
        return None


def _moment(info: Mapping[str, str], name: str) -> float | None:
    seconds = _whole(info, name)
    return float(seconds) if seconds else None


def _ok(info: Mapping[str, str], name: str) -> bool | None:
    return None if name not in info else info[name] == "ok"


def _flag(info: Mapping[str, str], name: str) -> bool | None:
    return None if name not in info else info[name] == "1"
