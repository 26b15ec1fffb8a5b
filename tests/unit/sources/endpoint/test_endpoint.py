import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable

import pytest
from web_server import WebServer, reply

from console.reading import FailureKind, SourceError
from console.sources import http_get
from console.sources.endpoint import BODY_BYTES, HttpEndpoints
from console.sources.http_get import failure_of, shown

Make = Callable[[str], HttpEndpoints]


@pytest.fixture
async def to() -> AsyncIterator[Make]:
    made: list[HttpEndpoints] = []

    def make(url: str) -> HttpEndpoints:
        made.append(HttpEndpoints({"health": url}))
        return made[-1]

    yield make
    for endpoints in made:
        await endpoints.aclose()


async def failure(endpoints: HttpEndpoints, name: str = "health") -> SourceError:
    with pytest.raises(SourceError) as caught:
        await endpoints.get(name)
    return caught.value


async def test_an_answer_comes_with_status_headers_body_and_time(web: WebServer, to: Make) -> None:
    web.respond = lambda target: reply({"status": "healthy"}, 200, "X-Version: 7")
    answer = await to(f"{web.url}/health").get("health")
    assert (answer.status, answer.body, answer.headers["x-version"]) == (200, '{"status": "healthy"}', "7")
    assert answer.url == f"{web.url}/health"
    assert 0 < answer.elapsed_s < 3


async def test_an_error_status_is_an_answer(web: WebServer, to: Make) -> None:
    web.respond = lambda target: reply("database unreachable", 503)
    answer = await to(web.url).get("health")
    assert (answer.status, answer.body) == (503, "database unreachable")


async def test_a_redirect_is_reported_and_not_followed(web: WebServer, to: Make) -> None:
    web.respond = lambda target: reply("", 302, "Location: http://127.0.0.1:1/login")
    answer = await to(web.url).get("health")
    assert (answer.status, answer.headers["location"]) == (302, "http://127.0.0.1:1/login")
    assert web.targets == ["/"]


async def test_escape_sequences_of_body_and_headers_do_not_get_in(web: WebServer, to: Make) -> None:
    web.respond = lambda target: reply("a\x1b[31mb\x00\nc\x1b]52;c;eA==\x07d", 200, "X-Evil: \x9b31mred")
    answer = await to(web.url).get("health")
    assert answer.body == "ab␀\ncd"
    assert "\x9b" not in answer.headers["x-evil"]


async def test_a_body_without_end_is_cut(web: WebServer, to: Make) -> None:
    web.respond = lambda target: reply("x" * 3_000_000)
    assert len((await to(web.url).get("health")).body) == BODY_BYTES


async def test_a_refused_connection_says_so(free_port: int, to: Make) -> None:
    error = await failure(to(f"http://user:geheim@127.0.0.1:{free_port}/health?token=x"))
    assert error.failure.kind is FailureKind.REFUSED
    assert str(error).startswith(f"http://127.0.0.1:{free_port}/health refused the connection")
    assert "geheim" not in str(error)


async def test_a_frozen_server_is_a_timeout_in_time(web: WebServer, to: Make) -> None:
    web.respond = lambda target: None
    started = time.monotonic()
    assert (await failure(to(web.url))).failure.kind is FailureKind.TIMEOUT
    assert time.monotonic() - started < 3.8


async def test_a_server_that_drips_is_a_timeout_in_time(web: WebServer, to: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_get, "WHOLE_S", 0.8)
    web.drip_s = 0.2
    started = time.monotonic()
    assert (await failure(to(web.url))).failure.kind is FailureKind.TIMEOUT
    assert time.monotonic() - started < 1.6


async def test_what_is_not_http_is_garbage(web: WebServer, to: Make) -> None:
    web.respond = lambda target: b"\x1b[2J-ERR wrong number of arguments\r\n"
    error = await failure(to(web.url))
    assert error.failure.kind is FailureKind.GARBAGE
    assert "\x1b" not in str(error)


async def test_a_port_that_does_not_speak_tls_is_told(web: WebServer, to: Make) -> None:
    error = await failure(to(web.url.replace("http://", "https://")))
    assert error.failure.kind is FailureKind.UNSUPPORTED


async def test_an_unknown_host_name_is_told(to: Make) -> None:
    assert (await failure(to("http://no-such-host.invalid/"))).failure.kind is FailureKind.MISSING


async def test_an_endpoint_that_is_not_configured_names_the_ones_that_are(to: Make) -> None:
    error = await failure(to("http://127.0.0.1/"), "healthz")
    assert error.failure.kind is FailureKind.NOT_CONFIGURED
    assert "there is health" in str(error)


async def test_it_comes_back_by_itself(web: WebServer, to: Make) -> None:
    endpoints = to(web.url)
    web.respond = lambda target: b""
    await failure(endpoints)
    web.respond = lambda target: reply("ok")
    assert (await endpoints.get("health")).status == 200


async def test_asking_at_once_builds_one_client(web: WebServer, to: Make) -> None:
    endpoints = to(web.url)
    answers = await asyncio.gather(*(endpoints.get("health") for _ in range(5)))
    assert {answer.status for answer in answers} == {200}


def test_a_certificate_that_does_not_verify_names_the_reason() -> None:
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_message = "certificate has expired"
    outer = RuntimeError("connect")
    outer.__cause__ = error
    failed = failure_of("https://x", outer).failure
    assert (failed.kind, failed.message) == (
        FailureKind.UNSUPPORTED,
        "https://x could not agree on TLS: certificate has expired.",
    )


def test_a_url_is_shown_without_its_secrets() -> None:
    assert shown("https://me:secret@host.example:8443/a/b?key=1#x") == "https://host.example:8443/a/b"
