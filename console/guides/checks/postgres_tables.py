"""PostgreSQL: dead rows, stale statistics, indexes that are missing, broken or unused, and what takes the space."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, FactType, FactValue, Findings
from console.guides.checks.commands import psql
from console.guides.checks.containers import NoParameters
from console.guides.checks.postgres_select import select
from console.guides.checks.words import age, number, size
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.postgres import statistics
from console.sources.protocols.database import Value
from console.text import clean

BLOATED_PERCENT = 20.0
BLOATED_ROWS = 10_000
WORTH_ROWS = 1_000
"""Below this, shares of a table say nothing: reading all of it is the right plan, and a few dead rows are a large share."""
STALE_ROWS, STALE_PERCENT = 50, 10.0
"""From so many changed rows on (and that share of the table) autovacuum analyses it by itself: its defaults."""
_SHOWN = 12

Row = Mapping[str, Value]
Logical = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class SomeTables(Parameters):
    tables: tuple[Logical, ...] = Field(default=(), max_length=50)
    """By their names in the guides; none: every table of the database."""


@dataclass(frozen=True, slots=True)
class TableCounts:
    """Counters of one table since its statistics were reset."""

    schema: str
    name: str
    live: float
    dead: float
    changed: float
    seq_scans: float
    index_scans: float
    analyze_age_s: float | None

    @property
    def dead_percent(self) -> float:
        return 100 * self.dead / (self.live + self.dead) if self.live + self.dead else 0.0

    @property
    def seq_percent(self) -> float:
        scans = self.seq_scans + self.index_scans
        return 100 * self.seq_scans / scans if scans else 0.0

    @property
    def worth_a_look(self) -> bool:
        return self.live + self.dead >= WORTH_ROWS

    @property
    def stale(self) -> bool:
        """Changed so much that its statistics should have been renewed."""
        return self.changed >= STALE_ROWS + self.live * STALE_PERCENT / 100

    @property
    def bloated(self) -> bool:
        return self.dead_percent > BLOATED_PERCENT and self.dead > BLOATED_ROWS


async def counts(readings: Readings, tables: tuple[str, ...] = ()) -> tuple[tuple[TableCounts, ...], tuple[Failure, ...]]:
    """The tables named (all without names), those with the most dead rows first; and which are not there."""
    rows = [_counts(row) for row in await select(readings, statistics.TABLES)]
    if not tables:
        return tuple(rows), ()
    config = readings.system.config
    found = tuple(row for row in rows if any(is_table(config, name, row.schema, row.name) for name in tables))
    absent = [name for name in tables if not any(is_table(config, name, row.schema, row.name) for row in rows)]
    advice = f"Set {absent[0]} in [systems.{config.name}.tables]." if absent else ""
    missing = Failure(FailureKind.MISSING, f"There is no table {', '.join(absent)}.", advice)
    return found, (missing,) if absent else ()


def is_table(config: SystemConfig, logical: str, schema: str, name: str) -> bool:
    """Whether a table of the server is the one that guides call so."""
    wanted_schema, _, wanted = config.tables.get(logical, logical).rpartition(".")
    return name == wanted and wanted_schema in ("", schema)


def _counts(row: Row) -> TableCounts:
    aged = row["analyze_age_s"]
    return TableCounts(
        schema=clean(str(row["schemaname"]), 127),
        name=clean(str(row["relname"]), 127),
        live=_figure(row["live"]),
        dead=_figure(row["dead"]),
        changed=_figure(row["changed"]),
        seq_scans=_figure(row["seq_scans"]),
        index_scans=_figure(row["index_scans"]),
        analyze_age_s=float(aged) if isinstance(aged, int | float) else None,
    )


async def _tables(readings: Readings, wanted: SomeTables) -> Findings:
    rows, unread = await counts(readings, wanted.tables)
    if not rows and unread:
        raise SourceError(unread[0].kind, unread[0].message, unread[0].advice)
    counted = [row for row in rows if row.worth_a_look]
    dead = max(counted, key=lambda row: row.dead_percent, default=None)
    scanned = max(counted, key=lambda row: row.seq_percent, default=None)
    ages = [row.analyze_age_s for row in rows if row.stale and row.analyze_age_s is not None]
    facts: dict[str, FactValue] = {
        "dead_percent": round(dead.dead_percent, 1) if dead else 0.0,
        "dead_table": dead.name if dead and dead.dead else "",
        "never_analyzed": sum(row.analyze_age_s is None and row.stale for row in rows),
        "analyze_age_s": round(max(ages)) if ages else 0,
        "seq_scan_percent": round(scanned.seq_percent, 1) if scanned else 0.0,
        "seq_table": scanned.name if scanned and scanned.seq_scans else "",
        "bloated": any(row.bloated for row in rows),
    }
    sizes: dict[str, float] = {}
    try:
        sizes = await table_sizes(readings, wanted.tables)
        largest = max(sizes, key=lambda name: sizes[name], default="")
        facts |= {"largest": largest, "largest_bytes": sizes.get(largest, 0)}
    except SourceError as error:
        unread = (*unread, error.failure)
    headline = "No table has many dead rows."
    if dead and dead.dead_percent > BLOATED_PERCENT:
        headline = f"{dead.dead_percent:.0f} % of the rows of {dead.name} are dead ({dead.dead:,.0f})."
    elif facts["never_analyzed"]:
        headline = f"{number(int(facts['never_analyzed'] or 0), 'table')} with many changes were never analysed."
    shown = sorted(rows, key=lambda row: row.live + row.dead, reverse=True)[:_SHOWN]
    return Findings(facts, headline, tuple(_table_line(row, sizes.get(row.name)) for row in shown), unread)


async def table_sizes(readings: Readings, tables: tuple[str, ...] = ()) -> dict[str, float]:
    """Bytes of the largest tables with their indexes, by name, the largest first."""
    config = readings.system.config
    rows = await select(readings, statistics.TABLE_SIZES)
    return {
        clean(str(row["relname"]), 127): _figure(row["bytes"])
        for row in rows
        if not tables or any(is_table(config, name, str(row["schemaname"]), str(row["relname"])) for name in tables)
    }


def _table_line(row: TableCounts, stored: float | None) -> str:
    analysed = f"analysed {age(row.analyze_age_s)} ago" if row.analyze_age_s is not None else "never analysed"
    scans = f"{row.seq_percent:.0f} % of {row.seq_scans + row.index_scans:,.0f} scans read it whole"
    takes = f", {size(stored)}" if stored is not None else ""
    return clean(
        f"{row.name}: {row.live:,.0f} rows, {row.dead:,.0f} dead ({row.dead_percent:.0f} %), {scans}, {analysed}{takes}", 200
    )


# -- indexes --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Index:
    """An index as it stands in the database. `columns` are plain columns from the left, up to the first expression."""

    id: int
    schema: str
    table: str
    name: str
    columns: tuple[str, ...]
    valid: bool
    unique: bool
    partial: bool
    btree: bool
    scans: float

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"


_USING = re.compile(r" USING (?P<method>\w+) \((?P<rest>.*)", re.DOTALL)
_COLUMN = re.compile(r'\s*(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[A-Za-z_][\w$]*))(?P<after>[^,()]*)(?P<end>[,()]|$)')


def read_index(row: Row) -> Index:
    """A row of statistics.INDEXES; the columns come from the definition as PostgreSQL writes it."""
    definition = str(row["definition"])
    using = _USING.search(definition)
    rest = using["rest"] if using else ""
    columns: list[str] = []
    position = 0
    while match := _COLUMN.match(rest, position):
        if match["end"] == "(":  # a function: an expression
            break
        columns.append(match["quoted"].replace('""', '"') if match["quoted"] else match["plain"])
        position = match.end()
        if match["end"] != ",":
            break
    return Index(
        int(_figure(row["id"])),
        clean(str(row["schemaname"]), 127),
        clean(str(row["relname"]), 127),
        clean(str(row["indexrelname"]), 127),
        tuple(columns),
        bool(row["valid"]),
        bool(row["uniq"]),
        ") WHERE " in definition,
        bool(using and using["method"] == "btree"),
        _figure(row["scans"]),
    )


async def indexes(readings: Readings) -> tuple[Index, ...]:
    """Every index of the database's own tables, also those that are not valid."""
    return tuple(map(read_index, await select(readings, statistics.INDEXES, limit=5000)))


def missing_indexes(config: SystemConfig, found: Sequence[Index], tables: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Names of configured indexes that no valid index of the server covers (same leading columns, not partial)."""
    missing = []
    for name, wanted in config.indexes.items():
        if tables and wanted.table not in tables and config.tables.get(wanted.table, wanted.table) not in tables:
            continue
        covered = any(
            index.valid
            and not index.partial
            and is_table(config, wanted.table, index.schema, index.table)
            and index.columns[: len(wanted.columns)] == wanted.columns
            for index in found
        )
        if not covered:
            missing.append(name)
    return tuple(missing)


async def _indexes(readings: Readings, wanted: SomeTables) -> Findings:
    config = readings.system.config
    found = await indexes(readings)
    if wanted.tables:
        found = tuple(
            index for index in found if any(is_table(config, name, index.schema, index.table) for name in wanted.tables)
        )
    missing = missing_indexes(config, found, wanted.tables)
    invalid = [index for index in found if not index.valid]
    unused = [index for index in found if index.valid and not index.unique and not index.scans]
    facts: dict[str, FactValue] = {
        "missing": len(missing),
        "invalid": len(invalid),
        "unused": len(unused),
        "first_missing": missing[0] if missing else "",
    }
    unread: tuple[Failure, ...] = ()
    if not config.indexes:
        facts |= {"missing": None, "first_missing": None}
        told = "Which indexes must be there is not configured."
        unread = (Failure(FailureKind.NOT_CONFIGURED, told, f"Name them in [systems.{config.name}.indexes]."),)
    evidence = [
        f"missing  {name} on {config.indexes[name].table} ({', '.join(config.indexes[name].columns)})" for name in missing
    ]
    evidence += [f"invalid  {index.name} on {index.table}: a CREATE INDEX CONCURRENTLY that did not finish" for index in invalid]
    evidence += [f"unused   {index.name} on {index.table} since the statistics were reset" for index in unused[:_SHOWN]]
    headline = f"{len(found)} indexes: {len(missing)} missing, {len(invalid)} invalid, {len(unused)} never used."
    return Findings(facts, headline, tuple(evidence[: 2 * _SHOWN]), unread)


# -- sizes ----------------------------------------------------------------------------------------------------------------


async def _sizes(readings: Readings, _parameters: NoParameters) -> Findings:
    facts: dict[str, FactValue] = {}
    unread: list[Failure] = []
    evidence: list[str] = []
    for query, name, grant in (
        (statistics.DATABASE_SIZE, "database_bytes", ""),
        (statistics.WAL_SIZE, "wal_bytes", "GRANT pg_monitor TO the role that Triage uses."),
    ):
        try:
            rows = await select(readings, query, limit=1)
            facts[name] = _figure(rows[0][name]) if rows else None
        except SourceError as error:
            unread.append(Failure(error.failure.kind, error.failure.message, grant or error.failure.advice))
    try:
        rows = await select(readings, statistics.TABLE_SIZES)
        tables, _ = await counts(readings)
        share = {(row.schema, row.name): row.dead_percent / 100 for row in tables}
        largest = rows[0] if rows else None
        facts["largest"] = clean(str(largest["relname"]), 127) if largest else ""
        facts["largest_bytes"] = _figure(largest["bytes"]) if largest else 0
        keys = [(str(row["schemaname"]), str(row["relname"])) for row in rows]
        facts["dead_bytes"] = round(
            sum(_figure(row["table_bytes"]) * share.get(key, 0.0) for row, key in zip(rows, keys, strict=True))
        )
        evidence = [clean(f"{size(_figure(row['bytes'])):>10}  {row['relname']}", 200) for row in rows[:_SHOWN]]
    except SourceError as error:
        unread.append(error.failure)
    if not facts:
        raise SourceError(unread[0].kind, unread[0].message, unread[0].advice)
    told = [f"{words} {size(float(facts[name] or 0))}" for name, words in _SIZES.items() if facts.get(name) is not None]
    return Findings(
        facts, f"{', '.join(told)}." if told else "Only a part of the sizes could be read.", tuple(evidence), tuple(unread)
    )


_SIZES = {"database_bytes": "database", "wal_bytes": "write-ahead log", "dead_bytes": "dead rows about"}


def _figure(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


_DEAD = (
    "SELECT relname, n_live_tup, n_dead_tup, seq_scan, idx_scan, last_analyze, last_autoanalyze"
    " FROM pg_stat_user_tables ORDER BY n_dead_tup DESC LIMIT 12"
)
_INDEXES = (
    "SELECT s.relname, s.indexrelname, s.idx_scan, i.indisvalid FROM pg_stat_user_indexes s"
    " JOIN pg_index i USING (indexrelid) ORDER BY 1, 2"
)
_SPACE = (
    "SELECT relname, pg_size_pretty(pg_total_relation_size(relid)) FROM pg_stat_user_tables"
    " ORDER BY pg_total_relation_size(relid) DESC LIMIT 12"
)

CHECKS = (
    Check(
        name="postgres.tables",
        title="Do tables hold dead rows, or stale statistics?",
        parameters=SomeTables,
        facts=(
            Fact("dead_percent", FactType.NUMBER, "dead rows, in the worst table of over 1,000 rows", "%"),
            Fact("dead_table", FactType.TEXT, "that table"),
            Fact("never_analyzed", FactType.NUMBER, "tables with many changes that were never analysed"),
            Fact("analyze_age_s", FactType.NUMBER, "the oldest analysis of a table with many changes since, 0 without one", "s"),
            Fact(
                "seq_scan_percent", FactType.NUMBER, "scans that read all of a table, in the worst table of over 1,000 rows", "%"
            ),
            Fact("seq_table", FactType.TEXT, "that table"),
            Fact("bloated", FactType.BOOL, "a table of over 10,000 dead rows that are over 20 % of it"),
            Fact("largest", FactType.TEXT, "the largest table"),
            Fact("largest_bytes", FactType.NUMBER, "its size with indexes", "B"),
        ),
        command=lambda config, _wanted: psql(config, _DEAD),
        make=_tables,
    ),
    Check(
        name="postgres.indexes",
        title="Are the indexes there, whole and used?",
        parameters=SomeTables,
        facts=(
            Fact("missing", FactType.NUMBER, "configured indexes that are not there"),
            Fact("invalid", FactType.NUMBER, "indexes that were never finished"),
            Fact("unused", FactType.NUMBER, "indexes without a scan since the statistics were reset, unique ones left out"),
            Fact("first_missing", FactType.TEXT, "the first that is missing, by its name in the configuration"),
        ),
        command=lambda config, _wanted: psql(config, _INDEXES),
        make=_indexes,
    ),
    Check(
        name="postgres.sizes",
        title="What takes the space of the database?",
        parameters=NoParameters,
        facts=(
            Fact("database_bytes", FactType.NUMBER, "this database", "B"),
            Fact("wal_bytes", FactType.NUMBER, "the write-ahead log", "B"),
            Fact("largest", FactType.TEXT, "the largest table"),
            Fact("largest_bytes", FactType.NUMBER, "its size with indexes", "B"),
            Fact("dead_bytes", FactType.NUMBER, "estimate of what dead rows take in the largest tables", "B"),
        ),
        command=lambda config, _parameters: psql(config, _SPACE),
        make=_sizes,
    ),
)
