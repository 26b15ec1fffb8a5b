"""What the simulated PostgreSQL counts of its statements, tables and indexes, and what slows statements down."""

import functools
import re
from dataclasses import dataclass

from console.practice.simulated.catalogue import Catalogue, Index, TableStats

SEQ_SCAN_FACTOR = 40.0
"""How many times longer a statement takes whose index is missing or not valid."""
DATABASE_OID, FIRST_OID = 16_385, 16_400
_SOURCES = re.compile(r'\b(?:FROM|JOIN|UPDATE|INTO)\s+(?:ONLY\s+)?(?:"?public"?\.)?"?(\w+)"?', re.IGNORECASE)
_AUTOVACUUM_EVERY_S = 60.0


@dataclass(slots=True)
class Statement:
    """A row of pg_stat_statements: a statement without its values, and what it took since the statistics were reset."""

    query: str
    calls: float = 0.0
    total_ms: float = 0.0
    max_ms: float = 0.0
    rows: float = 0.0


@dataclass(frozen=True, slots=True)
class Slowed:
    """Why statements on a table are slow beside a missing index. `cured_by`: `analyze`, `vacuum`, `reindex`, or empty."""

    factor: float
    cured_by: str = ""


class Workload:
    """Counted since the statistics were reset. Faults change `indexes`, `table_stats` and `slowed`; traffic the rest."""

    def __init__(self, schema: Catalogue) -> None:
        self.wanted = schema.fresh_indexes()
        """The indexes that the service's statements need: those of its schema."""
        self.indexes: dict[str, Index] = schema.fresh_indexes()
        self.table_stats: dict[str, TableStats] = {name: TableStats() for name in schema.tables}
        self.statements: list[Statement] = []
        self.slowed: dict[str, Slowed] = {}
        """By table."""
        self.damaged_indexes: set[str] = set()
        self.damaged_blocks: dict[str, int] = {}
        """By table."""
        self._unserved: frozenset[str] = frozenset()
        """Tables of which an index that the service needs is not usable, as of the last step."""
        self._looked_at: tuple[bool, tuple[tuple[str, bool], ...]] = (True, ())
        self._oids: dict[str, int] = {}
        self._by_query: dict[str, Statement] = {}
        self._vacuum_at = 0.0

    def adopt(self, began_at: float) -> None:
        """Have served for two days and been looked after by autovacuum; the scans were counted anew this morning."""
        for number, stats in enumerate(self.table_stats.values()):
            stats.seq_scans, stats.idx_scans = 3 + number % 4, 1_900 - 40 * number
            stats.analyzed_at = stats.vacuumed_at = began_at + 3_600 * (50 - number / 4)
            stats.inserted = 20_000 + 400 * number
        for index in self.indexes.values():
            index.scans = 400

    def ran(self, query: str, elapsed_s: float, *, calls: float = 1.0, rows: float = 12.0) -> None:
        """Count what a request did: its statement, so many times, `elapsed_s` in all, and how its tables were read."""
        statement = self._by_query.get(query)
        if statement is None:
            statement = self._by_query[query] = Statement(query)
            self.statements.append(statement)
        statement.calls += calls
        statement.total_ms += 1000 * elapsed_s
        statement.max_ms = max(statement.max_ms, 1000 * elapsed_s / max(calls, 1.0))
        statement.rows += rows * calls
        writes = query.startswith(("INSERT", "UPDATE", "DELETE"))
        for table in tables_of(query):
            stats = self.table_stats.get(table)
            if stats is None:
                continue
            if writes:
                stats.inserted += 1
                stats.changed += 1
            elif table in self._unserved:
                stats.seq_scans += round(calls)
                stats.seq_rows += round(calls) * (stats.live or 18_000)
            else:
                stats.idx_scans += round(calls)

    def factor(self, query: str) -> float:
        """How many times longer than usual the statement takes: for want of an index, of statistics, of a vacuum."""
        if not self.slowed and not self._unserved:
            return 1.0
        worst = 1.0
        for table in tables_of(query):
            if table in self._unserved:
                worst = max(worst, SEQ_SCAN_FACTOR)
            slowed = self.slowed.get(table)
            if slowed is not None:
                worst = max(worst, slowed.factor)
        return worst

    def tick(self, now: float, *, by_index: bool = True) -> None:
        """Notice changed indexes, and let autovacuum analyse tables that changed much, once a minute. `by_index`: plans may
        use indexes."""
        present = (by_index, tuple((name, index.valid) for name, index in self.indexes.items()))
        if present != self._looked_at:
            self._looked_at = present
            unserved = (index for index in self.wanted.values() if not index.unique and not (by_index and self._served(index)))
            self._unserved = frozenset(index.table for index in unserved)
        if now < self._vacuum_at:
            return
        self._vacuum_at = now + _AUTOVACUUM_EVERY_S
        for name, stats in self.table_stats.items():
            if name not in self.slowed and stats.live is None and stats.changed > 2_000:
                stats.changed, stats.analyzed_at = 0, now

    def cure(self, what: str, tables: tuple[str, ...] = ()) -> None:
        """ANALYZE, VACUUM or REINDEX was run on these tables, or on all: what that cures is gone."""
        for table, slowed in list(self.slowed.items()):
            if slowed.cured_by == what and (not tables or table in tables):
                del self.slowed[table]

    def oid(self, name: str) -> int:
        """The number by which the server knows a table or an index, from its creation to its end."""
        return self._oids.setdefault(name, FIRST_OID + (max(self._oids.values()) - FIRST_OID + 1 if self._oids else 0))

    def forget(self, name: str) -> None:
        """A table or index is gone; one of the same name would be another one. Its number is not used again at once."""
        if name in self._oids:
            self._oids[f"{name} as it was {len(self._oids)}"] = self._oids.pop(name)

    def _served(self, wanted: Index) -> bool:
        """Whether there is a usable index like that; others that begin with its columns do as well."""
        return wanted.unique or any(
            index.table == wanted.table and index.valid and index.columns[: len(wanted.columns)] == wanted.columns
            for index in self.indexes.values()
        )


@functools.lru_cache(maxsize=256)
def tables_of(query: str) -> tuple[str, ...]:
    """The tables that a statement names, in its order."""
    return tuple(dict.fromkeys(_SOURCES.findall(query)))
