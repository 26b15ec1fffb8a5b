"""What can be broken in the operation of the student management system."""

from console.practice.simulated.behaviour import Behaviour, Complaint
from console.practice.simulated.faults import sms
from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.traffic import Loop
from console.practice.simulated.volume import MIB
from console.practice.simulated.workload import Slowed
from console.practice.simulated.world import HISTORY_S, World

GRADES, ATTENDANCE, STUDENTS, COURSES = "/api/v1/grades", "/api/v1/attendance", "/api/v1/students", "/api/v1/courses"
TABLET = "172.18.0.44"
REPORT = (
    "SELECT s.student_number, avg(g.score), count(a.id) FROM student s JOIN enrollment e ON e.student_id = s.id "
    "JOIN grade g ON g.enrollment_id = e.id JOIN attendance a ON a.student_id = s.id GROUP BY s.student_number"
)


def _fail(world: World, paths: tuple[str, ...], share: float, error: str, *, until_restart: bool = False) -> None:
    """Let a share of the requests for these paths end in an exception."""
    why = Complaint("Unhandled exception", world.backend.service.exception(error))
    for path in paths:
        world.backend.behaviours[path] = Behaviour(fail_share=share, complaint=why, until_restart=until_restart)


def _all_paths(world: World) -> tuple[str, ...]:
    return tuple(endpoint.path for endpoint in world.traffic.endpoints)


def _lose_threads(world: World) -> None:
    """The process has used up its threads: most requests find none."""
    _fail(world, _all_paths(world), 0.7, "RuntimeError: can't start new thread", until_restart=True)


def _drop_index(world: World) -> None:
    """A migration dropped the index on attendance and did not make it anew."""
    world.database.drop_index("idx_attendance_student_date")


def _starve_cache(world: World) -> None:
    """Somebody gave Redis less memory than the pages take. Grades that are not found there are added up one after the other."""
    world.cache.max_memory_bytes = 14 * MIB
    world.backend.behaviours[GRADES] = Behaviour(alone_s=0.35)


def _ask_by_row(world: World) -> None:
    """A release asks for the user of each student by itself."""
    world.backend.behaviours[STUDENTS] = Behaviour(calls=340)


def _break_attendance(world: World) -> None:
    """Last week's release meets a status that it does not know, since today."""
    _fail(world, (ATTENDANCE,), 0.7, "KeyError: 'excused'")


def _deploy(world: World) -> None:
    """A new release, which was not tested with students who have no course."""
    world.role("backend").deploy("sms-backend:1.18.0", world.now)
    _fail(world, (STUDENTS, COURSES), 0.7, "TypeError: 'NoneType' object is not iterable")


def _send_wrong_forms(world: World) -> None:
    """A tablet with an old app sends a form that is refused, again and again."""
    world.traffic.loops.append(Loop(TABLET, STUDENTS, 4.0))
    told = Complaint("Validation failed: field required: school_year", (), "WARNING", bare=True)
    world.backend.behaviours[STUDENTS] = Behaviour(fail_share=1.0, status=422, complaint=told, client=TABLET)


def _fail_everywhere(world: World) -> None:
    """The disk for the audit log is gone; every kind of request writes there now and then."""
    _fail(world, _all_paths(world), 0.3, "OSError: [Errno 5] Input/output error: '/app/logs/audit.log'")


def _give_data_away(world: World) -> None:
    """A backup was restored by root, to whom the files belong now."""
    world.database.foreign_data = True
    world.restart("database")


def _forget_password(world: World) -> None:
    """A deployment from another folder, without its .env."""
    world.set_variable("backend", "DB_PASSWORD", None)
    world.restart("backend")


def _leak(world: World) -> None:
    """Each export stays in memory."""
    world.backend.leak_bytes_per_s = 0.5 * MIB


def _tighten(world: World) -> None:
    """A deployment gave the backend hardly more than it needs."""
    world.role("backend").memory_limit_bytes = 138 * MIB


def _open_many(world: World) -> None:
    """Somebody let PostgreSQL take 100 connections, and a dashboard keeps 72 of them, without a pool."""
    server = world.database
    server.settings.alter("max_connections", "100")
    server.settings.reload(restart=True)
    for number in range(72):
        server.park(world.now, "sms-dashboard", "172.18.0.21", idle_s=300.0 + 70 * number, query=REPORT)


def _run_report(world: World) -> None:
    """A report that nobody has tried on a whole year."""
    world.database.run_long(world.now, "sms-reports", "172.18.0.9", REPORT, for_s=1.0)


def _forget_commit(world: World) -> None:
    """An import changes attendance by hand, and waits for its user to say yes."""
    change = "UPDATE attendance SET status = 'excused' WHERE attendance_date = '2026-11-20'"
    session = world.database.park(world.now, "psql", "172.18.0.1", idle_s=5.0, query=change, in_transaction=True)
    world.database.locks.hold("attendance", session)


def _import_grades(world: World) -> None:
    """All grades were imported anew last week with autovacuum switched off, and nobody has analysed them since."""
    stats = world.database.table_stats["grade"]
    stats.dead, stats.changed, stats.analyzed_at, stats.vacuumed_at = 5_400, 11_800, world.now - 6 * 86_400, None
    world.database.workload.slowed["grade"] = Slowed(25.0, "vacuum")


FAULTS: dict[str, Fault] = {
    "smsops.a1.backend-down": sms.FAULTS["sms.c1.container-down"],
    "smsops.a1.database-down": sms.FAULTS["sms.c2.database-down"],
    "smsops.a1.error-storm": Fault(260, _lose_threads),
    "smsops.a2.slow-query": Fault(HISTORY_S - 5, _drop_index),
    "smsops.a2.connections": sms.FAULTS["sms.c2.pool-exhausted"],
    "smsops.a2.cache-ineffective": Fault(400, _starve_cache),
    "smsops.a2.n-plus-one": Fault(500, _ask_by_row),
    "smsops.a3.one-endpoint": Fault(420, _break_attendance),
    "smsops.a3.recent-deploy": Fault(600, _deploy),
    "smsops.a3.client-errors": Fault(360, _send_wrong_forms),
    "smsops.a3.server-errors": Fault(330, _fail_everywhere),
    "smsops.r1.port-conflict": sms.FAULTS["sms.c1.port-conflict"],
    "smsops.r1.volume-permission": Fault(150, _give_data_away),
    "smsops.r1.bad-environment": Fault(180, _forget_password),
    "smsops.r1.image-broken": sms.FAULTS["sms.c3.missing-dependency"],
    "smsops.r2.leak": Fault(205, _leak),
    "smsops.r2.limit-too-low": Fault(400, _tighten),
    "smsops.r2.too-many-connections": Fault(700, _open_many),
    "smsops.r3.long-query": Fault(150, _run_report),
    "smsops.r3.blocked": Fault(90, _forget_commit),
    "smsops.r3.stale-statistics": Fault(HISTORY_S - 5, _import_grades),
    "smsops.r3.missing-index": Fault(HISTORY_S - 5, _drop_index),
}
