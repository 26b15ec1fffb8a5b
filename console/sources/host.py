"""The machine that Triage runs on, read with psutil in threads of our own: a dead network disk hangs `statvfs` for ever."""

import os
import shutil
from collections.abc import Callable, Sequence
from typing import TypeVar

from console.reading import FailureKind, SourceError
from console.sources.private_thread import PrivateThread
from console.sources.protocols.host import Disk, Memory, PortOwner
from console.text import clean

T = TypeVar("T")

TIMEOUT_S = 3.0
SAME_START_S = 1.0
"""Two readings of one process's start differ by rounding only; a pid is not used again so soon."""


class LocalHost:
    """Disks, memory and listeners of this machine. Each kind of question has a thread: one that hangs hangs alone."""

    def __init__(self) -> None:
        self._threads: dict[str, PrivateThread] = {}

    async def open(self) -> None:
        """Nothing to prepare."""

    async def aclose(self) -> None:
        for thread in self._threads.values():
            thread.stop()
        self._threads.clear()

    async def disk(self, path: str) -> Disk:
        """Size and free bytes (for an ordinary user) of the file system that holds `path`."""
        try:
            usage = await self._ask(f"disk {path}", lambda: shutil.disk_usage(path))
        except OSError as error:
            kind = FailureKind.MISSING if isinstance(error, FileNotFoundError) else FailureKind.FORBIDDEN
            reason = error.strerror or type(error).__name__
            raise SourceError(
                kind, f"The disk of {clean(path)} could not be read: {reason}.", "Check `disks` in config.toml."
            ) from None
        # What root keeps in reserve is not free for the services: df counts it as used, and so do we.
        return Disk(path, usage.used + usage.free, usage.free)

    async def memory(self) -> Memory:
        return await self._ask("memory", _memory)

    async def port_owners(self, ports: Sequence[int]) -> tuple[PortOwner, ...]:
        """Who listens on these TCP ports, IPv4 and IPv6; a port that nobody holds is not in the answer."""
        wanted = frozenset(ports)
        return await self._ask("ports", lambda: _port_owners(wanted))

    async def end_process(self, pid: int, started_at: float) -> bool:
        """SIGTERM to the process that had `pid` and began at `started_at`; False when it is gone.

        Raises FORBIDDEN for processes of others, for init and for this program.
        """
        if pid in (0, 1, os.getpid(), os.getppid()):
            raise SourceError(FailureKind.FORBIDDEN, f"Process {pid} is not ended: this program lives by it.")
        return await self._ask("end", lambda: _end(pid, started_at))

    async def _ask(self, question: str, call: Callable[[], T]) -> T:
        thread = self._threads.setdefault(question, PrivateThread(f"host {question}"))
        try:
            return await thread.run(call, timeout_s=TIMEOUT_S)
        except TimeoutError:
            message = f"This machine has not answered for {TIMEOUT_S:g} s ({clean(question)})."
            raise SourceError(
                FailureKind.TIMEOUT, message, "A disk that is away (NFS) or a drowning machine does this."
            ) from None


def _memory() -> Memory:
    import psutil

    memory = psutil.virtual_memory()
    swap = psutil.swap_memory()
    return Memory(memory.total, memory.available, swap.total, swap.used)


def _port_owners(ports: frozenset[int]) -> tuple[PortOwner, ...]:
    import psutil

    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        raise SourceError(
            FailureKind.FORBIDDEN,
            "This machine does not let us see who listens on its ports.",
            "Run triage as root for this check.",
        ) from None
    listening = {
        (connection.laddr.port, connection.pid)
        for connection in connections
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port in ports
    }
    known = {port for port, pid in listening if pid is not None}
    # The v6 socket of a process may be seen without its owner beside the v4 one with it.
    shown = sorted((port, pid or 0) for port, pid in listening if pid is not None or port not in known)
    return tuple(_owner(port, pid) for port, pid in shown)


def _owner(port: int, pid: int) -> PortOwner:
    import psutil

    if not pid:
        return PortOwner(port, None, "", "")
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            name, started_at = process.name(), process.create_time()
    except psutil.Error:
        return PortOwner(port, None, "", "")
    command, user = name, ""
    try:
        command = " ".join(process.cmdline()) or name
        user = process.username()
    except (psutil.Error, KeyError):
        pass
    return PortOwner(port, pid, clean(name, 100), clean(command, 400), clean(user, 100), started_at)


def _end(pid: int, started_at: float) -> bool:
    import psutil

    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - started_at) > SAME_START_S or process.status() == psutil.STATUS_ZOMBIE:
            return False
        process.terminate()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        raise SourceError(
            FailureKind.FORBIDDEN, f"We may not end process {pid}: it belongs to another user.", f"sudo kill {pid}"
        ) from None
    return True
