import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import cmdrsp, context

from console.reading import SourceError
from console.sources.network.source import LiveNetwork

VERSIONS = ("1", "2c", "3")


@pytest.fixture
async def device(free_port: int) -> AsyncIterator[int]:
    """A device of another library: community `readers`, and a user of that name without authentication. Its port."""
    agent = engine.SnmpEngine()
    config.add_transport(agent, udp.DOMAIN_NAME, udp.UdpAsyncioTransport().open_server_mode(("127.0.0.1", free_port)))
    config.add_v1_system(agent, "area", "readers")
    config.add_v3_user(agent, "readers")
    for model, name in ((1, "area"), (2, "area"), (3, "readers")):
        config.add_vacm_user(agent, model, name, "noAuthNoPriv", (1, 3, 6, 1))
    cmdrsp.GetCommandResponder(agent, context.SnmpContext(agent))
    yield free_port
    agent.close_dispatcher()


async def ask(network: LiveNetwork, version: str, port: int, community: str = "readers", timeout_s: float = 1.0):
    return await network.snmp("127.0.0.1", version=version, community=community, port=port, timeout_s=timeout_s)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_device_is_asked_in_each_version(network: LiveNetwork, device: int, version: str) -> None:
    answer = await ask(network, version, device)
    assert (answer.version, answer.answered, answer.reason) == (version, True, "")
    assert answer.description.startswith("PySNMP engine")


async def test_all_versions_at_once(network: LiveNetwork, device: int) -> None:
    answers = await asyncio.gather(*(ask(network, version, device) for version in VERSIONS))
    assert [answer.answered for answer in answers] == [True, True, True]


async def test_a_wrong_community_is_silence_and_a_wrong_user_is_told(network: LiveNetwork, device: int) -> None:
    answers = await asyncio.gather(*(ask(network, version, device, "strangers", 0.5) for version in VERSIONS))
    assert [answer.reason for answer in answers] == ["timeout", "timeout", "auth"]
    assert not [answer for answer in answers if answer.answered or "strangers" in answer.message]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_closed_port_is_refused_at_once(network: LiveNetwork, free_port: int, version: str) -> None:
    await ask(network, "1", free_port)  # the library is loaded
    started = time.monotonic()
    assert (await ask(network, version, free_port, timeout_s=2)).reason == "refused"
    assert time.monotonic() - started < 0.5


async def test_a_name_that_does_not_resolve_is_told(network: LiveNetwork) -> None:
    assert (await network.snmp("no-such-host.invalid", version="2c", community="x")).reason == "unresolved"


class Nonsense(asyncio.DatagramProtocol):
    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr) -> None:
        if self.raw:
            self.transport.sendto(self.raw, addr)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "raw", [b"", b"\x1b[31m\x00", b"\x30\x82\xff\xff", b"\x30\x00", b"\x30\x03\x02\x01\x01", b"\x30\x80" * 30, b"\x00" * 1400]
)
async def test_a_device_that_answers_nonsense_or_nothing_is_no_answer(network: LiveNetwork, raw: bytes, version: str) -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: Nonsense(raw), local_addr=("127.0.0.1", 0))
    try:
        answer = await ask(network, version, transport.get_extra_info("sockname")[1], timeout_s=0.3)
    finally:
        transport.close()
    assert (answer.answered, answer.reason) == (False, "other" if raw else "timeout")
    assert "\x1b" not in answer.message


async def test_another_version_is_not_known(network: LiveNetwork) -> None:
    with pytest.raises(SourceError, match="no SNMP version"):
        await ask(network, "4", 161)
