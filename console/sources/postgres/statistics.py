"""Questions to the statistics of PostgreSQL 12–18 that checks ask through `Database.select`: constants, columns below each.

They are kept plain, so that the embedded engine of the simulated stack answers them too, on tables and macros of the same
names: no casts to regclass, no pretty sizes, no arrays. Ages are told by the server's own clock. Values are bound as `%(name)s`.

What reads a file of the server or waits for a lock (sizes) stands apart from what only reads counters: a table that is being
rewritten must not hide the counters of all others.
"""

from typing import Final

EXTENSION: Final = """
/* triage: extension */
SELECT e.extversion AS version, n.nspname AS schema
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = %(name)s
"""
"""One row when the extension is created in this database: version text (`1.10`), schema text."""

DATABASE: Final = """
/* triage: database */
SELECT deadlocks, conflicts, checksum_failures,
       extract(epoch FROM now() - stats_reset) AS counted_for_s
FROM pg_stat_database
WHERE datname = current_database()
"""
"""One row. checksum_failures is NULL when the cluster has no data checksums (12 and later); counted_for_s NULL: never reset."""

DATABASE_COUNTERS: Final = """
/* triage: database counters */
SELECT deadlocks, blks_hit AS hits, blks_read AS reads, extract(epoch FROM now() - stats_reset) AS counted_for_s
FROM pg_stat_database
WHERE datname = current_database()
"""
"""One row. hits and reads are blocks wanted and found in the buffers, or not; hits / (hits + reads) is the cache's hit rate."""

CLOCK: Final = "/* triage: clock */ SELECT extract(epoch FROM now()) AS now"
"""One row: the server's time, Unix seconds."""

TABLES: Final = """
/* triage: tables */
SELECT schemaname, relname, n_live_tup AS live, n_dead_tup AS dead, n_mod_since_analyze AS changed,
       seq_scan AS seq_scans, idx_scan AS index_scans,
       extract(epoch FROM now() - greatest(last_analyze, last_autoanalyze)) AS analyze_age_s,
       extract(epoch FROM now() - greatest(last_vacuum, last_autovacuum)) AS vacuum_age_s
FROM pg_stat_user_tables
ORDER BY n_dead_tup DESC, relname
"""
"""A row a table of this database. index_scans is NULL for a table without an index; an age is NULL when it never happened
(greatest() leaves NULLs out)."""

TABLE_SIZES: Final = """
/* triage: table sizes */
SELECT schemaname, relname, pg_total_relation_size(relid) AS bytes, pg_relation_size(relid) AS table_bytes
FROM pg_stat_user_tables
ORDER BY 3 DESC, relname
LIMIT 20
"""
"""The largest tables: `bytes` with indexes and TOAST, `table_bytes` the heap alone. Waits for a table that is being rewritten."""

DATABASE_SIZE: Final = "/* triage: size */ SELECT pg_database_size(current_database()) AS database_bytes"

WAL_SIZE: Final = "/* triage: wal */ SELECT sum(size) AS wal_bytes FROM pg_ls_waldir()"
"""pg_ls_waldir() needs pg_monitor."""

INDEXES: Final = """
/* triage: indexes */
SELECT s.indexrelid AS id, s.schemaname, s.relname, s.indexrelname, s.idx_scan AS scans,
       i.indisvalid AS valid, i.indisunique AS uniq, d.indexdef AS definition
FROM pg_stat_user_indexes s
JOIN pg_index i ON i.indexrelid = s.indexrelid
JOIN pg_indexes d ON d.schemaname = s.schemaname AND d.indexname = s.indexrelname
ORDER BY s.schemaname, s.relname, s.indexrelname
"""
"""A row an index, also those that are not valid (left behind by CREATE INDEX CONCURRENTLY that failed). `definition` is
the CREATE INDEX statement as PostgreSQL writes it; uniq is true for primary keys as well."""

FILE: Final = """
/* triage: file */
SELECT d.oid AS database, c.oid AS id, n.nspname AS schemaname, c.relname, c.relkind AS kind
FROM pg_database d
LEFT JOIN pg_class c ON c.oid = pg_filenode_relation(%(tablespace)s, %(file)s)
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE d.datname = current_database()
"""
"""One row: the number of this database, and which relation of it has that file (`base/DATABASE/FILE` is of tablespace 1663);
id is NULL when none has it any more: VACUUM FULL, REINDEX and TRUNCATE write into a new file."""

BLOCKS: Final = """
/* triage: blocks */
SELECT pg_relation_size(%(table)s) / CAST(current_setting('block_size') AS bigint) AS blocks
"""
"""One row: how many pages the table `%(table)s` (its oid) has."""

SETTING: Final = """
/* triage: setting */
SELECT name, setting, unit, context, source, pending_restart, boot_val
FROM pg_settings
WHERE name = %(name)s
"""
"""No row: there is no such setting, or our role may not see it (pg_read_all_settings, in pg_monitor)."""

STATEMENTS_EXTENSION: Final = "pg_stat_statements"
INTEGRITY_EXTENSION: Final = "amcheck"
STATEMENTS_LISTED: Final = 50

_STATEMENTS: Final = """
/* triage: slowest statements */
SELECT s.query, s.calls, s.{total} AS total_ms, s.{mean} AS mean_ms, s.{max} AS max_ms, s.rows,
       sum(s.{total}) OVER () AS all_ms, extract(epoch FROM now()) AS now
FROM {view} s JOIN pg_database d ON d.oid = s.dbid
WHERE d.datname = current_database() AND s.calls > 0 AND position('/* triage' in s.query) = 0
ORDER BY s.{order} DESC
LIMIT {limit}
"""


def statements(version: str, schema: str = "public", *, by_calls: bool = False) -> str:
    """The 50 slowest statements of this database (by mean time), or those most often called, since the statistics were reset.

    Columns query, calls, total_ms, mean_ms, max_ms, rows, all_ms (total of all statements), now (server time, Unix seconds).
    `version` is the extension's, from EXTENSION, not the server's: after pg_upgrade it stays old. Until 1.7 (PostgreSQL 12)
    the columns are called total_time, mean_time, max_time; from 1.8 on total_exec_time, mean_exec_time, max_exec_time.
    """
    times = ("total_time", "mean_time", "max_time")
    if _number(version) >= (1, 8):
        times = ("total_exec_time", "mean_exec_time", "max_exec_time")
    total, mean, most = times
    view = STATEMENTS_EXTENSION if schema in ("", "public") else f"{quoted(schema)}.{STATEMENTS_EXTENSION}"
    order = "calls" if by_calls else mean
    return _STATEMENTS.format(total=total, mean=mean, max=most, view=view, order=order, limit=STATEMENTS_LISTED)


def index_check(schema: str = "public") -> str:
    """amcheck of one B-tree, `%(index)s` its oid: an error with SQLSTATE XX002 when it is damaged. Takes AccessShareLock only."""
    where = "FROM pg_stat_user_indexes WHERE indexrelid = %(index)s"
    return f"/* triage: index check */ SELECT {_amcheck('bt_index_check', schema)}(indexrelid) {where}"


def heap_check(schema: str = "public") -> str:
    """amcheck of one page of a table, `%(table)s` its oid, `%(block)s` the page: a row with `said` for each fault found in it,
    an error with SQLSTATE XX001 when the page cannot be read. amcheck 1.3 (PostgreSQL 14) and later."""
    page = "(%(table)s, false, false, 'none', %(block)s, %(block)s)"
    return f"/* triage: heap check */ SELECT msg AS said FROM {_amcheck('verify_heapam', schema)}{page}"  # noqa: S608 (no values)


def all_tables_check(schema: str = "public") -> str:
    """amcheck of every table, the server's own ones among them: one row, how many `tables`, and in `faults` how much was found;
    an error with SQLSTATE XX001 when a page cannot be read."""
    return f"""
/* triage: all tables */
SELECT count(*) AS tables, sum((
    SELECT count(f.msg) FROM {_amcheck("verify_heapam", schema)}(c.oid, false, false, 'none', NULL, NULL) f
)) AS faults
FROM pg_class c
WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't'
"""  # noqa: S608 (a quoted name)


def all_trees_check(schema: str = "public") -> str:
    """amcheck of every index: one row, how many `trees`, and `others`, of which it cannot tell. An error as with index_check."""
    function = _amcheck("bt_index_check", schema)
    return f"""
/* triage: all trees */
SELECT count(*) FILTER (WHERE a.amname = 'btree') AS trees, count(*) FILTER (WHERE a.amname <> 'btree') AS others,
       count(CASE WHEN a.amname = 'btree' THEN {function}(c.oid)::text END) AS looked_at
FROM pg_class c JOIN pg_am a ON a.oid = c.relam JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.relkind = 'i' AND c.relpersistence <> 't' AND i.indisvalid
"""  # noqa: S608 (a quoted name)


def _amcheck(function: str, schema: str) -> str:
    return function if schema in ("", "public") else f"{quoted(schema)}.{function}"


def present(names: int) -> str:
    """Which of so many tables are there: one row, columns t0, t1 …, values bound as the same names, quoted as in SQL."""
    columns = ", ".join(f"to_regclass(%(t{number})s) IS NOT NULL AS t{number}" for number in range(names))
    return f"/* triage: present */ SELECT {columns}"


def quoted(name: str) -> str:
    """A name of SQL as the server must take it: `users` → `"users"`, `public.users` → `"public"."users"`."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
