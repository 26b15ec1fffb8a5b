"""The simulated PostgreSQL: its sessions, its counters, its log, and when it refuses."""

import math
import random
from collections import deque
from dataclasses import dataclass, field

from console.practice.simulated.catalogue import Index, TableStats, catalogue
from console.practice.simulated.checkpoints import Checkpoints
from console.practice.simulated.container import Exit, Load, Probe
from console.practice.simulated.copies import Copies
from console.practice.simulated.locks import Locks
from console.practice.simulated.log import Log, stamp
from console.practice.simulated.reporting import ReportingJob
from console.practice.simulated.server_settings import ServerSettings, usual_settings
from console.practice.simulated.sessions import Counters, Refused, ServerSession
from console.practice.simulated.tables import Tables
from console.practice.simulated.volume import Volume
from console.practice.simulated.workload import DATABASE_OID, Statement, Workload

MAX_CONNECTIONS = 40
RESERVED = 3
"""Slots that only superusers get (superuser_reserved_connections)."""
VERSION = "15.8 (Debian 15.8-0+deb12u1)"
STARTING_S = 2.0
RECOVERING_S = 6.0
"""Its start after an end in which it could not write everything down."""
COLD_TIMES, COLD_S = 2.5, 40.0
"""After a start statements take so many times longer on top, fading with that time: nothing is in its memory yet."""
DATABASE = "student_management"
USER = "sms_user"
SIZE_BYTES = 218 << 20

TOO_MANY = "remaining connection slots are reserved for non-replication superuser connections"
NO_SPACE = 'could not extend file "base/16385/16417": No space left on device'


@dataclass(slots=True)
class PostgresServer:
    """The process of the database's container."""

    volume: Volume
    log: Log
    chance: random.Random
    system: str = "sms"
    """Whose tables it holds."""
    name: str = DATABASE
    user: str = USER
    """The service's database and role."""
    sessions: list[ServerSession] = field(default_factory=list)
    counters: deque[Counters] = field(default_factory=lambda: deque(maxlen=5))
    started_at: float = 0.0
    ready_at: float = 0.0
    up: bool = False
    damaged: bool = False
    """The newest checkpoint record cannot be read: recovery gives up."""
    foreign_data: bool = False
    """Its data directory belongs to another user: it ends at its start."""
    refuses_password: bool = False
    """The password of the service's role is not the one that the service was given."""
    given_password: str = ""
    """The one that the service was given; empty: nobody knows, and every new one is right."""
    roles: dict[str, str] = field(default_factory=dict)
    """Passwords by role, where they were set."""
    exists: bool = True
    """The service's database is there."""
    checksum_failures: int = 0
    checksum_failed_at: float | None = None
    deadlocks: int = 0
    wal_files: int = 12
    """Of 16 MiB each."""
    extensions: dict[str, str] = field(default_factory=lambda: {"pg_stat_statements": "1.10", "amcheck": "1.3"})
    guests: int = 0
    """Connections that count against the limit and that no list shows: the console's own."""
    revision: str = "0003_login_event"
    """What the table alembic_version holds."""
    tables: Tables = field(init=False)
    workload: Workload = field(init=False)
    settings: ServerSettings = field(init=False)
    locks: Locks = field(default_factory=Locks)
    copies: Copies = field(default_factory=Copies)
    _ended_well: bool = True
    _ended_at: float | None = None
    _next_pid: int = 118
    _checkpoints: Checkpoints = field(default_factory=Checkpoints)
    _reports: ReportingJob = field(init=False)

    def __post_init__(self) -> None:
        schema = catalogue(self.system)
        self.tables, self.workload = Tables(schema), Workload(schema)
        self.settings = ServerSettings(usual_settings(MAX_CONNECTIONS, RESERVED, VERSION))
        self._reports = ReportingJob(self.system)

    @property
    def version(self) -> str:
        return VERSION

    @property
    def indexes(self) -> dict[str, Index]:
        return self.workload.indexes

    @property
    def table_stats(self) -> dict[str, TableStats]:
        return self.workload.table_stats

    @property
    def statements(self) -> list[Statement]:
        return self.workload.statements

    # The process ----------------------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        self.up, self.started_at = True, now
        self.ready_at = now + (STARTING_S if self._ended_well else RECOVERING_S)
        self.sessions.clear()
        self._reports.wait(now)
        self.settings.reload(restart=True)
        self._checkpoints.wait(now)
        self.say(now, "LOG", "starting PostgreSQL 15.8 (Debian 15.8-0+deb12u1) on x86_64-pc-linux-gnu", pid=1)
        self.say(now, "LOG", 'listening on IPv4 address "0.0.0.0", port 5432', pid=1)
        ended = "was shut down" if self._ended_well else "was interrupted; last known up"
        self.say(now, "LOG", f"database system {ended} at {stamp(self._ended_at or now, '.')} UTC", pid=29)
        if not self._ended_well:
            self.say(now, "LOG", "database system was not properly shut down; automatic recovery in progress", pid=29)

    def adopt(self, started_at: float) -> None:
        """Have been up since long before the world began."""
        self.started_at, self.ready_at = started_at, started_at + STARTING_S
        self.counters.append(Counters(started_at))
        self.workload.adopt(started_at)

    def tick(self, now: float) -> Exit | None:
        self.tables.tell_time(now)
        if self.damaged and self.up and now >= self.started_at + 1:
            self.say(now, "LOG", "invalid primary checkpoint record", pid=29)
            self.say(now, "PANIC", "could not locate a valid checkpoint record", pid=29)
            self.say(now, "LOG", "startup process (PID 29) was terminated by signal 6: Aborted", pid=1)
            self.say(now, "LOG", "aborting startup due to startup process failure", pid=1)
            self.say(now, "LOG", "database system is shut down", pid=1)
            return self.gone(now, 1)
        if self.foreign_data and self.up and now >= self.started_at + 0.5:
            self.say(now, "FATAL", 'data directory "/var/lib/postgresql/data" has wrong ownership', pid=1)
            self.say(now, "HINT", "The server must be started by the user that owns the data directory.", pid=1)
            return self.gone(now, 1)
        if self.volume.full and now < self.ready_at:
            return self._checkpoints.fail_to_start(self, now)
        if self.ready_at <= now < self.ready_at + 0.5:
            self.say(now, "LOG", "database system is ready to accept connections", pid=1)
        ended = self._checkpoints.tick(self, now)
        if ended is None and self.accepting(now):
            self._reports.tick(self, now)
            self.locks.settle(self.sessions, now)
            self.workload.tick(now, by_index=self.settings.by_index)
        return ended

    def stop(self, now: float) -> int:
        self.say(now, "LOG", "received fast shutdown request", pid=1)
        self.say(now, "LOG", "aborting any active transactions", pid=1)
        if self.sessions:
            self.say(
                now, "FATAL", "terminating connection due to administrator command", pid=self.sessions[-1].pid, who=self.user
            )
        self.say(now, "LOG", "database system is shut down", pid=1)
        return self.gone(now, 0).code

    def killed(self) -> None:
        self.gone(self.started_at, 137)

    def find_damage(self, now: float) -> None:
        """Meet a damaged page, and fail to recover from the restart that follows: only a backup helps."""
        self.say(now, "WARNING", "page verification failed, calculated checksum 4523 but expected 20011", pid=131, who=self.user)
        self.say(now, "ERROR", "invalid page in block 1187 of relation base/16385/16417", pid=131, who=self.user)
        self.say(now, "PANIC", 'could not read block 1187 in file "base/16385/16417": read only 0 of 8192 bytes', pid=24)
        self.say(now, "LOG", "server process (PID 131) was terminated by signal 6: Aborted", pid=1)
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
        return self.up and not self.damaged and not self.foreign_data and now >= self.ready_at

    def admit(self, now: float, *, user: str = "", password: str = "", database: str = "") -> None:
        """Check whether a new login would succeed; raises `Refused`. `user`: the service's role unless another is named;
        an empty password or database is the right one."""
        user = user or self.user
        if not self.up or self.damaged or self.foreign_data:
            raise Refused("refused", "Connection refused")
        if now < self.ready_at:
            raise Refused("starting", "FATAL: the database system is starting up")
        known = self.roles.get(user, "")
        if (self.refuses_password and user == self.user) or (password and known and password != known):
            raise Refused("login", f'FATAL: password authentication failed for user "{user}"')
        if user not in (self.user, "postgres", *self.roles):
            raise Refused("login", f'FATAL: password authentication failed for user "{user}"')
        if database != "postgres" and (not self.exists or database not in ("", self.name)):
            raise Refused("database_missing", f'FATAL: database "{database or self.name}" does not exist')
        most = int(self.settings["max_connections"].value) - (RESERVED if user == self.user else 0)
        if len(self.sessions) + self.guests >= most:
            raise Refused("too_many_clients", f"FATAL: {TOO_MANY}")

    def connect(
        self, now: float, application: str, client: str, *, user: str = "", password: str = "", database: str = ""
    ) -> ServerSession:
        """Open a session; raises `Refused`, and then logs why."""
        user = user or self.user
        try:
            self.admit(now, user=user, password=password, database=database)
        except Refused as refused:
            if self.up and refused.reason != "refused":
                self.say(now, "FATAL", str(refused).removeprefix("FATAL: "), pid=self._pid(), who=user)
                if refused.reason == "login":
                    detail = 'Connection matched pg_hba.conf line 100: "host all all all scram-sha-256"'
                    self.say(now, "DETAIL", detail, pid=self._next_pid, who=user)
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

    def coldness(self, now: float) -> float:
        """How many times longer statements take because the server has not long been up."""
        return 1 + COLD_TIMES * math.exp(min(0.0, self.ready_at - now) / COLD_S)

    def terminate(self, session: ServerSession, now: float) -> None:
        """End a session as pg_terminate_backend does."""
        self.say(now, "FATAL", "terminating connection due to administrator command", pid=session.pid, who=session.user)
        self.close(session)

    def cancel(self, session: ServerSession, now: float) -> None:
        """Cancel a session's statement as pg_cancel_backend does; one that runs none stays as it is."""
        if session.state == "active":
            self.say(now, "ERROR", "canceling statement due to user request", pid=session.pid, who=session.user)
            session.rest(now)

    def count(self, now: float, commits: int, rollbacks: int) -> None:
        """Count what the last step's transactions did."""
        before = self.counters[-1] if self.counters else Counters(now)
        reads = sum(1 for _ in range(commits) if self.chance.random() < 0.25)
        reads += int(9 * (self.coldness(now) - 1) * commits)
        self.counters.append(
            Counters(
                now,
                before.commits + commits,
                before.rollbacks + rollbacks,
                before.blocks_hit + 46 * commits,
                before.blocks_read + reads,
                self.deadlocks,
            )
        )

    def complain_of_space(self, now: float) -> None:
        """Log that a row could not be written because the volume is full."""
        pid = self.sessions[0].pid if self.sessions else self._next_pid
        self.say(now, "ERROR", NO_SPACE, pid=pid, who=self.user)
        self.say(now, "HINT", "Check free disk space.", pid=pid, who=self.user)
        self.say(now, "STATEMENT", "INSERT INTO login_event (email, accepted) VALUES ($1, $2)", pid=pid, who=self.user)

    # What it is made to do ------------------------------------------------------------------------------------------

    def ran(self, query: str, elapsed_s: float, now: float, *, calls: float = 1.0, rows: float = 12.0) -> None:
        """Count a request's statement, and log it when it took long."""
        self.workload.ran(query, elapsed_s, calls=calls, rows=rows)
        pid = self.sessions[0].pid if self.sessions else self._next_pid
        self.took(query, 1000 * elapsed_s / max(1.0, calls), now, pid=pid)

    def took(self, query: str, took_ms: float, now: float, *, pid: int) -> None:
        """Log a statement that took longer than log_min_duration_statement."""
        if 0 <= float(self.settings["log_min_duration_statement"].value) <= took_ms:
            self.say(now, "LOG", f"duration: {took_ms:.3f} ms  statement: {query}", pid=pid, who=self.user)

    def park(
        self, now: float, application: str, client: str, *, idle_s: float, query: str = "COMMIT", in_transaction: bool = False
    ) -> ServerSession:
        """A session whose client has done nothing for so long, with or without an open transaction."""
        session = self.connect(now, application, client)
        session.backend_start = now - idle_s - 30
        session.query, session.query_start, session.state_change = query, now - idle_s - 0.2, now - idle_s
        if in_transaction:
            session.state, session.transaction_start = "idle in transaction", now - idle_s - 1
        return session

    def run_long(self, now: float, application: str, client: str, query: str, *, for_s: float) -> ServerSession:
        """A session whose statement has been running for so long, and does not end."""
        session = self.connect(now, application, client)
        session.backend_start = now - for_s - 30
        session.run(query, now - for_s)
        return session

    def deadlock(self, now: float, table: str) -> None:
        """Two transactions waited for each other, and one was ended."""
        self.deadlocks += 1
        pid = self._pid()
        self.say(now, "ERROR", "deadlock detected", pid=pid, who=self.user)
        self.say(now, "DETAIL", f"Process {pid} waits for ShareLock on transaction 91822; blocked by process {pid - 3}.", pid=pid)
        self.say(now, "CONTEXT", f'while updating tuple (7,12) in relation "{table}"', pid=pid)

    def find_bad_page(self, now: float, table: str) -> None:
        """Read the first page of a table, whose checksum is wrong; the server goes on."""
        self.workload.damaged_blocks[table] = 0
        self.checksum_failures, self.checksum_failed_at = self.checksum_failures + 1, now
        pid = self._pid()
        self.say(now, "WARNING", "page verification failed, calculated checksum 4523 but expected 20011", pid=pid, who=self.user)
        path = f"base/{DATABASE_OID}/{self.workload.oid(table)}"
        self.say(now, "ERROR", f"invalid page in block 0 of relation {path}", pid=pid, who=self.user)

    def damage_index(self, name: str, now: float) -> None:
        """Let an index hold entries in a wrong order, and a statement meet them."""
        self.workload.damaged_indexes.add(name)
        pid = self._pid()
        self.say(now, "ERROR", f'index "{name}" contains unexpected zero page at block 3', pid=pid, who=self.user)
        self.say(now, "HINT", "Please REINDEX it.", pid=pid, who=self.user)

    def drop_index(self, name: str) -> None:
        """An index has been missing for so long that nearly all that is counted of its table was read without it."""
        index = self.workload.indexes.pop(name, None)
        stats = self.table_stats.get(index.table) if index is not None else None
        if stats is not None:
            moved = stats.idx_scans * 19 // 20
            stats.seq_scans, stats.idx_scans = stats.seq_scans + moved, stats.idx_scans - moved

    def drop_table(self, name: str) -> None:
        """A table is not there, and neither are its indexes."""
        self.tables.run(f'DROP TABLE "{name}"')
        self.table_stats.pop(name, None)
        for index in [key for key, item in self.indexes.items() if item.table == name]:
            del self.indexes[index]

    def create_empty(self) -> None:
        """Create the service's database: it holds no tables."""
        self.exists = True
        self.tables.empty()
        self.table_stats.clear()
        self.indexes.clear()

    def create_schema(self) -> None:
        """Create the service's tables with their first rows, as its own script does."""
        schema = catalogue(self.system)
        self.tables.restore()
        self.table_stats.update({name: TableStats() for name in schema.tables})
        self.indexes.update(schema.fresh_indexes())

    def set_password(self, user: str, password: str) -> None:
        """ALTER ROLE … PASSWORD."""
        self.roles[user] = password
        if user == self.user:
            self.refuses_password = bool(self.given_password) and password != self.given_password

    def reload(self, now: float) -> None:
        """pg_reload_conf()."""
        self.say(now, "LOG", "received SIGHUP, reloading configuration files", pid=1)
        self.settings.reload()

    def size_bytes(self, tables_bytes: int = 0) -> int:
        """What the database takes on disk."""
        told = sum(int(item.row_bytes * (item.dead + (item.live or 0))) for item in self.table_stats.values())
        return max(SIZE_BYTES, (8 << 20) + max(told, tables_bytes))

    def gone(self, now: float, code: int) -> Exit:
        """End, with everybody's sessions; 0: everything was written down."""
        self.up, self._ended_well, self._ended_at = False, code == 0, now
        self.sessions.clear()
        return Exit(code)

    def _pid(self) -> int:
        self._next_pid += self.chance.randint(1, 3)
        return self._next_pid

    def say(self, now: float, level: str, text: str, *, pid: int, who: str = "") -> None:
        """Log a line, as said by a process of the server for a user."""
        login = f"{who}@{self.name} " if who else ""
        self.log.err(now, f"{stamp(now, '.')} UTC [{pid}] {login}{level}:  {text}")
