"""Puts the first rows back into tables that have none; those that have some are left as they are."""

import logging
import os
import re
from pathlib import Path

from sqlalchemy import text

from backend import log as logs
from backend.db import engine

logs.set_up()
log = logging.getLogger("seed")
TABLE = re.compile(r'INSERT INTO ("?\w+"?)')


def main():
    """Run the INSERT statements of this system's tables, for those that were empty at the start."""
    script = Path(f"/lab/tables/{os.environ.get('SYSTEM', 'sms')}.sql").read_text()
    inserts = [part.strip() for part in re.split(r";\s*\n", script) if part.strip().startswith("INSERT")]
    with engine.begin() as connection:
        empty = {
            table: connection.execute(text(f"SELECT NOT EXISTS (SELECT FROM {table})")).scalar()  # noqa: S608 (our own names)
            for table in dict.fromkeys(TABLE.match(part)[1] for part in inserts)
        }
        for part in inserts:
            if empty[TABLE.match(part)[1]]:
                connection.exec_driver_sql(part.replace("%", "%%"))
    log.info("Seeded %s", ", ".join(table for table, was in empty.items() if was) or "nothing: every table has rows")


if __name__ == "__main__":
    main()
