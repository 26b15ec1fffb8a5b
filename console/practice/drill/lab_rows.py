"""How many rows the tables of a lab hold, counted as the superuser over the socket: also when no login is free."""

from collections.abc import Mapping

from console.practice.lab.errors import LabError
from console.practice.lab.target import Target

_COUNT = """SET lock_timeout = '2s'; SET statement_timeout = '5s';
SELECT CASE WHEN to_regclass(quote_ident('{table}')) IS NULL THEN 0 ELSE
(xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I', '{table}'), true, true, '')))[1]::text::bigint END"""


def count_rows(target: Target, tables: Mapping[str, str]) -> Mapping[str, int | None]:
    """Rows by the name of a table (name → real name): 0 when it or the database is not there, None when it cannot be told."""
    return {name: _count(target, table) for name, table in tables.items()}


def _count(target: Target, table: str) -> int | None:
    if not table.replace("_", "").isalnum():
        raise ValueError(table)
    try:
        return int(target.sql(_COUNT.format(table=table)).split()[-1])
    except LabError as error:
        return 0 if f'database "{target.database}" does not exist' in error.message else None
    except (ValueError, IndexError):
        return None
