"""The embedded engine behind the simulated PostgreSQL's rows."""

import atexit
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Row = dict[str, Any]
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "threads": "1",
    "memory_limit": "256MB",
}
"""No file, no network, one thread, so that the same question gives the same rows in the same order."""


class EngineError(Exception):
    """The engine refused a statement, in its own words."""


class Embedded:
    """One database in memory. Nobody else holds its connection or what belongs to it: the engine's binding complains on the
    terminal about whatever outlives the interpreter, and the frames of an error do."""

    def __init__(self) -> None:
        import duckdb

        self._connection: DuckDBPyConnection | None = duckdb.connect(":memory:", config=SETTINGS)
        _OPEN.add(self)

    def ask(self, sql: str, values: Sequence[Any] | dict[str, Any] = (), limit: int | None = None) -> list[Row]:
        """Run statements: the rows of the last one. Raises EngineError."""
        import duckdb

        if self._connection is None:
            raise EngineError("INTERRUPT Error: the database was closed")
        try:
            self._connection.execute(sql, values)
            names = [str(item[0]) for item in self._connection.description or ()]
            rows = self._connection.fetchall() if limit is None else self._connection.fetchmany(limit)
        except duckdb.Error as error:
            said = str(error)
        else:
            return [dict(zip(names, row, strict=True)) for row in rows]
        raise EngineError(said)

    def kinds(self, sql: str) -> list[str]:
        """What kind of statement each one is: `SELECT`, `DELETE`, … Raises EngineError."""
        import duckdb

        try:
            return [item.type.name for item in duckdb.extract_statements(sql)]
        except duckdb.Error as error:
            said = str(error)
        raise EngineError(said)

    def interrupt(self) -> None:
        """End the statement that runs now."""
        if self._connection is not None:
            self._connection.interrupt()

    def close(self) -> None:
        """Forget everything."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


_OPEN: "weakref.WeakSet[Embedded]" = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for engine in list(_OPEN):
        engine.close()
