"""What PostgreSQL is doing: connections against the limit, who runs what, who blocks whom."""

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from console.alarms import Alarm, database_alarms
from console.severity import Severity, above
from console.sources.protocols.database import Activity, Session, Waiter
from widgets.commands import Scope, bindings
from widgets.figures import UNKNOWN, count, duration, rate, size
from widgets.grid import Column, heading, laid_out, row
from widgets.line import Line, Span, fitted, line, marked, severity_style
from widgets.meter import meter
from widgets.pane import Pane

COLUMNS = (
    Column("pid", "PID", 6, right=True),
    Column("age", "TIME", 5, right=True),
    Column("state", "STATE", 6),
    Column("wait", "WAIT", 8, rank=2, grow=1, most=22),
    Column("user", "USER", 8, rank=4, grow=1, most=16),
    Column("database", "DB", 8, rank=5, grow=1, most=20),
    Column("query", "QUERY", 30, grow=6),
)
_STATES = {
    "active": "active",
    "idle": "idle",
    "idle in transaction": "idle-t",
    "idle in transaction (aborted)": "idle-x",
    "fastpath function call": "fast",
    "disabled": "off",
}
LONG_TRANSACTION_S = 60.0
"""An idle session in a transaction is listed from this age on: it may hold locks that others will want."""


class PostgresPane(Pane):
    TITLE = "PostgreSQL"
    SOURCE = "PostgreSQL"
    FILTERS = "sessions"
    SCOPES: ClassVar[tuple[Scope, ...]] = (Scope.LIST, Scope.POSTGRES)
    BINDINGS: ClassVar[list[BindingType]] = bindings(*SCOPES)

    @property
    def selected(self) -> Session | None:
        """The session under the cursor."""
        if self.value is None:
            return None
        return next((item for item in self.value.sessions if _key(item) == self.cursor.key), None)

    def value_alarms(self, value: Activity) -> list[Alarm]:
        return database_alarms(value, self.config)

    def summary(self, value: Activity) -> str:
        version = value.server_version.split(" ")[0]
        return f"{version}{' · standby' if value.in_recovery else ''}{' · EMERGENCY LOGIN' if value.emergency else ''}"

    def keys(self) -> Sequence[str]:
        return [] if self.value is None else [_key(item) for item in self._listed(self.value)]

    def body(self, value: Activity, width: int, height: int) -> Sequence[Line]:
        lines = [self._connections(value, width), _states(value), _rates(value)]
        lines += self._holders(value, width)
        if value.emergency:
            text = "✖ the server is full: seen over the emergency login"
            lines.append(line(Span(fitted(text, width), "bad")))
        if value.hidden:
            text = f"▲ {value.hidden} sessions are hidden from this role: GRANT pg_monitor TO it"
            lines.append(line(Span(text, "warn")))
        tree = [item for root in value.roots[:3] for item in _tree(root)]
        if tree:
            lines += [line(Span("BLOCKED", "head")), *tree[: max(3, height // 3)], *([_hint(value.roots[0])])]
        self.list_top = len(lines) + 1
        layout = laid_out(COLUMNS, width)
        listed = {_key(item): item for item in self._listed(value)}
        lines.append(heading(layout))
        shown = self.list_rows(height - len(lines))
        lines += [row(layout, self._cells(listed[key]), selected=chosen) for key, chosen in shown]
        if not shown:
            words = f"no session matches /{self.filter}" if self.filter else "no statement is running or waiting"
            lines.append(line(Span(words, "muted")))
        return lines

    def _connections(self, value: Activity, width: int) -> Line:
        severity = above(value.used_percent, self.config.thresholds.connections_percent)
        words = f" {value.used}/{value.max_connections} "
        filled = meter(value.used / value.max_connections, max(4, min(24, width - len(words) - 22)))
        return line(
            Span("connections ", "muted"),
            Span(filled, severity_style(severity) or "good"),
            marked(words.rstrip(), severity),
            Span(f"  {value.reserved_connections} reserved" if width > 56 else "", "muted"),
        )

    def _holders(self, value: Activity, width: int) -> list[Line]:
        """Who holds the connections, when they run out."""
        severity = above(value.used_percent, self.config.thresholds.connections_percent)
        if severity < Severity.ALERT:
            return []
        holders = Counter(item.holder for item in value.sessions)
        words = "  ".join(f"{number}× {'/'.join(part for part in who if part)}" for who, number in holders.most_common(3))
        return [line(Span("held by ", "muted"), Span(fitted(words, max(0, width - 8)), severity_style(severity)))]

    def _listed(self, value: Activity) -> list[Session]:
        """Running and waiting sessions and old transactions, the oldest first.

        All of them when the server fills up, with a filter (then those that match), or zoomed.
        """
        blocking = {root.pid for root in value.roots}
        crowded = above(value.used_percent, self.config.thresholds.connections_percent) >= Severity.ALERT
        everything = bool(self.filter) or self.zoomed or crowded
        found = [
            item
            for item in value.sessions
            if (
                everything
                or item.state == "active"
                or item.pid in blocking
                or (item.transaction_age_s or 0) >= LONG_TRANSACTION_S
            )
            and self.matches(f"{item.pid} {item.user} {item.database} {item.state} {item.application} {item.client} {item.query}")
        ]
        return sorted(found, key=lambda item: (item.state == "idle", -(_age_s(item) or 0.0), item.pid))

    def _cells(self, item: Session) -> dict[str, Span]:
        age_s = _age_s(item)
        limits = self.config.thresholds.statement_s
        severity = above(age_s, limits) if item.state == "active" else Severity.FINE
        waiting = f"{item.wait_type}:{item.wait_event}" if item.wait_type and item.wait_type != "Client" else ""
        query = " ".join(item.query.replace("⏎", " ").split())
        return {
            "pid": Span(str(item.pid)),
            "age": Span(duration(age_s), severity_style(severity)),
            "state": Span(
                "hidden" if item.hidden else _STATES.get(item.state, item.state),
                "good" if item.state == "active" else "warn" if "transaction" in item.state else "muted",
            ),
            "wait": Span(waiting, "warn" if item.waiting_for_lock else "muted"),
            "user": Span(item.user, "muted"),
            "database": Span(item.database, "muted"),
            "query": Span(query, "" if item.state == "active" else "muted"),
        }


def _key(item: Session) -> str:
    return f"{item.pid}@{item.backend_start}"


def _age_s(item: Session) -> float | None:
    return item.query_age_s if item.state == "active" else item.state_age_s


def _states(value: Activity) -> Line:
    spans = []
    for state, number in sorted(value.by_state.items(), key=lambda pair: -pair[1]):
        style = "warn" if "transaction" in state else "good" if state == "active" else "muted"
        spans.append(Span(f"{number} {state or 'hidden'}  ", style))
    return line(*spans) if spans else line(Span("no client sessions", "muted"))


def _rates(value: Activity) -> Line:
    return line(
        Span("hits ", "muted"),
        Span(UNKNOWN if value.cache_hit_percent is None else f"{value.cache_hit_percent:.1f}%"),
        Span("  commits/s ", "muted"),
        Span(rate(value.commits_per_s)),
        Span("  rollbacks/s ", "muted"),
        Span(rate(value.rollbacks_per_s)),
        Span(f"  {size(value.database_size_bytes)}"),
        Span("  deadlocks ", "muted"),
        Span(count(value.deadlocks)),
    )


def _tree(root: Waiter, depth: int = 0) -> list[Line]:
    lines = [_node(root, depth)]
    for waiter in root.waiters:
        lines += _tree(waiter, depth + 1)
    if root.more:
        lines.append(line(Span(f"{'  ' * (depth + 1)}└ and {root.more} more", "muted")))
    return lines


def _node(item: Waiter, depth: int) -> Line:
    session = item.session
    branch = f"{'  ' * (depth - 1)}└ " if depth else ""
    if session is None:
        what = "a prepared transaction" if item.pid == 0 else f"{item.pid}"
        return line(Span(f"{branch}{what}", "bad" if not depth else "warn"))
    waited = f" waits {duration(item.waited_s)}" if depth else f" {session.state}, blocks {item.size}"
    lock = f" {item.mode} on {item.relation}" if item.relation else f" {item.mode}" if item.mode else ""
    return line(
        Span(f"{branch}{item.pid}{waited}{lock} ", "warn" if depth else "bad"), Span(" ".join(session.query.split()), "muted")
    )


def _hint(root: Waiter) -> Line:
    """What helps with the head of the longest chain: cancelling ends a statement, not a transaction that sleeps."""
    if root.session is None:
        return line(Span("end it with ROLLBACK PREPARED", "muted"))
    if root.session.state == "active":
        return line(Span(f"k cancels the statement of {root.pid}; K ends the session", "muted"))
    return line(Span(f"{root.pid} runs nothing: cancelling does not help, K ends it", "muted"))
