import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator

import pytest

from console.reading import FailureKind, SourceError
from console.sources.host import LocalHost, local, local_files


@pytest.fixture
async def host() -> AsyncIterator[LocalHost]:
    made = LocalHost()
    await made.open()
    yield made
    await made.aclose()


async def test_the_disk_of_a_path_has_size_and_free_bytes(host: LocalHost) -> None:
    disk = await host.disk("/")
    assert disk.path == "/"
    assert 0 < disk.free_bytes < disk.total_bytes
    assert 0 < disk.used_percent < 100


async def test_a_path_that_is_not_there_is_missing(host: LocalHost) -> None:
    with pytest.raises(SourceError) as caught:
        await host.disk("/no/such\x1b[31m")
    assert caught.value.failure.kind is FailureKind.MISSING
    assert "\x1b" not in str(caught.value)


async def test_memory_is_read(host: LocalHost) -> None:
    memory = await host.memory()
    assert 0 < memory.available_bytes < memory.total_bytes
    assert memory.swap_used_bytes <= memory.swap_total_bytes


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
async def test_who_listens_on_a_port_is_named(host: LocalHost, family: int, address: str) -> None:
    with socket.socket(family) as listener:
        try:
            listener.bind((address, 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        listener.listen()
        port = listener.getsockname()[1]
        (owner,) = await host.port_owners([port])
    assert (owner.port, owner.pid) == (port, os.getpid())
    assert owner.process
    assert owner.started_at is not None
    assert await host.port_owners([port]) == ()


async def test_a_process_is_ended_only_if_it_is_still_the_one_that_was_seen(host: LocalHost) -> None:
    import psutil

    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])  # noqa: ASYNC220
    try:
        started_at = psutil.Process(process.pid).create_time()
        assert await host.end_process(process.pid, started_at - 100) is False
        assert process.poll() is None
        assert await host.end_process(process.pid, started_at) is True
        assert process.wait(5) == -15
        assert await host.end_process(process.pid, started_at) is False
    finally:
        process.kill()


@pytest.mark.parametrize("pid", [0, 1, os.getpid(), os.getppid()], ids=["nobody", "init", "this", "parent"])
async def test_init_and_this_program_are_never_ended(host: LocalHost, pid: int) -> None:
    with pytest.raises(SourceError) as caught:
        await host.end_process(pid, 0.0)
    assert caught.value.failure.kind is FailureKind.FORBIDDEN


async def test_a_disk_that_hangs_stops_nothing_else(host: LocalHost, monkeypatch: pytest.MonkeyPatch) -> None:
    mended = threading.Event()
    monkeypatch.setattr(local, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(local_files, "disk", lambda path: mended.wait(10))
    started = time.monotonic()
    with pytest.raises(SourceError) as caught:
        await host.disk("/mnt/dead")
    assert caught.value.failure.kind is FailureKind.TIMEOUT
    assert (await host.memory()).total_bytes > 0
    assert time.monotonic() - started < 2
    mended.set()
