"""The simulated PostgreSQL: its sessions, its counters, its log, and when it refuses."""

import random
from collections import deque
from dataclasses import dataclass, field

from console.practice.simulated.container import Exit, Load, Probe
from console.practice.simulated.log import Log, stamp
from console.practice.simulated.volume import Volume

MAX_CONNECTIONS = 40
RESERVED = 3
"""Slots that only superusers get (superuser_reserved_connections)."""
VERSION = "15.8 (Debian 15.8-0+deb12u1)"
STARTING_S = 2.0
DATABASE = "student_management"
USER = "sms_user"

TOO_MANY = "remaining connection slots are reserved for non-replication superuser connections"
NO_SPACE = 'could not extend file "base/16385/16417": No space left on device'


@dataclass(slots=True)
class ServerSession:
    """One client session of the server. Times are Unix seconds; None where nothing has begun."""

    pid: int
    backend_start: float
    user: str
    application: str
    client: str
    state: str = "idle"
    query: str = ""
    query_start: float | None = None
    transaction_start: float | None = None
    state_change: float | None = None
    wait_type: str = "Client"
    wait_event: str = "ClientRead"

    def run(self, query: str, now: float) -> None:
        """Begin a statement."""
        self.state, self.query = "active", query
        self.query_start = self.transaction_start = self.state_change = now
        self.wait_type = self.wait_event = ""

    def rest(self, now: float) -> None:
        """End the statement and wait for the client."""
        if self.state != "idle":
            self.state, self.state_change, self.transaction_start = "idle", now, None
            self.wait_type, self.wait_event = "Client", "ClientRead"


@dataclass(frozen=True, slots=True)
class Counters:
    """pg_stat_database of the one database, since its statistics were reset."""

    at: float
    commits: int = 1_904_311
    rollbacks: int = 2_207
    blocks_hit: int = 88_301_224
    blocks_read: int = 402_118
    deadlocks: int = 0


class Refused(Exception):
    """The server does not let a client in; `reason` as in `Accepts`."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


@dataclass(slots=True)
class PostgresServer:
    """The process of the database's container."""

    volume: Volume
    log: Log
    chance: random.Random
    sessions: list[ServerSession] = field(default_factory=list)
    counters: deque[Counters] = field(default_factory=lambda: deque(maxlen=5))
    started_at: float = 0.0
    ready_at: float = 0.0
    up: bool = False
    damaged: bool = False
    """The newest checkpoint record cannot be read: recovery gives up."""
    refuses_password: bool = False
    """The password of the service's role is not the one that the service was given."""
    guests: int = 0
    """Connections that count against the limit and that no list shows: the console's own."""
    revision: str = "0003_login_event"
    """What the table alembic_version holds."""
    _ended_well: bool = True
    _ended_at: float | None = None
    _next_pid: int = 118
    _next_checkpoint_at: float = 0.0
    _next_report_at: float = 0.0
    _report: ServerSession | None = None

    # The process ----------------------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        self.up, self.started_at, self.ready_at = True, now, now + STARTING_S
        self.sessions.clear()
        self._report = None
        self._next_checkpoint_at, self._next_report_at = now + 300, now + 20
        self._say(now, "LOG", "starting PostgreSQL 15.8 (Debian 15.8-0+deb12u1) on x86_64-pc-linux-gnu", pid=1)
        self._say(now, "LOG", 'listening on IPv4 address "0.0.0.0", port 5432', pid=1)
        ended = "was shut down" if self._ended_well else "was interrupted; last known up"
        self._say(now, "LOG", f"database system {ended} at {stamp(self._ended_at or now, '.')} UTC", pid=29)

    def adopt(self, started_at: float) -> None:
        """Have been up since long before the world began."""
        self.started_at, self.ready_at = started_at, started_at + STARTING_S
        self.counters.append(Counters(started_at))

    def tick(self, now: float) -> Exit | None:
        if self.damaged and self.up and now >= self.started_at + 1:
            self._say(now, "LOG", "invalid primary checkpoint record", pid=29)
            self._say(now, "PANIC", "could not locate a valid checkpoint record", pid=29)
            self._say(now, "LOG", "startup process (PID 29) was terminated by signal 6: Aborted", pid=1)
            self._say(now, "LOG", "aborting startup due to startup process failure", pid=1)
            self._say(now, "LOG", "database system is shut down", pid=1)
            return self._gone(now, 1)
        if self.ready_at <= now < self.ready_at + 0.5:
            self._say(now, "LOG", "database system is ready to accept connections", pid=1)
        if now >= self._next_checkpoint_at:
            self._next_checkpoint_at = now + 300
            self._checkpoint(now)
        if self.accepting(now):
            self._run_report(now)
        return None

    def stop(self, now: float) -> int:
        self._say(now, "LOG", "received fast shutdown request", pid=1)
        self._say(now, "LOG", "aborting any active transactions", pid=1)
        if self.sessions:
            self._say(now, "FATAL", "terminating connection due to administrator command", pid=self.sessions[-1].pid, who=USER)
        self._say(now, "LOG", "database system is shut down", pid=1)
        return self._gone(now, 0).code

    def killed(self) -> None:
        self._gone(self.started_at, 137)

    def find_damage(self, now: float) -> None:
        """Meet a damaged page, and fail to recover from the restart that follows: only a backup helps."""
        self._say(now, "WARNING", "page verification failed, calculated checksum 4523 but expected 20011", pid=131, who=USER)
        self._say(now, "ERROR", "invalid page in block 1187 of relation base/16385/16417", pid=131, who=USER)
        self._say(now, "PANIC", 'could not read block 1187 in file "base/16385/16417": read only 0 of 8192 bytes', pid=24)
        self._say(now, "LOG", "server process (PID 131) was terminated by signal 6: Aborted", pid=1)
        self.damaged = True
        self.started_at = now - 1

    def probe(self, now: float) -> Probe | None:
        if not self.accepting(now):
            return Probe(2, "/run/postgresql:5432 - no response")
        return Probe(0, "/run/postgresql:5432 - accepting connections")

    def load(self, _now: float) -> Load:
        active = sum(1 for session in self.sessions if session.state == "active")
        memory_bytes, pids = (96 << 20) + len(self.sessions) * (3 << 20), 8 + len(self.sessions)
        return Load(2.0 + 6.0 * active, memory_bytes, 9_000.0 + 4_000 * active, 30_000.0 + 20_000 * active, pids)

    # The server -----------------------------------------------------------------------------------------------------

    def accepting(self, now: float) -> bool:
        """Whether the server is up and through its recovery."""
        return self.up and not self.damaged and now >= self.ready_at

    def admit(self, now: float, *, user: str = USER) -> None:
        """Check whether a new login would succeed; raises `Refused`."""
        if not self.up or self.damaged:
            raise Refused("refused", "Connection refused")
        if now < self.ready_at:
            raise Refused("starting", "FATAL: the database system is starting up")
        if self.refuses_password and user == USER:
            raise Refused("login", f'FATAL: password authentication failed for user "{user}"')
        if len(self.sessions) + self.guests >= MAX_CONNECTIONS - (RESERVED if user == USER else 0):
            raise Refused("too_many_clients", f"FATAL: {TOO_MANY}")

    def connect(self, now: float, application: str, client: str, *, user: str = USER) -> ServerSession:
        """Open a session; raises `Refused`, and then logs why."""
        try:
            self.admit(now, user=user)
        except Refused as refused:
            if self.up and refused.reason != "refused":
                self._say(now, "FATAL", str(refused).removeprefix("FATAL: "), pid=self._pid(), who=user)
                if refused.reason == "login":
                    detail = 'Connection matched pg_hba.conf line 100: "host all all all scram-sha-256"'
                    self._say(now, "DETAIL", detail, pid=self._next_pid, who=user)
            raise
        session = ServerSession(self._pid(), now, user, application, client, state_change=now)
        self.sessions.append(session)
        return session

    def close(self, session: ServerSession) -> None:
        """The client went away; a session that was ended meanwhile is no error."""
        if session in self.sessions:
            self.sessions.remove(session)

    def find(self, pid: int, backend_start: float) -> ServerSession | None:
        return next((item for item in self.sessions if item.pid == pid and abs(item.backend_start - backend_start) < 0.001), None)

    def terminate(self, session: ServerSession, now: float) -> None:
        """End a session as pg_terminate_backend does."""
        self._say(now, "FATAL", "terminating connection due to administrator command", pid=session.pid, who=session.user)
        self.close(session)

    def cancel(self, session: ServerSession, now: float) -> None:
        """Cancel a session's statement as pg_cancel_backend does; one that runs none stays as it is."""
        if session.state == "active":
            self._say(now, "ERROR", "canceling statement due to user request", pid=session.pid, who=session.user)
            session.rest(now)

    def count(self, now: float, commits: int, rollbacks: int) -> None:
        """Count what the last step's transactions did."""
        before = self.counters[-1] if self.counters else Counters(now)
        reads = sum(1 for _ in range(commits) if self.chance.random() < 0.25)
        self.counters.append(
            Counters(
                now,
                before.commits + commits,
                before.rollbacks + rollbacks,
                before.blocks_hit + 46 * commits,
                before.blocks_read + reads,
                before.deadlocks,
            )
        )

    def complain_of_space(self, now: float) -> None:
        """Log that a row could not be written because the volume is full."""
        pid = self.sessions[0].pid if self.sessions else self._next_pid
        self._say(now, "ERROR", NO_SPACE, pid=pid, who=USER)
        self._say(now, "HINT", "Check free disk space.", pid=pid, who=USER)
        self._say(now, "STATEMENT", "INSERT INTO login_event (email, accepted) VALUES ($1, $2)", pid=pid, who=USER)

    def _run_report(self, now: float) -> None:
        """A reporting job that asks one heavy question a minute: the statement that the pane shows running."""
        if self._report is None or self._report not in self.sessions:
            if now < self._next_report_at:
                return
            self._next_report_at = now + 20
            try:
                self._report = self.connect(now, "sms-reports", "172.18.0.9")
            except Refused:
                return
        report = self._report
        if report.state == "active" and report.query_start is not None and now - report.query_start > 2.2:
            took_ms = 1000 * (now - report.query_start)
            self._say(now, "LOG", f"duration: {took_ms:.3f} ms  statement: {report.query}", pid=report.pid, who=USER)
            report.rest(now)
        elif now >= self._next_report_at:
            self._next_report_at = now + 60
            report.run(REPORT, now)

    def _checkpoint(self, now: float) -> None:
        if self.volume.full:
            self._say(now, "ERROR", 'could not write to file "pg_wal/xlogtemp.27": No space left on device', pid=27)
            return
        buffers = self.chance.randint(120, 900)
        self._say(now, "LOG", "checkpoint starting: time", pid=27)
        self._say(now, "LOG", f"checkpoint complete: wrote {buffers} buffers ({buffers / 30.72:.1f}%)", pid=27)

    def _gone(self, now: float, code: int) -> Exit:
        self.up, self._ended_well, self._ended_at = False, code == 0, now
        self.sessions.clear()
        return Exit(code)

    def _pid(self) -> int:
        self._next_pid += self.chance.randint(1, 3)
        return self._next_pid

    def _say(self, now: float, level: str, text: str, *, pid: int, who: str = "") -> None:
        login = f"{who}@{DATABASE} " if who else ""
        self.log.err(now, f"{stamp(now, '.')} UTC [{pid}] {login}{level}:  {text}")


REPORT = (
    "SELECT c.code, avg(g.score), count(*) FROM grade g JOIN enrollment e ON e.id = g.enrollment_id "
    "JOIN course c ON c.id = e.course_id GROUP BY c.code ORDER BY 2 DESC"
)
