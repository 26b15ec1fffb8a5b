"""What a system's SQL creates: its tables and indexes, known without opening the embedded engine.

The lab makes its databases from the same files, so that both kinds of practice have the same tables and rows.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

SQL = Path(__file__).parent / "sql"
"""`<system>.sql`, in PostgreSQL's dialect: what creates the tables, the indexes and the first rows."""

_TABLE = re.compile(r'^CREATE TABLE ("?)(\w+)\1 \(\n(.*?)^\);$', re.MULTILINE | re.DOTALL)
_INDEX = re.compile(r'^CREATE (UNIQUE )?INDEX (\w+) ON ("?)(\w+)\3 \(([^)]*)\);$', re.MULTILINE)
_TOGETHER = re.compile(r"^(PRIMARY KEY|UNIQUE) \(([^)]*)\)")


@dataclass(slots=True)
class Index:
    """An index of the server. `valid` is False for what an interrupted CREATE INDEX CONCURRENTLY leaves."""

    table: str
    columns: tuple[str, ...]
    valid: bool = True
    unique: bool = False
    primary: bool = False
    scans: int = 0
    bytes: int | None = None
    """None: as large as its table's rows make it."""


@dataclass(slots=True)
class TableStats:
    """What the server counts of a table since its statistics were reset. Times are Unix seconds, None for never."""

    live: int | None = None
    """Rows, as the server estimates them; None: as many as the table holds."""
    dead: int = 0
    seq_scans: int = 0
    seq_rows: int = 0
    idx_scans: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    changed: int = 0
    """Rows changed since the last ANALYZE."""
    analyzed_at: float | None = None
    """By a person or by autovacuum."""
    vacuumed_at: float | None = None
    row_bytes: int = 96


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The schema of a system: its whole SQL, with the rows, and by name its tables (with their columns) and indexes."""

    sql: str
    tables: dict[str, tuple[str, ...]]
    indexes: dict[str, tuple[str, tuple[str, ...], bool, bool]]
    """Table, columns, unique, primary."""

    def fresh_indexes(self) -> dict[str, Index]:
        """The indexes as the schema makes them."""
        return {
            name: Index(table, columns, unique=unique, primary=primary)
            for name, (table, columns, unique, primary) in self.indexes.items()
        }


@functools.cache
def catalogue(system: str) -> Catalogue:
    """The schema of a system; the one of a system without a file is empty."""
    file = SQL / f"{system}.sql"
    sql = file.read_text(encoding="utf-8") if file.is_file() else ""
    tables: dict[str, tuple[str, ...]] = {}
    indexes: dict[str, tuple[str, tuple[str, ...], bool, bool]] = {}
    for _, table, body in _TABLE.findall(sql):
        columns = []
        for line in (line.strip().rstrip(",") for line in body.splitlines()):
            together = _TOGETHER.match(line)
            if together:
                keys, primary = _names(together[2]), together[1] == "PRIMARY KEY"
            else:
                column = line.split(" ", 1)[0]
                columns.append(column)
                keys, primary = (column,), "PRIMARY KEY" in line
                if not primary and "UNIQUE" not in line:
                    continue
            name = f"{table}_pkey" if primary else f"{table}_{'_'.join(keys)}_key"
            indexes[name] = (table, keys, True, primary)
        tables[table] = tuple(columns)
    for unique, name, _, table, keys_text in _INDEX.findall(sql):
        indexes[name] = (table, _names(keys_text), bool(unique), False)
    return Catalogue(sql, tables, indexes)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().strip('"') for name in text.split(","))
