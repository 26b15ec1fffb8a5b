import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.reading import FailureKind, SourceError
from console.sources.host import LocalHost, local, local_files
from console.sources.protocols.host import FileEntry


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


async def test_processes_are_seen_with_what_they_use(host: LocalHost) -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])  # noqa: ASYNC220
    try:
        found = {item.pid: item for item in await host.processes()}
    finally:
        busy.kill()
        busy.wait()
    assert found[os.getpid()].memory_bytes > 1_000_000
    assert "while True" in found[busy.pid].command
    share = found[busy.pid].cpu_percent
    assert share is not None
    assert share > 10


async def test_inodes_of_a_disk_are_told(host: LocalHost) -> None:
    disk = await host.disk("/")
    assert disk.inodes_percent is None or 0 < disk.inodes_percent < 100


async def test_a_file_and_a_folder_are_described(host: LocalHost, tmp_path: Path) -> None:
    file = tmp_path / "upload.bin"
    file.write_bytes(b"x" * 10)
    file.chmod(0o640)
    found = await host.file(str(file))
    assert found is not None
    assert (found.size_bytes, found.mode, found.is_folder) == (10, 0o640, False)
    assert found.owner == file.owner()
    folder = await host.file(str(tmp_path))
    assert folder is not None
    assert folder.is_folder
    assert await host.file(str(tmp_path / "nope")) is None


async def test_files_of_a_tree_come_oldest_first_and_no_link_is_followed(host: LocalHost, tmp_path: Path) -> None:
    inner = tmp_path / "folder" / "inner"
    inner.mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("x")
    now = time.time()
    for name, age_s in (("young", 10), ("old", 4000), ("oldest", 9000)):
        (inner / name).write_text(name)
        os.utime(inner / name, (now - age_s, now - age_s))
    (tmp_path / "folder" / "link").symlink_to(outside)

    def names(files: tuple[FileEntry, ...]) -> list[str]:
        return [Path(file.path).name for file in files]

    path = str(tmp_path / "folder")
    assert names(await host.folder(path)) == ["oldest", "old", "young"]
    assert names(await host.folder(path, older_than_s=3600)) == ["oldest", "old"]
    assert names(await host.folder(path, most=1)) == ["oldest"]
    with pytest.raises(SourceError) as caught:
        await host.folder(str(tmp_path / "nope"))
    assert caught.value.failure.kind is FailureKind.MISSING


async def test_the_end_of_a_file_is_read(host: LocalHost, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\nB=2\n")
    assert await host.read(str(file)) == b"A=1\nB=2\n"
    assert await host.read(str(file), most_bytes=4) == b"B=2\n"
    with pytest.raises(SourceError) as caught:
        await host.read(str(tmp_path / "nope"))
    assert caught.value.failure.kind is FailureKind.MISSING


async def test_a_file_is_removed_only_if_it_is_still_the_one_that_was_seen(host: LocalHost, tmp_path: Path) -> None:
    file = tmp_path / "old.log"
    file.write_text("old")
    seen = await host.file(str(file))
    assert seen is not None
    file.write_text("changed")
    assert await host.remove([seen]) == ()
    assert file.exists()
    seen = await host.file(str(file))
    assert seen is not None
    assert await host.remove([seen]) == (str(file),)
    assert not file.exists()
    assert await host.remove([seen]) == ()


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
async def test_a_folder_is_given_to_a_user_and_links_lead_nowhere(host: LocalHost, tmp_path: Path) -> None:
    folder, outside = tmp_path / "uploads", tmp_path / "outside"
    folder.mkdir()
    outside.write_text("x")
    (folder / "file").write_text("x")
    (folder / "link").symlink_to(outside)
    await host.set_owner(str(folder), "nobody", 0o750)
    assert (folder.owner(), folder.stat().st_mode & 0o7777) == ("nobody", 0o750)
    assert (folder / "file").owner() == "nobody"
    assert outside.owner() == "root"
    with pytest.raises(SourceError) as caught:
        await host.set_owner(str(folder), "nobody-of-that-name", 0o755)
    assert caught.value.failure.kind is FailureKind.MISSING


async def test_the_last_lines_of_a_log_file_have_their_own_times(host: LocalHost, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("".join(f"2026-11-22T10:00:{second:02}Z line {second}\n" for second in range(30)))
    lines = await host.log_tail(str(log), name="backend", lines=2)
    assert [(line.container, line.at, line.text[-7:]) for line in lines] == [
        ("backend", 1_795_341_628.0, "line 28"),
        ("backend", 1_795_341_629.0, "line 29"),
    ]


async def test_a_command_gives_code_and_output_and_one_that_hangs_is_killed(host: LocalHost) -> None:
    assert await host.run(["sh", "-c", "echo out; echo err >&2; exit 3"]) == (3, b"out\n", b"err\n")
    with pytest.raises(SourceError) as caught:
        await host.run(["no-such-command-here"])
    assert caught.value.failure.kind is FailureKind.MISSING
    started = time.monotonic()
    with pytest.raises(SourceError) as caught:
        await host.run(["sleep", "30"], timeout_s=0.2)
    assert caught.value.failure.kind is FailureKind.TIMEOUT
    assert time.monotonic() - started < 2


async def test_the_clock_is_ours(host: LocalHost) -> None:
    assert abs(await host.now() - time.time()) < 1
