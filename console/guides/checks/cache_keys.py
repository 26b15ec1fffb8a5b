"""Redis: one key, and whether what is cached is still what the database says."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, FactType, FactValue, Findings
from console.guides.checks.commands import joined, psql, redis_cli
from console.guides.checks.postgres_select import Question, ask
from console.guides.checks.words import age, size
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.cache import CacheKey
from console.sources.protocols.database import Value
from console.text import clean

_SHOWN = 160


class KeyParameters(Parameters):
    key: str = Field(min_length=1, max_length=512)
    """The key's exact name."""


async def _find(readings: Readings, name: str) -> CacheKey | None:
    cache = readings.system.need_cache()
    return await readings.share(("cache-key", name), lambda: cache.key(name))


async def _key(readings: Readings, wanted: KeyParameters) -> Findings:
    found, name = await _find(readings, wanted.key), clean(wanted.key, 80)
    if found is None:
        # What it does not have is no question that was left unanswered.
        return Findings({"present": False, "type": ""}, f"{name} is not in the cache.")
    unread = []
    if found.ttl_s is None:
        unread.append(Failure(FailureKind.MISSING, f"{name} never expires, so it has no time left."))
    if found.idle_s is None:
        unread.append(Failure(FailureKind.UNSUPPORTED, "Redis does not tell when the key was last used."))
    facts: dict[str, FactValue] = {
        "present": True,
        "ttl_s": round(found.ttl_s) if found.ttl_s is not None else None,
        "idle_s": found.idle_s,
        "size_bytes": found.size_bytes,
        "type": found.type,
    }
    ends = f"expires in {age(found.ttl_s)}" if found.ttl_s is not None else "never expires"
    lines = [f"{found.type}, {size(found.size_bytes)}" if found.size_bytes is not None else found.type]
    if found.idle_s is not None:
        lines.append(f"last used {age(found.idle_s)} ago")
    if found.value:
        lines.append(f"begins with {clean(found.value, _SHOWN)}")
    return Findings(facts, f"{name} is in the cache and {ends}.", tuple(lines), tuple(unread))


class CompareParameters(Question):
    key: str = Field(min_length=1, max_length=512)
    """The key that holds JSON."""
    field: str = Field(min_length=1, max_length=100, json_schema_extra={"bind": False})
    """The field of it, wherever it stands; the newest counts."""


async def _compare(readings: Readings, wanted: CompareParameters) -> Findings:
    found, rows = await asyncio.gather(_find(readings, wanted.key), ask(readings, wanted.statements()[0], wanted.values, limit=2))
    if len(rows) != 1 or len(rows[0]) != 1:
        message = "The question must have one row with one column for an answer."
        raise SourceError(FailureKind.GARBAGE, message, "Mend the guide.")
    actual, name = _told(next(iter(rows[0].values()))), clean(wanted.key, 80)
    if found is None:
        facts: dict[str, FactValue] = {"present": False, "cached": "", "actual": actual, "stale": False}
        return Findings(facts, f"{name} is not in the cache, so nothing old is served.", (f"database: {actual or 'nothing'}",))
    try:
        values = [_told(value) for value in fields(json.loads(found.value), wanted.field)]
    except (ValueError, RecursionError):
        reason = Failure(
            FailureKind.GARBAGE, f"What stands in {name} is no JSON, or longer than is read.", "Look with redis-cli."
        )
        return Findings({"present": True, "actual": actual}, f"{name} could not be compared.", (), (reason,))
    cached = max(values, key=_order, default="")
    stale = _order(cached) != _order(actual)
    facts = {"present": True, "cached": cached, "actual": actual, "stale": stale}
    lines = (f"cached:   {cached or 'nothing'}", f"database: {actual or 'nothing'}")
    word = "differs from" if stale else "agrees with"
    return Findings(facts, f"What is cached {word} the database.", lines)


def fields(value: Any, name: str) -> Iterator[Value]:
    """Every plain value that stands under a field of this name, however deep."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == name and (item is None or isinstance(item, str | int | float)):
                yield item
            else:
                yield from fields(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from fields(item, name)


def _told(value: Value) -> str:
    return "" if value is None else clean(str(value), 200)


def _order(text: str) -> tuple[int, float, str]:
    """Nothing, then moments by time, then numbers, then texts: the same moment written in two ways is equal."""
    if not text:
        return 0, 0.0, ""
    try:
        return 2, float(text), ""
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 3, 0.0, text
    return 1, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp(), ""


def _compare_command(config: SystemConfig, wanted: CompareParameters) -> str:
    statement = wanted.statements()[0].typed(config, wanted.values)
    return joined([redis_cli(config, "GET", wanted.key), psql(config, statement)])


CHECKS = (
    Check(
        name="cache.key",
        title="Is it in the cache?",
        parameters=KeyParameters,
        facts=(
            Fact("present", FactType.BOOL, "there is such a key"),
            Fact("ttl_s", FactType.NUMBER, "until it expires; not known when it never does", "s"),
            Fact("idle_s", FactType.NUMBER, "since it was last used", "s"),
            Fact("size_bytes", FactType.NUMBER, "memory that it takes", "bytes"),
            Fact("type", FactType.TEXT, "string, hash, list …; empty without the key"),
        ),
        command=lambda config, wanted: joined(
            [redis_cli(config, "TTL", wanted.key), redis_cli(config, "MEMORY", "USAGE", wanted.key)]
        ),
        make=_key,
    ),
    Check(
        name="cache.compare",
        title="Is what is cached still right?",
        parameters=CompareParameters,
        facts=(
            Fact("present", FactType.BOOL, "there is such a key"),
            Fact("cached", FactType.TEXT, "the newest value of the field in the cached JSON"),
            Fact("actual", FactType.TEXT, "what the database says"),
            Fact("stale", FactType.BOOL, "they differ"),
        ),
        command=_compare_command,
        make=_compare,
    ),
)
