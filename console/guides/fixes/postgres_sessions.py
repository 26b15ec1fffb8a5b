"""Changes to PostgreSQL sessions that are in the way: cancel or end long statements, end the one that all others wait for."""

from pydantic import Field

from console.guides.checks.commands import psql
from console.guides.checks.containers import NoParameters
from console.guides.checks.postgres import hidden_failure, session_line
from console.guides.checks.postgres_statements import long_running
from console.guides.checks.words import age, number
from console.guides.fixes.action import Action, Applied, Plan, Preview
from console.guides.fixes.postgres import database_name, session_target
from console.guides.parameters import Parameters, Seconds
from console.guides.risk import Risk
from console.reading import SourceError
from console.sources.protocols.database import Activity, Session
from console.system import System

Key = tuple[int, float]


class LongParameters(Parameters):
    over: Seconds = Field(default=5.0, ge=1.0)
    """Statements that run for longer. One that waits for a lock is not meant: end what it waits for."""


async def _plan_long(system: System, wanted: LongParameters, function: str, effect: str, way_back: str) -> Plan:
    activity = await system.need_database().activity()
    found = long_running(activity, wanted.over)
    calls = ", ".join(f"{function}({item.pid})" for item in found)
    return Plan(
        targets=tuple(map(session_target, found)),
        lines=(*map(session_line, found), *(failure.message for failure in hidden_failure(activity))),
        effect=effect,
        way_back=way_back,
        command=psql(system.config, f"SELECT {calls or f'{function}(pid)'}"),
        confirm_name=database_name(system),
        empty="" if found else f"No statement runs for over {age(wanted.over)}.",
    )


async def _plan_cancel(system: System, wanted: LongParameters) -> Plan:
    effect = "Each statement ends with an error and its transaction fails; the sessions stay."
    return await _plan_long(system, wanted, "pg_cancel_backend", effect, "None: the client must ask again.")


async def _plan_end(system: System, wanted: LongParameters) -> Plan:
    effect = "Their clients lose the connection and open work is rolled back; a connection pool opens new ones by itself."
    return await _plan_long(system, wanted, "pg_terminate_backend", effect, "None: an ended session does not come back.")


async def _cancel(system: System, wanted: LongParameters, preview: Preview) -> Applied:
    return await _act(system, preview, _long_now(await system.need_database().activity(), wanted), end=False)


async def _end(system: System, wanted: LongParameters, preview: Preview) -> Applied:
    return await _act(system, preview, _long_now(await system.need_database().activity(), wanted), end=True)


def _long_now(activity: Activity, wanted: LongParameters) -> set[Key]:
    return {(item.pid, item.backend_start) for item in long_running(activity, wanted.over)}


async def _act(system: System, preview: Preview, still: set[Key], *, end: bool) -> Applied:
    """Cancel or end those that were previewed and are still what they were chosen for."""
    database = system.need_database()
    word, done, gone = "Ended" if end else "Cancelled the statement of", 0, 0
    for target in preview.targets:
        pid, start = int(target.identity["pid"]), float(target.identity["backend_start"])
        try:
            hit = (pid, start) in still and await (database.terminate if end else database.cancel)(pid, start)
        except SourceError as error:
            return Applied(False, (f"{word} {number(done, 'session')}.",), error.failure)
        done, gone = done + hit, gone + (not hit)
    lines = [f"{word} {number(done, 'session')}."]
    if gone:
        lines.append(f"{number(gone, 'session')} {'was' if gone == 1 else 'were'} done by itself, or no longer in the way.")
    return Applied(done > 0, tuple(lines))


# -- the head of the chain ------------------------------------------------------------------------------------------------


def head(activity: Activity) -> tuple[Session | None, str]:
    """The session that the most wait for, or why it cannot be ended from here."""
    if not activity.roots:
        return None, "Nobody waits for a lock."
    root = activity.roots[0]
    if root.pid == 0:
        return None, "A prepared transaction holds the lock: see pg_prepared_xacts, and COMMIT PREPARED or ROLLBACK PREPARED it."
    if root.session is None:
        return None, f"Process {root.pid}, which holds the lock, is not to be seen any more."
    if root.session.backend_type != "client backend":
        return None, f"Process {root.pid} is a {root.session.backend_type}: this console does not end it."
    return root.session, ""


async def _plan_blocker(system: System, _parameters: NoParameters) -> Plan:
    activity = await system.need_database().activity()
    found, empty = head(activity)
    size = activity.roots[0].size if activity.roots else 0
    return Plan(
        targets=(session_target(found),) if found else (),
        lines=(session_line(found), f"{number(size, 'session')} {'waits' if size == 1 else 'wait'} for it") if found else (),
        effect="Its client loses the connection, its open transaction is rolled back, and those that wait go on.",
        way_back="None: what it had not committed is lost, its client connects anew.",
        command=psql(system.config, f"SELECT pg_terminate_backend({found.pid if found else 'pid'})"),
        confirm_name=database_name(system),
        empty=empty,
    )


async def _end_blocker(system: System, _parameters: NoParameters, preview: Preview) -> Applied:
    activity = await system.need_database().activity()
    heads = {(root.session.pid, root.session.backend_start) for root in activity.roots if root.session}
    return await _act(system, preview, heads, end=True)


ACTIONS = (
    Action("postgres.cancel_long", LongParameters, Risk.R2, _plan_cancel, _cancel),
    Action("postgres.end_long", LongParameters, Risk.R3, _plan_end, _end),
    Action("postgres.end_blocker", NoParameters, Risk.R3, _plan_blocker, _end_blocker),
)
