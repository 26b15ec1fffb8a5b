"""PostgreSQL: its settings, and whether its data is whole."""

import re
import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from pydantic import Field

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, FactType, FactValue, Findings
from console.guides.checks.commands import psql
from console.guides.checks.containers import NoParameters
from console.guides.checks.postgres_select import select
from console.guides.checks.postgres_statements import extension
from console.guides.checks.postgres_tables import Index, indexes
from console.guides.checks.words import age, listed
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.postgres import statistics
from console.sources.protocols.engine import LogLine
from console.system import System
from console.text import clean

LOG_WINDOW_S = 3600.0
LOG_LINES = 2000
LOOKING_S = 3.0
"""For amcheck: what it has not looked at by then is told as not looked at."""
OFF = ("-1", "0", "off", "none", "disabled")

_REBUILT: "WeakKeyDictionary[System, dict[str, float]]" = WeakKeyDictionary()

_LEVEL = re.compile(r"\b(?:WARNING|ERROR|FATAL|PANIC):")
_INDEX_DAMAGE = re.compile(
    r'index "[^"]{1,127}" (?:contains|is not a|has|lacks|is corrupted)|invariant violated for index|could not find .{0,60}index'
    r'|in index "'
)
_NAMED = re.compile(r'index "(?P<name>[^"]{1,127})"')
_PAGE_DAMAGE = re.compile(
    r"invalid page (?:in|header)|could not read block|page verification failed|missing chunk number|unexpected chunk"
    r"|invalid memory alloc"
)


class SettingParameters(Parameters):
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$", max_length=80)


async def _setting(readings: Readings, wanted: SettingParameters) -> Findings:
    rows = await select(readings, statistics.SETTING, {"name": wanted.name}, limit=1)
    if not rows:
        advice = "GRANT pg_monitor TO the role that Triage uses, if the server has it."
        raise SourceError(FailureKind.MISSING, f"There is no setting {wanted.name}, or our role may not see it.", advice)
    row = rows[0]
    value = clean(str(row["setting"] or ""), 200)
    unit = clean(str(row["unit"] or ""), 10)
    facts: dict[str, FactValue] = {"set": value != "", "value": value, "number": _as_number(value), "off": value.lower() in OFF}
    waits = " It waits for a restart." if row["pending_restart"] else ""
    shown = f"{value} {unit}".strip() or "empty"
    evidence = (clean(f"from {row['source']}, default {row['boot_val']}, takes effect by: {row['context']}", 200),)
    return Findings(facts, f"{wanted.name} is {shown}.{waits}", evidence)


def _as_number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


# -- integrity ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Looked:
    """What amcheck said: the damaged ones, how many it looked at, and why it did not look at all of them."""

    damaged: tuple[Index, ...]
    told: tuple[str, ...]
    seen: int
    whole: bool
    why_not: Failure | None = None


async def _integrity(readings: Readings, _parameters: NoParameters) -> Findings:
    unread: list[Failure] = []
    facts: dict[str, FactValue] = {}
    evidence: list[str] = []
    try:
        rows = await select(readings, statistics.DATABASE, limit=1)
        failures = rows[0]["checksum_failures"] if rows else None
        facts["checksum_failures"] = float(failures) if isinstance(failures, int | float) else None
        if failures is None:
            told = "The cluster keeps no data checksums."
            unread.append(
                Failure(FailureKind.UNSUPPORTED, told, "pg_checksums --enable, while the server is stopped, turns them on.")
            )
    except SourceError as error:
        unread.append(error.failure)
    index_lines: list[LogLine] | None = None
    page_lines: list[LogLine] = []
    try:
        lines = await readings.role_log("database", LOG_LINES, readings.wall() - LOG_WINDOW_S)
        index_lines, page_lines = damage_lines(lines)
        index_lines = [line for line in index_lines if not _before_rebuilt(readings.system, line)]
        facts["page_errors"] = len(page_lines)
    except SourceError as error:
        unread.append(error.failure)
    looked = await amcheck(readings)
    facts["checked"] = looked.whole
    if looked.why_not is not None:
        unread.append(looked.why_not)
    if looked.whole:
        # Log lines are of the past, and amcheck's own finds are among them.
        facts["index_errors"] = len(looked.damaged)
    elif index_lines is not None or looked.damaged:
        facts["index_errors"] = len(looked.damaged) + len(index_lines or ())
    evidence += [*looked.told, *(line.text for line in [*page_lines[-5:], *(index_lines or [])[-5:]])]
    evidence.append(f"amcheck looked at {looked.seen} indexes")
    decisive = page_lines[-1:] or (index_lines or [])[-1:]
    headline = "No damage is known."
    if any(facts.get(name) for name in ("checksum_failures", "page_errors")):
        headline = "Pages of the database are damaged."
    elif facts.get("index_errors"):
        names = [index.name for index in looked.damaged] or list(named_indexes(index_lines or []))
        headline = f"Damaged: index {listed(names)}." if names else "An index is damaged."
    return Findings(
        facts, headline, tuple(clean(line, 300) for line in evidence), tuple(unread), decisive[0] if decisive else None
    )


def rebuilt(system: System, index: str) -> None:
    """What the log said of an index before it was rebuilt says nothing now."""
    _REBUILT.setdefault(system, {})[index] = system.clock()


def _before_rebuilt(system: System, line: LogLine) -> bool:
    at = _REBUILT.get(system, {})
    return any(line.at <= at.get(name, 0.0) for name in named_indexes([line]))


def damage_lines(lines: tuple[LogLine, ...]) -> tuple[list[LogLine], list[LogLine]]:
    """Lines of a server's log that tell of damaged indexes, and those that tell of damaged pages."""
    telling = [line for line in lines if _LEVEL.search(line.text)]
    pages = [line for line in telling if _PAGE_DAMAGE.search(line.text)]
    found = [line for line in telling if line not in pages and _INDEX_DAMAGE.search(line.text)]
    return found, pages


def named_indexes(lines: list[LogLine]) -> tuple[str, ...]:
    """The indexes that such lines name."""
    return tuple(dict.fromkeys(match["name"] for line in lines for match in _NAMED.finditer(line.text)))


async def amcheck(readings: Readings) -> Looked:
    """Look at every B-tree with amcheck, as long as LOOKING_S allows; never raises."""
    try:
        _, schema = await extension(readings, statistics.INTEGRITY_EXTENSION)
        trees = [index for index in await indexes(readings) if index.valid and index.btree]
    except SourceError as error:
        return Looked((), (), 0, whole=False, why_not=error.failure)
    database, query = readings.system.need_database(), statistics.index_check(schema)
    damaged: list[Index] = []
    told: list[str] = []
    until = time.monotonic() + LOOKING_S
    for count, index in enumerate(trees):
        left_s = until - time.monotonic()
        if left_s <= 0:
            late = Failure(FailureKind.TIMEOUT, f"amcheck looked at {count} of {len(trees)} indexes in {age(LOOKING_S)}.")
            return Looked(tuple(damaged), tuple(told), count, whole=False, why_not=late)
        try:
            await database.select(query, {"index": index.id}, timeout_s=max(0.05, left_s))
        except SourceError as error:
            if error.failure.kind is FailureKind.GARBAGE:
                damaged.append(index)
                told.append(f"{index.qualified}: {error.failure.message}")
            elif error.failure.kind is not FailureKind.MISSING:
                grant = "GRANT EXECUTE ON FUNCTION bt_index_check(regclass) TO the role that Triage uses."
                forbidden = error.failure.kind is FailureKind.FORBIDDEN
                failure = Failure(error.failure.kind, error.failure.message, grant if forbidden else error.failure.advice)
                return Looked(tuple(damaged), tuple(told), count, whole=False, why_not=failure)
    return Looked(tuple(damaged), tuple(told), len(trees), whole=True)


def _setting_command(config: SystemConfig, wanted: SettingParameters) -> str:
    return psql(config, f"SHOW {wanted.name}")


_INTEGRITY = (
    "SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database();"
    " SELECT indexrelid::regclass, bt_index_check(indexrelid) FROM pg_stat_user_indexes"
)

CHECKS = (
    Check(
        name="postgres.setting",
        title="How is the server set?",
        parameters=SettingParameters,
        facts=(
            Fact("set", FactType.BOOL, "it has a value"),
            Fact("value", FactType.TEXT, "the value in the setting's own unit"),
            Fact("number", FactType.NUMBER, "the value as a number, unknown for a text"),
            Fact("off", FactType.BOOL, "the value is -1, 0 or off"),
        ),
        command=_setting_command,
        make=_setting,
    ),
    Check(
        name="postgres.integrity",
        title="Is the data whole?",
        parameters=NoParameters,
        facts=(
            Fact("checksum_failures", FactType.NUMBER, "pages whose checksum was wrong, since the statistics were reset"),
            Fact("index_errors", FactType.NUMBER, "damaged indexes by amcheck, and log lines of the last hour about such"),
            Fact("page_errors", FactType.NUMBER, "log lines of the last hour about damaged pages"),
            Fact("checked", FactType.BOOL, "amcheck looked at every index"),
        ),
        command=lambda config, _parameters: psql(config, _INTEGRITY),
        make=_integrity,
        ahead=False,
        more_s=2 * LOOKING_S,
    ),
)
