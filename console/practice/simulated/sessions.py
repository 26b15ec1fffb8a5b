"""Sessions of the simulated PostgreSQL, its counters, and the answer to a client that is not let in."""

from dataclasses import dataclass


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
    busy_until: float = 0.0
    """Its client needs it until then, for a request that is being answered."""

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
