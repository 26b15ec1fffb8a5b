"""Who holds a table of the simulated PostgreSQL, and who waits for it."""

from dataclasses import dataclass

from console.practice.simulated.sessions import ServerSession
from console.practice.simulated.workload import tables_of


@dataclass(slots=True)
class Held:
    """A table lock that keeps others out; it ends with its session or its transaction."""

    table: str
    holder: ServerSession
    mode: str = "AccessExclusiveLock"


@dataclass(slots=True)
class Waiting:
    """A session whose statement waits for a table."""

    table: str
    session: ServerSession
    since: float


class Locks:
    """The locks that matter: each table's holder, and the queue behind it."""

    def __init__(self) -> None:
        self.held: list[Held] = []
        self.waiting: list[Waiting] = []

    def hold(self, table: str, session: ServerSession, *, mode: str = "AccessExclusiveLock") -> None:
        """Let a session keep everybody else off a table until it ends or ends its transaction."""
        self.held.append(Held(table, session, mode))

    def blocker(self, query: str, session: ServerSession | None = None) -> Held | None:
        """The lock that a statement would wait for."""
        if not self.held:
            return None
        names = tables_of(query)
        return next((lock for lock in self.held if lock.table in names and lock.holder is not session), None)

    def wait(self, session: ServerSession, query: str, now: float) -> bool:
        """Begin a statement that has to wait; False when nothing is in its way."""
        lock = self.blocker(query, session)
        if lock is None:
            return False
        session.run(query, now)
        session.wait_type, session.wait_event = "Lock", "relation"
        self.waiting.append(Waiting(lock.table, session, now))
        return True

    def is_waiting(self, session: ServerSession) -> bool:
        return any(item.session is session for item in self.waiting)

    def blockers(self, item: Waiting) -> list[int]:
        """The pids that a waiter waits for: the holder, and with it those that came earlier."""
        holders = [lock.holder.pid for lock in self.held if lock.table == item.table]
        earlier = [other.session.pid for other in self.waiting if other.table == item.table and other.since < item.since]
        return holders + earlier

    def settle(self, sessions: list[ServerSession], now: float) -> None:
        """Forget the locks of ended sessions and transactions, and let those who waited go on."""
        if not self.held and not self.waiting:
            return
        alive = {id(session) for session in sessions}
        self.held = [lock for lock in self.held if id(lock.holder) in alive and (lock.holder.transaction_start is not None)]
        tables = {lock.table for lock in self.held}
        still = []
        for item in self.waiting:
            if id(item.session) not in alive or item.session.wait_type != "Lock":
                continue
            if item.table in tables:
                still.append(item)
            else:
                item.session.wait_type = item.session.wait_event = ""
                item.session.rest(now)
        self.waiting = still
