"""PostgreSQL: does it accept connections, and who holds them."""

from collections import Counter

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, FactValue, Findings
from console.guides.checks.commands import address, psql
from console.guides.checks.containers import NoParameters
from console.guides.checks.words import age, number
from console.guides.readings import Readings
from console.reading import Failure, FailureKind
from console.sources.protocols.database import Activity, Session
from console.text import clean

REASONS = ("", "refused", "timeout", "too_many_clients", "login", "database_missing", "starting", "lost", "other")
IDLE_LONG_S = 3600.0
_SHOWN = 12


async def _accepts(readings: Readings, _parameters: NoParameters) -> Findings:
    answer = await readings.accepts()
    facts: Facts = {"accepting": answer.accepting, "reason": answer.reason if answer.reason in REASONS else "other"}
    if answer.accepting:
        version = clean(answer.server_version)
        return Findings(facts, f"PostgreSQL {version} accepts connections ({answer.elapsed_s * 1000:.0f} ms).")
    message = clean(answer.message)
    return Findings(facts, f"PostgreSQL accepts no connection: {message or answer.reason}", (message,) if message else ())


async def _sessions(readings: Readings, _parameters: NoParameters) -> Findings:
    found = await readings.activity()
    states = Counter(session.state for session in found.sessions if not session.hidden)
    idle_ages = [item.state_age_s for item in found.sessions if item.state == "idle" and item.state_age_s is not None]
    facts: dict[str, FactValue] = {
        "used": found.used,
        "limit": found.max_connections,
        "used_percent": round(found.used_percent, 1),
        "active": states["active"],
        "idle": states["idle"],
        "idle_in_transaction": states["idle in transaction"] + states["idle in transaction (aborted)"],
        "idle_over_1h": sum(1 for seconds in idle_ages if seconds > IDLE_LONG_S),
        "emergency": found.emergency,
    }
    unread = hidden_failure(found)
    if unread:
        # Counted as they are, the hidden ones would pass for "not idle".
        facts |= dict.fromkeys(("active", "idle", "idle_in_transaction", "idle_over_1h"))
    headline = f"{found.used} of {found.max_connections} connections are used ({found.used_percent:.0f} %)."
    return Findings(facts, headline, _evidence(found), unread)


def hidden_failure(found: Activity) -> tuple[Failure, ...]:
    """Why facts about states are unknown to a role that may not see them."""
    if not found.hidden:
        return ()
    message = f"The state of {number(found.hidden, 'session')} is hidden from our role."
    return (Failure(FailureKind.FORBIDDEN, message, "GRANT pg_monitor TO the role that Triage uses."),)


def _evidence(found: Activity) -> tuple[str, ...]:
    lines = [", ".join(f"{count} {state or 'hidden'}" for state, count in sorted(found.by_state.items()) if count)]
    if found.emergency:
        lines.append("read over the emergency login: no ordinary connection is free")
    for (user, application, client), count in holders(found.sessions).most_common(4):
        lines.append(clean(f"{count} held by {user}, {application or 'no application name'}, {client or 'local'}"))
    longest = sorted(found.sessions, key=lambda item: item.state_age_s or 0.0, reverse=True)
    lines += [session_line(item) for item in longest[:_SHOWN]]
    if len(found.sessions) > _SHOWN:
        lines.append(f"… and {len(found.sessions) - _SHOWN} more")
    return tuple(line for line in lines if line)


def holders(sessions: tuple[Session, ...]) -> Counter[tuple[str, str, str]]:
    """How many sessions each user, application and client address holds. Only client sessions, never replication."""
    return Counter(item.holder for item in sessions if item.backend_type == "client backend")


def session_line(session: Session) -> str:
    """One session in a line: pid, who, state and for how long, statement."""
    state = session.state or "hidden"
    since = f" for {age(session.state_age_s)}" if session.state_age_s is not None else ""
    who = " ".join(part for part in (session.user, session.application, session.client) if part)
    return clean(f"pid {session.pid}  {who}  {state}{since}  {session.query}", limit=200)


def _accepts_command(config: SystemConfig, _parameters: NoParameters) -> str:
    return f"pg_isready -d {address(config.postgres.dsn)}" if config.postgres else "pg_isready"


_WHO = (
    "SELECT pid, usename, application_name, client_addr, state, now() - state_change AS since, left(query, 80)"
    " FROM pg_stat_activity WHERE backend_type = 'client backend' ORDER BY state_change"
)

CHECKS = (
    Check(
        name="postgres.accepts",
        title="Does PostgreSQL accept connections?",
        parameters=NoParameters,
        facts=(
            Fact("accepting", FactType.BOOL, "a fresh login works"),
            Fact("reason", FactType.TEXT, "why not, empty when it does", choices=REASONS),
        ),
        command=_accepts_command,
        make=_accepts,
    ),
    Check(
        name="postgres.sessions",
        title="How near is the server to its connection limit, and who holds the connections?",
        parameters=NoParameters,
        facts=(
            Fact("used", FactType.NUMBER, "connections that count against the limit"),
            Fact("limit", FactType.NUMBER, "max_connections"),
            Fact("used_percent", FactType.NUMBER, "of the limit", "%"),
            Fact("active", FactType.NUMBER, "sessions that run a statement"),
            Fact("idle", FactType.NUMBER, "sessions that wait for their client"),
            Fact("idle_in_transaction", FactType.NUMBER, "sessions that wait for their client inside a transaction"),
            Fact("idle_over_1h", FactType.NUMBER, "sessions idle for over an hour, by state_change"),
            Fact("emergency", FactType.BOOL, "only the emergency login found a free connection"),
        ),
        command=lambda config, _parameters: psql(config, _WHO),
        make=_sessions,
    ),
)
