import asyncio
import ssl
import time
from pathlib import Path

import pytest
from certificate_chains import Authority, Signed, server_context, sign

from console.sources.network.source import LiveNetwork


async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def speak_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n\x1b[31m")
    writer.close()


@pytest.fixture
def show(network: LiveNetwork, listen, tmp_path: Path):
    """Asks a server that shows these certificates."""

    async def ask(leaf: Signed, *rest: Signed, name: str = "localhost"):
        port = await listen(hang_up, server_context(tmp_path, leaf, *rest))
        return await network.tls("127.0.0.1", port, server_name=name)

    return ask


async def test_a_good_chain_is_trusted_and_shown_as_it_was_sent(authority: Authority, show) -> None:
    answer = await show(authority.leaf("localhost", "127.0.0.1"), authority.between)
    assert (answer.reason, answer.trusted, answer.name_matches, answer.message) == ("", True, True, "")
    assert [item.subject for item in answer.chain] == ["CN=localhost", "CN=Test Between"]
    assert answer.chain[0].names == ("localhost", "127.0.0.1")
    assert answer.chain[0].not_after - time.time() == pytest.approx(90 * 86_400, abs=120)
    assert not answer.chain[0].self_signed


async def test_a_missing_intermediate_is_not_trusted_but_shown(authority: Authority, show) -> None:
    answer = await show(authority.leaf("localhost"))
    assert (answer.trusted, answer.message) == (False, "unable to get local issuer certificate")
    assert len(answer.chain) == 1


async def test_an_expired_certificate_with_a_whole_chain_is_told_by_its_dates(authority: Authority, show) -> None:
    answer = await show(authority.leaf("localhost", days=(-30, -2)), authority.between)
    assert (answer.trusted, answer.message) == (True, "certificate has expired")
    assert answer.chain[0].not_after < time.time()


async def test_an_expired_certificate_with_a_broken_chain_is_not_trusted(authority: Authority, show) -> None:
    answer = await show(authority.leaf("localhost", days=(-30, -2)))
    assert answer.trusted is False


async def test_a_self_signed_certificate_is_not_trusted(show) -> None:
    answer = await show(sign("localhost", names=("localhost",)))
    assert (answer.trusted, answer.chain[0].self_signed) == (False, True)
    assert "self-signed" in answer.message


async def test_a_wrong_name_is_told_apart_from_trust(authority: Authority, show) -> None:
    answer = await show(authority.leaf("other.example"), authority.between, name="shop.example")
    assert (answer.trusted, answer.name_matches) == (True, False)


async def test_names_with_control_sequences_come_out_clean(show) -> None:
    answer = await show(sign("evil\x1b]0;pwned\x07\x1b[31m"))
    assert "\x1b" not in answer.chain[0].subject + "".join(answer.chain[0].names) + answer.chain[0].issuer


async def test_why_there_was_no_handshake(network: LiveNetwork, listen, free_port: int) -> None:
    assert (await network.tls("127.0.0.1", free_port)).reason == "refused"
    assert (await network.tls("no-such-host.invalid", 443)).reason == "unresolved"
    assert (await network.tls("127.0.0.1", await listen(speak_http))).reason == "tls"
    assert (await network.tls("127.0.0.1", await listen(hang_up))).reason == "lost"


async def test_a_server_that_takes_the_connection_and_says_nothing_is_a_timeout_in_time(network: LiveNetwork, listen) -> None:
    started = time.monotonic()
    answer = await network.tls("127.0.0.1", await listen(say_nothing), timeout_s=0.4)
    assert (answer.reason, answer.chain) == ("timeout", ())
    assert time.monotonic() - started < 2


async def test_an_authority_that_cannot_be_read_only_costs_its_trust(authority: Authority, listen, tmp_path: Path) -> None:
    (tmp_path / "broken.pem").write_bytes(b"\x00nothing")
    port = await listen(hang_up, server_context(tmp_path, authority.leaf(), authority.between))
    for path in (tmp_path / "broken.pem", tmp_path / "absent.pem"):
        answer = await LiveNetwork((str(path),)).tls("127.0.0.1", port, server_name="localhost")
        assert (answer.trusted, len(answer.chain)) == (False, 2)


async def test_what_python_calls_the_chain_is_there_on_this_python() -> None:
    """The name is not public before 3.13: a version without it must fail here, not on call."""
    assert hasattr(ssl.SSLObject, "get_unverified_chain") or hasattr(__import__("_ssl")._SSLSocket, "get_unverified_chain")
