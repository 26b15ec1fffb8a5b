"""What is wrong with this release: read from a file that is empty in a good one.

The file holds one JSON object; every key is optional, paths are those of requests:
  slow     {path: seconds}      the handler waits so long, in a statement of PostgreSQL
  without  {index: {path: seconds}}   as slow, for as long as there is no such index: the rows of a lab are too few to tell
  fail     {path: share}        such a share of the requests ends in an unhandled exception
  refuse   {path: status}       the handler answers with this status
  many     {path: statements}   the handler asks the database once per row
  leak     bytes                so much is kept per request, or a second when `steady` is set
  steady   true                 the leak does not wait for requests
  leaked   bytes                so much was lost to the leak before anybody looked
  spin     threads              so many threads compute without end
  hold     connections          so many connections are taken from the pool and never given back; a restart ends that
"""

import itertools
import json
import logging
import random
import threading
import time
from pathlib import Path

from sqlalchemy import text

from backend import settings
from backend.db import engine

log = logging.getLogger("backend.main")
HELD = Path("/tmp/connections-were-held")
kept = []
chance = random.Random(7)


def load():
    """The release's defects; none when there is no file."""
    try:
        return json.loads(settings.DEFECTS_FILE.read_text())
    except FileNotFoundError:
        return {}


FOUND = load()


class GradeWeightError(LookupError):
    """A row has no weight for its assessment."""


def answer(path):
    """Do what this release does wrong on a path; returns a status to refuse with, or None."""
    if not FOUND:
        return None
    if seconds := FOUND.get("slow", {}).get(path):
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})
    for index, paths in FOUND.get("without", {}).items():
        if seconds := paths.get(path):
            with engine.connect() as connection:
                missing = "SELECT pg_sleep(:seconds) WHERE to_regclass(:index) IS NULL"
                connection.execute(text(missing), {"seconds": seconds, "index": index})
    for _ in range(FOUND.get("many", {}).get(path, 0)):
        with engine.connect() as connection:
            connection.execute(text("SELECT 1 AS one"))
    if FOUND.get("leak") and not FOUND.get("steady"):
        kept.append(bytearray(FOUND["leak"]))
    if chance.random() < FOUND.get("fail", {}).get(path, 0):
        raise GradeWeightError(f"no weight for the rows of {path}")
    return FOUND.get("refuse", {}).get(path)


def start():
    """Begin what this release does wrong without being asked."""
    for _ in range(FOUND.get("spin", 0)):
        threading.Thread(target=_spin, daemon=True).start()
    if FOUND.get("leak") and FOUND.get("steady"):
        kept.append(bytearray(FOUND.get("leaked", 0)))
        threading.Thread(target=_leak, args=(FOUND["leak"],), daemon=True).start()
    if FOUND.get("hold") and not HELD.exists():
        HELD.touch()
        threading.Thread(target=_hold, args=(FOUND["hold"],), daemon=True).start()


def _spin():
    for _ in itertools.count():
        sum(range(10_000))


def _leak(bytes_per_s):
    while True:
        kept.append(bytearray(bytes_per_s))
        time.sleep(1)


def _hold(connections):
    while len(kept) < connections:
        try:
            connection = engine.raw_connection()
            connection.detach()
            kept.append(connection)
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            connection.commit()
        except Exception:
            log.exception("No more connections")
            time.sleep(1)
