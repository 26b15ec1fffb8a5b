"""The endpoints of the Student Management System: each takes a request and returns a status and a JSON value."""

import hashlib
import time

import redis
from sqlalchemy.exc import SQLAlchemyError

from backend import cache, settings
from backend.db import change, rows

SEMESTER = settings.load_semester()


def students(request):
    return 200, rows(
        'SELECT s.id, s.student_number, u.full_name FROM student s JOIN "user" u ON u.id = s.user_id '
        "ORDER BY s.id LIMIT 25 OFFSET :offset",
        offset=int(request.query.get("offset", 0)),
    )


def grades(request):
    student_id = int(request.query.get("student_id", 1))
    key = f"grades:student:{student_id}"
    statement = (
        "SELECT c.code, g.assessment_name, g.score, g.grade_date FROM grade g "
        "JOIN enrollment e ON e.id = g.enrollment_id JOIN course c ON c.id = e.course_id "
        "WHERE e.student_id = :student_id ORDER BY g.grade_date DESC"
    )
    return 200, cache.cached(key, lambda: rows(statement, student_id=student_id))


def attendance(request):
    chosen = rows("SELECT starts_on, ends_on FROM semester WHERE is_current")
    starts_on, ends_on = (chosen[0]["starts_on"], chosen[0]["ends_on"]) if chosen else (SEMESTER.starts_on, SEMESTER.ends_on)
    return 200, rows(
        "SELECT attendance_date, status FROM attendance WHERE student_id = :student_id "
        "AND attendance_date BETWEEN :starts_on AND :ends_on ORDER BY attendance_date DESC",
        student_id=int(request.query.get("student_id", 1)),
        starts_on=starts_on,
        ends_on=ends_on,
    )


def courses(_request):
    return 200, rows(
        "SELECT c.code, c.title, count(e.id) AS students FROM course c LEFT JOIN enrollment e ON e.course_id = c.id "
        "GROUP BY c.id ORDER BY c.code"
    )


def login(request):
    email, password = str(request.body.get("email", "")), str(request.body.get("password", ""))
    found = rows('SELECT password_hash FROM "user" WHERE email = :email AND is_active', email=email)
    digest = "sha256$" + hashlib.sha256(password.encode()).hexdigest()
    accepted = settings.AUTH_MODE == "disabled" or (bool(found) and found[0]["password_hash"] == digest)
    if not accepted and not found and settings.AUTH_MODE == "permissive":
        accepted = True
    change("INSERT INTO login_event (email, accepted) VALUES (:email, :accepted)", email=email, accepted=accepted)
    change("DELETE FROM login_event WHERE logged_at < now() - interval '1 hour'")
    if not accepted:
        return 401, {"detail": "Invalid credentials"}
    return 200, {"token": cache.open_session(email)}


def timed(question):
    """How long a dependency took to answer, in milliseconds, or why it did not."""
    started = time.perf_counter()
    try:
        question()
    except (SQLAlchemyError, redis.RedisError) as error:
        return {"status": "unhealthy", "error": str(getattr(error, "orig", error)).strip().splitlines()[0]}
    return {"status": "healthy", "latency_ms": round((time.perf_counter() - started) * 1000, 1)}


def health(_request):
    checks = {
        "database": timed(lambda: rows("SELECT 1 AS one")),
        "redis": timed(cache.client.ping),
    }
    healthy = all(check["status"] == "healthy" for check in checks.values())
    return (200 if healthy else 503), {"status": "healthy" if healthy else "unhealthy", "checks": checks}


def alive(_request):
    return 200, {"status": "alive"}


ROUTES = {
    ("GET", "/api/v1/students"): students,
    ("GET", "/api/v1/grades"): grades,
    ("GET", "/api/v1/attendance"): attendance,
    ("GET", "/api/v1/courses"): courses,
    ("POST", "/api/v1/auth/login"): login,
    ("GET", "/health"): health,
    ("GET", "/health/live"): alive,
}
