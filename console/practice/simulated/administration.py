"""Statements that administer the simulated PostgreSQL: each changes the world as it would change a server."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from console.practice.simulated.catalogue import Index
from console.practice.simulated.dialect import PostgresError

if TYPE_CHECKING:
    from console.practice.simulated.postgres import PostgresServer

_NAME = r'(?:"?public"?\.)?"?(\w+)"?'
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def execute(server: "PostgresServer", statement: str, now: float) -> None:
    """Run one statement outside a transaction. Raises PostgresError as the server would word it."""
    text = " ".join(_COMMENT.sub(" ", statement).strip().rstrip(";").split())
    for pattern, run in _STATEMENTS:
        found = pattern.match(text)
        if found:
            run(server, found, now)
            return
    server.tables.tell_time(now)
    server.tables.run(text)


def _create_index(server: "PostgresServer", found: re.Match[str], now: float) -> None:
    unique, concurrently, lenient, name, table, columns = found.groups()
    _must_hold_no_lock(server, table, concurrently=bool(concurrently))
    if name in server.indexes:
        if lenient:
            return
        raise PostgresError("42P07", f'relation "{name}" already exists')
    _must_be_there(server, table)
    keys = tuple(column.strip().strip('"').split(" ")[0] for column in columns.split(","))
    if server.volume.full:
        if concurrently:
            server.indexes[name] = Index(table, keys, valid=False, unique=bool(unique))
        server.complain_of_space(now)
        raise PostgresError("53100", f'could not extend file "base/16385/16631": No space left on device ({name})')
    server.indexes[name] = Index(table, keys, unique=bool(unique))


def _drop_index(server: "PostgresServer", found: re.Match[str], now: float) -> None:  # noqa: ARG001 - as its likes
    lenient, name = found.groups()
    index = server.indexes.get(name)
    if index is None:
        if lenient:
            return
        raise PostgresError("42704", f'index "{name}" does not exist')
    _must_hold_no_lock(server, index.table)
    del server.indexes[name]
    server.workload.damaged_indexes.discard(name)
    server.workload.forget(name)


def _analyze(server: "PostgresServer", found: re.Match[str], now: float) -> None:
    _look_after(server, _tables(server, found[1]), now, analyze=True)


def _vacuum(server: "PostgresServer", found: re.Match[str], now: float) -> None:
    options = f"{found[1] or ''} {found[2] or ''}".upper()
    tables = _tables(server, found[3])
    full = "FULL" in options
    for table in tables:
        _must_hold_no_lock(server, table, concurrently=not full)
    _look_after(server, tables, now, vacuum=True, full=full, analyze="ANALYZE" in options)


def _look_after(
    server: "PostgresServer",
    tables: tuple[str, ...],
    now: float,
    *,
    analyze: bool = False,
    vacuum: bool = False,
    full: bool = False,
) -> None:
    for table in tables or tuple(server.table_stats):
        stats = server.table_stats.get(table)
        if stats is None:
            continue
        if vacuum:
            if not full and stats.dead and stats.live is not None:
                # The space stays with the table, free for new rows: only FULL gives it back.
                stats.row_bytes = stats.row_bytes * (stats.live + stats.dead) // max(1, stats.live)
            elif full:
                server.volume.data_bytes -= min(server.volume.data_bytes // 2, stats.dead * stats.row_bytes)
                stats.row_bytes = min(stats.row_bytes, 96)
            stats.dead, stats.vacuumed_at = 0, now
        if analyze:
            stats.changed, stats.analyzed_at = 0, now
    for what, done in (("vacuum", vacuum), ("analyze", analyze)):
        if done:
            server.workload.cure(what, tables)


def _reindex(server: "PostgresServer", found: re.Match[str], now: float) -> None:  # noqa: ARG001 - as its likes
    kind, name = found[1].upper(), found[2]
    wanted = [key for key, index in server.indexes.items() if kind in ("DATABASE", "SCHEMA") or name in (key, index.table)]
    if not wanted and kind in ("INDEX", "TABLE"):
        raise PostgresError("42P01", f'relation "{name}" does not exist')
    if server.checksum_failures and server.damaged:
        raise PostgresError("XX001", "invalid page in block 1187 of relation base/16385/16417")
    for key in wanted:
        server.indexes[key].valid = True
        server.workload.damaged_indexes.discard(key)
    server.workload.cure("reindex", tuple({server.indexes[key].table for key in wanted}))


def _alter_system(server: "PostgresServer", found: re.Match[str], now: float) -> None:  # noqa: ARG001 - as its likes
    server.settings.alter(found[1], found[2].strip().strip("'"))


def _reset_system(server: "PostgresServer", found: re.Match[str], now: float) -> None:  # noqa: ARG001 - as its likes
    server.settings.reset(found[1])


def _reload(server: "PostgresServer", found: re.Match[str], now: float) -> None:  # noqa: ARG001 - as its likes
    server.reload(now)


def _alter_role(server: "PostgresServer", found: re.Match[str], now: float) -> None:  # noqa: ARG001 - as its likes
    server.set_password(found[1], found[2].replace("''", "'"))


def _create_database(server: "PostgresServer", found: re.Match[str], now: float) -> None:  # noqa: ARG001 - as its likes
    if found[1] == "postgres" or (found[1] == server.name and server.exists):
        raise PostgresError("42P04", f'database "{found[1]}" already exists')
    if found[1] == server.name:
        server.create_empty()


def _create_extension(server: "PostgresServer", found: re.Match[str], now: float) -> None:  # noqa: ARG001 - as its likes
    versions = {"pg_stat_statements": "1.10", "amcheck": "1.3"}
    if found[1] not in versions:
        raise PostgresError("0A000", f'extension "{found[1]}" is not available')
    server.extensions[found[1]] = versions[found[1]]


def _tables(server: "PostgresServer", text: str | None) -> tuple[str, ...]:
    names = tuple(part.strip().replace('"', "").removeprefix("public.") for part in (text or "").split(",") if part.strip())
    for name in names:
        _must_be_there(server, name)
    return names


def _must_be_there(server: "PostgresServer", table: str) -> None:
    if table not in server.table_stats:
        raise PostgresError("42P01", f'relation "{table}" does not exist')


def _must_hold_no_lock(server: "PostgresServer", table: str, *, concurrently: bool = False) -> None:
    if any(lock.table == table for lock in server.locks.held):
        late = "statement" if concurrently else "lock"
        raise PostgresError("57014" if concurrently else "55P03", f"canceling statement due to {late} timeout")


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(f"^{text}$", re.IGNORECASE)


_STATEMENTS: tuple[tuple[re.Pattern[str], Callable[["PostgresServer", re.Match[str], float], None]], ...] = (
    (
        _pattern(
            rf'CREATE (UNIQUE )?INDEX (CONCURRENTLY )?(IF NOT EXISTS )?"?(\w+)"? ON (?:ONLY )?{_NAME} ?(?:USING btree ?)?\((.*)\)'
        ),
        _create_index,
    ),
    (_pattern(rf"DROP INDEX (?:CONCURRENTLY )?(IF EXISTS )?{_NAME}"), _drop_index),
    (_pattern(r"ANALYZE(?: VERBOSE)?( .+)?"), _analyze),
    (_pattern(r"VACUUM(?: ?\(([^)]*)\))?((?: FULL| ANALYZE| VERBOSE| FREEZE)*)( .+)?"), _vacuum),
    (_pattern(rf"REINDEX (?:\([^)]*\) )?(INDEX|TABLE|DATABASE|SCHEMA|SYSTEM) (?:CONCURRENTLY )?{_NAME}"), _reindex),
    (_pattern(r'ALTER SYSTEM SET "?(\w+)"? (?:=|TO) (.+)'), _alter_system),
    (_pattern(r'ALTER SYSTEM SET "?(\w+)"?=(.+)'), _alter_system),
    (_pattern(r'ALTER SYSTEM RESET "?(\w+)"?'), _reset_system),
    (_pattern(r"SELECT pg_reload_conf ?\(\)(?: AS \w+)?"), _reload),
    (_pattern(r"""ALTER (?:ROLE|USER) "?(\w+)"? (?:WITH )?(?:ENCRYPTED )?PASSWORD '(.*)'"""), _alter_role),
    (_pattern(r'CREATE DATABASE "?(\w+)"?(?: .*)?'), _create_database),
    (_pattern(r'CREATE EXTENSION (?:IF NOT EXISTS )?"?(\w+)"?(?: .*)?'), _create_extension),
)
