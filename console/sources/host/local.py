"""The machine that Triage runs on, read with psutil in threads of our own: a dead network disk hangs `statvfs` for ever.

Services, the packet filter and log files are asked with the commands of `CommandHost`, run here.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from console.reading import FailureKind, SourceError
from console.sources.host import local_files, local_processes
from console.sources.host.command import CommandHost, Output
from console.sources.private_thread import PrivateThread
from console.sources.protocols.host import Disk, FileEntry, Memory, PortOwner, Process
from console.text import clean

T = TypeVar("T")

TIMEOUT_S = 3.0
OWNER_LIMIT_S = 60.0
LOOK_S = 0.3
"""Between the two looks that a processor share needs."""


class LocalHost(CommandHost):
    """This machine. Each kind of question has a thread: one that hangs hangs alone."""

    def __init__(self) -> None:
        super().__init__(run_here)
        self._threads: dict[str, PrivateThread] = {}

    async def aclose(self) -> None:
        for thread in self._threads.values():
            thread.stop()
        self._threads.clear()

    async def now(self) -> float:
        return time.time()

    async def disk(self, path: str) -> Disk:
        """Size and free bytes (for an ordinary user) and inodes of the file system that holds `path`."""
        return await self._call(f"disk {path}", lambda: local_files.disk(path))

    async def memory(self) -> Memory:
        return await self._call("memory", local_processes.memory)

    async def processes(self) -> tuple[Process, ...]:
        """All processes that we may see. Their processor share is of the 0.3 s that this takes."""
        table = await self._call("processes", local_processes.first_look)
        await asyncio.sleep(LOOK_S)
        return await self._call("processes", lambda: local_processes.second_look(table))

    async def port_owners(self, ports: Sequence[int]) -> tuple[PortOwner, ...]:
        """Who listens on these TCP ports, IPv4 and IPv6; a port that nobody holds is not in the answer."""
        wanted = frozenset(ports)
        return await self._call("ports", lambda: local_processes.port_owners(wanted))

    async def end_process(self, pid: int, started_at: float) -> bool:
        """SIGTERM to the process that had `pid` and began at `started_at`; False when it is gone.

        Raises FORBIDDEN for processes of others, for init and for this program.
        """
        if pid in (0, 1, os.getpid(), os.getppid()):
            raise SourceError(FailureKind.FORBIDDEN, f"Process {pid} is not ended: this program lives by it.")
        return await self._call("end", lambda: local_processes.end(pid, started_at))

    async def file(self, path: str) -> FileEntry | None:
        return await self._call(f"file {path}", lambda: local_files.entry(path))

    async def folder(self, path: str, *, older_than_s: float = 0.0, most: int = 20_000) -> tuple[FileEntry, ...]:
        before = time.time() - older_than_s
        return await self._call(f"folder {path}", lambda: local_files.under(path, before, most), limit_s=2 * TIMEOUT_S)

    async def read(self, path: str, *, most_bytes: int = 65_536) -> bytes:
        return await self._call(f"file {path}", lambda: local_files.end_of(path, most_bytes))

    async def set_owner(self, path: str, owner: str, mode: int) -> None:
        await self._call("change", lambda: local_files.set_owner(path, owner, mode), limit_s=OWNER_LIMIT_S)

    async def remove(self, files: Sequence[FileEntry]) -> tuple[str, ...]:
        return await self._call("change", lambda: local_files.remove(files), limit_s=OWNER_LIMIT_S)

    async def _call(self, question: str, call: Callable[[], T], *, limit_s: float | None = None) -> T:
        thread, limit_s = self._threads.setdefault(question, PrivateThread(f"host {question}")), limit_s or TIMEOUT_S
        try:
            return await thread.run(call, timeout_s=limit_s)
        except TimeoutError:
            message = f"This machine has not answered for {limit_s:g} s ({clean(question)})."
            raise SourceError(
                FailureKind.TIMEOUT, message, "A disk that is away (NFS) or a drowning machine does this."
            ) from None


async def run_here(argv: Sequence[str], timeout_s: float) -> Output:
    """Run a command on this machine, without a shell and without input; one that is out of time is killed."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
    except FileNotFoundError:
        return 127, b"", b""
    except OSError as error:
        message = f"{clean(argv[0])} could not be run: {error.strerror or type(error).__name__}."
        raise SourceError(FailureKind.FORBIDDEN, message) from None
    try:
        async with asyncio.timeout(timeout_s):
            stdout, stderr = await process.communicate()
    except TimeoutError:
        raise SourceError(FailureKind.TIMEOUT, f"{clean(argv[0])} has not ended within {timeout_s:g} s.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, stdout, stderr
