"""Why the engine did not answer: errors of the driver, the socket and the engine → SourceError, in one place."""

import getpass
import json
import socket
from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead

from console.reading import FailureKind, SourceError
from console.text import clean

_RUNNING = "Is the engine running? `systemctl status docker`; `journalctl -u docker -n 50` tells why not."


def explain(error: BaseException, at: str, limit_s: float | None = None, subject: str = "") -> SourceError:
    """The SourceError for whatever went wrong while asking the engine at `at` about `subject` (a container's name).

    `limit_s` is the time that the question had. Errors that are no failure of an engine are called garbage: an answer
    that we cannot read is all they can come from.
    """
    causes = list(_chain(error))
    for cause in causes:
        if isinstance(cause, SourceError):
            return cause
    for cause in causes:
        status, text = getattr(cause, "status_code", None), getattr(cause, "explanation", None)
        if isinstance(status, int) and status >= 400:
            return from_status(status, str(text or cause), at, subject)
        if type(cause).__name__ == "InvalidVersion":
            return _version(str(cause), at)
    for cause in causes:
        # Also requests' and urllib3's own timeouts, which are no TimeoutError.
        if isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__:
            return timed_out(at, limit_s)
    for cause in causes:
        known = _from_os(cause, at)
        if known is not None:
            return known
    for cause in causes:
        if isinstance(cause, HTTPException) and not isinstance(cause, (ConnectionError, IncompleteRead)):
            return garbage(at, f"{type(cause).__name__} {_words(cause)}".strip())
    if any(isinstance(cause, (EOFError, ConnectionError)) or type(cause).__name__ == "ProtocolError" for cause in causes):
        return lost(at)
    for cause in causes:
        # Without a number it is one of requests' errors, which are all OSErrors.
        if isinstance(cause, OSError) and cause.errno is not None:
            return SourceError(FailureKind.REFUSED, f"The Docker engine at {at} cannot be reached: {_words(cause)}.", _RUNNING)
    return garbage(at, f"{type(error).__name__}: {_words(error)}")


def from_status(status: int, text: str, at: str, subject: str = "") -> SourceError:
    """The error for an answer with a status of 400 or above; `text` is the engine's message, plain or JSON."""
    words = _message(text) or f"status {status}"
    lowered = words.lower()
    if status == 404 and ("no such container" in lowered or "no such exec" in lowered):
        name = clean(subject, 200) or "of this id"
        return SourceError(
            FailureKind.MISSING, f"The engine knows no container {name}.", "Removed or renamed? `docker ps -a` lists all."
        )
    if status == 404 and "page not found" in lowered:
        return SourceError(
            FailureKind.UNSUPPORTED,
            f"The engine at {at} does not know this question: {words}.",
            "Docker 17.06 or newer is needed.",
        )
    if status == 404:
        return SourceError(FailureKind.MISSING, f"The engine at {at} did not find what was asked for: {words}.")
    if "client version" in lowered or "minimum supported api" in lowered:
        return _version(words, at)
    if "does not support reading" in lowered or status == 501:
        return SourceError(
            FailureKind.UNSUPPORTED,
            f"The engine cannot do this{f' for {clean(subject, 200)}' if subject else ''}: {words}.",
            "Logs can be read with the logging drivers json-file, local and journald.",
        )
    if status in (401, 403):
        return SourceError(FailureKind.FORBIDDEN, f"The engine at {at} does not permit this: {words}.", "Ask whoever runs it.")
    about = f" about {clean(subject, 200)}" if subject else ""
    return SourceError(FailureKind.DECLINED, f"The engine declined a request{about}: {words}.", "")


def timed_out(at: str, limit_s: float | None) -> SourceError:
    waited = f" for {limit_s:g} s" if limit_s is not None else ""
    advice = "It may be frozen or overloaded: `systemctl status docker`, `journalctl -u docker -n 50`."
    return SourceError(FailureKind.TIMEOUT, f"The Docker engine at {at} has not answered{waited}.", advice)


def lost(at: str) -> SourceError:
    return SourceError(FailureKind.LOST, f"The Docker engine at {at} closed the connection in the middle of an answer.", _RUNNING)


def garbage(at: str, why: str) -> SourceError:
    advice = "Check host under [systems.….engine], and that no other program uses the address."
    return SourceError(FailureKind.GARBAGE, f"What listens at {at} does not answer like a Docker engine: {why}.", advice)


def _from_os(cause: BaseException, at: str) -> SourceError | None:
    if isinstance(cause, PermissionError):
        who = getpass.getuser()
        return SourceError(
            FailureKind.FORBIDDEN,
            f"The user {who} may not open the Docker engine's socket {at}: permission denied.",
            f"Add the user to the group docker (`sudo usermod -aG docker {who}`, then log in again), or run Triage with sudo.",
        )
    if isinstance(cause, FileNotFoundError):
        return SourceError(FailureKind.REFUSED, f"There is no Docker engine at {at}: the socket does not exist.", _RUNNING)
    if isinstance(cause, ConnectionRefusedError):
        return SourceError(FailureKind.REFUSED, f"No Docker engine listens at {at}: connection refused.", _RUNNING)
    if isinstance(cause, socket.gaierror):
        advice = "Check host under [systems.….engine]."
        return SourceError(FailureKind.REFUSED, f"The Docker engine's host in {at} has no address: {_words(cause)}.", advice)
    return None


def _version(words: str, at: str) -> SourceError:
    return SourceError(
        FailureKind.UNSUPPORTED,
        f"The Docker engine at {at} and Triage have no API version in common: {clean(words, 300)}.",
        "Triage speaks API 1.24 (Docker 1.12) and newer; update whichever is older.",
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it wraps: causes, contexts, and errors inside arguments as urllib3 does it."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        item = queue.pop(0)
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            queue += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]


def _message(text: str) -> str:
    try:
        answer = json.loads(text)
    except ValueError:
        answer = text
    words = answer.get("message", text) if isinstance(answer, dict) else text
    return clean(str(words).strip().rstrip("."), 500)


def _words(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return clean(text.strip().rstrip("."), 300) or type(error).__name__
