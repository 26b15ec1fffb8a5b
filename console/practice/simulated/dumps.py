"""pg_dump and psql as a backup and its restore use them, on the tables of the simulated PostgreSQL.

Other databases of the server are copies of its tables in schemas of the embedded engine. A backup that was there from the
beginning holds the first rows. What differs from a real server: a dump takes no time, and sequences start anew.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from console.practice.simulated.catalogue import TableStats, catalogue
from console.practice.simulated.copies import Copies
from console.practice.simulated.dialect import engine_sql
from console.practice.simulated.tables import STATISTICS
from console.practice.simulated.world import World
from console.sources.postgres import dumps
from console.sources.protocols.engine import ExecResult

_ROWS = re.compile(r'^INSERT INTO "?(\w+)"?.*?;$', re.MULTILINE | re.DOTALL)
_SCRIPTS = (dumps.DUMP, dumps.INSPECT, dumps.LOAD, dumps.NOTE, dumps.PSQL)
_DUMP_BYTES = 24
"""Of a packed row, about."""


def is_dump_command(argv: Sequence[str]) -> bool:
    return len(argv) > 4 and argv[:2] == ("sh", "-c") and argv[2] in _SCRIPTS


def run(world: World, argv: Sequence[str]) -> ExecResult:
    """One of the commands of `sources.postgres.dumps`."""
    script, given, copies = argv[2], argv[4:], world.database.copies
    if script == dumps.INSPECT:
        return _inspect(world, copies, given[0])
    if script == dumps.NOTE:
        return _printed("")
    if not world.database.accepting(world.now):
        return _failed("psql: error: connection to server on socket failed: No such file or directory")
    if script == dumps.DUMP:
        return _dump(world, copies, given[0])
    if script == dumps.LOAD:
        source = _schema_of(world, copies, given[0])
        if source is None:
            return _failed(f"cat: {given[0]}: No such file or directory")
        copies.databases[given[3]] = _copied(world, copies, source)
        return _printed("")
    database = given[given.index("-d") + 1]
    variables = dict(item.split("=", 1) for word, item in pairwise(given) if word == "-v")
    return _psql(world, copies, given[0], database, variables)


def _psql(world: World, copies: Copies, sql: str, database: str, variables: Mapping[str, str]) -> ExecResult:
    server = world.database
    if sql == dumps.DATABASES:
        own = [server.name] if server.exists else []
        size = server.size_bytes()
        return _printed("".join(f"{name}|{server.user}|{size}\n" for name in ("postgres", *own, *copies.databases)))
    if sql == dumps.COUNTS:
        schema = "public" if database == server.name and server.exists else copies.databases.get(database)
        if schema is None:
            return _failed(f'psql: error: FATAL:  database "{database}" does not exist')
        return _printed("".join(f"public.{_quoted(name)}|{rows}\n" for name, rows in _counts(world, schema).items()))
    if sql == dumps.CREATE:
        copies.databases[variables["new"]] = ""
    elif sql == dumps.SWAP:
        if server.exists:
            copies.databases[variables["kept"]] = _copied(world, copies, "public")
        _put(world, copies.databases.pop(variables["new"]))
    elif sql == dumps.DROP:
        copies.databases.pop(variables["name"], None)
    return _printed("")


def _dump(world: World, copies: Copies, path: str) -> ExecResult:
    server, folder, name = world.database, *path.rpartition("/")[::2]
    if not server.exists:
        return _failed(f'pg_dump: error: FATAL:  database "{server.name}" does not exist')
    if server.volume.full or folder != server.volume.backup_path.rstrip("/"):
        return _failed(f"gzip: {path}.part: No space left on device")
    copies.files[name] = _copied(world, copies, "public")
    server.volume.add(name, _DUMP_BYTES * sum(server.tables.count().values()), world.now)
    return _printed("")


def _inspect(world: World, copies: Copies, path: str) -> ExecResult:
    schema = _schema_of(world, copies, path)
    if schema is None:
        return _failed(f"cat: {path}: No such file or directory")
    rows = "".join(f"rows|public.{_quoted(name)}|{rows}\n" for name, rows in _counts(world, schema).items())
    return _printed(f"{rows}complete\n")


def _schema_of(world: World, copies: Copies, path: str) -> str | None:
    """The schema with what a backup holds; None when there is no such file."""
    name = path.rpartition("/")[2]
    if name not in world.volume.files:
        return None
    if name not in copies.files:
        schema = copies.files[name] = _new(copies)
        sql = engine_sql(catalogue(world.database.system).sql)
        own = f"SET search_path = 'public,{STATISTICS}'"
        world.database.tables.run(f"CREATE SCHEMA {schema}; SET search_path = '{schema},{STATISTICS}'; {sql}; {own}")
    return copies.files[name]


def _copied(world: World, copies: Copies, source: str) -> str:
    schema, tables = _new(copies), world.database.tables
    parts = [f'CREATE TABLE {schema}."{name}" AS FROM {source}."{name}"' for name in _counts(world, source)]
    tables.run("; ".join((f"CREATE SCHEMA {schema}", *parts)))
    return schema


def _put(world: World, schema: str) -> None:
    """The tables of the service's database become those of a copy, with their keys and indexes."""
    server = world.database
    made = catalogue(server.system)
    server.create_empty()
    empty = engine_sql(_ROWS.sub("", made.sql))
    parts = [f'INSERT INTO public."{name}" FROM {schema}."{name}"' for name in made.tables if name in _counts(world, schema)]
    server.tables.run(";\n".join((empty.rstrip().rstrip(";"), *parts)))
    server.table_stats.update({name: TableStats() for name in made.tables})
    server.indexes.update(made.fresh_indexes())
    server.workload.damaged_indexes.clear()
    server.workload.damaged_blocks.clear()
    for name in made.tables:
        server.workload.forget(name)
    server.checksum_failures, server.checksum_failed_at = 0, None


def _counts(world: World, schema: str) -> dict[str, int]:
    tables = world.database.tables
    found = tables.run("SELECT table_name FROM duckdb_tables() WHERE schema_name = %(schema)s ORDER BY 1", {"schema": schema})
    names = [str(row["table_name"]) for row in found]
    if not names:
        return {}
    columns = ", ".join(f'(SELECT count(*) FROM {schema}."{name}") AS "{name}"' for name in names)  # noqa: S608 -- its own names
    return {name: int(rows) for name, rows in tables.run(f"SELECT {columns}")[0].items()}


def _new(copies: Copies) -> str:
    copies.made += 1
    return f"copy_{copies.made}"


def _quoted(name: str) -> str:
    return f'"{name}"' if name == "user" else name


def _printed(text: str) -> ExecResult:
    return ExecResult(0, text.encode(), b"")


def _failed(words: str) -> ExecResult:
    return ExecResult(1, b"", f"{words}\n".encode())
