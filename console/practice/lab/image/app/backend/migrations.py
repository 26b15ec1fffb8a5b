"""Brings the database to the newest migration, as Alembic does.

`python -m backend.migrations current` shows where the database is; `upgrade` and `downgrade -1` move it.
"""

import logging
import os
import sys
from pathlib import Path

from sqlalchemy import text

from backend.db import engine

MIGRATIONS = Path(os.environ.get("MIGRATIONS", "/app/migrations"))
log = logging.getLogger("backend.migrations")


class MigrationError(Exception):
    """The database is at a revision that this release does not have."""


def revisions():
    """The names of all migrations of this release, oldest first."""
    return sorted(path.stem for path in MIGRATIONS.glob("*.sql") if not path.stem.endswith(".down"))


def current(connection):
    """The revision the database is at, or None before the first migration."""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade():
    """Run each pending migration in a transaction of its own; raises what the database or MigrationError says."""
    known = revisions()
    with engine.connect() as connection:
        at = current(connection)
    if at is not None and at not in known:
        raise MigrationError(f"Can't locate revision identified by '{at}' (this release ends at '{known[-1]}')")
    pending = known[known.index(at) + 1 :] if at is not None else known
    for revision in pending:
        log.info("Running upgrade %s -> %s", at, revision)
        with engine.begin() as connection:
            script = (MIGRATIONS / f"{revision}.sql").read_text()
            if any(line.strip() and not line.startswith("--") for line in script.splitlines()):
                connection.exec_driver_sql(script)
            connection.execute(text("DELETE FROM alembic_version"))
            connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
        at = revision
    return at


def downgrade():
    """Go back one revision: run its `.down.sql`, if it has one. From a revision that this release does not know, go to
    the newest one it does: what the later release added stays, and is not in this release's way."""
    known = revisions()
    with engine.begin() as connection:
        at = current(connection)
        if at not in known:
            to = known[-1]
        elif known.index(at) == 0:
            raise MigrationError(f"{at} is the first revision")
        else:
            to = known[known.index(at) - 1]
            script = MIGRATIONS / f"{at}.down.sql"
            if script.exists():
                connection.exec_driver_sql(script.read_text())
        connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": to})
    return at, to


def main(arguments):
    """The command line; returns its exit code."""
    if arguments == ["current"]:
        with engine.connect() as connection:
            at = current(connection)
        head = revisions()[-1]
        print(f"{at} (head)" if at == head else f"{at} (head is {head})")
    elif arguments in (["upgrade"], ["upgrade", "head"]):
        print(f"Database is at {upgrade()}")
    elif arguments == ["downgrade", "-1"]:
        print("Running downgrade {} -> {}".format(*downgrade()))
    else:
        print("usage: python -m backend.migrations current | upgrade | downgrade -1", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
