"""The live PostgreSQL source against servers that refuse, talk nonsense or say nothing."""

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import psutil
import pytest

from console.config_sources import PostgresConfig
from console.reading import FailureKind, SourceError
from console.sources.postgres import source as module
from console.sources.postgres.source import Postgres
from console.text import Secrets

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def source(port: int, password: str = "") -> Postgres:
    login = f"sms_user:{password}" if password else "sms_user"
    config = PostgresConfig(dsn=f"postgresql://{login}@127.0.0.1:{port}/sms")
    return Postgres(config, key="systems.sms.postgres", secrets=Secrets())


@contextlib.asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[tuple[Postgres, int]]:
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


def saying(reply: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(reply)
            await writer.drain()

    return talk


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def of_version(version: str) -> Talk:
    """A server that lets everybody in and tells its version."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            (length,) = struct.unpack("!i", await reader.readexactly(4))
            body = await reader.readexactly(length - 4)
            (code,) = struct.unpack("!i", body[:4])
            if code in (80877103, 80877104):  # SSL, GSSAPI
                writer.write(b"N")
                continue
            writer.write(
                message(b"R", struct.pack("!i", 0))
                + message(b"S", f"server_version\0{version}\0".encode())
                + message(b"S", b"client_encoding\0UTF8\0")
                + message(b"K", struct.pack("!ii", 1, 2))
                + message(b"Z", b"I")
            )
            await reader.read()
            return

    return talk


async def test_nobody_listens(free_port: int) -> None:
    made = source(free_port)
    accepts = await made.accepts()
    assert (accepts.accepting, accepts.reason) == (False, "refused")
    with pytest.raises(SourceError) as caught:
        await made.activity()
    assert caught.value.failure.kind is FailureKind.REFUSED
    assert f"PostgreSQL at 127.0.0.1:{free_port} is not reachable" in caught.value.failure.message


@pytest.mark.parametrize("reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x01\x1b[2J" * 99, b"-ERR unknown command\r\n"])
async def test_another_program_on_the_port_is_told_and_no_traceback(reply: bytes) -> None:
    async with talking(saying(reply)) as (made, _):
        with pytest.raises(SourceError) as caught:
            await made.activity()
        assert caught.value.failure.kind is FailureKind.GARBAGE
        assert caught.value.failure.message.isprintable()
        assert (await made.accepts()).reason == "other"


async def test_a_server_that_is_too_old_is_named_with_its_version() -> None:
    async with talking(of_version("11.22")) as (made, _):
        with pytest.raises(SourceError) as caught:
            await made.activity()
        assert caught.value.failure.kind is FailureKind.UNSUPPORTED
        assert "is version 11.22" in caught.value.failure.message


async def test_a_fresh_login_tells_the_servers_version_and_closes_its_connection() -> None:
    async with talking(of_version("16.1 (Debian 16.1-1)")) as (made, port):
        accepts = await made.accepts()
        assert (accepts.accepting, accepts.server_version) == (True, "16.1")
        await _no_socket_to(port)


async def test_a_server_that_says_nothing_is_given_up_in_time_and_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ACCEPTS_TIMEOUT_S", 0.3)
    async with talking(saying(b"")) as (made, port):
        accepts = await made.accepts()
        assert (accepts.accepting, accepts.reason) == (False, "timeout")
        assert accepts.elapsed_s < 2
        await _no_socket_to(port)


async def test_a_cancelled_question_ends_at_once_and_leaves_no_socket() -> None:
    async with talking(saying(b"")) as (made, port):
        task = asyncio.ensure_future(made.activity())
        await _a_socket_to(port)
        started = time.monotonic()
        task.cancel()
        await asyncio.wait({task})
        assert time.monotonic() - started < 0.2
        await _no_socket_to(port)


async def test_a_mute_server_after_the_login_is_given_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.sources.postgres.link.LOGIN_TIMEOUT_S", 0.3)
    async with talking(of_version("15.4")) as (made, port):
        with pytest.raises(SourceError) as caught:
            await made.activity()
        assert caught.value.failure.kind is FailureKind.TIMEOUT
        await _no_socket_to(port)


async def test_a_server_that_hangs_up_is_lost() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)

    async with talking(hang_up) as (made, _):
        assert (await made.accepts()).reason == "lost"


async def test_a_dead_name_server_is_given_up_and_a_wrong_name_told(monkeypatch: pytest.MonkeyPatch) -> None:
    mended = threading.Event()
    monkeypatch.setattr("console.sources.postgres.link.PREPARE_S", 0.3)
    monkeypatch.setattr("console.sources.postgres.link.socket.getaddrinfo", lambda *_, **__: mended.wait(5))
    made = Postgres(PostgresConfig(dsn="postgresql://a@db.invalid/b"), key="systems.sms.postgres", secrets=Secrets())
    accepts = await made.accepts()
    assert (accepts.reason, accepts.message) == ("timeout", "The name of PostgreSQL at db.invalid:5432 was not resolved in time.")
    mended.set()

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("console.sources.postgres.link.PREPARE_S", 3)
    monkeypatch.setattr("console.sources.postgres.link.socket.getaddrinfo", unknown)
    accepts = await made.accepts()
    assert accepts.reason == "refused"
    assert "Name or service not known" in accepts.message
    await made.aclose()


async def test_a_password_in_the_dsn_is_hidden_wherever_it_turns_up() -> None:
    secrets = Secrets()
    config = PostgresConfig(dsn="postgresql://sms_user:hunter2hunter2@127.0.0.1:1/sms")
    Postgres(config, key="systems.sms.postgres", secrets=secrets)
    assert "hunter2" not in secrets.hide("it is hunter2hunter2")


async def _a_socket_to(port: int) -> None:
    until = time.monotonic() + 2
    while not _sockets_to(port):
        assert time.monotonic() < until
        await asyncio.sleep(0.01)


async def _no_socket_to(port: int) -> None:
    until = time.monotonic() + 2
    while _sockets_to(port):
        assert time.monotonic() < until
        await asyncio.sleep(0.01)


def _sockets_to(port: int) -> int:
    """Connections to a server of this test; its own ends have the port on this side."""
    found = psutil.Process().net_connections("tcp")
    return sum(1 for connection in found if connection.raddr and connection.raddr.port == port)
