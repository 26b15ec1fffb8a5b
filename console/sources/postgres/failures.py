"""What PostgreSQL or the driver said → a `SourceError` that says what happened and what to do next.

When a login fails the driver tells no SQLSTATE, so the message has to be read there; later errors go by their SQLSTATE.
"""

from dataclasses import dataclass

from console.reading import FailureKind, SourceError
from console.text import Secrets, printable

LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Place:
    """Which server and login a message is about, and the table of config.toml that an advice points to."""

    address: str
    """`127.0.0.1:5432`."""
    user: str
    database: str
    key: str
    password_setting: str
    """What to set when the password is wrong: `SMS_DB_PASSWORD or password_file in [systems.sms.postgres]`."""
    secrets: Secrets

    def __str__(self) -> str:
        return f"PostgreSQL at {self.address}"

    @property
    def password_advice(self) -> str:
        return f"Set {self.password_setting}."

    def said(self, error: BaseException) -> str:
        """The error's own words: the first line that says something, without the driver's preamble, cleaned."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        text = lines[0] if lines else type(error).__name__
        # "connection failed: connection to server at "127.0.0.1", port 5432 failed: FATAL:  sorry, …": we said where already.
        _, _, after = text.rpartition(" failed: ")
        text = (after or text).removeprefix("FATAL:").strip()
        return self.secrets.hide(printable(text, LONGEST_MESSAGE)).rstrip(".")


# The first that is found in the message decides; lower case. Server messages are English unless lc_messages says otherwise.
_LOGIN_MESSAGES: tuple[tuple[FailureKind, tuple[str, ...]], ...] = (
    (
        FailureKind.FULL,
        ("too many clients", "remaining connection slots", "too many connections for", "no more connections allowed"),
    ),
    (
        FailureKind.STARTING,
        ("the database system is", "database system is not", "terminating connection due to administrator", "hot standby mode"),
    ),
    (
        FailureKind.LOGIN,
        (
            "password authentication failed",
            "no password supplied",
            "authentication failed",
            "no pg_hba.conf entry",
            "pg_hba.conf rejects",
            "not permitted to log in",
            "permission denied for database",
            "password must not",
            "unsupported authentication",
            "scram",
            "certificate",
        ),
    ),
    (FailureKind.UNSUPPORTED, ("does not support ssl", "unsupported frontend protocol", "protocol version")),
    (
        FailureKind.GARBAGE,
        (
            "invalid response to ssl",
            "expected authentication request",
            "lost synchronization",
            "invalid message",
            "unsupported protocol",
            "wrong version number",
            "packet length too long",
            "unexpected response",
        ),
    ),
    (FailureKind.TIMEOUT, ("timeout expired", "timed out")),
    (
        FailureKind.REFUSED,
        (
            "connection refused",
            "failed to resolve",
            "name or service not known",
            "name resolution",
            "no address associated",
            "no such file or directory",
            "no route to host",
            "unreachable",
            "permission denied",
        ),
    ),
    (FailureKind.LOST, ("closed the connection", "reset by peer", "eof detected", "socket closed", "broken pipe")),
)


def login_kind(message: str) -> FailureKind:
    """Why a login failed, read from the server's or the driver's message; LOST when nothing is recognised."""
    lowered = message.lower()
    if 'database "' in lowered and "does not exist" in lowered:
        return FailureKind.MISSING
    if 'role "' in lowered and "does not exist" in lowered:
        return FailureKind.LOGIN
    for kind, parts in _LOGIN_MESSAGES:
        if any(part in lowered for part in parts):
            return kind
    return FailureKind.LOST


def login_failure(place: Place, error: BaseException) -> SourceError:
    """The error of a login that failed."""
    kind = login_kind(str(error))
    said = place.said(error)
    match kind:
        case FailureKind.FULL:
            return SourceError(
                kind,
                f"{place} has no free connection for {place.user}: {said}.",
                "End sessions on the server; emergency_user in "
                f"[{place.key}] names a role that may use the reserved ones, so that this console still sees.",
            )
        case FailureKind.LOGIN:
            return SourceError(kind, f"{place} refused the login of {place.user}: {said}.", place.password_advice)
        case FailureKind.MISSING:
            return SourceError(kind, f"{place}: {said}.", f"Name an existing database in dsn in [{place.key}], or create it.")
        case FailureKind.STARTING:
            return SourceError(kind, f"{place} accepts no logins yet: {said}.", "Wait for it; its log tells how far it is.")
        case FailureKind.REFUSED:
            return SourceError(
                kind, f"{place} is not reachable: {said}.", f"Is it running, and is dsn in [{place.key}] its address?"
            )
        case FailureKind.TIMEOUT:
            return login_timeout(place)
        case FailureKind.GARBAGE:
            return SourceError(
                kind,
                f"What listens at {place.address} does not speak PostgreSQL: {said}.",
                f"Check host and port of dsn in [{place.key}]: another program may hold the port.",
            )
        case FailureKind.UNSUPPORTED:
            return SourceError(kind, f"{place} cannot be spoken to: {said}.", f"Check dsn in [{place.key}] and the version.")
        case _:
            return SourceError(
                FailureKind.LOST, f"{place} broke off the login of {place.user}: {said}.", "Read the server's log."
            )


def login_timeout(place: Place) -> SourceError:
    """The login that nobody answered."""
    return SourceError(
        FailureKind.TIMEOUT,
        f"{place} did not answer a login in time.",
        "It may be frozen or overloaded, or a firewall drops the packets.",
    )


def name_timeout(place: Place) -> SourceError:
    """The host whose name was not resolved."""
    return SourceError(
        FailureKind.TIMEOUT, f"The name of {place} was not resolved in time.", "The name server may be down; an address would do."
    )


def query_failure(place: Place, error: BaseException, grant: str = "") -> SourceError:
    """The error of a statement on an open connection. `grant` is what would allow it, when rights are missing."""
    state = getattr(error, "sqlstate", None) or ""
    said = place.said(error)
    if isinstance(error, UnicodeError):
        return SourceError(FailureKind.GARBAGE, f"{place} sent text that cannot be decoded.", "Check the database's encoding.")
    if state == "42501":
        return SourceError(FailureKind.FORBIDDEN, f"{place} forbids this to {place.user}: {said}.", grant or "Ask for the right.")
    if state == "25006" or (state == "0A000" and "data-modifying" in said):
        return SourceError(FailureKind.FORBIDDEN, f"{place}: a question may not write: {said}.", "Write a fix instead.")
    if state in ("57014", "55P03"):
        return SourceError(
            FailureKind.TIMEOUT, f"{place} gave a statement up: {said}.", "The server is slow, or a lock is in the way."
        )
    if state in ("53300", "53400"):
        return login_failure(place, error)
    if state in ("57P03", "57P01", "57P02"):
        return SourceError(FailureKind.LOST, f"{place} ended the connection: {said}.", "It may be restarting; asking goes on.")
    if state in ("42P01", "42703", "42883", "3F000", "3D000"):
        return SourceError(
            FailureKind.MISSING, f"{place}: {said}.", f"Is {place.database} the right database, and is its schema complete?"
        )
    if state in ("XX001", "XX002"):
        return SourceError(
            FailureKind.GARBAGE,
            f"{place} holds damaged data: {said}.",
            "Change nothing before a copy of its files or a fresh backup is kept.",
        )
    if state == "55000":
        return SourceError(FailureKind.UNSUPPORTED, f"{place} is not set up for a statement: {said}.", "Read what is missing.")
    if state == "0A000" or state.startswith("42"):
        return SourceError(FailureKind.UNSUPPORTED, f"{place} does not understand a statement: {said}.", "Check its version.")
    if state and not state.startswith(("08", "57", "58", "XX")):
        return SourceError(FailureKind.FORBIDDEN, f"{place} refused a statement ({state}): {said}.", "Read the server's log.")
    return SourceError(FailureKind.LOST, f"The connection to {place} was lost: {said}.", "Asking goes on.")


def is_driver_error(error: BaseException) -> bool:
    """Whether the error came from the driver or the network, and not from a defect of ours."""
    import psycopg

    return isinstance(error, (psycopg.Error, psycopg.Warning, OSError, UnicodeError))
