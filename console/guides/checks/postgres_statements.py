"""PostgreSQL: what it is doing right now, who waits for whom, and which statements cost the most."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import Field

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, FactType, FactValue, Findings
from console.guides.checks.commands import psql
from console.guides.checks.containers import NoParameters
from console.guides.checks.postgres import hidden_failure, session_line
from console.guides.checks.postgres_select import QUESTION_S, select
from console.guides.checks.words import age, number
from console.guides.parameters import Parameters, Seconds
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.postgres import statistics
from console.sources.protocols.database import Activity, Session, Value, Waiter
from console.sources.protocols.metrics import Quality
from console.system import System
from console.text import clean

MANY_ROWS = 1000
"""More than anybody reads on a page."""
LEAST_CALLS = 5
"""A question that was asked less often is a person's, or a job's."""
LOOK_S = 0.5
"""Between two looks at counters that a rate is made of."""
LONGEST_LOOK_S = 5.0
REMEMBERED_S = 900.0
FEWEST_CALLS = 5
"""A statement that was run less often is no part of the service: a migration, an import, somebody's own question."""
MANY_CALLS = 3.0
"""So many calls of one statement for each request are worth a word."""
_SHOWN = 10
_IN_TRANSACTION = ("idle in transaction", "idle in transaction (aborted)")
HIDDEN_STATEMENT = "<insufficient privilege>"


class OverParameters(Parameters):
    over: Seconds = Field(default=5.0)
    """A statement that runs for longer is long."""


def clients(found: Activity) -> tuple[Session, ...]:
    """Sessions of clients whose state we may see; no replication, none of ours."""
    return tuple(item for item in found.sessions if item.backend_type == "client backend" and not item.hidden)


def long_running(found: Activity, over_s: float) -> tuple[Session, ...]:
    """Sessions whose statement has run for longer, the longest first. One that waits for a lock does not run: it is blocked."""
    running = [item for item in clients(found) if item.state == "active" and not item.waiting_for_lock]
    return tuple(
        sorted(
            (item for item in running if (item.query_age_s or 0.0) > over_s),
            key=lambda item: item.query_age_s or 0.0,
            reverse=True,
        )
    )


async def _statements(readings: Readings, wanted: OverParameters) -> Findings:
    found = await readings.activity()
    seen = clients(found)
    active = sorted((item for item in seen if item.state == "active"), key=lambda item: item.query_age_s or 0.0, reverse=True)
    long = long_running(found, wanted.over)
    facts: dict[str, FactValue] = {
        "active": len(active),
        "long": len(long),
        "longest_s": round(active[0].query_age_s or 0.0, 1) if active else 0.0,
        "blocked": sum(item.waiting_for_lock for item in seen),
        "idle_in_transaction": sum(item.state in _IN_TRANSACTION for item in seen),
        "longest_pid": long[0].pid if long else active[0].pid if active else 0,
    }
    unread = hidden_failure(found)
    if unread:
        facts = dict.fromkeys(facts)
    headline = f"{number(len(active), 'statement')} running, {len(long)} for over {age(wanted.over)}"
    headline += f", {facts['blocked']} waiting for a lock." if facts["blocked"] else "."
    return Findings(facts, headline, tuple(_running_line(item) for item in active[:_SHOWN]), unread)


def _running_line(session: Session) -> str:
    took = age(session.query_age_s) if session.query_age_s is not None else "?"
    waits = " waits for a lock" if session.waiting_for_lock else ""
    return clean(f"pid {session.pid}  {took}{waits}  {session.user} {session.application}  {session.query}", 200)


# -- locks ----------------------------------------------------------------------------------------------------------------

_DEADLOCKS: "WeakKeyDictionary[System, deque[tuple[float, int]]]" = WeakKeyDictionary()
"""Counts as they were seen before: the server only tells how many there were since its statistics were reset."""


async def _locks(readings: Readings, _parameters: NoParameters) -> Findings:
    found = await readings.activity()
    waiters = [waiter for root in found.roots for waiter in _below(root)]
    more = sum(node.more for root in found.roots for node in (root, *_below(root)))
    head = found.roots[0] if found.roots else None
    waits = [wait for waiter in waiters if (wait := _waited(waiter)) is not None]
    facts: dict[str, FactValue] = {
        "waiting": len(waiters) + more,
        "longest_wait_s": round(max(waits), 1) if waits else None if waiters else 0.0,
        "head_pid": head.pid if head else 0,
        "head_state": _head_state(head),
        "deadlocks": found.deadlocks,
        "deadlocks_recent": deadlocks_grew(readings.system, found.deadlocks),
    }
    headline = "Nobody waits for a lock."
    if head is not None:
        who = session_line(head.session) if head.session else f"pid {head.pid}" if head.pid else "a prepared transaction"
        headline = clean(f"{number(head.size, 'session')} wait for {who}", 200)
    return Findings(facts, headline, tuple(line for root in found.roots[:3] for line in _tree(root))[:20])


def deadlocks_grew(system: System, count: int | None) -> bool | None:
    """Whether there was a deadlock since the first look within the last quarter of an hour; None on that first look."""
    if count is None:
        return None
    now, seen = system.clock(), _DEADLOCKS.setdefault(system, deque(maxlen=100))
    while seen and (now - seen[0][0] > REMEMBERED_S or seen[0][1] > count):
        seen.popleft()
    grew = count > seen[0][1] if seen else None
    seen.append((now, count))
    return grew


def _below(waiter: Waiter) -> list[Waiter]:
    return [node for child in waiter.waiters for node in (child, *_below(child))]


def _waited(waiter: Waiter) -> float | None:
    """Before 14 the server does not tell since when; then the statement's age is the most that it can be."""
    return waiter.waited_s if waiter.waited_s is not None else waiter.session.query_age_s if waiter.session else None


def _head_state(head: Waiter | None) -> str:
    if head is None:
        return ""
    if head.session is None:
        return "gone" if head.pid else "prepared transaction"
    return clean(head.session.state) or "hidden"


def _tree(waiter: Waiter, depth: int = 0) -> list[str]:
    who = session_line(waiter.session) if waiter.session else f"pid {waiter.pid}" if waiter.pid else "a prepared transaction"
    waited = _waited(waiter) if depth else None
    what = f"  waits {age(waited)} for {waiter.mode} on {waiter.relation}" if waited is not None else ""
    lines = [clean(f"{'  ' * depth}{who}{what}", 220)]
    lines += [line for child in waiter.waiters for line in _tree(child, depth + 1)]
    return [*lines, f"{'  ' * (depth + 1)}… and {waiter.more} more"] if waiter.more else lines


_WAITING = (
    "SELECT pid, pg_blocking_pids(pid) AS held_up_by, now() - query_start AS since, left(query, 80)"
    " FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
)
_LONG = (
    "SELECT pid, usename, now() - query_start AS since, wait_event_type, left(query, 80) FROM pg_stat_activity"
    " WHERE state = 'active' AND pid <> pg_backend_pid() AND now() - query_start > interval '{over:g} s' ORDER BY query_start"
)

# -- pg_stat_statements ---------------------------------------------------------------------------------------------------


class SlowestParameters(Parameters):
    over_ms: float = Field(default=500.0, gt=0)
    """A statement whose mean is above is slow; one that was run only now and then does not count."""
    for_: Seconds = Field(default=LOOK_S, alias="for", ge=LOOK_S, le=LONGEST_LOOK_S)
    """How long calls are counted: of an endpoint that is seldom asked, half a second sees nothing."""


async def _slowest(readings: Readings, wanted: SlowestParameters) -> Findings:
    try:
        version, schema = await extension(readings, statistics.STATEMENTS_EXTENSION)
        rows = await select(readings, statistics.statements(version, schema))
    except SourceError as error:
        if error.failure.kind in (FailureKind.MISSING, FailureKind.UNSUPPORTED):
            return _not_counted(error.failure)
        raise
    slow = [row for row in rows if _number(row["mean_ms"]) > wanted.over_ms and _number(row["calls"]) >= FEWEST_CALLS]
    all_ms = _number(rows[0]["all_ms"]) if rows else 0.0
    top = max(rows, key=lambda row: _number(row["total_ms"]), default=None)
    widest = max(rows, key=rows_per_call, default=None)
    calls, unread = await _calls_per_request(readings, version, schema, wanted.for_)
    facts: dict[str, FactValue] = {
        "available": True,
        "slow": len(slow),
        "slowest_mean_ms": round(_number(rows[0]["mean_ms"]), 1) if rows else 0.0,
        "top_share_percent": round(100 * _number(top["total_ms"]) / all_ms, 1) if top and all_ms else 0.0,
        "calls_per_request": calls,
        "most_rows": round(rows_per_call(widest)) if widest is not None else 0,
    }
    hidden = sum(row["query"] == HIDDEN_STATEMENT for row in rows)
    if hidden:
        message = f"The text of {number(hidden, 'statement')} is hidden from our role."
        unread = (*unread, Failure(FailureKind.FORBIDDEN, message, "GRANT pg_read_all_stats TO the role that Triage uses."))
    headline = f"{number(len(slow), 'statement')} take over {wanted.over_ms:g} ms in the mean."
    if calls is not None and calls >= MANY_CALLS:
        headline = f"One statement is called {calls:g} times for each request. {headline}"
    if slow:
        headline = clean(f"{headline} The slowest: {facts['slowest_mean_ms']:g} ms, {slow[0]['query']}", 250)
    elif widest is not None and rows_per_call(widest) > MANY_ROWS:
        headline = clean(f"A question gives {rows_per_call(widest):,.0f} rows each time: {widest['query']}", 250)
    return Findings(facts, headline, tuple(_slow_line(row) for row in rows[:_SHOWN]), unread)


async def extension(readings: Readings, name: str) -> tuple[str, str]:
    """Version and schema of an extension. Raises SourceError, MISSING when it is not created in this database."""
    rows = await select(readings, statistics.EXTENSION, {"name": name})
    if not rows:
        raise SourceError(
            FailureKind.MISSING, f"The extension {name} is not there.", f"A superuser can create it: CREATE EXTENSION {name};"
        )
    return str(rows[0]["version"]), str(rows[0]["schema"])


def _not_counted(failure: Failure) -> Findings:
    advice = (
        "Add pg_stat_statements to shared_preload_libraries, restart the server, then CREATE EXTENSION pg_stat_statements;"
        " log_min_duration_statement tells slow statements without a restart."
    )
    headline = "The server does not count its statements: pg_stat_statements is missing."
    return Findings({"available": False}, headline, (failure.message,), (Failure(failure.kind, failure.message, advice),))


async def _calls_per_request(
    readings: Readings, version: str, schema: str, for_s: float
) -> tuple[float | None, tuple[Failure, ...]]:
    """Calls of the statement that is called most, for each request of the service, over `for_s`; None without requests."""
    system = readings.system
    if system.metrics is None:
        message = "Without metrics it is not known how many requests there are."
        return None, (Failure(FailureKind.NOT_CONFIGURED, message, f"Set [systems.{system.name}.prometheus]."),)
    query, database = statistics.statements(version, schema, by_calls=True), system.need_database()
    try:
        latency = await readings.share("latency", system.metrics.latency)
        first = await database.select(query, timeout_s=QUESTION_S)
        await system.pause(for_s)
        second = await database.select(query, timeout_s=QUESTION_S)
    except SourceError as error:
        return None, (error.failure,)
    rates = call_rates(first, second)
    requests = latency.requests_per_s if latency.quality is not Quality.NO_TRAFFIC else None
    if not requests or not rates:
        return None, (Failure(FailureKind.MISSING, "There are no requests now that statements could be set against."),)
    return round(rates[0] / requests, 1), ()


def call_rates(first: Sequence[Mapping[str, Value]], second: Sequence[Mapping[str, Value]]) -> list[float]:
    """Calls a second of each statement between two looks, the highest first; empty when no time passed between them.

    A statement that several roles make has a row for each. One that the first look did not list, because it lists only
    those called most, was called at most as often as the least of them by then.
    """
    if not first or not second:
        return []
    seconds = _number(second[0]["now"]) - _number(first[0]["now"])
    if seconds <= 0:
        return []
    before, after = _calls(first), _calls(second)
    unlisted = min(before.values()) if len(first) >= statistics.STATEMENTS_LISTED else 0.0
    return sorted((max(0.0, calls - before.get(query, unlisted)) / seconds for query, calls in after.items()), reverse=True)


def _calls(rows: Sequence[Mapping[str, Value]]) -> dict[Value, float]:
    calls: dict[Value, float] = {}
    for row in rows:
        calls[row["query"]] = calls.get(row["query"], 0.0) + _number(row["calls"])
    return calls


def rows_per_call(row: Mapping[str, Value]) -> float:
    """What a question gives each time it is asked; 0 for what is no question, and for one that was hardly ever asked."""
    calls = _number(row["calls"])
    asks = str(row["query"]).lstrip().upper().startswith(("SELECT", "WITH"))
    return _number(row["rows"]) / calls if asks and calls >= LEAST_CALLS else 0.0


def _slow_line(row: Mapping[str, Value]) -> str:
    calls = _number(row["calls"])
    figures = f"{_number(row['mean_ms']):8.1f} ms mean  {calls:9.0f} calls  {_number(row['total_ms']) / 1000:9.1f} s"
    figures += f"  {_number(row['rows']) / calls:7,.0f} rows" if calls else ""
    return clean(f"{figures}  {' '.join(str(row['query']).split())}", 200)


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _slowest_command(config: SystemConfig, _parameters: Any) -> str:
    query = "SELECT query, calls, mean_exec_time, total_exec_time FROM pg_stat_statements ORDER BY mean_exec_time DESC LIMIT 10"
    return psql(config, query)


CHECKS = (
    Check(
        name="postgres.statements",
        title="What does PostgreSQL run right now?",
        parameters=OverParameters,
        facts=(
            Fact("active", FactType.NUMBER, "sessions that run a statement"),
            Fact("long", FactType.NUMBER, "statements that run (and do not wait for a lock) for longer than `over`"),
            Fact("longest_s", FactType.NUMBER, "age of the statement that runs the longest", "s"),
            Fact("blocked", FactType.NUMBER, "sessions that wait for a lock"),
            Fact("idle_in_transaction", FactType.NUMBER, "sessions that wait for their client inside a transaction"),
            Fact("longest_pid", FactType.NUMBER, "process of the statement that runs the longest, 0 without one"),
        ),
        command=lambda config, wanted: psql(config, _LONG.format(over=wanted.over)),
        make=_statements,
    ),
    Check(
        name="postgres.locks",
        title="Who waits for a lock, and who holds it?",
        parameters=NoParameters,
        facts=(
            Fact("waiting", FactType.NUMBER, "sessions that wait for a lock"),
            Fact("longest_wait_s", FactType.NUMBER, "the longest wait", "s"),
            Fact("head_pid", FactType.NUMBER, "process for which the most wait, 0 without one and for a prepared transaction"),
            Fact("head_state", FactType.TEXT, "its state: active, idle in transaction, …; empty without one"),
            Fact("deadlocks", FactType.NUMBER, "deadlocks since the statistics were reset"),
            Fact("deadlocks_recent", FactType.BOOL, "one more than when this console first looked; unknown on the first look"),
        ),
        command=lambda config, _parameters: psql(config, _WAITING),
        make=_locks,
    ),
    Check(
        name="postgres.slowest",
        title="Which statements take the longest?",
        parameters=SlowestParameters,
        facts=(
            Fact("available", FactType.BOOL, "the server counts its statements (pg_stat_statements)"),
            Fact("slow", FactType.NUMBER, "statements whose mean is over `over_ms`"),
            Fact("slowest_mean_ms", FactType.NUMBER, "mean of the slowest", "ms"),
            Fact("top_share_percent", FactType.NUMBER, "share of all statement time that one statement takes", "%"),
            Fact("calls_per_request", FactType.NUMBER, "calls of the statement called most, for each request"),
            Fact("most_rows", FactType.NUMBER, "rows that one of the slowest questions gives each time"),
        ),
        command=_slowest_command,
        make=_slowest,
        ahead=False,
        more_s=LONGEST_LOOK_S,
    ),
)
