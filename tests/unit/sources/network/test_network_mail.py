import asyncio
import base64
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from certificate_chains import Authority, server_context, sign
from mail_server import MailServer

from console.sources.network import mail
from console.sources.network.source import LiveNetwork
from console.sources.protocols.network import SmtpAnswer

LOGIN = {"user": "office@school.example", "password": "s3cret-word", "sender": "office@school.example"}


@pytest.fixture
async def server(authority: Authority, listen, tmp_path: Path) -> MailServer:
    """Offers STARTTLS with a good certificate."""
    made = MailServer(server_context(tmp_path, authority.leaf("127.0.0.1"), authority.between))
    made.port = await listen(made.serve)
    return made


async def ask(network: LiveNetwork, server: MailServer, **changes: object) -> SmtpAnswer:
    return await network.smtp("127.0.0.1", server.port, **{**LOGIN, **changes})


async def test_a_server_that_lets_us_in_is_told_nothing_to_send(network: LiveNetwork, server: MailServer) -> None:
    answer = await ask(network, server)
    assert (answer.connected, answer.starttls, answer.login_accepted, answer.sender_accepted) == (True, True, True, True)
    assert answer.reason == ""
    verbs = [line.partition(" ")[0] for line in server.heard]
    assert verbs[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    assert verbs[4:6] == ["MAIL", "RSET"]
    assert not {"RCPT", "DATA"} & set(verbs)


async def test_a_refused_login_is_an_answer_and_the_password_is_not_repeated(network: LiveNetwork, server: MailServer) -> None:
    encoded = base64.b64encode(f"\0{LOGIN['user']}\0{LOGIN['password']}".encode())
    server.replies["AUTH"] = b"535 5.7.8 no: s3cret-word " + encoded + b" \x1b[31m\r\n"
    answer = await ask(network, server)
    assert (answer.starttls, answer.login_accepted, answer.sender_accepted, answer.reason) == (True, False, None, "")
    assert "5.7.8" in answer.message
    for part in ("s3cret", encoded.decode(), "\x1b"):
        assert part not in answer.message


async def test_the_next_connection_may_have_the_sockets_number(network: LiveNetwork, server: MailServer) -> None:
    loop = asyncio.get_running_loop()
    server.replies["AUTH"] = b"535 5.7.8 no\r\n"
    for _ in range(5):
        await ask(network, server)
        with ExitStack() as held:
            for _ in range(20):
                other = held.enter_context(socket.socket())
                loop.add_reader(other, lambda: None)  # Raises where an earlier connection still has the number.
                loop.remove_reader(other)


async def test_a_refused_sender_is_told(network: LiveNetwork, server: MailServer) -> None:
    server.replies["MAIL"] = b"553 5.7.1 not yours\r\n"
    answer = await ask(network, server)
    assert (answer.login_accepted, answer.sender_accepted, answer.message) == (True, False, "5.7.1 not yours")


async def test_without_a_user_nobody_logs_in(network: LiveNetwork, server: MailServer) -> None:
    answer = await ask(network, server, user="", password="")
    assert (answer.starttls, answer.login_accepted, answer.sender_accepted) == (True, None, True)


async def test_a_plain_server_of_this_network_is_logged_in_to(network: LiveNetwork, listen) -> None:
    plain = MailServer()
    plain.port = await listen(plain.serve)
    answer = await ask(network, plain)
    assert (answer.starttls, answer.login_accepted) == (False, True)


async def test_a_password_is_not_sent_in_the_open_to_a_stranger(
    network: LiveNetwork, listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "_is_private", lambda opened: False)
    plain = MailServer()
    plain.port = await listen(plain.serve)
    answer = await ask(network, plain)
    assert (answer.starttls, answer.login_accepted) == (False, None)
    assert not [line for line in plain.heard if line.startswith("AUTH")]


async def test_a_certificate_that_is_not_trusted_gets_no_password(network: LiveNetwork, listen, tmp_path: Path) -> None:
    liar = MailServer(server_context(tmp_path, sign("127.0.0.1", names=("127.0.0.1",))))
    liar.port = await listen(liar.serve)
    answer = await ask(network, liar)
    assert (answer.connected, answer.starttls, answer.reason, answer.login_accepted) == (True, False, "tls", None)
    assert not [line for line in liar.heard if line.startswith("AUTH")]


async def test_a_port_that_begins_with_tls(
    authority: Authority, network: LiveNetwork, listen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = MailServer()
    inner.port = await listen(inner.serve, server_context(tmp_path, authority.leaf("127.0.0.1"), authority.between))
    monkeypatch.setattr(mail, "TLS_PORT", inner.port)
    answer = await ask(network, inner)
    assert (answer.starttls, answer.login_accepted, answer.sender_accepted) == (True, True, True)
    assert "STARTTLS" not in inner.heard


async def test_why_nobody_was_reached(network: LiveNetwork, listen, free_port: int) -> None:
    assert await network.smtp("127.0.0.1", free_port) == SmtpAnswer(False, reason="refused", message="Connection refused")
    assert (await network.smtp("no-such-host.invalid", 25)).reason == "unresolved"
    silent = MailServer(greeting=None)
    started = time.monotonic()
    answer = await network.smtp("127.0.0.1", await listen(silent.serve), timeout_s=0.5)
    assert (answer.connected, answer.reason) == (False, "timeout")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("greeting", [b"554 go away\r\n", b"HTTP/1.1 400 Bad\r\n\r\n", b"\x1b[31m\xff\x00\r\n", b""])
async def test_a_server_that_greets_in_another_way_lets_nobody_in(network: LiveNetwork, listen, greeting: bytes) -> None:
    odd = MailServer(greeting=greeting)
    if not greeting:
        odd.serve = hang_up  # type: ignore[method-assign]
    answer = await network.smtp("127.0.0.1", await listen(odd.serve), timeout_s=1)
    assert (answer.starttls, answer.login_accepted, bool(answer.reason)) == (None, None, True)
    assert "\x1b" not in answer.message


async def hang_up(_reader, writer) -> None:
    writer.close()
