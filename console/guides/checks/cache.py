"""Redis: does it answer, is there room, does it help, and would it survive a restart."""

import asyncio

from pydantic import Field

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, FactType, FactValue, Findings
from console.guides.checks.commands import joined, redis_cli
from console.guides.checks.containers import NoParameters
from console.guides.checks.words import age, size
from console.guides.parameters import Parameters, Seconds
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.cache import CacheInfo

PING_LIMIT_S = 2.0
FULL_PERCENT = 90.0
LOOKS_APART_S = 0.6
"""A rate needs two looks, over less than half a second it is noise."""
REASONS = ("", "refused", "timeout", "auth", "loading", "unresolved", "lost", "other")

_REASON = {
    FailureKind.REFUSED: "refused",
    FailureKind.TIMEOUT: "timeout",
    FailureKind.LOGIN: "auth",
    FailureKind.STARTING: "loading",
    FailureKind.LOST: "lost",
}
_UNRESOLVED = ("name or service not known", "name resolution", "no address associated", "not resolved")


async def _ping(readings: Readings, _parameters: NoParameters) -> Findings:
    cache = readings.system.need_cache()
    try:
        elapsed_s = await asyncio.wait_for(readings.share("ping", cache.ping), PING_LIMIT_S)
    except SourceError as error:
        failure = error.failure
    except TimeoutError:
        failure = Failure(FailureKind.TIMEOUT, f"Redis has not answered within {PING_LIMIT_S:g} s.")
    else:
        facts: dict[str, FactValue] = {"answers": True, "reason": "", "elapsed_ms": round(elapsed_s * 1000, 2)}
        return Findings(facts, f"Redis answers ({elapsed_s * 1000:.1f} ms).")
    if failure.kind is FailureKind.UNSUPPORTED:
        raise SourceError(failure.kind, failure.message, failure.advice)
    # `reason` tells why nothing was measured.
    facts = {"answers": False, "reason": reason_of(failure), "elapsed_ms": None}
    return Findings(facts, f"Redis does not answer: {failure.message}", (str(failure),))


def reason_of(failure: Failure) -> str:
    """Why there was no answer, as one of `REASONS`."""
    if any(sign in failure.message.lower() for sign in _UNRESOLVED):
        return "unresolved"
    return _REASON.get(failure.kind, "other")


async def _info(readings: Readings) -> CacheInfo:
    return await readings.share("cache-info", readings.system.need_cache().info)


async def _second_look(readings: Readings, after_s: float) -> CacheInfo:
    await readings.system.pause(after_s)
    return await readings.share(("cache-info", after_s), readings.system.need_cache().info)


async def _memory(readings: Readings, _parameters: NoParameters) -> Findings:
    info = await _info(readings)
    limited, percent = info.max_memory_bytes > 0, info.memory_percent
    # One that has never evicted a key does not do it now: no second look is needed to tell.
    may_evict = limited and info.eviction_policy != "noeviction" and info.evicted != 0
    if may_evict and info.evicted_per_s is None:
        info = await _second_look(readings, LOOKS_APART_S)
    evicting = False if not may_evict else None if info.evicted_per_s is None else info.evicted_per_s > 0
    facts: dict[str, FactValue] = {
        "used_percent": round(percent, 1) if percent is not None else None,
        "limited": limited,
        "full": percent is not None and percent >= FULL_PERCENT,
        "evicting": evicting,
        "policy": info.eviction_policy,
        "used_bytes": info.used_memory_bytes,
    }
    lines = [
        f"policy {info.eviction_policy or 'unknown'}, {sum(info.keys.values()):,} keys, at most {size(info.peak_memory_bytes)}"
    ]
    if info.evicted_per_s:
        lines.append(f"evicts {info.evicted_per_s:.1f} keys/s")
    if info.errors.get("OOM"):
        lines.append(f"refused {info.errors['OOM']:,} writes for want of memory since it started")
    if not limited:
        return Findings(facts, f"Redis uses {size(info.used_memory_bytes)} and has no limit.", tuple(lines))
    used = f"Redis uses {size(info.used_memory_bytes)} of {size(info.max_memory_bytes)} ({percent:.0f} %)"
    return Findings(facts, f"{used}{', and evicts keys' if evicting else ''}.", tuple(lines))


class HitsParameters(Parameters):
    for_: Seconds = Field(default=1.0, alias="for", ge=LOOKS_APART_S, le=2.0)
    """How long it is looked at."""


async def _hits(readings: Readings, wanted: HitsParameters) -> Findings:
    info = await _info(readings)
    if info.hit_percent is None:
        info = await _second_look(readings, wanted.for_)
    lines, looked_up = [], (info.hits or 0) + (info.misses or 0)
    if looked_up:
        share = 100 * (info.hits or 0) / looked_up
        lines.append(f"since it started: {share:.1f} % of {looked_up:,} lookups were hits")
    if info.hit_percent is None:
        why = Failure(FailureKind.MISSING, "Nobody looked anything up meanwhile.", "Look again when there is traffic.")
        return Findings({}, "Nobody asks Redis for anything now.", tuple(lines), (why,))
    lines.insert(0, f"{info.hits_per_s or 0:.1f} hits/s, {info.misses_per_s or 0:.1f} misses/s")
    return Findings(
        {"hit_percent": round(info.hit_percent, 1)}, f"{info.hit_percent:.0f} % of the lookups are hits.", tuple(lines)
    )


async def _persistence(readings: Readings, _parameters: NoParameters) -> Findings:
    info = await _info(readings)
    settings: dict[str, str] = {}
    unread: list[Failure] = []
    try:
        asked = readings.system.need_cache().settings
        settings = dict(await readings.share("cache-persistence", lambda: asked("save", "appendonly", "dir")))
    except SourceError as error:
        unread.append(error.failure)
    appends = info.aof_enabled if info.aof_enabled is not None else (settings["appendonly"] == "yes" if settings else None)
    saves = bool(settings["save"].strip()) if "save" in settings else None
    # One of them is enough, and only both unset means none.
    enabled = True if appends or saves else None if appends is None or saves is None else False
    on_volume = None
    try:
        on_volume = await _on_volume(readings, settings.get("dir", ""))
    except SourceError as error:
        unread.append(error.failure)
    saved_age_s = max(0.0, readings.wall() - info.rdb_last_save_at) if info.rdb_last_save_at else None
    if saved_age_s is None:
        unread.append(Failure(FailureKind.MISSING, "Redis tells no time of a snapshot."))
    facts: dict[str, FactValue] = {
        "enabled": enabled,
        "last_ok": info.rdb_last_save_ok is not False and info.aof_last_write_ok is not False,
        "saved_age_s": round(saved_age_s) if saved_age_s is not None else None,
        "on_volume": on_volume,
    }
    lines = [
        f"snapshots: {settings.get('save') or 'none'}" if settings else "snapshots: not known",
        f"append-only file: {'on' if appends else 'off' if appends is not None else 'not known'}",
        f"folder: {settings.get('dir') or 'not known'}{_place(on_volume)}",
    ]
    if saved_age_s is not None:
        changed = f", {info.rdb_changes_since_save:,} changes since" if info.rdb_changes_since_save is not None else ""
        lines.append(f"last snapshot {age(saved_age_s)} ago{changed}")
    word = {True: "keeps its keys on the disk", False: "keeps its keys in memory only", None: "does not tell what it keeps"}
    return Findings(facts, f"Redis {word[enabled]}.", tuple(lines), tuple(unread))


async def _on_volume(readings: Readings, folder: str) -> bool | None:
    """Whether something is mounted at the folder of the data; raises when that cannot be told."""
    system = readings.system
    name, engine = system.container("cache"), system.need_engine()
    if not folder:
        raise SourceError(FailureKind.MISSING, "Where Redis keeps its data is not known.")
    details = await readings.share(("details", name), lambda: engine.details(name))
    inside = [mount for mount in details.mounts if f"{folder}/".startswith(f"{mount.target.rstrip('/')}/")]
    return any(mount.kind in ("volume", "bind") for mount in inside)


def _place(on_volume: bool | None) -> str:
    return {True: ", on a volume", False: ", inside the container: gone with it", None: ""}[on_volume]


def _persistence_command(config: SystemConfig, _parameters: NoParameters) -> str:
    return joined([redis_cli(config, "INFO", "persistence"), redis_cli(config, "CONFIG", "GET", "save")])


CHECKS = (
    Check(
        name="cache.ping",
        title="Does Redis answer?",
        parameters=NoParameters,
        facts=(
            Fact("answers", FactType.BOOL, "a PING is answered"),
            Fact("reason", FactType.TEXT, "why not, empty when it is", choices=REASONS),
            Fact("elapsed_ms", FactType.NUMBER, "time of a PING", "ms"),
        ),
        command=lambda config, _parameters: redis_cli(config, "PING"),
        make=_ping,
    ),
    Check(
        name="cache.memory",
        title="Is there room in Redis?",
        parameters=NoParameters,
        facts=(
            Fact("used_percent", FactType.NUMBER, "of its limit; not known without one", "%"),
            Fact("limited", FactType.BOOL, "it has a limit (maxmemory)"),
            Fact("full", FactType.BOOL, f"over {FULL_PERCENT:.0f} % of the limit is used"),
            Fact("evicting", FactType.BOOL, "it throws keys out for want of room"),
            Fact("policy", FactType.TEXT, "what it does when it is full (maxmemory-policy)"),
            Fact("used_bytes", FactType.NUMBER, "memory in use", "bytes"),
        ),
        command=lambda config, _parameters: redis_cli(config, "INFO", "memory"),
        make=_memory,
    ),
    Check(
        name="cache.hits",
        title="Does the cache help?",
        parameters=HitsParameters,
        facts=(Fact("hit_percent", FactType.NUMBER, "lookups that found their key, now", "%"),),
        command=lambda config, _parameters: redis_cli(config, "INFO", "stats"),
        make=_hits,
        ahead=False,
    ),
    Check(
        name="cache.persistence",
        title="Would the keys survive a restart?",
        parameters=NoParameters,
        facts=(
            Fact("enabled", FactType.BOOL, "snapshots are made, or an append-only file is kept"),
            Fact("last_ok", FactType.BOOL, "the last snapshot and the last write of the file went well"),
            Fact("saved_age_s", FactType.NUMBER, "since the last snapshot", "s"),
            Fact("on_volume", FactType.BOOL, "the data stands on a volume, so it outlives the container"),
        ),
        command=_persistence_command,
        make=_persistence,
    ),
)
