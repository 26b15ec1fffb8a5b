"""What a backend wrote before it ended names one cause: that of the last end."""

import pytest

from console.guides.checks.logs import read_crash
from console.sources.protocols.engine import LogLine, Stream


def lines(*texts: tuple[float, str]) -> tuple[LogLine, ...]:
    return tuple(LogLine("sms-backend", Stream.STDERR, at, text) for at, text in texts)


MISSING = ((100.0, "Traceback (most recent call last):"), (100.0, "ModuleNotFoundError: No module named 'openpyxl'"))
MIGRATION = (
    (130.0, "Alembic migration failed: Can't locate revision identified by '0004'"),
    (130.1, "Traceback (most recent call last):"),
    (130.1, "backend.migrations.MigrationError: Can't locate revision identified by '0004'"),
)
UNHANDLED = ((160.0, "Traceback (most recent call last):"), (160.0, "ValueError: month must be in 1..12"))


def test_a_cause_that_was_mended_before_is_not_named_again() -> None:
    crash = read_crash(lines(*MISSING, *MIGRATION))
    assert crash.missing_module == ()
    assert len(crash.migration) == 2


def test_an_exception_after_a_migration_that_was_mended_is_the_cause() -> None:
    crash = read_crash(lines(*MIGRATION, *UNHANDLED))
    assert crash.migration == ()
    assert [line.text for line in crash.exceptions] == ["ValueError: month must be in 1..12"]


def test_the_words_before_a_traceback_belong_to_it() -> None:
    assert read_crash(lines(*MIGRATION)).migration
    assert read_crash(lines(*MIGRATION)).tracebacks


def test_a_silent_run_names_nothing() -> None:
    crash = read_crash(lines((1.0, "INFO started")))
    assert not any((crash.out_of_memory, crash.missing_module, crash.migration, crash.tracebacks, crash.exceptions))


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('sqlalchemy.exc.ProgrammingError: (psycopg2.errors.UndefinedTable) relation "users" does not exist', "missing_relation"),
        ("KeyError: 'JWT_SECRET_KEY'", "bad_setting"),
        ("pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings", "bad_setting"),
        ("RuntimeError: the environment variable DATABASE_URL is empty", "bad_setting"),
        ("redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused.", "connection_refused"),
        ('psycopg2.OperationalError: FATAL:  password authentication failed for user "shop"', "password_failed"),
        ('psycopg2.OperationalError: FATAL:  database "shop" does not exist', "database_missing"),
        ("PermissionError: [Errno 13] Permission denied: '/app/uploads'", "permission_denied"),
    ],
)
def test_what_the_process_met_before_it_ended_is_told(text: str, fact: str) -> None:
    crash = read_crash(lines((100.0, "Traceback (most recent call last):"), (100.0, text)))
    told = ("missing_relation", "bad_setting", "connection_refused", "password_failed", "database_missing", "permission_denied")
    assert [name for name in told if getattr(crash, name)] == [fact]


def test_a_refused_connection_of_the_next_run_does_not_hide_why_the_last_one_ended() -> None:
    crash = read_crash(
        lines(*MISSING, (140.0, "WARNING Cache read failed: Error 111 connecting to cache:6379. Connection refused."))
    )
    assert crash.missing_module
    assert crash.connection_refused == ()
