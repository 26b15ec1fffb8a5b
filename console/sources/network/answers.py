"""Raw answers of the network → the shapes of `console.sources.protocols.network`. Pure: nothing here opens a connection.

The simulated network answers raw, too, and goes through the same functions. They take:

| function                | raw data                                                                            |
|-------------------------|-------------------------------------------------------------------------------------|
| `http_answer`           | status, header pairs and body bytes as they came                                    |
| `http_silence`          | a reason and words, or (`why`) an exception of a driver                             |
| `certificate`           | one certificate, DER                                                                |
| `pem_certificates`      | a PEM file → DER, in its order                                                      |
| `trust`                 | a chain as it was sent (DER, leaf first), authorities (DER), the time               |
| `tls_answer`            | a chain as it was sent (DER, leaf first) and the verdict on it                      |
| `tls_silence`           | why there was no handshake                                                          |
| `resolution`            | addresses as texts                                                                  |
| `unresolved`            | a resolver's error code (`NXDOMAIN`, `SERVFAIL`, …) or an exception of a resolver   |
| `smtp_answer`           | the server's replies: stage, code, text                                             |
| `snmp_answer`           | sysDescr's bytes                                                                    |
| `snmp_silence`          | why there was no answer                                                             |
| `why`                   | an exception of asyncio, ssl, httpx, aiosmtplib → (reason of NO_ANSWER, words)      |

All texts that come out are clean.
"""

import errno
import os
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence

from console.certificates import LONGEST_CHAIN
from console.certificates import certificate as certificate
from console.certificates import holds_name as holds_name
from console.certificates import pem_certificates as pem_certificates
from console.certificates import trust as trust
from console.sources.protocols.network import NO_ANSWER, HttpAnswer, Resolution, SmtpAnswer, SnmpAnswer, TlsAnswer
from console.text import block, clean

BODY_BYTES = 64 * 1024
BODY_LINES = 2_000
HEADERS = 100
LONGEST_MESSAGE = 300

_RESOLVER_CODES = {
    "NXDOMAIN": "nxdomain",
    "NOANSWER": "no_answer",
    "REFUSED": "refused",
    "TIMEOUT": "timeout",
    "LIFETIMETIMEOUT": "timeout",
    "SERVFAIL": "other",
}
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN)
_LOST = frozenset({"IncompleteReadError", "SMTPServerDisconnected", "EndOfStream", "BrokenResourceError", "EOFError"})


def http_answer(url: str, status: int, headers: Iterable[tuple[str, str]], body: bytes, elapsed_s: float) -> HttpAnswer:
    """An answer as it came. Of the body at most 64 KiB are kept, of a repeated header the first."""
    kept: dict[str, str] = {}
    for name, value in list(headers)[:HEADERS]:
        kept.setdefault(clean(name, 200).lower(), clean(value, 1_000))
    text = "\n".join(block(body[:BODY_BYTES], lines=BODY_LINES, limit=BODY_BYTES))
    return HttpAnswer(shown_url(url), status, elapsed_s, kept, text)


def http_silence(url: str, reason: str, message: str, elapsed_s: float) -> HttpAnswer:
    """No answer; `reason` is one of NO_ANSWER."""
    return HttpAnswer(shown_url(url), None, elapsed_s, reason=reason, message=clean(message, LONGEST_MESSAGE))


def shown_url(url: str) -> str:
    """A URL without user, password, query and fragment: tokens travel there."""
    scheme, separator, rest = url.partition("://")
    place = rest.partition("?")[0].partition("#")[0]
    authority, slash, path = place.partition("/")
    return clean(f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}", 300)


def tls_answer(chain: Sequence[bytes], *, name: str, trusted: bool | None, message: str = "") -> TlsAnswer:
    """A handshake that was made: the chain as it was sent (DER, leaf first) and the verdict on it."""
    shown = tuple(certificate(der) for der in chain[:LONGEST_CHAIN])
    matches = holds_name(shown[0].names, name) if shown else None
    return TlsAnswer(shown, trusted, matches, "", clean(message, LONGEST_MESSAGE))


def tls_silence(reason: str, message: str) -> TlsAnswer:
    """There was no handshake; `reason` is one of NO_ANSWER."""
    return TlsAnswer((), None, None, reason, clean(message, LONGEST_MESSAGE))


def resolution(name: str, server: str, addresses: Iterable[str], elapsed_s: float) -> Resolution:
    """A name that resolves; without any address it does not (`no_answer`)."""
    found = tuple(dict.fromkeys(clean(item, 100) for item in addresses))
    reason, message = ("", "") if found else ("no_answer", "The name has no address.")
    return Resolution(clean(name, 253), clean(server, 100), found, elapsed_s, reason, message)


def unresolved(name: str, server: str, error: BaseException | str, elapsed_s: float) -> Resolution:
    """A name that does not resolve, by a resolver's code (`NXDOMAIN`) or its exception (dnspython's, or getaddrinfo's)."""
    reason, message = _why_unresolved(error)
    return Resolution(clean(name, 253), clean(server, 100), (), elapsed_s, reason, clean(message, LONGEST_MESSAGE))


def smtp_answer(replies: Sequence[tuple[str, int, str]], *, starttls: bool, ended: tuple[str, str] = ("", "")) -> SmtpAnswer:
    """How far a talk with a mail server went.

    `replies`: (stage, code, text) in order; stages are `connect`, `ehlo`, `auth`, `mail`, each at most once. `starttls`: a TLS
    handshake was made, by STARTTLS or because the port begins with one. `ended`: why the talk ended early (`why` of the
    exception), empty when it went its way.
    """
    codes: Mapping[str, int] = {stage: code for stage, code, _ in replies}
    words = next((text for _, code, text in reversed(replies) if not _yes(code)), replies[-1][2] if replies else "")
    reason, message = ended
    if not reason and not all(_yes(codes.get(stage, 250)) for stage in ("connect", "ehlo")):
        reason = "other"
    tls = True if starttls else (False if _yes(codes.get("ehlo", 0)) else None)
    return SmtpAnswer(
        connected="connect" in codes,
        starttls=tls,
        login_accepted=_accepted(codes, "auth"),
        sender_accepted=_accepted(codes, "mail"),
        reason=reason,
        message=clean(message or words, LONGEST_MESSAGE),
    )


def snmp_answer(version: str, description: bytes) -> SnmpAnswer:
    """A device that answered the GET of sysDescr."""
    return SnmpAnswer(version, True, clean(description, LONGEST_MESSAGE))


def snmp_silence(version: str, reason: str, message: str) -> SnmpAnswer:
    """A device that did not; `reason` as in SnmpAnswer."""
    return SnmpAnswer(version, False, "", reason, clean(message, LONGEST_MESSAGE))


def why(error: BaseException) -> tuple[str, str]:
    """What an exception on the way to an answer means: one of NO_ANSWER, and the words of it. Clean."""
    chain = _causes(error)
    names = {type(item).__name__ for item in chain}
    numbers = {item.errno for item in chain if isinstance(item, OSError)}
    text = " ".join(str(item) for item in chain)
    words = clean(next((_words(item) for item in reversed(chain) if str(item)), type(error).__name__), LONGEST_MESSAGE)
    tls = next((item for item in chain if isinstance(item, ssl.SSLError)), None)
    if "gaierror" in names:
        reason = "unresolved"
    elif tls is not None:
        reason = "tls"
        words = clean(getattr(tls, "verify_message", "") or getattr(tls, "reason", "") or str(tls), LONGEST_MESSAGE)
    elif any(isinstance(item, TimeoutError) for item in chain) or any(name.endswith("Timeout") for name in names):
        reason, words = "timeout", "No answer in time."
    elif any(isinstance(item, ConnectionRefusedError) for item in chain):
        reason = "refused"
    elif numbers & set(_UNREACHABLE):
        reason = "unreachable"
    elif any(isinstance(item, ConnectionError) for item in chain) or names & _LOST or "disconnected" in text:
        reason = "lost"
    else:
        reason = "other"
    assert reason in NO_ANSWER
    return reason, words


def _accepted(codes: Mapping[str, int], stage: str) -> bool | None:
    return _yes(codes[stage]) if stage in codes else None


def _yes(code: int) -> bool:
    """A reply that goes on (RFC 5321, 4.2.1); what is no reply at all comes with -1."""
    return 200 <= code < 400


def _words(error: BaseException) -> str:
    """The system's words, without the number and address that asyncio puts around them."""
    if isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno and error.errno in errno.errorcode:
        return os.strerror(error.errno)
    return error.strerror if isinstance(error, socket.gaierror) and error.strerror else str(error)


def _why_unresolved(error: BaseException | str) -> tuple[str, str]:
    if isinstance(error, str):
        return _RESOLVER_CODES.get(error.upper(), "other"), error
    if isinstance(error, socket.gaierror):
        absent = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None))
        return ("nxdomain" if absent else "other"), error.strerror or str(error)
    if isinstance(error, UnicodeError):
        return "nxdomain", "This cannot be a host's name."
    kind = type(error).__name__
    if isinstance(error, TimeoutError) or kind == "LifetimeTimeout":
        return "timeout", "No answer in time."
    if isinstance(error, ConnectionRefusedError):
        return "refused", str(error)
    return _RESOLVER_CODES.get(kind.upper(), "other"), str(error) or kind


def _causes(error: BaseException) -> list[BaseException]:
    """The error and all that it came from, the deepest last."""
    found = [error]
    for item in found:
        inner = item.exceptions if isinstance(item, BaseExceptionGroup) else ()
        for cause in (item.__cause__, item.__context__, *inner, *item.args):
            if isinstance(cause, BaseException) and cause not in found:
                found.append(cause)
    return found
