"""One SNMP GET of sysDescr, in version 1, 2c or 3 (without authentication)."""

import asyncio
import warnings
from importlib import import_module
from typing import TYPE_CHECKING

from console.reading import FailureKind, SourceError
from console.sources.network.answers import snmp_answer, snmp_silence, why
from console.sources.network.reach import lookup
from console.sources.protocols.network import SnmpAnswer
from console.text import clean

if TYPE_CHECKING:
    from puresnmp.credentials import Credentials
    from puresnmp.transport import Endpoint

VERSIONS = ("1", "2c", "3")
_DESCRIPTION = "1.3.6.1.2.1.1.1.0"
_ATTEMPTS = 2
"""A datagram may be lost: it is sent a second time after half of the time."""


async def get_description(host: str, version: str, community: str, port: int, timeout_s: float) -> SnmpAnswer:
    """What the device says it is, or why it says nothing. Raises UNSUPPORTED for another version."""
    if version not in VERSIONS:
        raise SourceError(FailureKind.UNSUPPORTED, f"There is no SNMP version {clean(version, 20)!r}.", "It is 1, 2c or 3.")
    await asyncio.to_thread(import_module, "puresnmp")
    from puresnmp import Client, ObjectIdentifier
    from puresnmp.exc import SnmpError
    from x690.exc import X690Error

    # It calls its version 1 experimental with every packet.
    warnings.filterwarnings("ignore", "Experimental SNMPv1", UserWarning)
    try:
        async with asyncio.timeout(timeout_s):
            address = str((await lookup(host))[0][4][0])
            client = Client(address, _credentials(version, community), port=port, sender=_Sender(timeout_s / _ATTEMPTS))
            value = await client.get(ObjectIdentifier(_DESCRIPTION))
    except (OSError, UnicodeError) as error:
        reason, words = why(error)
        return snmp_silence(version, reason if reason != "lost" else "other", words)
    except (SnmpError, X690Error, ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError) as error:
        # Besides its own errors the library lets through whatever its decoder stumbles over.
        return snmp_silence(version, _declined(error), str(error) or type(error).__name__)
    raw = value.value
    return snmp_answer(version, raw if isinstance(raw, bytes) else str(raw).encode())


def _credentials(version: str, community: str) -> "Credentials":
    from puresnmp.credentials import V1, V2C, V3

    return V1(community) if version == "1" else V2C(community) if version == "2c" else V3(community)


def _declined(error: Exception) -> str:
    words = f"{type(error).__name__} {error}".lower()
    return "auth" if any(word in words for word in ("user", "auth", "security", "access", "privacy")) else "other"


class _Sender:
    """Sends a packet to one device and waits for its answer. A connected socket is told by ICMP when the port is closed."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s

    async def __call__(self, endpoint: "Endpoint", packet: bytes, *_limits: object, **_more: object) -> bytes:
        transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            _Exchange, remote_addr=(str(endpoint.ip), endpoint.port)
        )
        try:
            for _ in range(_ATTEMPTS):
                transport.sendto(packet)
                await asyncio.wait({protocol.answer}, timeout=self._pause_s)
                if protocol.answer.done():
                    return protocol.answer.result()
            raise TimeoutError
        finally:
            transport.close()


class _Exchange(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _from: object) -> None:
        if not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)
