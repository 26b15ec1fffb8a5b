"""What Redis or the driver said → a `SourceError` that says what happened and what to do next."""

from dataclasses import dataclass

from console.reading import FailureKind, SourceError
from console.text import Secrets, printable

LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Place:
    """Which server and user a message is about, and the table of config.toml that an advice points to."""

    address: str
    """`127.0.0.1:6379`, or the path of a socket."""
    user: str
    key: str
    password_setting: str
    """What to set when the password is wrong: `SMS_REDIS_PASSWORD or password_file in [systems.sms.redis]`."""
    secrets: Secrets

    def __str__(self) -> str:
        return f"Redis at {self.address}"

    def said(self, message: str) -> str:
        """The first line that says something, cleaned."""
        lines = [line.strip() for line in message.splitlines() if line.strip()]
        return self.secrets.hide(printable(lines[0] if lines else "no reason was told", LONGEST_MESSAGE)).rstrip(".")


def words(error: BaseException) -> str:
    """What the server or the driver said, with the code that the driver takes off the known replies (`NOPERM`, `LOADING`)."""
    return f"{getattr(error, 'status_code', None) or ''} {error}".strip()


# What a reply or a driver's message begins with or holds; lower case; the first that is found decides.
_SIGNS: tuple[tuple[FailureKind, tuple[str, ...]], ...] = (
    (FailureKind.FULL, ("max number of clients", "too many connections")),
    (FailureKind.STARTING, ("loading ", "masterdown")),
    (
        FailureKind.LOGIN,
        (
            "noauth ",
            "wrongpass ",
            "invalid username or password",
            "invalid password",
            "without any password configured",
            "wrong number of arguments for 'auth'",
            "protected mode",
            "certificate",
        ),
    ),
    (FailureKind.FORBIDDEN, ("noperm ",)),
    (FailureKind.TIMEOUT, ("busy ", "timeout", "timed out")),
    (FailureKind.GARBAGE, ("protocol error", "separator is", "wrong version number", "record layer failure", "invalid bulk")),
    (FailureKind.LOST, ("connection closed", "reset by peer", "broken pipe", "while reading from", "while writing to")),
    (
        FailureKind.REFUSED,
        (
            "connection refused",
            "connect call failed",
            "connecting to",
            "name or service not known",
            "name resolution",
            "no address associated",
            "no route to host",
            "unreachable",
            "no such file",
        ),
    ),
    (FailureKind.UNSUPPORTED, ("unknown command", "unknown subcommand")),
    (
        FailureKind.DECLINED,
        ("readonly ", "oom ", "misconf ", "config set failed", "unsupported config", "argument must be", "argument couldn't"),
    ),
)


def kind_of(message: str) -> FailureKind:
    """Why a command or a login failed, read from the message; LOST when nothing is recognised."""
    lowered = message.lower()
    for kind, signs in _SIGNS:
        if any(sign in lowered for sign in signs):
            return kind
    return FailureKind.LOST


def failure(place: Place, error: BaseException | str) -> SourceError:
    """The error of a login or of a command."""
    message = error if isinstance(error, str) else words(error)
    said = place.said(message)
    kind = FailureKind.GARBAGE if isinstance(error, ValueError) else kind_of(message)
    match kind:
        case FailureKind.FULL:
            return SourceError(
                kind, f"{place} takes no more clients: {said}.", "Find who holds the connections, or raise maxclients."
            )
        case FailureKind.STARTING:
            return SourceError(kind, f"{place} is not ready: {said}.", "Wait for it; its log tells how far it is.")
        case FailureKind.LOGIN if "protected mode" in message.lower():
            return SourceError(
                kind, f"{place} runs in protected mode and refuses this machine.", "Set a password on the server, or ask from it."
            )
        case FailureKind.LOGIN:
            return SourceError(kind, f"{place} refused the login of {place.user}: {said}.", f"Check {place.password_setting}.")
        case FailureKind.FORBIDDEN:
            return SourceError(kind, f"{place} forbids this to {place.user}: {said}.", f"ACL SETUSER {place.user} allows it.")
        case FailureKind.TIMEOUT if message.upper().startswith("BUSY"):
            return SourceError(
                kind, f"{place} is busy with a script and answers nobody.", "SCRIPT KILL ends it, if it has not written yet."
            )
        case FailureKind.TIMEOUT:
            return timed_out(place)
        case FailureKind.GARBAGE:
            return SourceError(
                kind,
                f"What listens at {place.address} does not speak Redis: {said}.",
                f"Check host and port of url in [{place.key}]: another program may hold the port.",
            )
        case FailureKind.REFUSED:
            return SourceError(
                kind, f"{place} is not reachable: {said}.", f"Is it running, and is url in [{place.key}] its address?"
            )
        case FailureKind.UNSUPPORTED:
            return SourceError(kind, f"{place} does not know a command: {said}.", "Check its version.")
        case FailureKind.DECLINED:
            return SourceError(kind, f"{place} would not do it: {said}.", "Nothing was changed.")
        case _:
            return SourceError(FailureKind.LOST, f"The connection to {place} was lost: {said}.", "Asking goes on.")


def timed_out(place: Place) -> SourceError:
    """The question that nobody answered."""
    return SourceError(
        FailureKind.TIMEOUT,
        f"{place} has not answered in time.",
        "It may be frozen, or one slow command blocks it; the next question takes a fresh connection.",
    )


def name_timeout(place: Place) -> SourceError:
    """The host whose name was not resolved."""
    return SourceError(
        FailureKind.TIMEOUT, f"The name of {place} was not resolved in time.", "The name server may be down; an address would do."
    )
