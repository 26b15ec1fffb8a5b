"""What the backend is told by its environment and its configuration file."""

import json
import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy.engine import URL, make_url

SYSTEM = os.environ.get("SYSTEM", "sms")
AUTH_MODE = os.environ.get("AUTH_MODE", "permissive")
PORT = int(os.environ.get("PORT", "8000"))
UPLOADS = Path(os.environ.get("UPLOADS", "/app/uploads"))
CACHE_TTL_S = 60
SESSION_TTL_S = 1800
SEMESTER_FILE = Path("/app/config/semester.json")
DEFECTS_FILE = Path(os.environ.get("DEFECTS_FILE", "/app/config/defects.json"))


def database_url():
    """Where the database is: DATABASE_URL, or its parts."""
    if os.environ.get("DATABASE_URL"):
        return make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg2")
    return URL.create(
        "postgresql+psycopg2",
        username=os.environ.get("DB_USER") or os.environ.get("POSTGRES_USER", "sms_user"),
        password=os.environ.get("DB_PASSWORD") or os.environ.get("POSTGRES_PASSWORD", ""),
        host=os.environ.get("DB_HOST") or os.environ.get("POSTGRES_HOST", "sms-postgres"),
        port=int(os.environ.get("DB_PORT", "5432")),
        database=os.environ.get("DB_NAME") or os.environ.get("POSTGRES_DB", "student_management"),
    )


def redis_url():
    """Where the cache is: REDIS_URL, or its host and password."""
    found = os.environ.get("REDIS_URL")
    return found or f"redis://{os.environ.get('REDIS_HOST', 'sms-redis')}:6379/0"


def number(name, usual):
    """A whole number of the environment; a wrong one ends the backend at its start, as it should."""
    return int(os.environ.get(name, "") or usual)


@dataclass(frozen=True, slots=True)
class Semester:
    """The semester that attendance is shown for."""

    name: str
    starts_on: date
    ends_on: date


def load_semester(path=SEMESTER_FILE, today=None):
    """Read which days the current semester has, counted from today so that the practice data always lie in it."""
    raw = json.loads(path.read_text())
    starts_on = (today or date.today()) - timedelta(days=raw["started_days_ago"])
    return Semester(raw["name"], starts_on, starts_on + timedelta(days=raw["length_days"]))
