"""Certificates of the practice world, made with `cryptography` when they are first asked for: a chain costs milliseconds."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography import x509

AUTHORITY = "Practice Root CA"
INTERMEDIATE = "Practice Intermediate CA"


def make_chain(
    names: Sequence[str], not_before: float, not_after: float, *, intermediate: bool = True, self_signed: bool = False
) -> list[bytes]:
    """A chain as a server sends it (DER, the leaf first), for these names and between these Unix seconds.

    Without `intermediate` the leaf comes alone, as when the certificate's chain was not deployed.
    """
    leaf_key = _key("leaf")
    if self_signed:
        return [_der(_certificate(names[0], names[0], leaf_key, leaf_key, not_before, not_after, names))]
    leaf = _certificate(names[0], INTERMEDIATE, leaf_key, _key("intermediate"), not_before, not_after, names)
    return [_der(leaf), _between()] if intermediate else [_der(leaf)]


@lru_cache(maxsize=1)
def authority() -> bytes:
    """The root that the practice machine trusts, DER."""
    key = _key("root")
    return _der(_certificate(AUTHORITY, AUTHORITY, key, key, 1_500_000_000, 3_000_000_000, authority=True))


def pem(chain: Sequence[bytes]) -> str:
    """A chain as the file that a server reads it from."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    return "".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode() for der in chain)


@lru_cache(maxsize=1)
def _between() -> bytes:
    made = _certificate(INTERMEDIATE, AUTHORITY, _key("intermediate"), _key("root"), 1_600_000_000, 2_900_000_000, authority=True)
    return _der(made)


@lru_cache(maxsize=3)
def _key(name: str) -> Any:
    """One key for each place in a chain; Ed25519 signatures are the same for the same content, so a world repeats itself."""
    import hashlib

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"practice {name}".encode()).digest())


def _certificate(
    subject: str,
    issuer: str,
    key: Any,
    signer: Any,
    not_before: float,
    not_after: float,
    names: Sequence[str] = (),
    *,
    authority: bool = False,
) -> "x509.Certificate":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(int(not_after))
        .not_valid_before(epoch + timedelta(seconds=int(not_before)))
        .not_valid_after(epoch + timedelta(seconds=int(not_after)))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
    return builder.sign(signer, None)


def _name(name: str) -> "x509.GeneralName":
    from ipaddress import ip_address

    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _der(certificate: "x509.Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)
