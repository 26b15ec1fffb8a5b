"""The live Redis source against servers that refuse, talk nonsense or say nothing."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from console.config_sources import RedisConfig
from console.reading import FailureKind, SourceError
from console.sources.redis import link
from console.sources.redis.source import Redis
from console.text import Secrets

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
INFO = (Path(__file__).parent / "info-7.0.15.txt").read_bytes()


@contextlib.asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[tuple[Redis, int]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            await talk(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    made = source(port)
    try:
        yield made, port
    finally:
        await made.aclose()
        server.close()


def source(port: int) -> Redis:
    return Redis(RedisConfig(url=f"redis://127.0.0.1:{port}/0"), key="systems.sms.redis", secrets=Secrets())


def saying(reply: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(reply)
            await writer.drain()

    return talk


def answering(replies: dict[bytes, bytes], otherwise: bytes = b"+OK\r\n") -> Talk:
    """A server that answers each command by its first word."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readline():
            words = []
            for _ in range(int(head[1:])):
                length = int((await reader.readline())[1:])
                words.append((await reader.readexactly(length + 2))[:-2])
            writer.write(replies.get(words[0].upper(), otherwise))
            await writer.drain()

    return talk


async def failure_of(made: Redis) -> tuple[FailureKind, str]:
    with pytest.raises(SourceError) as caught:
        await made.info()
    return caught.value.failure.kind, caught.value.failure.message


async def test_nobody_listens(free_port: int) -> None:
    kind, message = await failure_of(source(free_port))
    assert kind is FailureKind.REFUSED
    assert f"Redis at 127.0.0.1:{free_port} is not reachable" in message


@pytest.mark.parametrize(
    "reply",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n\x1b[2J", b"x" * 200_000, b"\x00\xff\x1b[2J\r\n"],
    ids=["http", "endless", "binary"],
)
async def test_another_program_on_the_port_is_told_in_clean_words(reply: bytes) -> None:
    async with talking(saying(reply)) as (made, _):
        found, message = await failure_of(made)
        assert found is FailureKind.GARBAGE
        assert message.isprintable()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b":42\r\n", FailureKind.GARBAGE),
        (b"-ERR max number of clients reached\r\n", FailureKind.FULL),
        (b"-NOAUTH Authentication required.\r\n", FailureKind.LOGIN),
        (b"-DENIED Redis is running in protected mode because \x1b[2J\r\n", FailureKind.LOGIN),
        (b"-BUSY Redis is busy running a script. You can only call SCRIPT KILL.\r\n", FailureKind.TIMEOUT),
        (b"-ERR unknown command 'INFO'\r\n", FailureKind.UNSUPPORTED),
        (b"-NOPERM this user has no permissions to run the 'info' command\r\n", FailureKind.FORBIDDEN),
    ],
)
async def test_an_answer_that_is_no_info_has_its_kind_and_clean_words(reply: bytes, kind: FailureKind) -> None:
    async with talking(answering({}, otherwise=reply)) as (made, _):
        found, message = await failure_of(made)
        assert found is kind
        assert message.isprintable()


async def test_a_server_that_says_nothing_is_given_up_and_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "LOGIN_S", 0.2)
    async with talking(saying(b"")) as (made, port):
        started = time.monotonic()
        assert (await failure_of(made))[0] is FailureKind.TIMEOUT
        assert time.monotonic() - started < 2
        await _no_socket_to(port)


async def test_a_cancelled_question_leaves_no_socket() -> None:
    async with talking(saying(b"")) as (made, port):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(made.info(), 0.3)
        await _no_socket_to(port)


async def test_a_server_that_hangs_up_is_asked_anew() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)

    async with talking(hang_up) as (made, _):
        for _ in range(2):
            assert (await failure_of(made))[0] is FailureKind.LOST


async def test_a_server_that_loads_its_data_answers_info_without_a_ping() -> None:
    loading = INFO.replace(b"loading:0", b"loading:1")
    replies = {
        b"PING": b"-LOADING Redis is loading the dataset in memory\r\n",
        b"CLIENT": b"-LOADING Redis is loading the dataset in memory\r\n",
        b"SLOWLOG": b"*0\r\n",
        b"INFO": b"$%d\r\n%s\r\n" % (len(loading), loading),
    }
    async with talking(answering(replies)) as (made, _):
        info = await made.info()
        assert (info.loading, info.ping_s) == (True, None)
        with pytest.raises(SourceError) as caught:
            await made.ping()
        assert caught.value.failure.kind is FailureKind.STARTING


async def test_a_server_without_hello_and_slow_log_fills_the_pane() -> None:
    unknown = b"-ERR unknown command\r\n"
    replies = {b"HELLO": unknown, b"CLIENT": unknown, b"SLOWLOG": unknown, b"INFO": b"$%d\r\n%s\r\n" % (len(INFO), INFO)}
    async with talking(answering(replies)) as (made, _):
        info = await made.info()
        assert info.version == "7.0.15"
        assert "does not know a command" in info.slow_log_failure


async def _no_socket_to(port: int) -> None:
    until = time.monotonic() + 2
    # The fake server's ends are in this process too: theirs have the port on this side.
    while any(found.raddr and found.raddr.port == port for found in psutil.Process().net_connections("tcp")):
        assert time.monotonic() < until
        await asyncio.sleep(0.01)
