"""X.509 certificates, sent by a server or kept in a file: what they say, whose name they hold, whether a chain leads anywhere."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING

from console.reading import FailureKind, SourceError
from console.sources.protocols.network import Certificate
from console.text import clean

if TYPE_CHECKING:
    from cryptography import x509

LONGEST_CHAIN = 10
LONGEST_TEXT = 300
EXPIRED = "certificate has expired"
NOT_YET_VALID = "certificate is not yet valid"
SELF_SIGNED = "self-signed certificate"
NO_ISSUER = "unable to get local issuer certificate"
"""OpenSSL's words, which people search for."""


def certificate(der: bytes) -> Certificate:
    """One certificate. Raises GARBAGE when it is none."""
    loaded = _load(der)
    try:
        subject, issuer = loaded.subject.rfc4514_string(), loaded.issuer.rfc4514_string()
        return Certificate(
            subject=clean(subject, LONGEST_TEXT),
            issuer=clean(issuer, LONGEST_TEXT),
            names=_names(loaded),
            not_before=loaded.not_valid_before_utc.timestamp(),
            not_after=loaded.not_valid_after_utc.timestamp(),
            self_signed=_issued(loaded, loaded),
        )
    except (ValueError, OverflowError) as error:
        raise _no_certificate(error) from None


def pem_certificates(pem: bytes) -> tuple[bytes, ...]:
    """The certificates of a PEM file as DER, in its order; what else it holds (a key) is left out. Raises GARBAGE."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    if b"-----BEGIN CERTIFICATE-----" not in pem:
        raise SourceError(FailureKind.GARBAGE, "The file holds no certificate in PEM form.", "Name the certificate, not its key.")
    try:
        return tuple(item.public_bytes(Encoding.DER) for item in x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise _no_certificate(error) from None


def trust(chain: Sequence[bytes], authorities: Sequence[bytes], now: float) -> tuple[bool, str]:
    """Whether a chain (DER, leaf first) leads to one of the authorities, and OpenSSL's words for what is wrong with it.

    Dates do not break the chain: an expired certificate on the way is told in the words alone. Issuers are looked for among the
    authorities first, as OpenSSL does, so that an old cross-signed certificate at the end of the chain harms nobody.
    """
    known = [_load(der) for der in authorities]
    sent = [_load(der) for der in chain[:LONGEST_CHAIN]]
    if not sent:
        return False, NO_ISSUER
    current, way = sent[0], [sent[0]]
    while current not in known:
        issuer = next((item for item in known if item != current and _issued(current, item)), None)
        if issuer is not None:
            break
        issuer = next((item for item in sent if item not in way and _issued(current, item)), None)
        if issuer is None:
            return False, SELF_SIGNED if _issued(current, current) else NO_ISSUER
        way.append(issuer)
        current = issuer
    if any(item.not_valid_after_utc.timestamp() < now for item in way):
        return True, EXPIRED
    if any(item.not_valid_before_utc.timestamp() > now for item in way):
        return True, NOT_YET_VALID
    return True, ""


def holds_name(names: Iterable[str], name: str) -> bool:
    """Whether a certificate's names hold a host's name or address (RFC 6125: `*` stands for one whole leftmost label)."""
    wanted = name.strip("[]").rstrip(".").lower()
    try:
        address = ip_address(wanted)
    except ValueError:
        parent = wanted.partition(".")[2]
        held = {item.rstrip(".").lower() for item in names}
        return wanted in held or ("." in parent and f"*.{parent}" in held)
    return any(_address(item) == address for item in names)


def _load(der: bytes) -> "x509.Certificate":
    from cryptography import x509

    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, TypeError) as error:
        raise _no_certificate(error) from None


def _no_certificate(error: Exception) -> SourceError:
    message = f"A certificate cannot be read: {clean(str(error), 200) or type(error).__name__}."
    return SourceError(FailureKind.GARBAGE, message, "Make or fetch it anew.")


def _issued(child: "x509.Certificate", issuer: "x509.Certificate") -> bool:
    """Whether `issuer` signed `child`; by the names alone when the kind of signature is not known to us."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        if child.issuer != issuer.subject:
            return False
        child.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError):
        return False
    except (TypeError, UnsupportedAlgorithm):
        return True
    return True


def _names(loaded: "x509.Certificate") -> tuple[str, ...]:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        held = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension):
        names = [str(item.value) for item in loaded.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    else:
        names = [*held.get_values_for_type(x509.DNSName), *map(str, held.get_values_for_type(x509.IPAddress))]
    return tuple(clean(name, 253) for name in names[:100])


def _address(text: str) -> object:
    try:
        return ip_address(text)
    except ValueError:
        return None
