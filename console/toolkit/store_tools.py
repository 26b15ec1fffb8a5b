"""How large the tables are, and which statements cost the most."""

import asyncio
from collections.abc import Mapping

from console.guides.checks.postgres_select import select
from console.guides.checks.postgres_statements import extension
from console.guides.checks.words import size
from console.guides.readings import Readings
from console.reading import Failure, SourceError
from console.sources.postgres import statistics
from console.sources.protocols.database import Value
from console.text import clean
from console.toolkit.table import Head, Row, Table

DEAD_PERCENT = 20.0
DEAD_ROWS = 10_000
"""From these two on a table is bloated."""
_TABLES = (
    Head("TABLE", 18, grow=3, most=60),
    Head("IN ALL", 10, right=True, most=10),
    Head("ROWS ONLY", 10, right=True, most=10, rank=2),
    Head("INDEXES", 10, right=True, most=10, rank=1),
    Head("ROWS", 11, right=True, most=12),
    Head("DEAD", 8, right=True, most=8),
)
_STATEMENTS = (
    Head("MEAN", 10, right=True, most=11),
    Head("CALLS", 9, right=True, most=11),
    Head("SHARE", 6, right=True, most=6),
    Head("WORST", 10, right=True, most=11, rank=2),
    Head("TOTAL", 9, right=True, most=11, rank=1),
    Head("STATEMENT", 20, grow=6),
)


async def table_sizes(readings: Readings) -> Table:
    """The largest tables with their indexes, rows and dead rows."""
    sizes, database, counted = await asyncio.gather(
        select(readings, statistics.TABLE_SIZES),
        _or_failure(readings, statistics.DATABASE_SIZE),
        _or_failure(readings, statistics.TABLES),
    )
    unread = tuple(answer for answer in (database, counted) if isinstance(answer, Failure))
    counts = {} if isinstance(counted, Failure) else {(row["schemaname"], row["relname"]): row for row in counted}
    rows = tuple(_table_row(row, counts.get((row["schemaname"], row["relname"]))) for row in sizes)
    known = [] if isinstance(database, Failure) else database
    whole = f"the database has {size(_number(known[0]['database_bytes']))}" if known else "the database's size is unknown"
    return Table(_TABLES, rows, whole, unread, "The database has no table that our role may see.")


def _table_row(sizes: Mapping[str, Value], counts: Mapping[str, Value] | None) -> Row:
    schema, name = clean(str(sizes["schemaname"]), 200), clean(str(sizes["relname"]), 200)
    whole, heap = _number(sizes["bytes"]), _number(sizes["table_bytes"])
    shown = name if schema == "public" else f"{schema}.{name}"
    if counts is None:
        return Row(f"{schema}.{name}", (shown, size(whole), size(heap), size(whole - heap), "?", "?"))
    live, dead = _number(counts["live"]), _number(counts["dead"])
    share = 100 * dead / (live + dead) if live + dead else 0.0
    bloated = share > DEAD_PERCENT and dead > DEAD_ROWS
    cells = (shown, size(whole), size(heap), size(whole - heap), f"{live:,.0f}", f"{share:.0f} %")
    more = (f"{dead:,.0f} dead rows; indexes and TOAST take {size(whole - heap)}",)
    return Row(f"{schema}.{name}", cells, "warn" if bloated else "", more=more)


async def slow_statements(readings: Readings) -> Table:
    """The statements with the highest mean time since the statistics were reset. MISSING without pg_stat_statements."""
    version, schema = await extension(readings, statistics.STATEMENTS_EXTENSION)
    found = await select(readings, statistics.statements(version, schema))
    rows = tuple(_statement_row(index, row) for index, row in enumerate(found))
    return Table(_STATEMENTS, rows, "by mean time, since the statistics were reset", (), "No statement was counted yet.")


def _statement_row(index: int, row: Mapping[str, Value]) -> Row:
    # Line ends are marks by now: every text of a row is cleaned.
    query = clean(" ".join(str(row["query"]).replace("⏎", " ").split()))
    mean, total, whole = _number(row["mean_ms"]), _number(row["total_ms"]), _number(row["all_ms"])
    cells = (
        f"{mean:,.1f} ms",
        f"{_number(row['calls']):,.0f}",
        f"{100 * total / whole:.0f} %" if whole else "?",
        f"{_number(row['max_ms']):,.0f} ms",
        f"{total / 1000:,.1f} s",
        query,
    )
    return Row(f"{index} {query[:200]}", cells, "warn" if mean >= 500 else "")


async def _or_failure(readings: Readings, query: str) -> "list[Mapping[str, Value]] | Failure":
    try:
        return list(await select(readings, query))
    except SourceError as error:
        return error.failure


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
