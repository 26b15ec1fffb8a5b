"""Changes to Redis: delete one key, empty the database of the cache, give it more memory."""

from urllib.parse import urlsplit

from pydantic import Field

from console.guides.checks.commands import redis_cli
from console.guides.checks.containers import NoParameters
from console.guides.checks.words import age, number, size
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.parameters import Parameters
from console.guides.risk import Risk
from console.reading import FailureKind, SourceError
from console.system import System
from console.text import clean

_LIMIT = "maxmemory"


class OneKey(Parameters):
    key: str = Field(min_length=1, max_length=512)
    """The key's exact name."""


class MoreMemory(Parameters):
    factor: int | float = Field(default=2, gt=1, le=8)
    """How many times the limit of now."""


def cache_name(system: System) -> str:
    """What R3 and R4 ask for: the container, or the server's address."""
    found = system.config.roles.get("cache")
    if found is None and system.config.redis is not None:
        parts = urlsplit(system.config.redis.url)
        found = parts.path if parts.scheme == "unix" else f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
    return clean(found or "")


def _database(system: System) -> str:
    """The number of the database that is configured, as redis-py reads it from the URL."""
    path = urlsplit(system.config.redis.url).path.strip("/") if system.config.redis else ""
    return path if path.isdecimal() else "0"


async def _plan_delete(system: System, wanted: OneKey) -> Plan:
    found, name = await system.need_cache().key(wanted.key), clean(wanted.key, 120)
    lines: tuple[str, ...] = ()
    if found is not None:
        ends = f"expires in {age(found.ttl_s)}" if found.ttl_s is not None else "never expires"
        lines = (f"{name}  {found.type}  {size(found.size_bytes or 0)}  {ends}",)
    return Plan(
        targets=(Target(name, {"key": wanted.key}),) if found is not None else (),
        lines=lines,
        effect="The next request for it reads the database and caches it anew.",
        way_back="None needed: it is written again when it is next asked for.",
        command=redis_cli(system.config, "DEL", wanted.key),
        confirm_name=cache_name(system),
        empty="" if found is not None else f"{name} is not in the cache.",
    )


async def _delete(system: System, wanted: OneKey, _preview: Preview) -> Applied:
    done = await system.need_cache().delete_key(wanted.key)
    return Applied(done, ("Deleted 1 key." if done else "The key had gone before.",))


async def _plan_flush(system: System, _parameters: NoParameters) -> Plan:
    info, database = await system.need_cache().info(), _database(system)
    count, expiring = info.keys.get(f"db{database}", 0), info.expiring.get(f"db{database}", 0)
    others = sum(keys for name, keys in info.keys.items() if name != f"db{database}")
    lines = [f"{number(count, 'key')} of database {database}, of which {count - expiring} would never expire"]
    if others:
        lines.append(f"{number(others, 'key')} of other databases stay")
    return Plan(
        targets=(Target(f"database {database}", {"keys": count}),) if count else (),
        lines=tuple(lines),
        effect="Everybody is logged out, and every cached answer is gone: at first the database gets all of the load.",
        way_back="None: what stood only in Redis is lost.",
        command=redis_cli(system.config, "FLUSHDB", "ASYNC"),
        confirm_name=cache_name(system),
        empty="" if count else f"Database {database} holds no key.",
    )


async def _flush(system: System, _parameters: NoParameters, _preview: Preview) -> Applied:
    return Applied(True, (f"Deleted {number(await system.need_cache().flush(), 'key')}.",))


async def _limit_of(system: System) -> int:
    told = (await system.need_cache().settings(_LIMIT)).get(_LIMIT, "")
    if not told.isdecimal():
        raise SourceError(FailureKind.GARBAGE, "Redis does not tell its memory limit.", "Look with CONFIG GET maxmemory.")
    return int(told)


async def _plan_memory(system: System, wanted: MoreMemory) -> Plan:
    limit = await _limit_of(system)
    more = int(limit * wanted.factor)
    lines = [f"{_LIMIT} {size(limit)} becomes {size(more)}"]
    empty = "" if limit else "Redis has no memory limit that could be raised."
    room = await _room(system)
    if room is not None and limit:
        lines.append(f"its container may use {size(room)}")
        # A quarter above the data is what copying pages during a snapshot may take (redis.io, "Memory optimization").
        if more * 1.25 > room:
            empty = f"{size(more)} do not fit into its container, which may use {size(room)}: raise that first."
    return Plan(
        targets=() if empty else (Target(cache_name(system), {_LIMIT: limit, "becomes": more}),),
        lines=tuple(lines),
        effect="Redis takes writes again, or stops throwing keys out. It holds until it restarts: configure it too.",
        way_back=redis_cli(system.config, "CONFIG", "SET", _LIMIT, str(limit)),
        command=redis_cli(system.config, "CONFIG", "SET", _LIMIT, str(more)),
        confirm_name=cache_name(system),
        empty=empty,
    )


async def _room(system: System) -> int | None:
    """What the cache's container may use; None when that is not limited, or not known."""
    name = system.config.roles.get("cache")
    if system.engine is None or name is None:
        return None
    try:
        return (await system.engine.container(name)).memory_limit_bytes
    except SourceError:
        return None


async def _set_memory(system: System, _wanted: MoreMemory, preview: Preview) -> Applied:
    identity = preview.targets[0].identity
    if await _limit_of(system) != identity[_LIMIT]:
        return Applied(False, ("The limit has been changed since the preview: look again.",))
    await system.need_cache().set_setting(_LIMIT, str(identity["becomes"]))
    return Applied(True, (f"{_LIMIT} is {size(int(identity['becomes']))} now.",))


ACTIONS = (
    Action("cache.delete_key", OneKey, Risk.R1, _plan_delete, _delete),
    Action("cache.flush", NoParameters, Risk.R4, _plan_flush, _flush),
    Action("cache.set_maxmemory", MoreMemory, Risk.R2, _plan_memory, _set_memory),
)
