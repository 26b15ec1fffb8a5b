"""Faults of the Student Management System beyond its outages: logins, grades, attendance, speed, errors, pages, mail."""

import json
from dataclasses import replace

from console.practice.lab import redis_faults
from console.practice.lab.database_faults import emptied, index_missing, rows_away
from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.pieces import Bites, both, changed, clients, every, logged, release, statements, stopped, told
from console.practice.lab.spec import Service
from console.practice.lab.target import Target

STUDENT = "student1@studentmanagement.local"
OF_STUDENT = f"user_id = (SELECT id FROM \"user\" WHERE email = '{STUDENT}')"  # noqa: S608 (our own names)
STUDENT_ID = 1
GRADES_OF_STUDENT = f"enrollment_id IN (SELECT id FROM enrollment WHERE student_id = {STUDENT_ID})"  # noqa: S608
OLD_GRADES = json.dumps([{"code": "MATH-101", "assessment_name": "Assessment 5", "score": "61.00", "grade_date": "2024-01-15"}])
CACHED = f"grades:student:{STUDENT_ID}"
SLOW_S = 0.9
HELP_PAGE = "/lab/www/help/grades.html"
STYLE = "/lab/www/assets/app.css"


def limit_set(name: str, value: str) -> tuple[list[str], list[str]]:
    """Statements that give sms_user a time limit, and that take it away; sessions begin anew."""
    anew = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sms-backend'"
    return [f"ALTER ROLE sms_user SET {name} = '{value}'", anew], [f"ALTER ROLE sms_user RESET {name}", anew]


def _login_refused(target: Target, _notes: Notes) -> bool:
    credentials = {"email": STUDENT, "password": "student1"}
    return target.ask("/api/v1/auth/login", method="POST", json=credentials) == 401


def _nobody(target: Target, _notes: Notes) -> bool:
    return target.sql("SELECT count(*) FROM \"user\" WHERE email = 'student999@studentmanagement.local'") == "0"


def _cache_old(target: Target, _notes: Notes) -> None:
    redis_faults.cli(target, "set", CACHED, OLD_GRADES, "ex", "86400")


def _uncache_old(target: Target, _notes: Notes) -> None:
    if redis_faults.cli(target, "get", CACHED) == OLD_GRADES:
        redis_faults.cli(target, "del", CACHED)


def slow(path: str) -> Bites:
    """The backend takes longer than half a second to answer."""

    def bites(target: Target, _notes: Notes) -> bool:
        return target.ask(path, timeout_s=0.5) == 0 and target.ask(path, timeout_s=10) == 200

    return bites


def _waits(target: Target, _notes: Notes) -> bool:
    return target.sql("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0"


def restarted(target: Target, _notes: Notes) -> bool:
    """The engine has had to restart the backend."""
    return int(target.inspect(Service.BACKEND)["RestartCount"]) > 0


def file_away(identity: str, title: str, service: Service, path: str) -> LabFault:
    """A file that is missing in a container."""
    away = f"{path}.away"

    def move(target: Target, source: str, to: str) -> None:
        target.must(service, "sh", "-c", f"test ! -e {source} || mv {source} {to}")

    return LabFault(
        identity,
        title,
        inject=lambda target, _: move(target, path, away),
        bites=lambda target, _: target.run(service, "test", "-e", path).exit_code != 0,
        undo=lambda target, _: move(target, away, path),
    )


def _surge(target: Target) -> list[tuple[str, ...]]:
    address = f"http://{target.name(Service.PROXY)}:8080/api/v1/courses"
    return [("loop", "15", "GET", address)] * 3


def tight(identity: str, title: str, share: float, service: Service = Service.BACKEND) -> LabFault:
    """A memory limit of which this share is used at once."""

    def tighten(target: Target, _notes: Notes) -> None:
        target.limit_memory(service, int(target.memory_used(service) / share))

    def bites(target: Target, _notes: Notes) -> bool:
        limit = int(target.inspect(service)["HostConfig"]["Memory"])
        return limit < target.made_with_memory(service) and target.memory_used(service) > (share - 0.07) * limit

    def loosen(target: Target, _notes: Notes) -> None:
        target.limit_memory(service, target.made_with_memory(service))

    return LabFault(identity, title, tighten, bites, loosen)


def _moved(old: bytes, _target: Target) -> bytes:
    return old.replace(
        b"location = /grades/old", b"location = /grades { return 301 /guides/grades; }\n        location = /grades/old", 1
    )


NO_PERMISSION = "permission_name = '{}' AND " + OF_STUDENT
SET_TIME, RESET_TIME = limit_set("statement_timeout", "300ms")
SET_LOCK, RESET_LOCK = limit_set("lock_timeout", "2s")

FAULTS = (
    emptied("sms.h1.no-users", "The table of users is empty", "user", "sms_user"),
    LabFault(
        "sms.h1.user-missing",
        "Somebody tries to log in whom nobody has entered",
        inject=lambda _target, _notes: None,
        bites=_nobody,
        undo=lambda _target, _notes: None,
        inputs=lambda _target: {"email": "student999@studentmanagement.local"},
    ),
    told(
        "sms.h1.auth-mode-wrong",
        "The backend's AUTH_MODE is strict",
        lambda _target: {"AUTH_MODE": "strict"},
        logged("AUTH_MODE=strict"),
    ),
    replace(
        statements(
            "sms.h1.credentials",
            "A student's password was changed",
            [f"UPDATE \"user\" SET password_hash = 'sha256$other' WHERE email = '{STUDENT}'"],  # noqa: S608
            [
                "UPDATE \"user\" SET password_hash = 'sha256$' || encode(sha256('student1'::bytea), 'hex') "  # noqa: S608
                f"WHERE email = '{STUDENT}' AND password_hash = 'sha256$other'"
            ],
            "SELECT true",
            answers={"reset": "refused"},
        ),
        bites=_login_refused,
    ),
    rows_away("sms.h2.no-data", "A student has no grades", "grade", GRADES_OF_STUDENT),
    LabFault(
        "sms.h2.stale-cache",
        "The cache keeps a student's old grades",
        inject=_cache_old,
        bites=lambda target, _: redis_faults.cli(target, "get", CACHED) == OLD_GRADES,
        undo=_uncache_old,
    ),
    rows_away(
        "sms.h2.permission-missing", "A student may not read grades", "user_permission", NO_PERMISSION.format("grades:read")
    ),
    rows_away("sms.h3.no-data", "A student has no attendance", "attendance", f"student_id = {STUDENT_ID}"),
    statements(
        "sms.h3.outside-semester",
        "A new semester has begun, and nobody has made it the current one",
        ["UPDATE semester SET is_current = (starts_on < current_date - 200)"],
        ["UPDATE semester SET is_current = (current_date BETWEEN starts_on AND ends_on)"],
        "SELECT NOT bool_or(is_current AND current_date BETWEEN starts_on AND ends_on) FROM semester",
    ),
    rows_away(
        "sms.h3.permission-missing",
        "A student may not read attendance",
        "user_permission",
        NO_PERMISSION.format("attendance:read"),
    ),
    release("sms.m1.slow-query", "The query of grades takes long", {"slow": {"/api/v1/grades": SLOW_S}}, slow("/api/v1/grades")),
    both(
        release(
            "sms.m1.missing-index",
            "The index on attendance is missing, and its query takes long",
            {"without": {"idx_attendance_student_date": {"/api/v1/attendance": SLOW_S}}},
            slow("/api/v1/attendance"),
        ),
        index_missing("sms.m1.missing-index", "", "idx_attendance_student_date", "attendance", "student_id, attendance_date"),
    ),
    # Not its processor time: on a machine that others keep busy, a thread that computes without end gets no whole core.
    tight("sms.m1.resource-saturated", "The backend's memory limit leaves it little room", 0.9),
    clients(
        "sms.m1.traffic-surge",
        "Three clients send many requests",
        _surge,
        lambda target, _: target.run(Service.LOAD, "pgrep", "-f", "/lab/clients.py").exit_code == 0,
    ),
    redis_faults.full("sms.m1.cache-ineffective", "Redis throws keys away as fast as they come", policy="allkeys-lru"),
    both(
        release(
            "sms.m2.timeout",
            "The query of courses takes longer than its time limit",
            {"slow": {"/api/v1/courses": SLOW_S}},
            logged("statement timeout"),
        ),
        statements("sms.m2.timeout", "", SET_TIME, RESET_TIME, "SELECT true"),
    ),
    both(
        statements("sms.m2.lock-contention", "A report job holds the table of courses", SET_LOCK, RESET_LOCK, "SELECT true"),
        clients("sms.m2.lock-contention", "", lambda _target: [("lock", "course")], every(_waits, logged("lock timeout"))),
    ),
    release(
        "sms.m2.resource-limit",
        "The backend keeps more and more memory, and is killed again and again",
        {"leak": 24 * 1024 * 1024, "steady": True},
        restarted,
    ),
    release(
        "sms.m2.one-endpoint",
        "Some requests for grades fail",
        {"fail": {"/api/v1/grades": 0.4}},
        logged("Unhandled exception while answering GET /api/v1/grades"),
    ),
    file_away("sms.l1.asset-missing", "The style sheet is missing", Service.PROXY, STYLE),
    file_away("sms.l2.not-deployed", "A help page was not deployed", Service.PAGES, HELP_PAGE),
    stopped("sms.l2.server-down", "The site with the help pages is stopped", Service.PAGES),
    changed(
        "sms.l2.moved",
        "A help page has another address now",
        Service.PAGES,
        "/lab/pages.conf",
        _moved,
        lambda target, _: "301" in target.must(Service.PAGES, "curl", "-sI", "http://127.0.0.1:8090/grades"),
    ),
    told(
        "sms.l3.smtp-unset",
        "The backend is told no mail server",
        lambda _target: {"SMTP_HOST": None, "SMTP_PASSWORD": None},
        lambda target, _: target.run(Service.BACKEND, "printenv", "SMTP_HOST").exit_code != 0,
    ),
    stopped("sms.l3.smtp-unreachable", "The mail server is stopped", Service.MAIL),
    told(
        "sms.l3.smtp-login-refused",
        "The mail server does not take the backend's password",
        lambda _target: {"SMTP_PASSWORD": "rotated-elsewhere"},
        lambda target, _: target.run(Service.BACKEND, "printenv", "SMTP_PASSWORD").stdout.strip() == "rotated-elsewhere",
    ),
    told(
        "sms.l3.sender-not-allowed",
        "The mail server does not take the backend's sender",
        lambda _target: {"SMTP_FROM": "registrar@other.example"},
        lambda target, _: target.run(Service.BACKEND, "printenv", "SMTP_FROM").stdout.startswith("registrar@"),
    ),
)
