# ruff: noqa: E501, S608 - tables of columns; nothing from outside is put in
"""The server's own views and functions in the embedded engine: tables that are filled from the world before a question."""

from typing import Final

VIEWS: Final = """
CREATE TABLE pg_settings (name varchar, setting varchar, unit varchar, context varchar, source varchar, boot_val varchar,
    reset_val varchar, pending_restart boolean);
CREATE TABLE pg_database (oid bigint, datname varchar, datallowconn boolean, datistemplate boolean);
CREATE TABLE pg_namespace (oid bigint, nspname varchar);
CREATE TABLE pg_roles (oid bigint, rolname varchar, rolsuper boolean, rolcanlogin boolean, rolconnlimit integer, rolvaliduntil timestamptz);
CREATE TABLE pg_extension (oid bigint, extname varchar, extversion varchar, extnamespace bigint);
CREATE TABLE pg_stat_database (datid bigint, datname varchar, numbackends integer, xact_commit bigint, xact_rollback bigint,
    blks_read bigint, blks_hit bigint, deadlocks bigint, conflicts bigint, temp_files bigint, temp_bytes bigint,
    checksum_failures bigint, checksum_last_failure timestamptz, stats_reset timestamptz);
CREATE TABLE pg_stat_user_tables (relid bigint, schemaname varchar, relname varchar, seq_scan bigint, seq_tup_read bigint,
    idx_scan bigint, idx_tup_fetch bigint, n_tup_ins bigint, n_tup_upd bigint, n_tup_del bigint, n_live_tup bigint, n_dead_tup bigint,
    n_mod_since_analyze bigint, last_vacuum timestamptz, last_autovacuum timestamptz, last_analyze timestamptz,
    last_autoanalyze timestamptz, vacuum_count bigint, autovacuum_count bigint, analyze_count bigint, autoanalyze_count bigint);
CREATE TABLE pg_statio_user_tables (relid bigint, schemaname varchar, relname varchar, heap_blks_read bigint, heap_blks_hit bigint,
    idx_blks_read bigint, idx_blks_hit bigint);
CREATE TABLE pg_stat_user_indexes (relid bigint, indexrelid bigint, schemaname varchar, relname varchar, indexrelname varchar,
    idx_scan bigint, idx_tup_read bigint, idx_tup_fetch bigint);
CREATE TABLE pg_index (indexrelid bigint, indrelid bigint, indisunique boolean, indisprimary boolean, indisvalid boolean,
    indisready boolean, indislive boolean);
CREATE TABLE pg_indexes (schemaname varchar, tablename varchar, indexname varchar, indexdef varchar);
CREATE TABLE pg_class (oid bigint, relname varchar, relnamespace bigint, relkind varchar, reltuples double, relpages bigint,
    relam bigint, relpersistence varchar);
CREATE TABLE pg_am (oid bigint, amname varchar);
CREATE TABLE pg_stat_statements (userid bigint, dbid bigint, queryid bigint, query varchar, calls bigint, total_exec_time double,
    mean_exec_time double, max_exec_time double, min_exec_time double, rows bigint);
CREATE TABLE pg_stat_activity (pid integer, backend_start timestamptz, datname varchar, usename varchar, application_name varchar,
    client_addr varchar, client_port integer, backend_type varchar, state varchar, wait_event_type varchar, wait_event varchar,
    query_start timestamptz, xact_start timestamptz, state_change timestamptz, query varchar);
CREATE TABLE pg_locks (locktype varchar, relation bigint, pid integer, mode varchar, granted boolean, waitstart timestamptz);
CREATE TABLE blocked_by (pid integer, blocker integer);
CREATE TABLE relation_sizes (relid bigint, relname varchar, bytes bigint, total_bytes bigint);
CREATE TABLE damaged_indexes (indexrelid bigint, name varchar);
CREATE TABLE damaged_blocks (relid bigint, block bigint);
CREATE TABLE wal_files (name varchar, size bigint, modification timestamptz);
CREATE TABLE server_state (database varchar, "user" varchar, bytes bigint, version varchar, started_at timestamptz);
"""
"""Those that PostgreSQL does not have (the last six) stand behind the functions below."""

_SIZE = """(SELECT max({what}) FROM statistics.relation_sizes WHERE relid::varchar = wanted::varchar
    OR relname = trim(replace(wanted::varchar, 'public.', ''), '"'))"""

FUNCTIONS: Final = (
    """
CREATE MACRO current_setting(wanted) AS (SELECT max(setting || CASE WHEN unit IN ('ms', 's', 'kB', '8kB', 'MB') THEN unit ELSE '' END)
    FROM statistics.pg_settings WHERE name = wanted), (wanted, missing_ok) AS (SELECT max(setting) FROM statistics.pg_settings WHERE name = wanted);
CREATE MACRO current_database() AS (SELECT max(database) FROM statistics.server_state);
CREATE MACRO version() AS (SELECT 'PostgreSQL ' || max(version) || ' on x86_64-pc-linux-gnu, 64-bit' FROM statistics.server_state);
CREATE MACRO pg_postmaster_start_time() AS (SELECT max(started_at) FROM statistics.server_state);
CREATE MACRO pg_is_in_recovery() AS false;
CREATE MACRO pg_backend_pid() AS 91;
CREATE MACRO pg_database_size(wanted) AS (SELECT max(bytes) FROM statistics.server_state WHERE database = wanted::varchar);
CREATE MACRO pg_blocking_pids(wanted) AS (SELECT coalesce(list(blocker), []) FROM statistics.blocked_by WHERE pid = wanted);
CREATE MACRO pg_ls_waldir() AS TABLE SELECT * FROM statistics.wal_files;
CREATE MACRO bt_index_check(wanted) AS (SELECT max(error('item order invariant violated for index "' || name || '"'))
    FROM statistics.damaged_indexes WHERE indexrelid = wanted);
CREATE MACRO pg_filenode_relation(space, wanted) AS (SELECT max(oid) FROM statistics.pg_class WHERE oid = wanted);
CREATE MACRO verify_heapam(wanted, stop, toast, skipped, first, last) AS TABLE SELECT block AS blkno,
    error('invalid page in block ' || block || ' of relation base/16385/' || relid) AS msg
    FROM statistics.damaged_blocks WHERE relid = wanted AND (first IS NULL OR block BETWEEN first AND last);
CREATE MACRO to_regclass(wanted) AS (SELECT max(relname) FROM statistics.relation_sizes
    WHERE relname = replace(replace(wanted, '"', ''), 'public.', ''));
"""
    + f"CREATE MACRO pg_relation_size(wanted) AS {_SIZE.format(what='bytes')};\n"
    + f"CREATE MACRO pg_table_size(wanted) AS {_SIZE.format(what='bytes')};\n"
    + f"CREATE MACRO pg_total_relation_size(wanted) AS {_SIZE.format(what='total_bytes')};\n"
    + f"CREATE MACRO pg_indexes_size(wanted) AS {_SIZE.format(what='total_bytes - bytes')};\n"
)
