"""Faults of PostgreSQL that several systems have."""

import secrets
from typing import Any

from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.pieces import KEPT, Bites, statements
from console.practice.lab.target import Target


def rows_away(identity: str, title: str, table: str, where: str, **said: Any) -> LabFault:
    """Rows of a table that are missing; the way back brings those that nobody put there meanwhile."""
    kept = f'{KEPT}."{table}"'
    return statements(
        identity,
        title,
        [
            f"CREATE SCHEMA IF NOT EXISTS {KEPT}",
            f'CREATE TABLE IF NOT EXISTS {kept} AS SELECT * FROM "{table}" WHERE {where}',  # noqa: S608 (our own names)
            f'DELETE FROM "{table}" WHERE {where}',  # noqa: S608 (our own names)
        ],
        [
            f"DO $$ BEGIN IF to_regclass('{kept}') IS NOT NULL THEN "  # noqa: S608 (our own names)
            f'INSERT INTO "{table}" SELECT * FROM {kept} ON CONFLICT DO NOTHING; END IF; END $$',
            f"DROP SCHEMA IF EXISTS {KEPT} CASCADE",
        ],
        f'SELECT NOT EXISTS (SELECT FROM "{table}" WHERE {where})',  # noqa: S608 (our own names)
        **said,
    )


def emptied(identity: str, title: str, table: str, owner: str, **said: Any) -> LabFault:
    """A table without a row; the way back brings the whole table as it was."""
    kept = f'{KEPT}."{table}"'
    return statements(
        identity,
        title,
        [
            f"CREATE SCHEMA IF NOT EXISTS {KEPT}",
            f'ALTER TABLE public."{table}" SET SCHEMA {KEPT}',
            f'CREATE TABLE public."{table}" (LIKE {kept} INCLUDING ALL)',
            f'ALTER TABLE public."{table}" OWNER TO {owner}',
            f"GRANT USAGE ON SCHEMA {KEPT} TO {owner}",
        ],
        [
            f"DO $$ BEGIN IF to_regclass('{kept}') IS NOT NULL THEN DROP TABLE IF EXISTS public.\"{table}\"; "
            f"ALTER TABLE {kept} SET SCHEMA public; END IF; END $$",
            f"DROP SCHEMA IF EXISTS {KEPT} CASCADE",
        ],
        f'SELECT NOT EXISTS (SELECT FROM "{table}")',  # noqa: S608 (our own names)
        **said,
    )


def index_missing(identity: str, title: str, index: str, table: str, columns: str, **said: Any) -> LabFault:
    """An index that is not there; the way back makes it unless somebody did."""
    return statements(
        identity,
        title,
        [f"DROP INDEX IF EXISTS {index}"],
        [f"CREATE INDEX IF NOT EXISTS {index} ON {table} ({columns})"],
        f"SELECT to_regclass('{index}') IS NULL",
        **said,
    )


def dead_rows(identity: str, title: str, table: str, column: str, **said: Any) -> LabFault:
    """A table that is mostly dead rows, its statistics old, because nothing vacuums it."""
    rewrite = f"UPDATE {table} SET {column} = {column}"  # noqa: S608 (our own names)
    return statements(
        identity,
        title,
        [f"ALTER TABLE {table} SET (autovacuum_enabled = false)", f"ANALYZE {table}", *[rewrite] * 3],
        [f"ALTER TABLE {table} RESET (autovacuum_enabled)", f"VACUUM (FULL, ANALYZE) {table}"],
        f"SELECT n_dead_tup > n_live_tup AND n_dead_tup > 10000 FROM pg_stat_user_tables WHERE relname = '{table}'",  # noqa: S608
        **said,
    )


def password_changed(identity: str, title: str, bites: Bites, **said: Any) -> LabFault:
    """The application's password was changed in the database alone; whoever keeps its settings knows the one that it has."""

    def inject(target: Target, _notes: Notes) -> None:
        target.sql(f"ALTER ROLE {target.user} PASSWORD '{secrets.token_hex(12)}'")
        target.drop_backend_sessions()

    def undo(target: Target, _notes: Notes) -> None:
        target.start_database()
        target.sql(f"ALTER ROLE {target.user} PASSWORD '{target.password()}'")

    def known(target: Target) -> Notes:
        return {"new_password": target.password()}

    return LabFault(identity, title, inject, bites, undo, **{"inputs": known, **said})


def database_missing(identity: str, title: str, bites: Bites, **said: Any) -> LabFault:
    """The application's database is not there under its name."""

    def inject(target: Target, _notes: Notes) -> None:
        name = target.database
        target.sql(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false", "postgres")
        target.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'", "postgres")  # noqa: S608
        target.sql(f"ALTER DATABASE {name} RENAME TO {name}_old", "postgres")

    def undo(target: Target, _notes: Notes) -> None:
        name = target.database
        target.start_database()
        if target.sql(f"SELECT count(*) FROM pg_database WHERE datname = '{name}_old'", "postgres") != "0":  # noqa: S608
            target.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", "postgres")
            target.sql(f"ALTER DATABASE {name}_old RENAME TO {name}", "postgres")
        target.sql(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true", "postgres")

    return LabFault(identity, title, inject, bites, undo, **said)
