"""What a backend wrote before it ended names one cause: that of the last end."""

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
