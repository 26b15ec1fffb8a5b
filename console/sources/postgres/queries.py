"""The SQL that the console asks, for PostgreSQL 12–18. Every statement names the program, so that a server log tells who asked.

Where versions differ, a function takes the server's version number (150004 is 15.4) and leaves out what is not there.
"""

PROGRAM = "triage"
"""Our application_name, and the tag of every statement."""

FIRST_VERSION = 120000

SETTINGS = """
/* triage: settings */
SET statement_timeout = {statement_ms};
SET lock_timeout = {lock_ms};
SET idle_in_transaction_session_timeout = 10000;
SET default_transaction_read_only = {read_only};
"""
"""Sent as SET after the login, not as start-up options: PgBouncer refuses those. A monitor must not wait behind the locks
that it reports (lock_timeout), nor become the session idle in transaction that it warns of."""

SERVER = """
/* triage: server */
SELECT current_setting('server_version') AS server_version,
       current_setting('max_connections')::int AS max_connections,
       current_setting('superuser_reserved_connections')::int
           + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved_connections,
       pg_size_bytes(current_setting('track_activity_query_size'))::int AS query_size_bytes,
       pg_is_in_recovery() AS in_recovery,
       extract(epoch FROM pg_postmaster_start_time())::float8 AS started_at,
       extract(epoch FROM clock_timestamp())::float8 AS now,
       xact_commit AS commits, xact_rollback AS rollbacks, blks_hit AS hits, blks_read AS reads, deadlocks
FROM pg_stat_database
WHERE datname = current_database()
"""
"""One row. reserved_connections (the setting) is there since 16. Cache hits as everybody counts them, blks_hit / (blks_hit +
blks_read) of pg_stat_database, but of an interval: since the last reset it says nothing of now."""

SESSIONS = """
/* triage: sessions */
SELECT pid,
       extract(epoch FROM backend_start)::float8 AS backend_start,
       datname, usename, application_name,
       CASE WHEN client_port = -1 THEN 'local' ELSE host(client_addr) || ':' || client_port END AS client,
       backend_type, state, wait_event_type, wait_event,
       extract(epoch FROM clock_timestamp() - query_start)::float8 AS query_age_s,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS transaction_age_s,
       extract(epoch FROM clock_timestamp() - state_change)::float8 AS state_age_s,
       query
FROM pg_stat_activity
"""
"""Every backend, for an autovacuum worker can block too. No WHERE on state: without pg_monitor it is NULL for other users'
sessions, and `state <> 'idle'` would drop them. clock_timestamp(): now() stands still in a transaction. The query is not cut
with left(): it may hold another database's encoding, and string functions refuse that."""

SIZE = "/* triage: size */ SELECT pg_database_size(current_database()) AS size_bytes"

PRIVILEGES = """
/* triage: privileges */
SELECT rolname::text AS name, rolsuper AS superuser,
       pg_has_role(oid, 'pg_read_all_stats', 'USAGE') AS sees_all_sessions,
       pg_has_role(oid, 'pg_signal_backend', 'USAGE') AS may_signal
FROM pg_roles
WHERE rolname = %(user)s
"""
"""pg_monitor holds pg_read_all_stats. USAGE, not MEMBER: the server asks for inherited rights too."""

# None of the strings below is put together with anything from outside: hence S608 is wrong.
_SAME_SESSION = "pid = %(pid)s AND abs(extract(epoch FROM backend_start)::float8 - %(backend_start)s::float8) < 0.001"

SIGNAL = f"""
/* triage: {{function}} */
SELECT backend_type, ours,
       CASE WHEN backend_type = 'client backend' AND NOT ours THEN {{function}}(pid) END AS sent
FROM (SELECT pid, backend_type,
             pid = ANY(%(own)s::int[]) OR coalesce(application_name, '') = '{PROGRAM}' AS ours
      FROM pg_stat_activity
      WHERE {_SAME_SESSION}) AS target
"""  # noqa: S608
"""pg_cancel_backend or pg_terminate_backend, in the very statement that finds the session: a pid is used again. No row: gone."""

OWNER = f"""
/* triage: owner */
SELECT coalesce((SELECT rolsuper FROM pg_roles WHERE oid = usesysid), false) AS superuser
FROM pg_stat_activity
WHERE {_SAME_SESSION}
"""  # noqa: S608
"""Whose session it is that we may not signal."""

STILL_THERE = f"/* triage: still there */ SELECT 1 AS one FROM pg_stat_activity WHERE {_SAME_SESSION}"  # noqa: S608


def waits(version: int) -> str:
    """What each of `%(pids)s` waits for and who holds it up; one row a pid.

    pg_blocking_pids() knows every kind of lock, queues and parallel groups, which joins over pg_locks do not; 0 stands for a
    prepared transaction. It briefly locks the lock manager, so ask for waiting sessions only. waitstart is there since 14.
    A row lock is waited for as a transaction id: the table is told by the tuple lock that the first in the queue holds.
    """
    waitstart = "extract(epoch FROM wanted.waitstart)::float8" if version >= 140000 else "NULL::float8"
    return f"""
/* triage: waits */
WITH locks AS MATERIALIZED (SELECT * FROM pg_locks WHERE pid = ANY(%(pids)s::int[])),
     here AS (SELECT oid FROM pg_database WHERE datname = current_database())
SELECT waiting.pid, pg_blocking_pids(waiting.pid) AS blockers, wanted.mode, {waitstart} AS waiting_since,
       CASE WHEN wanted.locktype = 'advisory' THEN format('advisory %%s:%%s', wanted.classid, wanted.objid)
            WHEN coalesce(wanted.relation, held.relation) IS NULL THEN wanted.locktype
            WHEN coalesce(wanted.database, held.database) IN (0, (SELECT oid FROM here))
                THEN coalesce(wanted.relation, held.relation)::regclass::text
            ELSE format('relation %%s', coalesce(wanted.relation, held.relation)) END AS relation
FROM unnest(%(pids)s::int[]) AS waiting(pid)
LEFT JOIN (SELECT DISTINCT ON (pid) * FROM locks WHERE NOT granted) AS wanted ON wanted.pid = waiting.pid
LEFT JOIN (SELECT DISTINCT ON (pid) * FROM locks WHERE granted AND locktype = 'tuple') AS held
    ON held.pid = waiting.pid AND wanted.locktype = 'transactionid'
"""  # noqa: S608
