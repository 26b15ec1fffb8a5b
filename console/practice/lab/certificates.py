"""A lab's own certificate authority, kept with its other secrets, and what it issues to the lab's servers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from console.practice.lab.spec import Secret

if TYPE_CHECKING:
    from cryptography import x509

VALID_DAYS = 365
MAIL_NAMES = ("mail.studentmanagement.local", "localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Authority:
    """A root, an intermediate that it signed, and the intermediate's key; PEM."""

    root: str
    intermediate: str
    key: str


@dataclass(frozen=True, slots=True)
class Served:
    """What a TLS server is given: its chain, the leaf first, its key, and the authority that its clients may trust; PEM."""

    chain: str
    key: str
    authority: str


def authority(secret: Secret) -> Authority:
    """This lab's authority, made at the first call."""
    return Authority(**json.loads(secret("authority", _make_authority)))


def server_files(names: Sequence[str], secret: Secret) -> Served:
    """A good certificate for these names, the same at every call."""

    def make() -> str:
        now = datetime.now(UTC)
        return json.dumps(asdict(issue(authority(secret), names, now - timedelta(days=1), now + timedelta(days=VALID_DAYS))))

    return Served(**json.loads(secret("certificate", make)))


def mail_files(secret: Secret) -> Mapping[str, str]:
    """The files of the mail server."""
    served = server_files(MAIL_NAMES, secret)
    return {"/etc/ssl/lab/cert.pem": served.chain, "/etc/ssl/lab/key.pem": served.key}


def issue(signer: Authority, names: Sequence[str], not_before: datetime, not_after: datetime) -> Served:
    """A certificate for these names with its intermediate."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = _new_key()
    issuer = x509.load_pem_x509_certificate(signer.intermediate.encode())
    leaf = _certificate(names[0], key.public_key(), issuer.subject, (not_before, not_after), names)
    signed = _sign(leaf, load_pem_private_key(signer.key.encode(), None))
    return Served(signed + signer.intermediate, _pem(key), signer.root)


def _make_authority() -> str:
    from cryptography import x509

    now = datetime.now(UTC)
    period = (now - timedelta(days=1), now + timedelta(days=3 * VALID_DAYS))
    root_key, key = _new_key(), _new_key()
    root_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Triage lab root")])
    root = _sign(_certificate("Triage lab root", root_key.public_key(), root_name, period), root_key)
    between = _sign(_certificate("Triage lab intermediate", key.public_key(), root_name, period), root_key)
    return json.dumps(asdict(Authority(root, between, _pem(key))))


def _certificate(
    subject: str, key: Any, issuer: "x509.Name", period: tuple[datetime, datetime], names: Sequence[str] = ()
) -> "x509.CertificateBuilder":
    from cryptography import x509

    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(period[0])
        .not_valid_after(period[1])
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
    return builder


def _general(name: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _sign(builder: "x509.CertificateBuilder", key: Any) -> str:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding

    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def _new_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    return generate_private_key(SECP256R1())


def _pem(key: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    raw: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return raw.decode()
