"""Memory, processes and listeners of this machine, by psutil. Every function blocks."""

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.reading import FailureKind, SourceError
from console.sources.protocols.host import Memory, PortOwner, Process
from console.text import clean

if TYPE_CHECKING:
    import psutil

SAME_START_S = 2.0
"""Two readings of one process's start differ by rounding only; a pid is not used again so soon."""


def memory() -> Memory:
    import psutil

    memory = psutil.virtual_memory()
    swap = psutil.swap_memory()
    return Memory(memory.total, memory.available, swap.total, swap.used)


def first_look() -> "Sequence[psutil.Process]":
    """Every process, with its processor time noted."""
    import psutil

    table = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            process.cpu_percent()
            table.append(process)
    return table


def second_look(table: "Sequence[psutil.Process]") -> tuple[Process, ...]:
    """What each process of the first look is, and its processor share since; one that ended meanwhile is left out."""
    import psutil

    found = []
    for process in table:
        try:
            with process.oneshot():
                share, used, name = process.cpu_percent(), process.memory_info().rss, process.name()
                started_at = process.create_time()
                command, user = _owned(process, name)
        except psutil.Error:
            continue
        found.append(
            Process(process.pid, clean(name, 100), clean(command, 400), clean(user, 100), int(used), float(share), started_at)
        )
    return tuple(found)


def port_owners(ports: frozenset[int]) -> tuple[PortOwner, ...]:
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


def end(pid: int, started_at: float) -> bool:
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


def _owner(port: int, pid: int) -> PortOwner:
    import psutil

    if not pid:
        return PortOwner(port, None, "", "")
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            name, started_at = process.name(), process.create_time()
            command, user = _owned(process, name)
    except psutil.Error:
        return PortOwner(port, None, "", "")
    return PortOwner(port, pid, clean(name, 100), clean(command, 400), clean(user, 100), started_at)


def _owned(process: "psutil.Process", name: str) -> tuple[str, str]:
    """Command line and user; of a process of somebody else its name, and nothing."""
    import psutil

    command, user = name, ""
    with contextlib.suppress(psutil.AccessDenied, psutil.ZombieProcess, KeyError):
        command = " ".join(process.cmdline()) or name
        user = process.username()
    return command, user
