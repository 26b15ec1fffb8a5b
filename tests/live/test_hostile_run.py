"""A run of the real program amid hostile log lines, labels, SQL and keys: nothing of theirs reaches the terminal as a command."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.practice.lab.spec import Service
from console.practice.lab.stack import Lab

pytestmark = pytest.mark.engine

SEQUENCES = (
    "\x1b]0;pwned-title\x07",
    "\x1b]52;c;cHduZWQ=\x07",
    "\x1b[7777;1H",
    "\x9b7778;1H",
    "\x1bPpwned-dcs\x1b\\",
    "\x1b_pwned-apc\x1b\\",
    "[red]markup[/red][@click=app.quit]x[/]",
)
HOSTILE = "".join(SEQUENCES)
FORBIDDEN = (b"\x1b]0;pwned", b"\x1b]52;", b"\x1b[7777", b"\xc2\x9b", b"\x9b7778", b"\x1bPpwned", b"\x1b_pwned", b"\x00")
LOGGER = """
import sys, time
while True:
    sys.stdout.buffer.write(b"HOSTILE-LOG " + {text!r}.encode() + b" \\x00\\xff\\xfe end\\n")
    sys.stdout.buffer.write(b"LONG-LINE " + b"x" * 1_000_000 + b"\\n")
    sys.stdout.flush()
    time.sleep(1)
"""


@pytest.fixture
def hostile_log(lab: Lab) -> Iterator[None]:
    """A container of the system that writes what a terminal would obey."""
    image = lab.container(Service.BACKEND)["Config"]["Image"]
    api = lab.client.api
    labels = {"com.sms.network": "sms", "triage.test": HOSTILE}
    made = api.create_container(
        image,
        ["python3", "-c", LOGGER.format(text=HOSTILE)],
        name="sms-hostile",
        labels=labels,
        environment={"EVIL": "\x1b[7777;1H"},
    )
    api.start(made["Id"])
    yield
    api.remove_container(made["Id"], force=True)


@pytest.fixture
def hostile_sql(lab: Lab) -> Iterator[None]:
    """A running statement whose text holds control sequences."""
    import psycopg

    dsn = f"postgresql://sms_user:{lab.password()}@127.0.0.1:{lab.plan.ports.postgres}/student_management"
    connection = psycopg.connect(dsn, autocommit=True, application_name="HOSTILE-APP [bold]")
    running = connection.pgconn
    running.send_query(f"SELECT pg_sleep(60) /* HOSTILE-SQL {HOSTILE} */".encode())
    yield
    connection.cancel_safe(timeout=5)
    connection.close()


@pytest.fixture
def hostile_key(lab: Lab) -> Iterator[None]:
    """A slow log entry whose key holds control sequences."""
    import redis

    client = redis.Redis("127.0.0.1", lab.plan.ports.redis)
    before = client.config_get("slowlog-log-slower-than")["slowlog-log-slower-than"]
    client.config_set("slowlog-log-slower-than", 0)
    client.set(f"HOSTILE-KEY {HOSTILE}", "x", ex=60)
    client.config_set("slowlog-log-slower-than", before)
    yield
    client.delete(f"HOSTILE-KEY {HOSTILE}")
    client.slowlog_reset()
    client.close()


class Run:
    """The program on a pseudo-terminal of 200x50."""

    def __init__(self, config: Path) -> None:
        self.written = b""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLUMNS="200", LINES="50")
            os.execv(sys.executable, [sys.executable, "-m", "console", "--config", str(config)])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))

    def read_until(self, wanted: bytes, within_s: float = 20.0) -> None:
        self._read_while(lambda: wanted not in self.written, within_s, f"{wanted!r} was not shown")

    def press(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def leave(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        ended: list[int] = []

        def running() -> bool:
            pid, _ = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                ended.append(pid)
            return not ended

        self._read_while(running, 3.0, "it did not end")
        os.close(self.terminal)

    def _read_while(self, goes_on: Callable[[], bool], within_s: float, otherwise: str) -> None:
        until = time.monotonic() + within_s
        while goes_on():
            assert time.monotonic() < until, f"{otherwise}: {self.written[-1500:]!r}"
            if select.select([self.terminal], [], [], 0.05)[0]:
                try:
                    self.written += os.read(self.terminal, 1 << 16)
                except OSError:
                    time.sleep(0.01)


@pytest.mark.usefixtures("hostile_log", "hostile_sql", "hostile_key")
def test_what_others_wrote_is_only_text(triage_config: Path) -> None:
    run = Run(triage_config)
    try:
        run.read_until(b"sms-hostile")
        run.read_until(b"HOSTILE-LOG")
        run.read_until(b"HOSTILE-SQL")
        run.press("3z")
        run.read_until(b"HOSTILE-KEY")
        run.press("z1")
        for _ in range(9):
            run.press("\x1b[B")
        run.press("2\r")
        run.read_until(b"HOSTILE-APP")
    finally:
        run.leave()
    assert b"markup" in run.written
    assert [sequence for sequence in FORBIDDEN if sequence in run.written] == []
