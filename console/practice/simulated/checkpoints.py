"""Checkpoints of the simulated PostgreSQL, and how a full volume brings it down: writes first, then checkpoints, then all."""

from typing import TYPE_CHECKING

from console.practice.simulated.container import Exit

if TYPE_CHECKING:
    from console.practice.simulated.postgres import PostgresServer

CHECKPOINT_S = 300.0
HURRIED_S = 45.0
"""How often it tries one on a full volume, to give files of its write-ahead log free."""
LOG_LASTS_S = 540.0
"""So long after the volume is full the write-ahead log needs a file that it cannot make, and the server ends."""
NO_SPACE = "No space left on device"


class Checkpoints:
    """When the next one is, and since when the volume has been full."""

    def __init__(self) -> None:
        self._next_at = 0.0
        self._full_since: float | None = None

    def wait(self, now: float) -> None:
        """The server has been started."""
        self._next_at = now + CHECKPOINT_S

    def tick(self, server: "PostgresServer", now: float) -> Exit | None:
        """Make one where it is time; the end of the server that could not go on without space."""
        full = server.volume.full
        if not full:
            self._full_since = None
        elif self._full_since is None:
            self._full_since = now
        if self._full_since is not None and now - self._full_since >= LOG_LASTS_S:
            server.say(now, "PANIC", f'could not write to file "pg_wal/xlogtemp.31": {NO_SPACE}', pid=31, who=server.user)
            server.say(now, "LOG", "server process (PID 31) was terminated by signal 6: Aborted", pid=1)
            server.say(now, "LOG", "terminating any other active server processes", pid=1)
            return server.gone(now, 1)
        if full:
            self._next_at = min(self._next_at, now + HURRIED_S)
        if now >= self._next_at:
            self._next_at = now + (HURRIED_S if full else CHECKPOINT_S)
            self._make(server, now)
        return None

    def fail_to_start(self, server: "PostgresServer", now: float) -> Exit | None:
        """A server that cannot write its log does not come up."""
        if now < server.started_at + 1:
            return None
        server.say(now, "FATAL", f'could not write to file "pg_wal/xlogtemp.29": {NO_SPACE}', pid=29)
        server.say(now, "LOG", "startup process (PID 29) exited with exit code 1", pid=1)
        server.say(now, "LOG", "aborting startup due to startup process failure", pid=1)
        server.say(now, "LOG", "database system is shut down", pid=1)
        return server.gone(now, 1)

    @staticmethod
    def _make(server: "PostgresServer", now: float) -> None:
        if server.volume.full:
            server.say(now, "ERROR", f'could not write to file "pg_wal/xlogtemp.27": {NO_SPACE}', pid=27)
            return
        buffers = server.chance.randint(120, 900)
        server.say(now, "LOG", "checkpoint starting: time", pid=27)
        server.say(now, "LOG", f"checkpoint complete: wrote {buffers} buffers ({buffers / 30.72:.1f}%)", pid=27)
