"""A service of the simulated machine under systemd: its process, its restarts, and what `systemctl show` prints of it."""

import math
import time
from collections import deque
from dataclasses import dataclass, field

from console.practice.simulated.container import Exit, Program
from console.practice.simulated.log import Log

RESTART_PAUSE_S = 2.0
"""RestartSec= of the units."""
MOST_STARTS = 5
STARTS_WITHIN_S = 30.0
"""StartLimitBurst= and StartLimitIntervalSec=: after so many starts in that time systemd gives up."""


@dataclass(slots=True)
class SimulatedUnit:
    """`settings_file`: where its environment stands on the machine. Times are Unix seconds."""

    name: str
    program: Program
    log: Log
    user: str
    command: str
    pid: int
    port: int | None = None
    settings_file: str = ""
    enabled: bool = True
    known: bool = True
    restarts_itself: bool = True
    memory_limit_bytes: int | None = None
    active: str = "inactive"
    sub: str = "dead"
    result: str = "success"
    restarts: int = 0
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int = 0
    memory_bytes: int = 0
    cpu_percent: float = 0.0
    _starts: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_STARTS))
    _restart_at: float = math.inf

    @property
    def running(self) -> bool:
        return self.active == "active"

    def start(self, now: float) -> None:
        """Start at the operator's request: systemd forgets how often it restarted the unit itself."""
        if self.running:
            return
        self.restarts = 0
        self._starts.clear()
        self._run(now)

    def stop(self, now: float) -> None:
        """Stop at the operator's request; it is not restarted."""
        self._restart_at = math.inf
        if self.running:
            code = self.program.stop(now)
            self._note_end(Exit(code), now)
        self.active, self.sub, self.result = "inactive", "dead", "success"

    def restart(self, now: float) -> None:
        self.stop(now)
        self.start(now)

    def adopt(self, started_at: float, now: float) -> None:
        """Be running since long before the world began."""
        self._run(now)
        self.started_at = started_at
        self._starts.clear()

    def tick(self, now: float, _elapsed_s: float, *, sampled: bool = True) -> None:
        """Supervise for one step of the world."""
        if self.active == "activating" and now >= self._restart_at:
            self.restarts += 1
            self._run(now)
        if not self.running:
            return
        ended = self.program.tick(now)
        load = self.program.load(now) if ended is None and (sampled or self.memory_limit_bytes) else None
        if load is not None:
            self.memory_bytes, self.cpu_percent = load.memory_bytes, load.cpu_percent
            if self.memory_limit_bytes is not None and load.memory_bytes > self.memory_limit_bytes:
                self.program.killed()
                ended = Exit(137, out_of_memory=True)
        if ended is not None:
            self._end(ended, now)

    def _run(self, now: float) -> None:
        self.active, self.sub, self.result, self.started_at = "active", "running", "success", now
        self.pid += 1
        self._restart_at = math.inf
        self._starts.append(now)
        self.program.start(now)

    def _end(self, ended: Exit, now: float) -> None:
        self._note_end(ended, now)
        self.result = "oom-kill" if ended.out_of_memory else ("success" if ended.code == 0 else "exit-code")
        often = len(self._starts) == MOST_STARTS and now - self._starts[0] < STARTS_WITHIN_S
        if self.restarts_itself and ended.code != 0 and not often:
            self.active, self.sub, self._restart_at = "activating", "auto-restart", now + RESTART_PAUSE_S
        else:
            self.active, self.sub = ("inactive", "dead") if ended.code == 0 else ("failed", "failed")

    def _note_end(self, ended: Exit, now: float) -> None:
        self.ended_at, self.exit_code, self.memory_bytes, self.cpu_percent = now, ended.code, 0, 0.0

    def shown(self) -> str:
        """What `systemctl show` prints of it, with LC_ALL=C and TZ=UTC."""
        if not self.known:
            return unknown_unit()
        fields = {
            "Result": self.result,
            "NRestarts": self.restarts,
            "MainPID": self.pid if self.running else 0,
            "MemoryCurrent": self.memory_bytes if self.running else "[not set]",
            "LoadState": "loaded",
            "ActiveState": self.active,
            "SubState": self.sub,
            "UnitFileState": "enabled" if self.enabled else "disabled",
            "InactiveEnterTimestamp": _timestamp(self.ended_at),
            "ActiveEnterTimestamp": _timestamp(self.started_at),
        }
        return "".join(f"{name}={value}\n" for name, value in fields.items())


def unknown_unit() -> str:
    """What `systemctl show` prints of a unit that is not there."""
    return (
        "Result=success\nNRestarts=0\nMainPID=0\nMemoryCurrent=[not set]\nLoadState=not-found\nActiveState=inactive\n"
        "SubState=dead\nUnitFileState=\nInactiveEnterTimestamp=\nActiveEnterTimestamp=\n"
    )


def _timestamp(at: float | None) -> str:
    return "" if at is None else time.strftime("%a %Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
