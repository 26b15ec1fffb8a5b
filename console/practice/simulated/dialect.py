"""Where the embedded engine differs from PostgreSQL: placeholders, types, functions, and the words of errors."""

import re
from collections.abc import Mapping
from typing import Any

MACROS = """
CREATE TYPE jsonb AS json;
CREATE TYPE regclass AS varchar;
CREATE TYPE name AS varchar;
CREATE TYPE inet AS varchar;
CREATE MACRO now() AS getvariable('world_now');
CREATE MACRO clock_timestamp() AS getvariable('world_now');
CREATE MACRO statement_timestamp() AS getvariable('world_now');
CREATE MACRO transaction_timestamp() AS getvariable('world_now');
CREATE MACRO get_current_timestamp() AS getvariable('world_now');
CREATE MACRO current_localtimestamp() AS getvariable('world_now')::timestamp;
CREATE MACRO current_date() AS getvariable('world_now')::date;
CREATE MACRO generate_series(first, last) AS TABLE SELECT unnest(range(first, last + 1))::integer AS n;
CREATE MACRO format(pattern, value) AS replace(pattern, '%s', value::varchar);
CREATE MACRO encode(value, form) AS value::varchar;
CREATE MACRO pg_size_pretty(size) AS CASE WHEN abs(size) < 10240 THEN size || ' bytes'
    WHEN abs(size) < 10485760 THEN round(size / 1024.0)::bigint || ' kB'
    WHEN abs(size) < 10737418240 THEN round(size / 1048576.0)::bigint || ' MB'
    ELSE round(size / 1073741824.0)::bigint || ' GB' END;
CREATE MACRO quote_ident(value) AS value;
CREATE MACRO to_char(moment, form) AS CASE form WHEN 'YYYY-MM-DD' THEN strftime(moment, '%Y-%m-%d')
    WHEN 'YYYY-MM-DD HH24:MI:SS' THEN strftime(moment, '%Y-%m-%d %H:%M:%S') ELSE moment::varchar END;
CREATE MACRO make_interval(secs) AS to_milliseconds((secs * 1000)::bigint);
"""

_PLACEHOLDER = re.compile(r"%\((\w+)\)s|%%")
_REFERENCES = re.compile(r' REFERENCES "?\w+"? \(\w+\)')
_TABLE = re.compile(r'^CREATE TABLE ("?)(\w+)\1 \(\n(.*?)^\);$', re.MULTILINE | re.DOTALL)
_SERIAL = re.compile(r"^( *)(\w+)( +)(big)?serial\b", re.MULTILINE)
_WRITES = re.compile(
    r"\b(INSERT|UPDATE|DELETE|MERGE|COPY|(?:CREATE|DROP|ALTER|TRUNCATE)(?: TABLE| INDEX)?|VACUUM|ANALYZE|REINDEX)\b",
    re.IGNORECASE,
)


class PostgresError(Exception):
    """What the server answers to a statement that it does not run; `sqlstate` as in its manual's appendix A."""

    def __init__(self, sqlstate: str, message: str) -> None:
        self.sqlstate = sqlstate
        super().__init__(message)


def bound(sql: str, params: Mapping[str, Any] | None) -> tuple[str, dict[str, Any]]:
    """A statement with the engine's placeholders, and the values of those that it has. As with the driver, `%%` is a percent
    sign only where values are given."""
    text = re.sub(r"\bpg_catalog\.", "", sql)
    if params is None:
        return text, {}
    used: dict[str, Any] = {}

    def placed(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "%"
        if name not in params:
            raise PostgresError("42P02", f"query parameter missing: {name}")
        used[name] = params[name]
        return f"${name}"

    return _PLACEHOLDER.sub(placed, text), used


def engine_sql(sql: str) -> str:
    """A schema file in PostgreSQL's words for the engine, which has sequences but no `serial`. References are left out: it
    cannot change a row that another one refers to."""

    def table(match: re.Match[str]) -> str:
        name, before = match[2], []

        def column(found: re.Match[str]) -> str:
            sequence = f"{name}_{found[2]}_seq"
            before.append(f"CREATE SEQUENCE {sequence};\n")
            return f"{found[1]}{found[2]}{found[3]}{'bigint' if found[4] else 'integer'} DEFAULT nextval('{sequence}')"

        whole = _SERIAL.sub(column, match[0])
        return "".join(before) + whole

    return _TABLE.sub(table, _REFERENCES.sub("", sql))


# What the engine says, the SQLSTATE of PostgreSQL for it, and PostgreSQL's words; the first that matches decides.
_ERRORS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), state, words)
    for pattern, state, words in (
        (r"item order invariant violated for index \"(\w+)\"", "XX002", 'item order invariant violated for index "{0}"'),
        (r"(invalid page in block \d+ of relation [\w/]+)", "XX001", "{0}"),
        (r"SELECT clause without selection list", "42601", "syntax error at end of input"),
        (r"(?:Table|View) with name \"?([\w.]+?)\"? does not exist", "42P01", 'relation "{0}" does not exist'),
        (r"Schema with name \"?(\w+)\"? does not exist", "3F000", 'schema "{0}" does not exist'),
        (r"Function with name \"?(\w+)\"? does not exist", "42883", "function {0}() does not exist"),
        (r"[Tt]ype with name \"?(\w+)\"? does not exist", "42704", 'type "{0}" does not exist'),
        (r"Referenced column \"(\w+)\" not found", "42703", 'column "{0}" does not exist'),
        (r"Table \"(\w+)\" does not have a column named \"(\w+)\"", "42703", "column {0}.{1} does not exist"),
        (r"Referenced table \"(\w+)\" not found", "42P01", 'missing FROM-clause entry for table "{0}"'),
        (r"column \"(\w+)\" must appear in the GROUP BY", "42803", 'column "{0}" must appear in the GROUP BY clause'),
        (r"syntax error at or near \"(.*?)\"", "42601", 'syntax error at or near "{0}"'),
        (r"syntax error at end of input", "42601", "syntax error at end of input"),
        (r"Could not convert string '(.*?)' to", "22P02", 'invalid input syntax: "{0}"'),
        (r"NOT NULL constraint failed: \w+\.(\w+)", "23502", 'null value in column "{0}" violates not-null constraint'),
        (r"[Dd]uplicate key", "23505", "duplicate key value violates unique constraint"),
        (
            r"Values were not provided for the following prepared statement parameters: (\w+)",
            "42P02",
            "there is no parameter {0}",
        ),
        (r"INTERRUPT", "57014", "canceling statement due to statement timeout"),
        (r"file system operations are disabled|not allowed", "42501", "permission denied"),
    )
)


def refused_write(sql: str) -> PostgresError:
    """What a READ ONLY transaction answers to a statement that writes."""
    verb = _WRITES.search(sql)
    what = verb[1].upper() if verb else "nextval()" if "nextval" in sql.lower() else sql.split(None, 1)[0].upper()
    return PostgresError("25006", f"cannot execute {what} in a read-only transaction")


def postgres_error(error: Exception, sql: str) -> PostgresError:
    """The engine's error as PostgreSQL would have told it."""
    said = str(error)
    if "read-only" in said:
        return refused_write(sql)
    for pattern, state, words in _ERRORS:
        found = pattern.search(said)
        if found:
            return PostgresError(state, words.format(*found.groups()))
    first = next((line for line in said.splitlines() if line.strip()), type(error).__name__)
    return PostgresError("0A000", first.partition("Error: ")[2] or first)
