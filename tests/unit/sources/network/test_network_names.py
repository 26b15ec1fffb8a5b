import asyncio
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import dns.message
import dns.rcode
import dns.rrset
import pytest

from console.reading import SourceError
from console.sources.network import reach
from console.sources.network.source import LiveNetwork


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """Answers UDP questions from a table; a code instead of addresses; None: says nothing."""

    known: dict[str, list[str] | str | None] = field(default_factory=dict)
    garbage: bytes = b""
    port: int = 0

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.garbage:
            self.transport.sendto(self.garbage, addr)
            return
        question = dns.message.from_wire(data)
        asked = question.question[0]
        found = self.known.get(asked.name.to_text().rstrip("."), "NXDOMAIN")
        if found is None:
            return
        answer = dns.message.make_response(question)
        if isinstance(found, str):
            answer.set_rcode(dns.rcode.from_text(found))
        else:
            texts = [text for text in found if (":" in text) == (asked.rdtype == 28)]
            if texts:
                answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", asked.rdtype, *texts))
        self.transport.sendto(answer.to_wire(), addr)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    yield server
    transport.close()


async def test_a_named_server_tells_addresses_of_both_kinds(names: NameServer, network: LiveNetwork) -> None:
    names.known = {"pay.example": ["192.0.2.7", "2001:db8::7"]}
    answer = await network.resolve("pay.example", server=names.address)
    assert (set(answer.addresses), answer.reason) == ({"192.0.2.7", "2001:db8::7"}, "")
    assert (answer.server, answer.name) == (names.address, "pay.example")


async def test_one_kind_of_address_is_enough(names: NameServer, network: LiveNetwork) -> None:
    names.known = {"pay.example": ["192.0.2.7"]}
    assert (await network.resolve("pay.example", server=names.address)).addresses == ("192.0.2.7",)


@pytest.mark.parametrize(
    ("found", "reason"),
    [("NXDOMAIN", "nxdomain"), ([], "no_answer"), (None, "timeout"), ("SERVFAIL", "other"), ("REFUSED", "other")],
)
async def test_why_a_named_server_tells_nothing(names: NameServer, network: LiveNetwork, found: object, reason: str) -> None:
    names.known = {"pay.example": found}
    started = time.monotonic()
    answer = await network.resolve("pay.example", server=names.address, timeout_s=0.6)
    assert (answer.addresses, answer.reason) == ((), reason)
    assert time.monotonic() - started < 1.5


async def test_garbage_for_an_answer_is_no_address(names: NameServer, network: LiveNetwork) -> None:
    names.garbage = b"\x1b[31m\x00\xff"
    answer = await network.resolve("pay.example", server=names.address, timeout_s=0.4)
    assert (answer.addresses, "\x1b" in answer.message) == ((), False)


async def test_the_systems_resolver_knows_this_machine_and_no_invalid_name(network: LiveNetwork) -> None:
    assert "127.0.0.1" in (await network.resolve("localhost")).addresses
    answer = await network.resolve("no-such-host.invalid")
    assert (answer.addresses, answer.reason in ("nxdomain", "other", "timeout")) == ((), True)


@pytest.mark.parametrize("name", ["x" * 300, "a..b", "\x00", "é" * 200])
async def test_a_name_that_cannot_be_one_is_told_and_not_asked(network: LiveNetwork, names: NameServer, name: str) -> None:
    assert (await network.resolve(name)).addresses == ()
    assert (await network.resolve(name, server=names.address, timeout_s=0.5)).addresses == ()


async def test_a_resolver_that_hangs_is_a_timeout(network: LiveNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach.socket, "getaddrinfo", lambda *args, **more: time.sleep(1.5))
    started = time.monotonic()
    assert (await network.resolve("slow.example", timeout_s=0.2)).reason == "timeout"
    assert await network.tcp("slow.example", 80, timeout_s=0.2) == "timeout"
    assert time.monotonic() - started < 1.2


async def test_a_server_that_is_a_name_is_a_mistake_of_the_configuration(network: LiveNetwork) -> None:
    with pytest.raises(SourceError, match="is not an address"):
        await network.resolve("pay.example", server="dns.example")


async def test_tcp_tells_open_refused_and_unresolved(network: LiveNetwork, listen, free_port: int) -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    assert await network.tcp("127.0.0.1", await listen(hang_up)) == ""
    assert await network.tcp("127.0.0.1", free_port) == "refused"
    assert await network.tcp("no-such-host.invalid", 80) == "unresolved"


async def test_tcp_tells_a_server_whose_queue_is_full_as_a_timeout(network: LiveNetwork) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        assert await network.tcp("127.0.0.1", full.getsockname()[1], timeout_s=0.3) == "timeout"
