"""PostgreSQL of a simulated stack: rows of the world, read by the parser of the live source."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from console.config import PostgresConfig
from console.practice.simulated.postgres import (
    DATABASE,
    MAX_CONNECTIONS,
    RESERVED,
    USER,
    VERSION,
    Counters,
    Refused,
    ServerSession,
)
from console.practice.simulated.world import World
from console.reading import FailureKind, SourceError
from console.sources.postgres import answers
from console.sources.postgres.failures import Place, login_failure
from console.sources.postgres.queries import PROGRAM
from console.sources.protocols.database import Accepts, Activity, DatabasePrivileges, Value
from console.text import Secrets

OWN_PIDS = (91, 92)
"""The console's own two connections, polling and acting."""
SIZE_BYTES = 218 << 20


class SimulatedDatabase:
    """Implements `console.sources.protocols.database.Database` on a world. `key` is the config's table, for advice."""

    def __init__(self, world: World, config: PostgresConfig, *, key: str) -> None:
        self._world = world
        address = urlsplit(config.dsn)
        self._emergency_user = config.emergency_user
        self._place = Place(
            address=f"{address.hostname}:{address.port or 5432}",
            user=USER,
            database=DATABASE,
            key=key,
            password_setting=f"{config.password_env or 'password_env'} or password_file in [{key}]",
            secrets=Secrets(),
        )
        self._connected_to: float | None = None
        self._emergency = False

    async def open(self) -> None:
        """The connections open with the first question."""

    async def aclose(self) -> None:
        self._leave()

    async def accepts(self) -> Accepts:
        await self._world.settle()
        server = self._world.database
        try:
            server.admit(self._world.now)
        except Refused as refused:
            return Accepts(False, refused.reason, login_failure(self._place, refused).failure.message, elapsed_s=0.004)
        return Accepts(True, server_version=VERSION, elapsed_s=0.006)

    async def activity(self) -> Activity:
        await self._connect()
        server = self._world.database
        now = self._world.now
        newest, oldest = server.counters[-1], server.counters[0]
        own = [_row(ServerSession(pid, now, USER, PROGRAM, "local"), now) for pid in OWN_PIDS]
        return answers.activity(
            self._server_row(newest),
            [*(_row(session, now) for session in server.sessions), *own],
            before=self._server_row(oldest) if newest.at > oldest.at else None,
            own_pids=OWN_PIDS,
            size_bytes=SIZE_BYTES,
            emergency=self._emergency,
        )

    async def privileges(self) -> DatabasePrivileges:
        await self._connect()
        return DatabasePrivileges(USER, superuser=False, sees_all_sessions=True, may_signal=True)

    async def select(
        self,
        query: str,
        parameters: Mapping[str, Value] | None = None,  # noqa: ARG002 - the protocol's
        *,
        limit: int = 500,  # noqa: ARG002
        timeout_s: float = 5.0,  # noqa: ARG002
    ) -> Sequence[Mapping[str, Value]]:
        await self._connect()
        if query.strip().rstrip(";").lower() == "select 1":
            return ({"?column?": 1},)
        raise SourceError(
            FailureKind.UNSUPPORTED,
            "The simulated PostgreSQL holds no tables.",
            "Practise this question on the lab: triage lab up.",
        )

    async def cancel(self, pid: int, backend_start: float) -> bool:
        session = await self._session(pid, backend_start)
        if session is not None:
            self._world.database.cancel(session, self._world.now)
        return session is not None

    async def terminate(self, pid: int, backend_start: float) -> bool:
        session = await self._session(pid, backend_start)
        if session is not None:
            self._world.database.terminate(session, self._world.now)
        return session is not None

    async def execute(self, statement: str) -> None:  # noqa: ARG002 - the protocol's
        await self._connect()
        raise SourceError(
            FailureKind.UNSUPPORTED,
            "The simulated PostgreSQL runs no statements.",
            "Practise this fix on the lab: triage lab up.",
        )

    async def _session(self, pid: int, backend_start: float) -> ServerSession | None:
        await self._connect()
        if pid in OWN_PIDS:
            raise SourceError(
                FailureKind.FORBIDDEN,
                f"Session {pid} is one of this program's own, which this console does not end.",
                "Choose another session.",
            )
        return self._world.database.find(pid, backend_start)

    async def _connect(self) -> None:
        """Keep the connections of the server that runs now; by the emergency login when the ordinary one finds no slot."""
        await self._world.settle()
        server, now = self._world.database, self._world.now
        try:
            if self._connected_to is not None and (not server.up or self._connected_to != server.started_at):
                self._leave()
            if self._connected_to is None or self._emergency:
                self._log_in(now)
            if not server.accepting(now):
                server.admit(now)
        except Refused as refused:
            self._leave()
            raise login_failure(self._place, refused) from None

    def _log_in(self, now: float) -> None:
        server = self._world.database
        server.guests = 0
        try:
            server.admit(now)
            self._emergency = False
        except Refused as refused:
            if refused.reason != "too_many_clients" or not self._emergency_user:
                raise
            server.admit(now, user=self._emergency_user)
            self._emergency = True
        self._connected_to, server.guests = server.started_at, len(OWN_PIDS)

    def _leave(self) -> None:
        self._connected_to, self._emergency = None, False
        self._world.database.guests = 0

    def _server_row(self, counters: Counters) -> dict[str, Any]:
        server = self._world.database
        return {
            "server_version": VERSION,
            "max_connections": MAX_CONNECTIONS,
            "reserved_connections": RESERVED,
            "query_size_bytes": 1024,
            "in_recovery": False,
            "started_at": server.started_at,
            "now": counters.at,
            "commits": counters.commits,
            "rollbacks": counters.rollbacks,
            "hits": counters.blocks_hit,
            "reads": counters.blocks_read,
            "deadlocks": counters.deadlocks,
        }


def _row(session: ServerSession, now: float) -> dict[str, Any]:
    """A session with the columns of `console.sources.postgres.queries.SESSIONS`."""
    return {
        "pid": session.pid,
        "backend_start": session.backend_start,
        "datname": DATABASE,
        "usename": session.user,
        "application_name": session.application,
        "client": session.client,
        "backend_type": "client backend",
        "state": session.state,
        "wait_event_type": session.wait_type or None,
        "wait_event": session.wait_event or None,
        "query_age_s": _age(session.query_start, now),
        "transaction_age_s": _age(session.transaction_start, now),
        "state_age_s": _age(session.state_change, now),
        "query": session.query,
    }


def _age(since: float | None, now: float) -> float | None:
    return None if since is None else now - since
