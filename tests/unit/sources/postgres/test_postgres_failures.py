"""What a server or the driver said → what the operator reads."""

import pytest

from console.reading import FailureKind
from console.sources.postgres.failures import Place, login_failure, login_kind
from console.text import Secrets


def place() -> Place:
    secrets = Secrets()
    secrets.add("hunter2hunter2")
    return Place("10.0.0.7:5432", "sms_user", "sms", "systems.sms.postgres", "SMS_DB_PASSWORD or password_file in [x]", secrets)


# Recorded, but for the versions that could not be run: those are from the server's source.
SAID = [
    ("FATAL:  sorry, too many clients already", FailureKind.FULL),
    ("FATAL:  remaining connection slots are reserved for non-replication superuser connections", FailureKind.FULL),
    ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", FailureKind.FULL),
    ('FATAL:  too many connections for role "shy"', FailureKind.FULL),
    ('FATAL:  too many connections for database "sms"', FailureKind.FULL),
    ("FATAL:  the database system is starting up", FailureKind.STARTING),
    ("FATAL:  the database system is shutting down", FailureKind.STARTING),
    ("FATAL:  the database system is in recovery mode", FailureKind.STARTING),
    ("FATAL:  the database system is not yet accepting connections", FailureKind.STARTING),
    ('FATAL:  password authentication failed for user "sms_user"', FailureKind.LOGIN),
    ("fe_sendauth: no password supplied", FailureKind.LOGIN),
    ('FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "sms_user", database "sms", no encryption', FailureKind.LOGIN),
    ('FATAL:  role "nobody" does not exist', FailureKind.LOGIN),
    ('FATAL:  role "nobody" is not permitted to log in', FailureKind.LOGIN),
    ('FATAL:  permission denied for database "sms"', FailureKind.LOGIN),
    ('FATAL:  database "nowhere" does not exist', FailureKind.MISSING),
    ("Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?", FailureKind.REFUSED),
    ("failed to resolve host 'nowhere': [Errno -2] Name or service not known", FailureKind.REFUSED),
    ("No route to host", FailureKind.REFUSED),
    ("connection timeout expired", FailureKind.TIMEOUT),
    ("server closed the connection unexpectedly\n\tThis probably means …", FailureKind.LOST),
    ("received invalid response to SSL negotiation: H", FailureKind.GARBAGE),
    ("expected authentication request from server, but received H", FailureKind.GARBAGE),
    ("server does not support SSL, but SSL was required", FailureKind.UNSUPPORTED),
    ("etwas ganz anderes", FailureKind.LOST),
]


@pytest.mark.parametrize(("message", "kind"), SAID)
def test_a_failed_login_has_its_kind(message: str, kind: FailureKind) -> None:
    assert login_kind(f'connection failed: connection to server at "10.0.0.7", port 5432 failed: {message}') is kind


def test_the_message_says_what_happened_to_what_and_the_advice_what_to_set() -> None:
    said = 'connection failed: connection to server at "10.0.0.7", port 5432 failed: FATAL:  password authentication failed'
    failure = login_failure(place(), RuntimeError(f'{said} for user "sms_user"')).failure
    assert failure.message == (
        'PostgreSQL at 10.0.0.7:5432 refused the login of sms_user: password authentication failed for user "sms_user".'
    )
    assert failure.advice == "Set SMS_DB_PASSWORD or password_file in [x]."


def test_a_servers_words_are_cleaned_and_hold_no_secret() -> None:
    failure = login_failure(place(), RuntimeError("failed: FATAL:  \x1b[2Jpassword authentication failed hunter2hunter2")).failure
    assert "\x1b" not in failure.message
    assert "hunter2" not in failure.message
