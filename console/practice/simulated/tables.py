"""The rows of the simulated PostgreSQL: an embedded engine that takes most of its dialect and words its errors like it.

It is opened with the first question, for its import takes longer than all the rest of the stack. What is written before that
is kept and done then. Time stands still where the world is: `now()` and `current_date` are the world's.
"""

import re
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from console.practice.simulated.catalogue import Catalogue
from console.practice.simulated.dialect import MACROS, PostgresError, bound, engine_sql, postgres_error, refused_write
from console.practice.simulated.embedded import Embedded, EngineError, Row
from console.practice.simulated.views import FUNCTIONS, VIEWS

STATISTICS = "statistics"
"""The schema in which the server's own views are tables."""
_READS = re.compile(r"^(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(SELECT|WITH|VALUES|TABLE|EXPLAIN|SHOW)\b", re.IGNORECASE | re.DOTALL)

_INSERT = re.compile(r'^INSERT INTO "?(\w+)"?.*?;$', re.MULTILINE | re.DOTALL)


class Tables:
    """The tables of one database. `now` is the world's time, Unix seconds; who asks sets it."""

    def __init__(self, schema: Catalogue) -> None:
        self.now = 0.0
        self._schema = schema
        self._began_at: float | None = None
        self._engine: Embedded | None = None
        self._counts: dict[str, int] | None = None
        self._kept: list[tuple[float, str, Mapping[str, Any] | None]] = []
        # The console asks in a thread of its own, a fault writes in the event loop's.
        self._lock = threading.RLock()

    def tell_time(self, now: float) -> None:
        """Let it be now. The first time is when the rows were made: dates among them are relative to it."""
        self.now = now
        if self._began_at is None:
            self._began_at = now

    def run(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Run any statement with bound values (`%(name)s`): the rows of a question, none of a change.

        A change that comes before the first question is kept until then. Raises PostgresError.
        """
        with self._lock:
            if self._engine is None and not _READS.match(sql):
                self._kept.append((self.now, sql, params))
                return []
            engine = self._open()
            self._set_time(engine, self.now)
            self._counts = None
            rows = self._ask(engine, sql, params, None)
            return rows if _READS.match(sql) else []

    def read(self, sql: str, params: Mapping[str, Any] | None = None, *, limit: int) -> list[Row]:
        """The first rows of a question in a READ ONLY transaction. Raises PostgresError, also for a statement that writes."""
        with self._lock:
            engine = self._open()
            self._set_time(engine, self.now)
            self._must_be_question(engine, sql)
            engine.ask("BEGIN TRANSACTION READ ONLY")
            try:
                return self._ask(engine, sql, params, limit)
            finally:
                engine.ask("ROLLBACK")

    def change(self, sql: str, params: Mapping[str, Any] | None, *, most_rows: int) -> int:
        """The number of rows that an INSERT, UPDATE or DELETE hit; more than `most_rows`: it is rolled back."""
        with self._lock:
            engine = self._open()
            self._set_time(engine, self.now)
            engine.ask("BEGIN TRANSACTION")
            count, self._counts = most_rows + 1, None
            try:
                rows = self._ask(engine, sql, params, None)
                count = int(rows[0]["Count"]) if rows and "Count" in rows[0] else len(rows)
            finally:
                engine.ask("COMMIT" if count <= most_rows else "ROLLBACK")
            return count

    def empty(self) -> None:
        """Drop every table."""
        self._rebuild("")

    def restore(self) -> None:
        """Create the tables and their first rows anew."""
        self._rebuild(engine_sql(self._schema.sql))

    def refill(self) -> tuple[str, ...]:
        """Put the first rows back into the tables that have none; which these are."""
        empty = {name for name, rows in self.count().items() if not rows}
        parts = [part for part in _INSERT.finditer(self._schema.sql) if part[1] in empty]
        for part in parts:
            self.run(engine_sql(part[0]))
        return tuple(dict.fromkeys(part[1] for part in parts))

    def fill(self, view: str, rows: Sequence[Sequence[Any]]) -> None:
        """Make one of the server's own views hold exactly these rows, in the order of its columns."""
        with self._lock:
            engine = self._open()
            engine.ask(f'DELETE FROM {STATISTICS}."{view}"')  # noqa: S608 - a name of views.VIEWS
            for start in range(0, len(rows), 200):
                part = rows[start : start + 200]
                marks = ", ".join("(" + ", ".join("?" * len(part[0])) + ")" for _ in part)
                statement = f'INSERT INTO {STATISTICS}."{view}" VALUES {marks}'  # noqa: S608 - as above
                engine.ask(statement, [value for row in part for value in row])

    def count(self) -> dict[str, int]:
        """How many rows each table holds."""
        with self._lock:
            if self._counts is None:
                engine = self._open()
                found = engine.ask("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'public' ORDER BY 1")
                names = [str(row["table_name"]) for row in found]
                columns = [f'(SELECT count(*) FROM public."{name}") AS "{name}"' for name in names]  # noqa: S608 - its own names
                self._counts = engine.ask(f"SELECT {', '.join(columns)}")[0] if names else {}
            return dict(self._counts)

    def interrupt(self) -> None:
        """End the statement that runs now."""
        if self._engine is not None:
            self._engine.interrupt()

    def close(self) -> None:
        """Forget all rows."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()
                self._engine = self._counts = None

    @staticmethod
    def _ask(engine: Embedded, sql: str, params: Mapping[str, Any] | None, limit: int | None) -> list[Row]:
        text, values = bound(sql, params)
        try:
            return engine.ask(text, values, limit)
        except EngineError as error:
            raise postgres_error(error, sql) from None

    def _rebuild(self, schema: str) -> None:
        self.run(f"DROP SCHEMA public CASCADE; CREATE SCHEMA public; SET search_path = 'public,{STATISTICS}'; {schema}")

    @staticmethod
    def _must_be_question(engine: Embedded, sql: str) -> None:
        """A cursor takes one statement, and only one that gives rows."""
        try:
            kinds = engine.kinds(bound(sql, None)[0].replace("%(", "$").replace(")s", ""))
        except EngineError as error:
            raise postgres_error(error, sql) from None
        if len(kinds) != 1:
            raise PostgresError("42601", "cannot insert multiple commands into a prepared statement")
        if kinds[0] not in ("SELECT", "EXPLAIN"):
            raise refused_write(sql)

    def _open(self) -> Embedded:
        if self._engine is None:
            self._engine = engine = Embedded()
            engine.ask("SET timezone = 'UTC'; SET integer_division = true; SELECT setseed(0.5)")
            self._set_time(engine, self._began_at if self._began_at is not None else self.now)
            engine.ask(f"CREATE SCHEMA public; CREATE SCHEMA {STATISTICS}; SET schema = '{STATISTICS}'")
            engine.ask(MACROS + VIEWS + FUNCTIONS)
            engine.ask(f"SET search_path = 'public,{STATISTICS}'")
            engine.ask(engine_sql(self._schema.sql))
            kept, self._kept = self._kept, []
            for at, sql, params in kept:
                self._set_time(engine, at)
                self._ask(engine, sql, params, None)
        return self._engine

    @staticmethod
    def _set_time(engine: Embedded, now: float) -> None:
        engine.ask(f"SET VARIABLE world_now = TIMESTAMPTZ '{datetime.fromtimestamp(now, UTC).isoformat(sep=' ')}'")
