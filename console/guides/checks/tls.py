"""Certificates: in their file, and as a server shows them."""

import asyncio
import shlex
import time
from functools import partial

from pydantic import Field

from console.certificates import EXPIRED, certificate, holds_name, pem_certificates, trust
from console.config import SystemConfig
from console.config_sources import expand
from console.config_tables import CertificateConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.http import LIMIT_S
from console.guides.checks.targets import host_and_port
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.network import NO_ANSWER, Certificate
from console.text import clean

DAY_S = 86_400
MOST_BYTES = 1_048_576
AUTHORITIES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
"""Where machines keep the authorities that they know: Debian and its kin, Red Hat and its kin."""
_UNREADABLE = (FailureKind.MISSING, FailureKind.FORBIDDEN, FailureKind.GARBAGE)


class CertificateParameters(Parameters):
    certificate: str = Field(min_length=1)
    """The certificate's name in the configuration."""


def configured(config: SystemConfig, name: str) -> CertificateConfig:
    """A certificate of the configuration; raises NOT_CONFIGURED."""
    if name not in config.certificates:
        message = f"No certificate {clean(name, 100)} is configured."
        raise SourceError(FailureKind.NOT_CONFIGURED, message, f"Set [systems.{config.name}.certificates.{clean(name, 100)}].")
    return config.certificates[name]


def expected_name(settings: CertificateConfig) -> str:
    """The name that the certificate must hold; empty when none is known."""
    return settings.name or _place(settings)[0]


def days_left(shown: Certificate, now: float) -> float:
    """Until it ends; negative after that."""
    return round((shown.not_after - now) / DAY_S, 1)


def line_of(shown: Certificate) -> str:
    """A certificate in one line."""
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(max(shown.not_after, 0)))
    names = ", ".join(shown.names[:8]) or "no names"
    return clean(f"{shown.subject or 'no subject'}: {names}; issued by {shown.issuer}; until {until}", 300)


async def _file(readings: Readings, parameters: CertificateParameters) -> Findings:
    settings = configured(readings.system.config, parameters.certificate)
    if not settings.file:
        raise _lacks(readings.system.config, parameters.certificate, "file")
    try:
        chain = await _chain_of(readings, settings.file)
    except SourceError as error:
        if error.failure.kind not in _UNREADABLE:
            raise
        return Findings({"readable": False}, error.failure.message, (settings.file,))
    now, name = readings.system.clock(), expected_name(settings)
    leaf = certificate(chain[0])
    complete, words, unread = await _verdict(readings, settings, chain)
    facts: Facts = {
        "readable": True,
        "days_left": days_left(leaf, now),
        "expired": leaf.not_after < now or words == EXPIRED,
        "name_matches": holds_name(leaf.names, name) if name else None,
        "chain_complete": complete,
        "self_signed": leaf.self_signed,
    }
    evidence = tuple(line_of(certificate(der)) for der in chain)
    return Findings(facts, _headline(leaf, now, words), evidence, unread)


async def _live(readings: Readings, parameters: CertificateParameters) -> Findings:
    settings = configured(readings.system.config, parameters.certificate)
    host, port = _place(settings)
    if not host:
        raise _lacks(readings.system.config, parameters.certificate, "address")
    name = expected_name(settings)
    ask = partial(readings.system.need_network().tls, host, port, server_name=name, timeout_s=LIMIT_S)
    answer = await readings.share(("tls", host, port, name), ask)
    if not answer.chain:
        silent: Facts = {"answered": False, "reason": answer.reason or "other"}
        return Findings(silent, f"{settings.address} makes no TLS handshake: {answer.message.rstrip('.')}.")
    now, leaf = readings.system.clock(), answer.chain[0]
    same, unread = await _same_as_file(readings, settings, leaf)
    # An expired authority at the end of the chain harms only when the client says so.
    late = any(item.not_after < now for item in answer.chain if not item.self_signed)
    facts: Facts = {
        "answered": True,
        "reason": "",
        "days_left": days_left(leaf, now),
        "expired": leaf.not_after < now or (late and bool(answer.message)),
        "name_matches": answer.name_matches,
        "chain_complete": answer.trusted,
        "same_as_file": same,
    }
    return Findings(facts, _headline(leaf, now, answer.message), tuple(map(line_of, answer.chain)), unread)


def _headline(leaf: Certificate, now: float, words: str) -> str:
    left = days_left(leaf, now)
    told = f"The certificate ended {-left:g} days ago" if left < 0 else f"The certificate is good for {left:g} days"
    return f"{told}; the chain: {words}." if words else f"{told}."


async def _chain_of(readings: Readings, path: str) -> tuple[bytes, ...]:
    """The certificates of a file, DER. Parsed in a thread: the first one waits for a library."""
    raw = await _read(readings, path)
    return await readings.share(("pem", path), lambda: asyncio.to_thread(pem_certificates, raw))


async def _read(readings: Readings, path: str) -> bytes:
    where = str(expand(path))
    return await readings.share(("file", where, MOST_BYTES), lambda: readings.system.host.read(where, most_bytes=MOST_BYTES))


async def _verdict(
    readings: Readings, settings: CertificateConfig, chain: tuple[bytes, ...]
) -> tuple[bool | None, str, tuple[Failure, ...]]:
    """Whether the chain leads to the configured authority, or to one that the machine knows; None when these cannot be read."""
    failure = None
    for path in (settings.authority,) if settings.authority else AUTHORITIES:
        try:
            known = await _chain_of(readings, path)
        except SourceError as error:
            failure = error.failure
        else:
            complete, words = await asyncio.to_thread(trust, chain, known, readings.system.clock())
            return complete, words, ()
    return None, "", (failure,) if failure else ()


async def _same_as_file(
    readings: Readings, settings: CertificateConfig, leaf: Certificate
) -> tuple[bool | None, tuple[Failure, ...]]:
    if not settings.file:
        return None, ()
    try:
        chain = await _chain_of(readings, settings.file)
    except SourceError as error:
        return None, (error.failure,)
    return certificate(chain[0]) == leaf, ()


def _place(settings: CertificateConfig) -> tuple[str, int]:
    return host_and_port(f"https://{settings.address}") or ("", 0)


def _lacks(config: SystemConfig, name: str, key: str) -> SourceError:
    table = f"[systems.{config.name}.certificates.{clean(name, 100)}]"
    return SourceError(FailureKind.NOT_CONFIGURED, f"The certificate {clean(name, 100)} has no {key}.", f"Set {key} in {table}.")


def _settings(config: SystemConfig, parameters: CertificateParameters) -> CertificateConfig:
    return config.certificates.get(parameters.certificate, CertificateConfig())


def _openssl_file(config: SystemConfig, parameters: CertificateParameters) -> str:
    path = shlex.quote(_settings(config, parameters).file) if _settings(config, parameters).file else "<no file configured>"
    return clean(f"openssl x509 -in {path} -noout -subject -issuer -enddate -ext subjectAltName")


def _openssl_live(config: SystemConfig, parameters: CertificateParameters) -> str:
    settings = _settings(config, parameters)
    address = shlex.quote(settings.address) if settings.address else "<no address configured>"
    return clean(f"openssl s_client -connect {address} -servername {shlex.quote(expected_name(settings))} -showcerts </dev/null")


_SHARED = (
    Fact("days_left", FactType.NUMBER, "until the certificate ends, negative after that", "d"),
    Fact("expired", FactType.BOOL, "it has ended, or one on the way to its authority has"),
    Fact("name_matches", FactType.BOOL, "it holds the name that clients ask for"),
    Fact("chain_complete", FactType.BOOL, "it comes with what leads to an authority that is known"),
)
CHECKS = (
    Check(
        name="tls.file",
        title="Is the certificate's file in order?",
        parameters=CertificateParameters,
        facts=(
            Fact("readable", FactType.BOOL, "the file is there and holds a certificate"),
            *_SHARED,
            Fact("self_signed", FactType.BOOL, "it vouches for itself"),
        ),
        command=_openssl_file,
        make=_file,
    ),
    Check(
        name="tls.live",
        title="Which certificate does the server show?",
        parameters=CertificateParameters,
        facts=(
            Fact("answered", FactType.BOOL, "a TLS handshake came about"),
            Fact("reason", FactType.TEXT, "why none did, empty when it did", choices=NO_ANSWER),
            *_SHARED,
            Fact("same_as_file", FactType.BOOL, "the server shows what the file holds; unknown without a file"),
        ),
        command=_openssl_live,
        make=_live,
    ),
)
