"""The commands that make, look at and load plain SQL dumps, run where the server's own tools are: bytes never pass through us.

Each builder gives an argv for a container (or machine) with sh, gzip, awk, timeout and PostgreSQL's client programs. The
scripts are constants, what differs is an argument or a psql variable: nothing is ever written into a script. psql and pg_dump
log in over the socket of that container. They hold for PostgreSQL 12–18.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

MAINTENANCE: Final = "postgres"
"""The database that is always there; from it others are made and renamed."""

_READ: Final = 'case "$1" in *.gz) gzip -t "$1" && gzip -dc "$1";; *) cat "$1";; esac'

DUMP: Final = """
part="$1.part"
if [ -e "$1" ]; then echo "$1 is there already" >&2; exit 1; fi
trap 'rm -f "$part"' EXIT
timeout "$2" pg_dump --no-owner --clean --if-exists -U "$3" -d "$4" | gzip > "$part" || exit 1
gzip -t "$part" || exit 1
gzip -dc "$part" | tail -n 5 | grep -q "PostgreSQL database dump complete" || exit 1
mv "$part" "$1"
"""
"""PATH SECONDS USER DATABASE. Written beside its place and moved there when it is whole: what is cut off is never a backup."""

INSPECT: Final = (
    f"{{ {_READ}; }} | "
    r"""awk '
copying && $0 == "\\." { print "rows|" table "|" rows; copying = 0; next }
copying { rows++; next }
/^COPY .* FROM stdin;$/ {
    match($0, /^COPY ("([^"]|"")*"|[^ "])+/)
    table = substr($0, 6, RLENGTH - 5); rows = 0; copying = 1
}
/^-- PostgreSQL database dump complete/ { print "complete" }
'"""
)
"""PATH. The rows of each table that the dump holds, and whether it has its last line."""

LOAD: Final = f'{{ {_READ}; }} | timeout "$2" psql -X -q -o /dev/null -v ON_ERROR_STOP=1 --single-transaction -U "$3" -d "$4"'
"""PATH SECONDS USER DATABASE. One transaction: the first error leaves nothing behind."""

NOTE: Final = 'umask 077; printf "%s" "$2" > "$1.part" && mv "$1.part" "$1"'
"""PATH TEXT. Notes what a backup holds in a file beside it."""

PSQL: Final = 'sql=$1; seconds=$2; shift 2; printf "%s" "$sql" | timeout "$seconds" psql -X -q -A -t -v ON_ERROR_STOP=1 "$@" -f -'
"""SQL SECONDS, then the options of psql."""

COUNTS: Final = r"""
SELECT format('SELECT %L || count(*) FROM %I.%I', format('%I.%I|', schemaname, tablename), schemaname, tablename)
FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY schemaname, tablename
\gexec
"""
"""`schema.table|rows` of every table, counted: names are quoted as pg_dump quotes them."""

DATABASES: Final = """
SELECT datname || '|' || pg_get_userbyid(datdba) || '|' || pg_database_size(oid)
FROM pg_database WHERE NOT datistemplate ORDER BY datname;
"""
"""`name|owner|bytes` of every database."""

CREATE: Final = r"""
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L', :'new',
              pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype)
FROM pg_database WHERE datname = :'old'
UNION ALL
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0', :'new', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'old')
\gexec
"""
"""Variables old, new, owner. A database like the old one (its owner, encoding, locale); `owner` counts when there is none."""

HAND_OVER: Final = r"""
SELECT set_config('triage.old', :'old', false), set_config('triage.owner', :'owner', false) \g /dev/null
DO $hand_over$
DECLARE item record; old oid; owner text;
BEGIN
    SELECT oid, pg_get_userbyid(datdba) INTO old, owner FROM pg_database WHERE datname = current_setting('triage.old');
    owner := coalesce(owner, current_setting('triage.owner'));
    FOR item IN
        SELECT 'SCHEMA' AS kind, quote_ident(nspname) AS name FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public') AND pg_get_userbyid(nspowner) = current_user
        UNION ALL
        SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                    WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, c.oid::regclass::text
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
          AND pg_get_userbyid(c.relowner) = current_user
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND (d.deptype = 'e' OR (c.relkind = 'S' AND d.deptype IN ('a', 'i'))))
        UNION ALL
        SELECT 'ROUTINE', p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND pg_get_userbyid(p.proowner) = current_user
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
        UNION ALL
        SELECT 'TYPE', t.oid::regtype::text FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        LEFT JOIN pg_class c ON c.oid = t.typrelid
        WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND pg_get_userbyid(t.typowner) = current_user
          AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
    LOOP
        IF owner <> current_user THEN EXECUTE format('ALTER %s %s OWNER TO %I', item.kind, item.name, owner); END IF;
    END LOOP;
    FOR item IN SELECT unnest(setconfig) AS word FROM pg_db_role_setting WHERE setdatabase = old AND setrole = 0
    LOOP
        EXECUTE format(CASE WHEN item.word LIKE 'search_path=%' THEN 'ALTER DATABASE %I SET %I TO %s'
                       ELSE 'ALTER DATABASE %I SET %I TO %L' END,
                       current_database(), split_part(item.word, '=', 1), substr(item.word, strpos(item.word, '=') + 1));
    END LOOP;
    IF EXISTS (SELECT FROM pg_database WHERE oid = old AND datacl IS NOT NULL) THEN
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
        FOR item IN SELECT a.* FROM pg_database d, aclexplode(d.datacl) a WHERE d.oid = old
        LOOP
            EXECUTE format('GRANT %s ON DATABASE %I TO %s', item.privilege_type, current_database(),
                           CASE WHEN item.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(item.grantee)) END);
        END LOOP;
    END IF;
END $hand_over$;
ANALYZE;
"""
"""Variables old, owner, in the new database. What was loaded becomes the owner's, settings and rights become those of the old."""

SWAP: Final = r"""
SELECT format('ALTER DATABASE %I WITH ALLOW_CONNECTIONS false', datname) FROM pg_database WHERE datname IN (:'old', :'new')
\gexec
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (:'old', :'new') \g /dev/null
BEGIN;
SELECT format('ALTER DATABASE %I RENAME TO %I', datname, :'kept') FROM pg_database WHERE datname = :'old'
\gexec
ALTER DATABASE :"new" RENAME TO :"old";
ALTER DATABASE :"old" WITH ALLOW_CONNECTIONS true;
COMMIT;
"""
"""Variables old, new, kept. The new takes the old one's name in one transaction; the old one is kept under another, and shut."""

REOPEN: Final = r"""
SELECT format('ALTER DATABASE %I WITH ALLOW_CONNECTIONS true', datname) FROM pg_database WHERE datname = :'old' \gexec
"""
"""Variable old. After a swap that failed."""

DROP: Final = r"""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :'name' \g /dev/null
DROP DATABASE IF EXISTS :"name";
"""
"""Variable name."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a dump holds. `rows` by table, as pg_dump names it (`public."user"`); empty for one written as INSERTs."""

    complete: bool
    rows: Mapping[str, int]


def dump_argv(path: str, user: str, database: str, seconds: int) -> tuple[str, ...]:
    return ("sh", "-c", DUMP, "sh", path, str(seconds), user, database)


def inspect_argv(path: str) -> tuple[str, ...]:
    return ("sh", "-c", INSPECT, "sh", path)


def load_argv(path: str, user: str, database: str, seconds: int) -> tuple[str, ...]:
    return ("sh", "-c", LOAD, "sh", path, str(seconds), user, database)


def note_argv(path: str, text: str) -> tuple[str, ...]:
    return ("sh", "-c", NOTE, "sh", path, text)


def psql_argv(sql: str, user: str, database: str, seconds: int, **variables: str) -> tuple[str, ...]:
    """One of the scripts above with its variables."""
    given = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
    return ("sh", "-c", PSQL, "sh", sql, str(seconds), "-U", user, "-d", database, *given)


def parse_inspected(output: str) -> Inspected:
    """What INSPECT printed."""
    lines = output.splitlines()
    return Inspected("complete" in lines, parse_counts(line.removeprefix("rows|") for line in lines if line.startswith("rows|")))


def parse_counts(lines: Iterable[str]) -> dict[str, int]:
    """`table|rows` lines; one that is not understood is left out."""
    found = {}
    for line in lines:
        table, _, rows = line.rpartition("|")
        if table and rows.isdecimal():
            found[table] = int(rows)
    return found
