import asyncio
import time
from pathlib import Path

import pytest
from certificate_chains import Authority, server_context
from web_server import WebServer, reply

from console.reading import FailureKind, SourceError
from console.sources.network.source import LiveNetwork


async def test_an_answer_comes_with_status_headers_and_body(web: WebServer, network: LiveNetwork) -> None:
    web.respond = lambda target: reply({"status": "ready"}, 503, "Retry-After: 7")
    answer = await network.http(f"{web.url}/health?token=geheim")
    assert (answer.status, answer.headers["retry-after"], answer.body) == (503, "7", '{"status": "ready"}')
    assert (answer.reason, answer.url) == ("", f"{web.url}/health")
    assert answer.elapsed_s > 0


async def test_redirects_are_not_followed(web: WebServer, network: LiveNetwork) -> None:
    web.respond = lambda target: reply("", 302, f"Location: {web.url}/elsewhere")
    answer = await network.http(f"{web.url}/old")
    assert (answer.status, answer.headers["location"], web.targets) == (302, f"{web.url}/elsewhere", ["/old"])


async def test_json_is_posted_as_json(listen, network: LiveNetwork) -> None:
    heard: list[bytes] = []

    async def login(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        heard.append(await reader.read(1000))
        writer.write(reply("no", 401))
        writer.close()

    port = await listen(login)
    answer = await network.http(f"http://127.0.0.1:{port}/login", method="POST", json={"email": "a@b.c", "password": "x"})
    assert answer.status == 401
    assert heard[0].startswith(b"POST /login HTTP/1.1")
    assert heard[1] == b'{"email":"a@b.c","password":"x"}'


async def test_a_body_without_end_is_cut(web: WebServer, network: LiveNetwork) -> None:
    web.respond = lambda target: reply("x" * 3_000_000)
    assert len((await network.http(web.url)).body) == 65_536


async def test_hostile_bytes_in_headers_and_body_do_not_get_in(web: WebServer, network: LiveNetwork) -> None:
    web.respond = lambda target: reply(b"a\x1b[31mb\x00\n\x1b]52;c;eA==\x07\xff", 200, "X-Evil: \x9b31mred")
    answer = await network.http(web.url)
    assert answer.body == "ab␀\n\ufffd"
    assert "\x9b" not in answer.headers["x-evil"]


@pytest.mark.parametrize("raw", [b"\x1b[2J-ERR no\r\n", b"HTTP/1.1 999999 x\r\n\r\n", b"\x00" * 400_000])
async def test_what_is_not_http_is_no_answer(web: WebServer, network: LiveNetwork, raw: bytes) -> None:
    web.respond = lambda target: raw
    answer = await network.http(web.url)
    assert (answer.status, answer.reason) == (None, "other")
    assert "\x1b" not in answer.message


async def test_why_there_was_no_answer(web: WebServer, network: LiveNetwork, free_port: int) -> None:
    assert (await network.http(f"http://127.0.0.1:{free_port}/")).reason == "refused"
    assert (await network.http("http://no-such-host.invalid/")).reason == "unresolved"
    assert (await network.http(web.url.replace("http:", "https:"))).reason == "tls"
    web.respond = lambda target: b""
    assert (await network.http(web.url)).reason == "lost"


@pytest.mark.parametrize("drip_s", [0.0, 0.05])
async def test_a_server_that_is_silent_or_drips_is_a_timeout_in_time(web: WebServer, network: LiveNetwork, drip_s: float) -> None:
    web.drip_s = drip_s
    web.respond = lambda target: reply("x" * 1000) if drip_s else None
    await network.http("http://127.0.0.1:1/")  # the library is loaded
    started = time.monotonic()
    assert (await network.http(web.url, timeout_s=0.4)).reason == "timeout"
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize(
    "url", ["ftp://x/", "http://", "http://a b/", "http://h:99999/", "javascript:1", "http://[::1/", "http://h/\x1b"]
)
async def test_what_is_no_address_is_not_asked(network: LiveNetwork, url: str) -> None:
    with pytest.raises(SourceError) as caught:
        await network.http(url)
    assert caught.value.failure.kind is FailureKind.GARBAGE
    assert "\x1b" not in str(caught.value)


async def test_certificates_are_verified(authority: Authority, listen, network: LiveNetwork, tmp_path: Path) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply("hello"))
        writer.close()

    good = await listen(greet, server_context(tmp_path, authority.leaf("127.0.0.1"), authority.between))
    wrong = await listen(greet, server_context(tmp_path, authority.leaf("other.example"), authority.between))
    assert (await network.http(f"https://127.0.0.1:{good}/")).status == 200
    assert (await network.http(f"https://127.0.0.1:{wrong}/")).reason == "tls"


def upgrade(answer: bytes, heard: list[str]):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answer)
        heard.append((await reader.read()).decode())
        writer.close()

    return serve


async def test_a_websocket_that_is_agreed_to_is_101_and_hung_up_at_once(listen, network: LiveNetwork) -> None:
    heard: list[str] = []
    raw = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05hello"
    port = await listen(upgrade(raw, heard))
    answer = await network.handshake(f"ws://127.0.0.1:{port}/ws?token=geheim", origin="http://page.example", token="abc")
    assert (answer.status, answer.headers["upgrade"], answer.body) == (101, "websocket", "")
    assert answer.url == f"ws://127.0.0.1:{port}/ws"
    asked = heard[0].lower()
    for line in ("upgrade: websocket", "connection: upgrade", "origin: http://page.example", "authorization: bearer abc"):
        assert line in asked


async def test_a_websocket_that_is_refused_tells_its_status(listen, network: LiveNetwork) -> None:
    port = await listen(upgrade(reply("Forbidden origin", 403), []))
    answer = await network.handshake(f"ws://127.0.0.1:{port}/ws")
    assert (answer.status, answer.body) == (403, "Forbidden origin")
