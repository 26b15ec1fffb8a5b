"""Rows of the server → `Activity`. Pure: the live source and the simulated stack both answer through here."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from console.sources.postgres.locks import Wait, forest
from console.sources.postgres.queries import PROGRAM
from console.sources.protocols.database import Activity, Session, Value
from console.text import MAX_LENGTH, clean

Row = Mapping[str, Any]

JSON_LENGTH = 65_536
"""A plan of a statement is longer than a text that is read."""

HIDDEN_QUERY = "<insufficient privilege>"
SHORTEST_INTERVAL_S = 0.5
"""Backends report their counters about once a second: over less than this a rate is noise."""

_RUNNING = ("active", "fastpath function call")
_CLIENT = "client backend"


def activity(
    server: Row,
    sessions: Sequence[Row],
    waits: Sequence[Row] = (),
    before: Row | None = None,
    *,
    own_pids: Collection[int] = (),
    size_bytes: int | None = None,
    emergency: bool = False,
    show: Callable[[str], str] = clean,
) -> Activity:
    """One moment of the server.

    The rows have the columns of `queries.SERVER`, `queries.SESSIONS` and `queries.waits`; `before` is the `server` row that the
    rates reach back to. `show` makes foreign text safe. `own_pids` are our connections; whatever else calls itself `triage` is
    taken for ours too.
    """
    rows = [row for row in sessions if _is_client(row)]
    others = [row for row in rows if not _is_own(row, own_pids)]
    query_size = int(server["query_size_bytes"])
    listed = tuple(_session(row, query_size, show) for row in others)
    known = {int(row["pid"]): _session(row, query_size, show) for row in sessions if not _is_client(row)}
    known |= {session.pid: session for session in listed}
    now = float(server["now"])
    still = {int(row["pid"]) for row in sessions if row["wait_event_type"] == "Lock"}
    waiting = [wait(row, now, show) for row in waits if int(row["pid"]) in still]
    commits, rollbacks, hit_percent = rates(before, server)
    return Activity(
        server_version=show(str(server["server_version"])),
        max_connections=int(server["max_connections"]),
        reserved_connections=int(server["reserved_connections"]),
        sessions=listed,
        own_sessions=len(rows) - len(others),
        used=len(rows),
        by_state=dict(Counter(session.state or "unknown" for session in listed if not session.hidden)),
        hidden=sum(session.hidden for session in listed),
        roots=forest(waiting, known),
        commits_per_s=commits,
        rollbacks_per_s=rollbacks,
        cache_hit_percent=hit_percent,
        deadlocks=_whole(server["deadlocks"]),
        database_size_bytes=size_bytes,
        in_recovery=bool(server["in_recovery"]),
        started_at=_number(server["started_at"]),
        emergency=emergency,
    )


def rates(before: Row | None, server: Row) -> tuple[float | None, float | None, float | None]:
    """Commits and rollbacks a second and the cache hits in percent between two `server` rows.

    None on the first reading, over too short a time, after a reset of the statistics, and for hits when nothing was read.
    """
    if before is None:
        return None, None, None
    elapsed_s = float(server["now"]) - float(before["now"])
    names = ("commits", "rollbacks", "hits", "reads")
    grown = {name: _whole(server[name]) for name in names}
    old = {name: _whole(before[name]) for name in names}
    if elapsed_s < SHORTEST_INTERVAL_S or None in grown.values() or None in old.values():
        return None, None, None
    delta = {name: (grown[name] or 0) - (old[name] or 0) for name in names}
    if min(delta.values()) < 0:
        return None, None, None
    touched = delta["hits"] + delta["reads"]
    return (
        delta["commits"] / elapsed_s,
        delta["rollbacks"] / elapsed_s,
        100 * delta["hits"] / touched if touched else None,
    )


def wait(row: Row, now: float, show: Callable[[str], str] = clean) -> Wait:
    """A row of `queries.waits`; `now` is the server's clock in Unix seconds."""
    since = _number(row["waiting_since"])
    return Wait(
        pid=int(row["pid"]),
        blockers=tuple(int(pid) for pid in row["blockers"] or ()),
        mode=show(str(row["mode"] or "")),
        relation=show(str(row["relation"] or "")),
        waited_s=None if since is None else max(0.0, now - since),
    )


def value(value: object, show: Callable[[str], str] = clean) -> Value:
    """One value of a row as the driver gives it: numbers as float, times in ISO form, bytes in hex, JSON and
    arrays as JSON, other texts made safe."""
    match value:
        case None | bool() | int() | float():
            return value
        case Decimal():
            return float(value)
        case datetime() | date():
            return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
        case bytes() | bytearray() | memoryview():
            return f"\\x{bytes(value[: MAX_LENGTH // 2]).hex()}"
        case list() | dict():
            text = json.dumps(_shown(value, show), ensure_ascii=False, default=str)
            return text if len(text) <= JSON_LENGTH else show(text)
        case _:
            return show(str(value))


def _shown(part: object, show: Callable[[str], str]) -> object:
    """JSON with each of its texts made safe, so that it stays JSON."""
    match part:
        case dict():
            return {show(str(key)): _shown(item, show) for key, item in part.items()}
        case list():
            return [_shown(item, show) for item in part]
        case str():
            return show(part)
        case _:
            return part


def _session(row: Row, query_size: int, show: Callable[[str], str]) -> Session:
    query = str(row["query"] or "")
    hidden = query == HIDDEN_QUERY
    state = str(row["state"] or "")
    return Session(
        pid=int(row["pid"]),
        backend_start=_number(row["backend_start"]) or 0.0,
        database=show(str(row["datname"] or "")),
        user=show(str(row["usename"] or "")),
        application=show(str(row["application_name"] or "")),
        client=show(str(row["client"] or "")),
        backend_type=show(str(row["backend_type"] or "")),
        state=show(state),
        wait_type=show(str(row["wait_event_type"] or "")),
        wait_event=show(str(row["wait_event"] or "")),
        # Of an idle session query_start is when its last statement began, which is nobody's age.
        query_age_s=_age(row["query_age_s"]) if state in _RUNNING else None,
        transaction_age_s=_age(row["transaction_age_s"]),
        state_age_s=_age(row["state_age_s"]),
        query="" if hidden else show(query),
        truncated=len(query.encode("utf-8", "replace")) >= query_size - 1,
        hidden=hidden,
    )


def _is_client(row: Row) -> bool:
    """Whether the backend counts against max_connections. Of a session that is hidden from us the server does not tell its
    type, but background processes have no user or no database."""
    if row["backend_type"] is not None:
        return bool(row["backend_type"] == _CLIENT)
    return row["usename"] is not None and row["datname"] is not None


def _is_own(row: Row, own_pids: Collection[int]) -> bool:
    return row["pid"] in own_pids or row["application_name"] == PROGRAM


def _age(value: Any) -> float | None:
    number = _number(value)
    return None if number is None else max(0.0, number)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
