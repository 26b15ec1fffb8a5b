"""PostgreSQL of a simulated stack: rows of the world, read by the parser of the live source."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from console.config_sources import PostgresConfig
from console.practice.simulated import administration, explain, statistics
from console.practice.simulated.dialect import PostgresError
from console.practice.simulated.embedded import Row
from console.practice.simulated.postgres import RESERVED, VERSION
from console.practice.simulated.sessions import Counters, Refused, ServerSession
from console.practice.simulated.workload import tables_of
from console.practice.simulated.world import World
from console.reading import FailureKind, SourceError
from console.sources.postgres import answers
from console.sources.postgres.failures import Place, login_failure, query_failure
from console.sources.postgres.queries import PROGRAM
from console.sources.private_thread import PrivateThread
from console.sources.protocols.database import Accepts, Activity, DatabasePrivileges, Value
from console.text import Secrets, clean

OWN_PIDS = (91, 92)
"""The console's own two connections, polling and acting."""
OPENING_S = 20.0
"""For the first question, which opens the embedded engine on a busy machine."""
CHANGE_S = 10.0

_OF_EXTENSIONS = (
    ("pg_stat_statements", "FROM pg_stat_statements", ("42P01", 'relation "pg_stat_statements" does not exist')),
    ("amcheck", "bt_index_check(", ("42883", "function bt_index_check(oid) does not exist")),
)
T = TypeVar("T")


class SimulatedDatabase:
    """Implements `console.sources.protocols.database.Database` on a world. `key` is the config's table, for advice."""

    def __init__(self, world: World, config: PostgresConfig, *, key: str) -> None:
        self._world = world
        address = urlsplit(config.dsn)
        self._emergency_user = config.emergency_user
        self._place = Place(
            address=f"{address.hostname}:{address.port or 5432}",
            user=unquote(address.username or ""),
            database=unquote(address.path.lstrip("/")),
            key=key,
            password_setting=f"{config.password_env or 'password_env'} or password_file in [{key}]",
            secrets=Secrets(),
        )
        self._port = address.port or 5432
        self._thread = PrivateThread("practice-tables")
        self._opened = False
        self._connected_to: float | None = None
        self._emergency = False

    async def open(self) -> None:
        """The connections open with the first question."""

    async def aclose(self) -> None:
        self._leave()
        self._thread.stop()
        self._world.database.tables.interrupt()

    async def accepts(self) -> Accepts:
        await self._world.settle()
        server = self._world.database
        try:
            self._reach()
            server.admit(self._world.now)
        except Refused as refused:
            return Accepts(False, refused.reason, login_failure(self._place, refused).failure.message, elapsed_s=0.004)
        return Accepts(True, server_version=VERSION, elapsed_s=0.006)

    async def activity(self) -> Activity:
        await self._connect()
        server = self._world.database
        now = self._world.now
        newest, oldest = server.counters[-1], server.counters[0]
        own = [_row(ServerSession(pid, now, server.user, PROGRAM, "local"), now, server.name) for pid in OWN_PIDS]
        return answers.activity(
            self._server_row(newest),
            [*(_row(session, now, server.name) for session in server.sessions), *own],
            self._waits(),
            before=self._server_row(oldest) if newest.at > oldest.at else None,
            own_pids=OWN_PIDS,
            size_bytes=server.size_bytes(),
            emergency=self._emergency,
        )

    async def privileges(self) -> DatabasePrivileges:
        await self._connect()
        return DatabasePrivileges(self._world.database.user, superuser=False, sees_all_sessions=True, may_signal=True)

    async def select(
        self,
        query: str,
        parameters: Mapping[str, Value] | None = None,
        *,
        limit: int = 500,
        timeout_s: float = 5.0,
    ) -> Sequence[Mapping[str, Value]]:
        await self._connect()
        return [
            {clean(name): answers.value(value) for name, value in row.items()}
            for row in await self._read(query, parameters, limit, timeout_s)
        ]

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

    async def execute(self, statement: str, *, timeout_s: float = 60.0, administer: bool = False) -> None:
        await self._connect(administer=administer)
        server, now = self._world.database, self._world.now
        if server.volume.full and not administer and not statement.lstrip().upper().startswith(("DROP", "VACUUM", "ANALYZE")):
            server.complain_of_space(now)
        await self._in_thread(lambda: administration.execute(server, statement, now), timeout_s)

    async def set_password(self, user: str, password: str) -> None:
        await self._connect(administer=True)
        self._world.database.set_password(user, password)

    async def change(self, statement: str, parameters: Mapping[str, Value] | None = None, *, most_rows: int) -> int:
        await self._connect()
        server = self._world.database
        server.tables.tell_time(self._world.now)
        if server.volume.full:
            server.complain_of_space(self._world.now)
            raise query_failure(self._place, PostgresError("53100", "could not extend file: No space left on device"))
        self._must_not_wait(statement)
        count = await self._in_thread(lambda: server.tables.change(statement, parameters, most_rows=most_rows), CHANGE_S)
        if count > most_rows:
            raise SourceError(
                FailureKind.DECLINED,
                f"This would change {count} rows and not at most {most_rows}: it was rolled back.",
                "Look at the preview again: the data is not what this fix expects.",
            )
        for table in tables_of(statement):
            if table in server.table_stats:
                server.table_stats[table].changed += count
        return count

    async def _read(self, query: str, parameters: Mapping[str, Value] | None, limit: int, timeout_s: float) -> Sequence[Row]:
        world, server, tables = self._world, self._world.database, self._world.database.tables
        tables.tell_time(world.now)
        self._must_not_wait(query)
        for extension, name, words in _OF_EXTENSIONS:
            if name in query and extension not in server.extensions:
                raise query_failure(self._place, PostgresError(*words))
        if "alembic_version" in query and "alembic_version" in server.table_stats:
            change, values = "UPDATE alembic_version SET version_num = %(revision)s", {"revision": server.revision}
            await self._in_thread(lambda: tables.run(change, values), timeout_s)
        asked = explain.inner(query)
        if asked is None and not statistics.needs(query):
            return await self._in_thread(lambda: tables.read(query, parameters, limit=limit), timeout_s)
        counts = await self._in_thread(tables.count, timeout_s)
        if asked is not None:
            # The engine finds what a server would find wrong with it; how it would read is another matter.
            await self._in_thread(lambda: tables.read(f"EXPLAIN {asked}", parameters, limit=1), timeout_s)
            known = {name: stats.live for name, stats in server.table_stats.items() if stats.live is not None}
            usable = server.indexes if server.settings.by_index else {}
            return ({"QUERY PLAN": explain.plan(asked, usable, {**counts, **known})},)
        rows = statistics.views(server, world.now, counts)

        def ask() -> list[Row]:
            statistics.fill(server, rows, query)
            return tables.read(query, parameters, limit=limit)

        return await self._in_thread(ask, timeout_s)

    def _must_not_wait(self, query: str) -> None:
        if self._world.database.locks.blocker(query) is not None:
            raise query_failure(self._place, PostgresError("55P03", "canceling statement due to lock timeout"))

    async def _in_thread(self, call: Callable[[], T], timeout_s: float) -> T:
        """What takes its time, beside the event loop. Raises SourceError in the words of the live source."""
        server = self._world.database
        try:
            answer = await self._thread.run(call, timeout_s=timeout_s if self._opened else max(timeout_s, OPENING_S))
        except TimeoutError:
            server.tables.interrupt()
            late = PostgresError("57014", "canceling statement due to statement timeout")
            raise query_failure(self._place, late) from None
        except PostgresError as error:
            grant = f'GRANT SELECT on it, or pg_read_all_data, TO "{server.user}";'
            raise query_failure(self._place, error, grant) from None
        self._opened = True
        return answer

    def _waits(self) -> list[dict[str, Any]]:
        """Who waits for whom, with the columns of `console.sources.postgres.queries.waits`."""
        locks = self._world.database.locks
        return [
            {
                "pid": item.session.pid,
                "blockers": locks.blockers(item),
                "mode": "AccessShareLock" if item.session.query.startswith("SELECT") else "RowExclusiveLock",
                "waiting_since": item.since,
                "relation": item.table,
            }
            for item in locks.waiting
        ]

    async def _session(self, pid: int, backend_start: float) -> ServerSession | None:
        await self._connect()
        if pid in OWN_PIDS:
            raise SourceError(
                FailureKind.FORBIDDEN,
                f"Session {pid} is one of this program's own, which this console does not end.",
                "Choose another session.",
            )
        return self._world.database.find(pid, backend_start)

    async def _connect(self, *, administer: bool = False) -> None:
        """Keep the connections of the server that runs now; by the emergency login when the ordinary one finds no slot.

        `administer`: on a connection of its own to the maintenance database, by the emergency login where there is one.
        """
        await self._world.settle()
        server, now = self._world.database, self._world.now
        try:
            self._reach()
        except Refused as refused:
            raise login_failure(self._place, refused) from None
        if administer:
            try:
                server.admit(now, user=self._emergency_user or server.user, database="postgres")
            except Refused as refused:
                raise login_failure(self._place, refused) from None
            return
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

    def _reach(self) -> None:
        """Raises `Refused` when packets to the server are dropped on their way."""
        world = self._world
        if self._place.address in world.network.blocked or world.machine.firewall.closes_own(self._port):
            raise Refused("timeout", f"connection to server at {self._place.address} failed: timeout expired")

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
            "max_connections": int(server.settings["max_connections"].value),
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


def _row(session: ServerSession, now: float, database: str) -> dict[str, Any]:
    """A session with the columns of `console.sources.postgres.queries.SESSIONS`."""
    return {
        "pid": session.pid,
        "backend_start": session.backend_start,
        "datname": database,
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
