"""Certificates for tests: an authority, one between, and leaves that are good or wrong in one way."""

import datetime
import ssl
import time
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY_S = 86_400


@dataclass(frozen=True)
class Signed:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def sign(
    common_name: str,
    issuer: "Signed | None" = None,
    *,
    names: tuple[str, ...] = (),
    days: tuple[float, float] = (-1, 90),
    authority: bool = False,
    now: float | None = None,
) -> Signed:
    """A certificate that is valid for `days` around now; without an issuer it vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    at = datetime.datetime.fromtimestamp(time.time() if now is None else now, datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at + datetime.timedelta(days=days[0]))
        .not_valid_after(at + datetime.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer is not None:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
    return Signed(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Authority:
    """A root, one authority between, and what it signs."""

    def __init__(self, now: float | None = None) -> None:
        self.now = now
        self.root = sign("Test Root", authority=True, days=(-400, 4000), now=now)
        self.between = sign("Test Between", self.root, authority=True, days=(-300, 3000), now=now)

    def leaf(self, *names: str, days: tuple[float, float] = (-1, 90)) -> Signed:
        return sign(names[0] if names else "localhost", self.between, names=names or ("localhost",), days=days, now=self.now)

    def root_file(self, folder: Path) -> str:
        path = folder / "root.pem"
        path.write_bytes(self.root.pem)
        return str(path)


def server_context(folder: Path, leaf: Signed, *rest: Signed) -> ssl.SSLContext:
    """What a server needs to show these certificates."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(item.pem for item in (leaf, *rest)))
    key.write_bytes(leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(chain, key)
    return made
