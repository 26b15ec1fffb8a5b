"""Run a full-screen program on a pseudo-terminal and measure what it costs the person on the line."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78])")
_CURSOR_QUESTION = b"\x1b[6n"


@dataclass(frozen=True, slots=True)
class Cost:
    """`painted_s`: seconds until every mark was on the screen (None: never). Bytes and processor are of the settled part."""

    first_byte_s: float | None
    painted_s: float | None
    missing: tuple[str, ...]
    settled_bytes_per_s: float
    settled_cpu_percent: float
    peak_rss_mib: float


def measure(
    command: Sequence[str],
    *,
    marks: Sequence[str],
    seconds: float,
    settle_s: float,
    environment: Mapping[str, str],
    size: tuple[int, int] = (200, 50),
    stop_when_painted: bool = False,
) -> Cost:
    """Run `command` for `seconds` at `size` (columns, rows); bytes and processor count from `settle_s` on."""
    columns, rows = size
    started = time.monotonic()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(environment, TERM="xterm-256color", COLORTERM="truecolor", LINES=str(rows), COLUMNS=str(columns))
        os.execvp(command[0], list(command))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    seen = b""
    first: float | None = None
    painted: float | None = None
    settled_bytes = 0
    cpu_at_settle: float | None = None
    wanted = [mark.encode() for mark in marks]
    missing = wanted
    while (now := time.monotonic() - started) < seconds and not (stop_when_painted and painted is not None):
        if cpu_at_settle is None and now >= settle_s:
            cpu_at_settle = _cpu_seconds(pid)
        if not select.select([terminal], [], [], 0.01)[0]:
            continue
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:
            break
        if not data:
            break
        now = time.monotonic() - started
        first = now if first is None else first
        if _CURSOR_QUESTION in data:
            os.write(terminal, b"\x1b[1;1R")
        if now >= settle_s:
            settled_bytes += len(data)
        if painted is None:
            seen += data
            plain = _ESCAPES.sub(b"", seen)
            missing = [mark for mark in wanted if mark not in plain]
            if not missing:
                painted = now
    ended = time.monotonic() - started
    window = max(ended - settle_s, 0.001)
    cpu = _cpu_seconds(pid) - (cpu_at_settle or 0.0)
    cost = Cost(
        first_byte_s=first,
        painted_s=painted,
        missing=tuple(mark.decode() for mark in missing),
        settled_bytes_per_s=settled_bytes / window,
        settled_cpu_percent=100 * cpu / window,
        peak_rss_mib=_peak_rss_mib(pid),
    )
    os.kill(pid, signal.SIGTERM)
    _reap(pid, terminal)
    return cost


def _reap(pid: int, terminal: int) -> None:
    """Wait for the end; what is still written is read, or the program could not leave."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if os.waitpid(pid, os.WNOHANG)[0]:
            break
        if select.select([terminal], [], [], 0.05)[0]:
            try:
                os.read(terminal, 1 << 16)
            except OSError:
                time.sleep(0.01)
    else:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    os.close(terminal)


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(int(value) for value in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _peak_rss_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
