"""The real program on a pseudo-terminal: it gives the terminal back and ends in time, however it is ended."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator

import pytest

PROGRAM = """
import sys
sys.path.insert(0, {root!r})
from tests.ui import fakes
from screens.running import run_app
{before}
sys.exit(run_app(fakes.system))
"""
CRASH = """
from screens.dashboard import Dashboard
def action_zoom(self):
    password = "local-variable-secret"
    raise RuntimeError("password=hunter2secret in the message")
Dashboard.action_zoom = action_zoom
"""
PAINTS_MUCH = """
from screens.app import TriageApp
mounted = TriageApp.on_mount
def on_mount(self):
    mounted(self)
    self.set_interval(0.05, lambda: [self._driver.write("\\x1b[0m") for _ in range(40)])
TriageApp.on_mount = on_mount
"""
ALTERNATE_ON, ALTERNATE_OFF, MOUSE_OFF, CURSOR_ON = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?1003l", b"\x1b[?25h"


class Terminal:
    """A program on a pseudo-terminal of 160x45."""

    def __init__(self, before: str = "", ignores_hangup: bool = False) -> None:
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
        self.sent = b""
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            if ignores_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
            os.environ.update(TERM="xterm-256color", COLUMNS="160", LINES="45")
            os.execv(sys.executable, [sys.executable, "-c", PROGRAM.format(root=root, before=before)])
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 160, 0, 0))

    def read_until(self, wanted: bytes, within_s: float = 15.0) -> None:
        end = time.monotonic() + within_s
        while wanted not in self.sent:
            assert time.monotonic() < end, self.sent[-2000:]
            self._read()

    def ended(self, within_s: float = 2.0) -> int:
        """Wait for the end and return the exit code (negative: the signal)."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                self._read()
                return os.waitstatus_to_exitcode(status)
            self._read()
        raise AssertionError(f"still running after {within_s} s")

    def hang_up(self) -> None:
        os.close(self.file)
        self.file = -1

    def _read(self) -> None:
        if self.file < 0:
            time.sleep(0.01)
            return
        if select.select([self.file], [], [], 0.02)[0]:
            try:
                self.sent += os.read(self.file, 1 << 16)
            except OSError:
                return

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.file >= 0:
            os.close(self.file)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    found = Terminal()
    found.read_until(b"sms-frontend")
    yield found
    found.close()


def restored(terminal: Terminal) -> bool:
    last = terminal.sent.rsplit(ALTERNATE_ON, 1)[-1]
    return ALTERNATE_OFF in last and MOUSE_OFF in last and CURSOR_ON in last


@pytest.mark.parametrize("key", [b"q", b"\x03", b"\x11"], ids=["q", "ctrl+c", "ctrl+q"])
def test_a_key_ends_it_and_the_terminal_is_as_before(terminal: Terminal, key: bytes) -> None:
    os.write(terminal.file, key)
    assert terminal.ended() == 0
    assert restored(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_the_terminal_is_as_before(terminal: Terminal, number: signal.Signals) -> None:
    os.kill(terminal.pid, number)
    assert terminal.ended() == 128 + number
    assert restored(terminal)


def test_a_lost_terminal_ends_it(terminal: Terminal) -> None:
    terminal.hang_up()
    terminal.ended()


@pytest.mark.parametrize("paints", ["", PAINTS_MUCH], ids=["at rest", "painting"])
def test_a_lost_terminal_ends_it_though_hangups_are_ignored(paints: str) -> None:
    found = Terminal(paints, ignores_hangup=True)
    try:
        found.read_until(b"sms-frontend")
        found.hang_up()
        found.ended()
    finally:
        found.close()


def test_a_defect_ends_it_with_one_sentence_and_a_report_without_secrets(tmp_path_factory: pytest.TempPathFactory) -> None:
    found = Terminal(before=CRASH)
    try:
        found.read_until(b"sms-frontend")
        os.write(found.file, b"z")
        assert found.ended(5.0) == 1
        assert restored(found)
        told = found.sent.rsplit(ALTERNATE_OFF, 1)[-1].decode()
        assert "Triage failed: RuntimeError" in told
        for secret in ("hunter2secret", "local-variable-secret", "Traceback"):
            assert secret not in told
        folder = os.path.join(os.environ["XDG_STATE_HOME"], "triage")  # noqa: PTH118
        reports = [name for name in os.listdir(folder) if name.startswith("crash-")]  # noqa: PTH208
        assert len(reports) == 1
        with open(os.path.join(folder, reports[0]), encoding="utf-8") as report:  # noqa: PTH118, PTH123
            written = report.read()
        assert "action_zoom" in written
        assert "hunter2secret" not in written
    finally:
        found.close()
