"""What can be broken in the student management system that makes it slow, or lets requests fail now and then."""

from console.practice.simulated.behaviour import Behaviour, Complaint
from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.sessions import ServerSession
from console.practice.simulated.volume import MIB
from console.practice.simulated.workload import Slowed
from console.practice.simulated.world import HISTORY_S, World

GRADES, COURSES = "/api/v1/grades", "/api/v1/courses"


def _slow_query(world: World) -> None:
    """Nobody analysed the table of courses since an import of all semesters: its statement takes the worst plan."""
    stats = world.database.workload.table_stats["course"]
    stats.live, stats.changed = 14_200, 13_900
    world.database.workload.slowed["course"] = Slowed(70.0, "analyze")


def _drop_index(world: World) -> None:
    """A migration dropped an index and did not make it anew."""
    del world.database.workload.indexes["idx_attendance_student_date"]


def _burn(world: World) -> None:
    """A thread of the backend computes without end, and everything else waits for its turn."""
    world.backend.cpu_percent = 97.0


def _surge(world: World) -> None:
    """Results are out, and everybody looks."""
    world.traffic.factor = 8.0


def _thrash(world: World) -> None:
    """An export filled Redis: pages are thrown out before they are asked for again."""
    world.cache.filled_bytes = 90 * MIB


def _exceed_time(world: World) -> None:
    """The list of courses counts everything anew, and is given up after half a minute."""
    why = Complaint("Request timed out", world.backend.service.exception("TimeoutError: no answer after 30 s"))
    world.backend.behaviours[COURSES] = Behaviour(extra_s=32.0, fail_share=0.6, status=504, complaint=why)


def _hold_lock(world: World) -> None:
    """Somebody changed courses by hand in a transaction, and went to lunch."""
    session = _by_hand(world)
    world.database.locks.hold("course", session)


def _by_hand(world: World) -> ServerSession:
    session, now = world.database.connect(world.now, "psql", "172.18.0.1"), world.now
    session.run("UPDATE course SET title = 'Mathematics I' WHERE code = 'MATH-101'", now)
    session.state, session.state_change = "idle in transaction", now
    session.wait_type, session.wait_event = "Client", "ClientRead"
    return session


def _leak(world: World) -> None:
    """Each timetable is kept for ever: after a minute or two the kernel ends the process, and it starts again."""
    world.backend.leak_bytes_per_s = 1.4 * MIB


def _fail_grades(world: World) -> None:
    """A release forgot that some grades have no weight."""
    why = Complaint(
        "Unhandled exception", world.backend.service.exception("KeyError: 'weight'", function="grades", source="row['weight']")
    )
    world.backend.behaviours[GRADES] = Behaviour(fail_share=0.3, complaint=why)


def _put_grades_back(world: World) -> None:
    """The release of before."""
    world.backend.behaviours.pop(GRADES, None)


FAULTS: dict[str, Fault] = {
    "sms.m1.slow-query": Fault(HISTORY_S - 5, _slow_query),
    "sms.m1.missing-index": Fault(600, _drop_index),
    "sms.m1.resource-saturated": Fault(300, _burn),
    "sms.m1.traffic-surge": Fault(150, _surge),
    "sms.m1.cache-ineffective": Fault(300, _thrash),
    "sms.m2.timeout": Fault(300, _exceed_time),
    "sms.m2.lock-contention": Fault(120, _hold_lock),
    "sms.m2.resource-limit": Fault(400, _leak),
    "sms.m2.one-endpoint": Fault(300, _fail_grades, undo=_put_grades_back),
}
