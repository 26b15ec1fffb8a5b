"""PostgreSQL: whether its data is whole."""

import time
from dataclasses import dataclass

from console.guides.checks.check import Check, Fact, FactType, FactValue, Findings
from console.guides.checks.commands import psql
from console.guides.checks.containers import NoParameters
from console.guides.checks.postgres_damage import (
    LOG_LINES,
    LOG_WINDOW_S,
    before_rebuilt,
    damage_lines,
    named_indexes,
    still_there,
)
from console.guides.checks.postgres_select import select
from console.guides.checks.postgres_statements import extension
from console.guides.checks.postgres_tables import Index, indexes
from console.guides.checks.words import age, listed, number
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.postgres import statistics
from console.sources.protocols.engine import LogLine
from console.text import clean

LOOKING_S = 3.0
"""For amcheck: what it has not looked at by then is told as not looked at."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What amcheck said: the damaged ones, which it looked at, and why it did not look at all of them."""

    damaged: tuple[Index, ...]
    told: tuple[str, ...]
    at: frozenset[int]
    """Their numbers."""
    whole: bool
    why_not: Failure | None = None


async def _integrity(readings: Readings, _parameters: NoParameters) -> Findings:
    unread: list[Failure] = []
    facts: dict[str, FactValue] = {}
    looked = await amcheck(readings)
    facts["checked"] = looked.whole
    if looked.why_not is not None:
        unread.append(looked.why_not)
    evidence = list(looked.told)
    index_lines: list[LogLine] = []
    page_lines: list[LogLine] = []
    names = [index.name for index in looked.damaged]
    errors: int | None = len(looked.damaged)
    try:
        lines = await readings.role_log("database", LOG_LINES, readings.wall() - LOG_WINDOW_S)
        told_of_indexes, told_of_pages = damage_lines(lines)
        told = await still_there(readings, told_of_pages)
        page_lines = list(told.pages)
        unread += told.why_not
        # Log lines are of the past, and amcheck's own finds are among them.
        placed = [(line, name) for line, (name, identity) in told.indexes if identity not in looked.at]
        if not looked.whole:
            index_lines = [line for line in told_of_indexes if not before_rebuilt(readings.system, line)]
        index_lines += [line for line, _ in placed]
        names = names or list(dict.fromkeys([*named_indexes(index_lines), *(name for _, name in placed)]))
        errors = len(looked.damaged) + len(index_lines)
        facts["page_errors"] = len(page_lines)
        evidence += [*told.seen, *(line.text for line in [*page_lines[-5:], *index_lines[-5:]])]
    except SourceError as error:
        unread.append(error.failure)
        if not looked.whole and not looked.damaged:
            errors = None
    facts["index_errors"] = errors
    counted, told_of_count, failure = await _checksum_failures(readings, whole=not (page_lines or errors))
    facts["checksum_failures"] = counted
    evidence += told_of_count
    if failure is not None:
        unread.append(failure)
    evidence.append(f"amcheck looked at {len(looked.at)} indexes")
    decisive = page_lines[-1:] or index_lines[-1:]
    headline = "No damage is known."
    if page_lines or (counted and not errors):
        headline = "Pages of the database are damaged."
    elif errors:
        headline = f"Damaged: index {listed(names)}." if names else "An index is damaged."
    return Findings(
        facts, headline, tuple(clean(line, 300) for line in evidence), tuple(unread), decisive[0] if decisive else None
    )


async def _checksum_failures(readings: Readings, *, whole: bool) -> tuple[float | None, list[str], Failure | None]:
    """The wrong checksums that were counted, 0 when all of it can be read now. `whole`: nothing else tells of damage."""
    try:
        rows = await select(readings, statistics.DATABASE, limit=1)
    except SourceError as error:
        return None, [], error.failure
    counted = rows[0]["checksum_failures"] if rows else None
    if not isinstance(counted, int | float):
        told = "The cluster keeps no data checksums."
        advice = "pg_checksums --enable, while the server is stopped, turns them on."
        return None, [], Failure(FailureKind.UNSUPPORTED, told, advice)
    if not counted:
        return 0.0, [], None
    evidence = [f"{number(int(counted), 'wrong checksum')} counted since the statistics were reset"]
    if not whole:
        return float(counted), evidence, None
    try:
        looked_at = await _everything(readings)
    except SourceError as error:
        advice = error.failure.advice or "pg_stat_reset() starts the count anew, once the damage is mended."
        message = f"Whether what had a wrong checksum was mended could not be looked at: {error.failure.message}"
        return float(counted), evidence, Failure(error.failure.kind, message, advice)
    return 0.0, [*evidence, f"{looked_at} can be read without an error now: what was counted was mended"], None


async def _everything(readings: Readings) -> str:
    """What was read, which is all and whole; raises SourceError when it is not."""
    _, schema = await extension(readings, statistics.INTEGRITY_EXTENSION)
    database = readings.system.need_database()
    (tables,) = await database.select(statistics.all_tables_check(schema), limit=1, timeout_s=LOOKING_S)
    if tables["faults"]:
        raise SourceError(FailureKind.GARBAGE, f"amcheck finds {tables['faults']} faults in tables.")
    (trees,) = await database.select(statistics.all_trees_check(schema), limit=1, timeout_s=LOOKING_S)
    if trees["others"]:
        raise SourceError(FailureKind.UNSUPPORTED, f"amcheck knows B-trees, and {trees['others']} indexes are none.")
    return f"{tables['tables']} tables and {trees['trees']} indexes"


async def amcheck(readings: Readings) -> Looked:
    """Look at every B-tree with amcheck, as long as LOOKING_S allows; never raises."""
    try:
        _, schema = await extension(readings, statistics.INTEGRITY_EXTENSION)
        trees = [index for index in await indexes(readings) if index.valid and index.btree]
    except SourceError as error:
        return Looked((), (), frozenset(), whole=False, why_not=error.failure)
    database, query = readings.system.need_database(), statistics.index_check(schema)
    damaged: list[Index] = []
    told: list[str] = []
    looked_at: set[int] = set()
    until = time.monotonic() + LOOKING_S
    for count, index in enumerate(trees):
        left_s = until - time.monotonic()
        if left_s <= 0:
            late = Failure(FailureKind.TIMEOUT, f"amcheck looked at {count} of {len(trees)} indexes in {age(LOOKING_S)}.")
            return Looked(tuple(damaged), tuple(told), frozenset(looked_at), whole=False, why_not=late)
        looked_at.add(index.id)
        try:
            await database.select(query, {"index": index.id}, timeout_s=max(0.05, left_s))
        except SourceError as error:
            if error.failure.kind is FailureKind.GARBAGE:
                damaged.append(index)
                told.append(f"{index.qualified}: {error.failure.message}")
            elif error.failure.kind is not FailureKind.MISSING:
                looked_at.discard(index.id)
                grant = "GRANT EXECUTE ON FUNCTION bt_index_check(regclass) TO the role that Triage uses."
                forbidden = error.failure.kind is FailureKind.FORBIDDEN
                failure = Failure(error.failure.kind, error.failure.message, grant if forbidden else error.failure.advice)
                return Looked(tuple(damaged), tuple(told), frozenset(looked_at), whole=False, why_not=failure)
    return Looked(tuple(damaged), tuple(told), frozenset(looked_at), whole=True)


_INTEGRITY = (
    "SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database();"
    " SELECT indexrelid::regclass, bt_index_check(indexrelid) FROM pg_stat_user_indexes;"
    " SELECT c.oid::regclass, v.* FROM pg_class c, verify_heapam(c.oid) v WHERE c.relkind IN ('r', 'm', 't')"
)

CHECKS = (
    Check(
        name="postgres.integrity",
        title="Is the data whole?",
        parameters=NoParameters,
        facts=(
            Fact(
                "checksum_failures",
                FactType.NUMBER,
                "pages whose checksum was wrong since the statistics were reset; 0 when amcheck reads all tables and indexes now",
            ),
            Fact(
                "index_errors",
                FactType.NUMBER,
                "damaged indexes by amcheck, and log lines of the last hour about those that it did not look at",
            ),
            Fact(
                "page_errors",
                FactType.NUMBER,
                "log lines of the last hour about damaged pages of tables, without those of pages that are whole or gone now",
            ),
            Fact("checked", FactType.BOOL, "amcheck looked at every index"),
        ),
        command=lambda config, _parameters: psql(config, _INTEGRITY),
        make=_integrity,
        ahead=False,
        more_s=4 * LOOKING_S,
    ),
)
