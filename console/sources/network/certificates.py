"""A TLS handshake that looks at what a server shows, and whether this machine trusts it."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from console.certificates import EXPIRED
from console.sources.network.answers import tls_answer, tls_silence, why
from console.sources.network.reach import connected
from console.sources.protocols.network import TlsAnswer

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python does not name: the chain is judged apart from its dates."""
_DATES = (9, 10)
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""

_DER = 2
"""`_ssl.ENCODING_DER`."""


def context(authorities: Iterable[str] = ()) -> ssl.SSLContext:
    """Trusts what this machine trusts, and the authorities of the files named. Slow (some 20 ms): call it in a thread.

    A file that cannot be read is left out: what it signed is then not trusted, which is told where it is looked at.
    """
    made = ssl.create_default_context()
    for path in authorities:
        with contextlib.suppress(OSError):  # SSLError is one
            made.load_verify_locations(cafile=path)
    return made


async def show(host: str, port: int, server_name: str, authorities: Iterable[str], timeout_s: float) -> TlsAnswer:
    """What the server at `host:port` shows to a client that asks for `server_name`."""
    name = server_name or host
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.to_thread(import_module, "cryptography.x509")
            judge = await asyncio.to_thread(context, authorities)
            judge.check_hostname = False
            try:
                return tls_answer(await _handshake(host, port, name, judge), name=name, trusted=True)
            except ssl.SSLCertVerificationError as error:
                verdict, words = error.verify_code, error.verify_message
            if verdict in _DATES:
                judge.verify_flags |= _NO_CHECK_TIME
                with contextlib.suppress(ssl.SSLCertVerificationError):
                    chain = await _handshake(host, port, name, judge)
                    return tls_answer(chain, name=name, trusted=True, message=words or EXPIRED)
            judge.verify_mode = ssl.CERT_NONE
            return tls_answer(await _handshake(host, port, name, judge), name=name, trusted=False, message=words)
    except (OSError, UnicodeError, ValueError) as error:
        reason, words = why(error)
        return tls_silence(reason, words)


async def _handshake(host: str, port: int, name: str, judge: ssl.SSLContext) -> list[bytes]:
    """The chain as the server sent it, DER, the leaf first. Hangs up at once."""
    opened = await connected(host, port)
    try:
        transport, _ = await asyncio.get_running_loop().create_connection(
            asyncio.Protocol, sock=opened, ssl=judge, server_hostname=name
        )
    except BaseException:
        opened.close()
        raise
    try:
        return _sent(transport.get_extra_info("ssl_object"))
    finally:
        transport.abort()


def _sent(shown: Any) -> list[bytes]:
    """Python has had this question since 3.10, and a public name for it since 3.13."""
    if hasattr(shown, "get_unverified_chain"):
        return list(shown.get_unverified_chain())
    return [item.public_bytes(_DER) for item in shown._sslobj.get_unverified_chain() or ()]
