"""Changes to PostgreSQL sessions: end idle ones, those of the largest holder, or one that a person chose."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from console.guides.checks.commands import psql
from console.guides.checks.postgres import holders, session_line
from console.guides.checks.words import age, number
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.parameters import Parameters, Seconds
from console.guides.risk import Risk
from console.reading import SourceError
from console.sources.protocols.database import Activity, Session
from console.system import System
from console.text import clean

_PID = "pid"
_START = "backend_start"


class EndSessions(Parameters):
    state: Literal["idle", "idle in transaction", ""] = ""
    """Only sessions in this state (of which idle in transaction includes the aborted ones)."""
    longer_than: Seconds = Field(default=0.0)
    """Only those in that state for longer."""
    holder: Literal["", "largest"] = ""
    """Only the sessions of the user, application and client address that hold the most."""

    @model_validator(mode="after")
    def _narrow(self) -> "EndSessions":
        if not self.state and not self.holder:
            raise ValueError("needs state or holder: it may not end every session")
        return self


class OneSession(Parameters):
    pid: int = Field(gt=0)
    backend_start: float


def chosen(activity: Activity, wanted: EndSessions) -> tuple[Session, ...]:
    """The sessions that would be ended, the longest in their state first.

    Only clients: no replication, no background process, none of ours (the reading leaves them out), and none whose state we
    may not see, for it might be anything.
    """
    clients = tuple(item for item in activity.sessions if item.backend_type == "client backend" and not item.hidden)
    if wanted.holder and clients:
        most = holders(clients).most_common(1)[0][0]
        clients = tuple(item for item in clients if item.holder == most)
    found = [item for item in clients if _in_state(item, wanted)]
    return tuple(sorted(found, key=lambda item: item.state_age_s or 0.0, reverse=True))


def _in_state(session: Session, wanted: EndSessions) -> bool:
    states = {"idle in transaction": ("idle in transaction", "idle in transaction (aborted)")}.get(wanted.state, (wanted.state,))
    if wanted.state and session.state not in states:
        return False
    if not wanted.longer_than:
        return True
    return session.state_age_s is not None and session.state_age_s > wanted.longer_than


async def _plan(system: System, wanted: EndSessions) -> Plan:
    activity = await system.need_database().activity()
    sessions = chosen(activity, wanted)
    left = activity.used - len(sessions)
    lines = [f"{number(len(sessions), 'session')} of {activity.used}; {left} of {activity.max_connections} stay"]
    if activity.hidden:
        lines.append(f"{activity.hidden} sessions are hidden from our role and are left alone (GRANT pg_monitor shows them)")
    return Plan(
        targets=tuple(session_target(item) for item in sessions),
        lines=(*lines, *(session_line(item) for item in sessions)),
        effect="Their clients lose the connection and open work is rolled back; a connection pool opens new ones by itself.",
        way_back="None: an ended session does not come back, its client connects anew.",
        command=psql(system.config, _statement(wanted, sessions)),
        confirm_name=database_name(system),
        empty="" if sessions else _nothing(wanted),
    )


def _nothing(wanted: EndSessions) -> str:
    state = f"{wanted.state} " if wanted.state else ""
    longer = f" for over {age(wanted.longer_than)}" if wanted.longer_than else ""
    return f"No session is {state.strip()}{longer}." if state else "No client holds a session that may be ended."


def _statement(wanted: EndSessions, sessions: tuple[Session, ...]) -> str:
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    if wanted.holder and sessions:
        pids = ", ".join(str(item.pid) for item in sessions)
        return f"{end} AND pid IN ({pids})"
    return f"{end} AND state = '{wanted.state}' AND state_change < now() - interval '{wanted.longer_than:g} s'"


def database_name(system: System) -> str:
    """The database's name, which R3 and R4 ask for."""
    return clean(urlsplit(system.config.postgres.dsn).path.lstrip("/")) if system.config.postgres else ""


def session_target(session: Session) -> Target:
    """A session with what it is known by again: pid and start."""
    return Target(f"session {session.pid}", {_PID: session.pid, _START: session.backend_start})


async def _end(system: System, wanted: EndSessions | OneSession, preview: Preview) -> Applied:
    database = system.need_database()
    targets = preview.targets
    if isinstance(wanted, EndSessions):
        # One that was idle when it was previewed may be at work by now: only what would be chosen again is ended.
        still = {(item.pid, item.backend_start) for item in chosen(await database.activity(), wanted)}
        targets = tuple(item for item in targets if (item.identity[_PID], item.identity[_START]) in still)
    ended, gone = 0, len(preview.targets) - len(targets)
    for target in targets:
        try:
            # The source compares pid and start again: a pid is used anew, and nobody else may be hit.
            if await database.terminate(int(target.identity[_PID]), float(target.identity[_START])):
                ended += 1
            else:
                gone += 1
        except SourceError as error:
            return Applied(False, _told(ended, gone), error.failure)
    return Applied(ended > 0, _told(ended, gone))


def _told(ended: int, gone: int) -> tuple[str, ...]:
    lines = [f"Ended {number(ended, 'session')}."]
    if gone:
        lines.append(f"{number(gone, 'session')} {'was' if gone == 1 else 'were'} gone, at work again, or not to be ended.")
    return tuple(lines)


async def _cancel(system: System, _wanted: OneSession, preview: Preview) -> Applied:
    target = preview.targets[0]
    done = await system.need_database().cancel(int(target.identity[_PID]), float(target.identity[_START]))
    return Applied(done, ("Cancelled its statement." if done else "The session had gone before.",))


async def _plan_one(system: System, wanted: OneSession, function: str, effect: str, way_back: str) -> Plan:
    activity = await system.need_database().activity()
    found = next((item for item in activity.sessions if item.pid == wanted.pid), None)
    same = (
        found is not None and abs(found.backend_start - wanted.backend_start) < 0.001 and found.backend_type == "client backend"
    )
    return Plan(
        targets=(session_target(found),) if found is not None and same else (),
        lines=(session_line(found),) if found is not None and same else (),
        effect=effect,
        way_back=way_back,
        command=psql(system.config, f"SELECT {function}({wanted.pid})"),
        confirm_name=database_name(system),
        empty="" if same else f"Session {wanted.pid} is not there any more, or is not a client's.",
    )


async def _plan_cancel(system: System, wanted: OneSession) -> Plan:
    effect = "Its statement ends with an error and its transaction fails; the session stays."
    return await _plan_one(system, wanted, "pg_cancel_backend", effect, "None: the client must ask again.")


async def _plan_terminate(system: System, wanted: OneSession) -> Plan:
    effect = "Its client loses the connection and open work is rolled back."
    return await _plan_one(system, wanted, "pg_terminate_backend", effect, "None: its client connects anew.")


ACTIONS = (
    Action("postgres.end_sessions", EndSessions, Risk.R3, _plan, _end),
    Action("postgres.cancel_one", OneSession, Risk.R2, _plan_cancel, _cancel),
    Action("postgres.terminate_one", OneSession, Risk.R3, _plan_terminate, _end),
)
