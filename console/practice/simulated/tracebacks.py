"""The words in which the simulated backend and its drivers complain."""

from console.practice.simulated.log import traceback
from console.practice.simulated.postgres import NO_SPACE

EXPORT_QUERY = (
    "SELECT s.id, g.score FROM student s JOIN enrollment e ON e.student_id = s.id JOIN grade g ON g.enrollment_id = e.id"
)
NO_CACHE = "Error 111 connecting to sms-redis:6379. Connection refused."
NO_ROUTE = (
    'connection to server at "sms-postgres" ({address}), port 5432 failed: No route to host. '
    "Is the server running on that host and accepting TCP/IP connections?"
)

_ANSWER = ("/app/backend/main.py", 42, "answer", 'return handler(dict(parse_qsl(environ.get("QUERY_STRING", ""))), body)')
_ROWS = ("/app/backend/api.py", 19, "rows", "with engine.connect() as connection:")
_MAIN = ("/app/backend/main.py", 93, "main", "from backend import api, migrations")


def driver_error(text: str) -> str:
    """What the driver says when the server refuses: with its address, and the hint when nobody listens."""
    lead = 'connection to server at "sms-postgres" (172.18.0.3), port 5432 failed'
    if text == "Connection refused":
        return f"{lead}: Connection refused. Is the server running on that host and accepting TCP/IP connections?"
    return f"{lead}: {text}"


def connecting(error: str) -> tuple[str, ...]:
    """A connection that could not be made."""
    return traceback((_ANSWER, _ROWS), f"sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) {error}")


def pool_timeout(timeout_s: float) -> tuple[str, ...]:
    """No connection came free in time."""
    limit = "QueuePool limit of size 8 overflow 32 reached, connection timed out"
    return traceback((_ANSWER, _ROWS), f"sqlalchemy.exc.TimeoutError: {limit}, timeout {timeout_s:.2f}")


def missing_module(name: str) -> tuple[str, ...]:
    """The process ends at its imports."""
    return traceback(
        (_MAIN, ("/app/backend/api.py", 8, "<module>", f"import {name}")), f"ModuleNotFoundError: No module named '{name}'"
    )


def migration(problem: str) -> tuple[str, ...]:
    """The process ends because the database is not where the release expects it."""
    return traceback(
        (
            ("/app/backend/main.py", 98, "main", 'log.info("Database is at revision %s", migrations.upgrade())'),
            ("/app/backend/migrations.py", 43, "upgrade", "raise MigrationError("),
        ),
        f"backend.migrations.MigrationError: {problem}",
    )


BROKEN_CONFIGURATION = traceback(
    (
        _MAIN,
        ("/app/backend/api.py", 12, "<module>", "SEMESTER = settings.load_semester()"),
        ("/app/backend/settings.py", 34, "load_semester", 'starts_on = today - timedelta(days=raw["started_days_ago"])'),
    ),
    "KeyError: 'started_days_ago'",
)
NO_SPACE_LEFT = traceback(
    (_ANSWER, ("/app/backend/api.py", 71, "login", "connection.execute(")),
    f"sqlalchemy.exc.OperationalError: (psycopg2.errors.DiskFull) {NO_SPACE}",
)
