-- sms_user owns its database and may watch and end sessions, as an operator's login would; it is no superuser.
CREATE ROLE sms_user LOGIN PASSWORD :'password';
GRANT pg_monitor, pg_signal_backend TO sms_user;
ALTER ROLE postgres PASSWORD :'password';
CREATE DATABASE student_management OWNER sms_user;
\connect student_management
CREATE EXTENSION pg_stat_statements;
