-- The application's login owns its database and may watch and end sessions, as an operator's would; it is no superuser,
-- except where the system's own runbook logs in as postgres.
ALTER ROLE postgres PASSWORD :'password';
\if :own_login
CREATE ROLE :"user" LOGIN CREATEDB PASSWORD :'password';
GRANT pg_monitor, pg_signal_backend TO :"user";
GRANT ALTER SYSTEM, SET ON PARAMETER log_min_duration_statement TO :"user";
\endif
CREATE DATABASE :"database" OWNER :"user";
\connect :"database"
CREATE EXTENSION pg_stat_statements;
CREATE EXTENSION amcheck;
\if :own_login
GRANT EXECUTE ON FUNCTION pg_reload_conf(), pg_stat_statements_reset(oid, oid, bigint) TO :"user";
GRANT EXECUTE ON FUNCTION bt_index_check(regclass), bt_index_check(regclass, boolean) TO :"user";
\endif
