"""PostgreSQL: whether it accepts connections, who holds them, who blocks whom, and how busy it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Session:
    """One backend. Ages are seconds, None where the server does not tell (or we may not see)."""

    pid: int
    backend_start: float
    """Unix seconds: with `pid` it identifies the session, for a pid is used again."""
    database: str
    user: str
    application: str
    client: str
    backend_type: str
    state: str
    """`active`, `idle`, `idle in transaction`, `idle in transaction (aborted)`, …; empty when hidden from us."""
    wait_type: str
    wait_event: str
    query_age_s: float | None
    transaction_age_s: float | None
    state_age_s: float | None
    query: str
    truncated: bool = False
    hidden: bool = False
    """The role may not see this session's state and query."""

    @property
    def holder(self) -> tuple[str, str, str]:
        """Who holds the session: user, application, client address without its port (which differs for each session)."""
        client = self.client
        address, colon, port = client.rpartition(":")
        if colon and port.isdigit() and (":" not in address or address.endswith("]")):
            client = address
        return self.user, self.application, client

    @property
    def waiting_for_lock(self) -> bool:
        return self.wait_type == "Lock"


@dataclass(frozen=True, slots=True)
class Waiter:
    """A node of the lock tree: a session and those that wait for it. `pid` 0 stands for a prepared transaction."""

    session: Session | None
    pid: int
    mode: str = ""
    relation: str = ""
    waited_s: float | None = None
    waiters: tuple["Waiter", ...] = ()
    more: int = 0
    """Waiters that are left out of `waiters` because there are too many to show."""

    @property
    def size(self) -> int:
        """How many sessions wait for this one, directly or not."""
        return self.more + sum(1 + waiter.size for waiter in self.waiters)


@dataclass(frozen=True, slots=True)
class Activity:
    """The server at one moment. Rates are over the time since the reading before, None on the first one."""

    server_version: str
    max_connections: int
    reserved_connections: int
    """Slots kept for superusers (and, since 16, for pg_use_reserved_connections)."""
    sessions: tuple[Session, ...]
    """Client sessions (no background processes), our own left out."""
    own_sessions: int
    """Sessions of this program."""
    used: int
    """Connections that count against the limit, ours included."""
    by_state: Mapping[str, int] = field(default_factory=dict)
    hidden: int = 0
    """Sessions whose state and query our role may not see: without pg_monitor this is most of them."""
    roots: tuple[Waiter, ...] = ()
    """Heads of the blocking chains, the one that most wait for first."""
    commits_per_s: float | None = None
    rollbacks_per_s: float | None = None
    cache_hit_percent: float | None = None
    deadlocks: int | None = None
    """Deadlocks of this database since its statistics were reset."""
    database_size_bytes: int | None = None
    in_recovery: bool = False
    started_at: float | None = None
    emergency: bool = False
    """The answer came over the emergency login, because the ordinary one found no free connection."""

    @property
    def used_percent(self) -> float:
        return 100 * self.used / self.max_connections


@dataclass(frozen=True, slots=True)
class Accepts:
    """The answer to a fresh connection attempt."""

    accepting: bool
    reason: str = ""
    """When not: `refused`, `timeout`, `too_many_clients`, `login`, `database_missing`, `starting`, `lost`, `other`."""
    message: str = ""
    server_version: str = ""
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class DatabasePrivileges:
    """What our role may do, for `triage doctor`."""

    user: str
    superuser: bool
    sees_all_sessions: bool
    """Member of pg_monitor or pg_read_all_stats."""
    may_signal: bool
    """Member of pg_signal_backend."""


class Database(Protocol):
    """Questions are asked on a connection that is kept; actions on a second one, so that they work while a question hangs."""

    async def open(self) -> None: ...
    async def aclose(self) -> None: ...
    async def accepts(self) -> Accepts:
        """Try a fresh login as the configured user. Never raises for a server that refuses: that is the answer."""
        ...

    async def activity(self) -> Activity: ...
    async def privileges(self) -> DatabasePrivileges: ...
    async def select(
        self, query: str, parameters: Mapping[str, Value] | None = None, *, limit: int = 500, timeout_s: float = 5.0
    ) -> Sequence[Mapping[str, Value]]:
        """Rows of a read-only query: READ ONLY transaction, statement timeout, values bound (`%(name)s`), cleaned."""
        ...

    async def cancel(self, pid: int, backend_start: float) -> bool:
        """Cancel a session's statement; False when that session is not there any more."""
        ...

    async def terminate(self, pid: int, backend_start: float) -> bool:
        """End a session, but only if pid and start still agree; False when it is not there any more."""
        ...

    async def execute(self, statement: str, *, timeout_s: float = 60.0, administer: bool = False) -> None:
        """Run one authored statement of a fix (never text from outside), outside a transaction.

        `administer`: what concerns the whole server or a database that is not there (ALTER SYSTEM, CREATE DATABASE): on a
        fresh connection to the maintenance database, by the emergency login where one is configured.
        """
        ...

    async def set_password(self, user: str, password: str) -> None:
        """Give a role a new password, as `execute` administers. It is sent as a verifier: no log and no error holds it."""
        ...

    async def change(self, statement: str, parameters: Mapping[str, Value] | None = None, *, most_rows: int) -> int:
        """Run one authored INSERT, UPDATE or DELETE with bound values (`%(name)s`) in its own transaction; the number of rows.

        One that would hit more than `most_rows` is rolled back and raises DECLINED.
        """
        ...
