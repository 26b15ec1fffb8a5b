"""What the backend is told by its environment and its configuration file."""

import json
import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

DB_HOST = os.environ.get("DB_HOST", "sms-postgres")
DB_PORT = int(os.environ.get("DB_PORT", "5432"))
DB_NAME = os.environ.get("DB_NAME", "student_management")
DB_USER = os.environ.get("DB_USER", "sms_user")
DB_PASSWORD = os.environ.get("DB_PASSWORD", "")
REDIS_HOST = os.environ.get("REDIS_HOST", "sms-redis")
AUTH_MODE = os.environ.get("AUTH_MODE", "permissive")
PORT = int(os.environ.get("PORT", "8000"))
CACHE_TTL_S = 60
SESSION_TTL_S = 1800
SEMESTER_FILE = Path("/app/config/semester.json")


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
