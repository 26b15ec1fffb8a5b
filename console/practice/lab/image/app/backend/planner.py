"""The program planner's backend: users with roles and scopes, programs and projects."""

import logging
import os
import sys

import redis
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from backend import cache
from backend.accounts import LIFETIME_S, authenticate, hash_password, make_token, refuse_login
from backend.db import rows
from backend.web import Refused

log = logging.getLogger("backend.planner")
NEEDED = ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD")


def start():
    """Look at the settings and the database; ends the backend when either is not usable."""
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        try:
            raise KeyError(missing[0])
        except KeyError:
            log.exception("Startup failed: environment variable %s is not set", missing[0])
        sys.exit(1)
    try:
        rows("SELECT 1 AS one")
    except OperationalError as error:
        log.exception("Startup failed: Database connection failed: %s", str(error.orig).strip().splitlines()[0])
        sys.exit(1)


def login(request):
    name = str(request.body.get("username", ""))
    found = rows("SELECT id, password_hash FROM users WHERE username = :name AND is_active", name=name)
    if not found:
        refuse_login(request, name, "no such user")
    if found[0]["password_hash"] != hash_password(str(request.body.get("password", ""))):
        refuse_login(request, name, "password hash mismatch")
    role = rows("SELECT role_type FROM user_roles WHERE user_id = :user AND is_active LIMIT 1", user=found[0]["id"])
    request.user, request.role = name, role[0]["role_type"] if role else "none"
    log.info("Login of %s accepted correlation_id=%s", name, request.id)
    return 200, {"access_token": make_token(name, request.role), "token_type": "bearer", "expires_in": LIFETIME_S}


def programs(request):
    authenticate(request)
    found = rows(
        "SELECT DISTINCT p.code, p.name FROM programs p JOIN scope_assignments s ON s.is_active "
        "AND (s.program_id = p.id OR s.scope_type = 'ORGANIZATION') "
        "JOIN user_roles r ON r.id = s.user_role_id AND r.is_active JOIN users u ON u.id = r.user_id "
        "WHERE u.username = :name ORDER BY p.code",
        name=request.user,
    )
    if not found:
        log.warning("Insufficient permissions: %s on %s correlation_id=%s", request.user, request.path, request.id)
        raise Refused(403, "Insufficient permissions", "FORBIDDEN")
    return 200, found


def projects(request):
    authenticate(request)
    program = str(request.query.get("program", "P-101"))
    statement = (
        "SELECT j.id, j.name, j.status FROM projects j WHERE j.program_id = (SELECT id FROM programs WHERE code = :program) "
        "ORDER BY j.name LIMIT 50"
    )
    return 200, cache.cached(f"projects:program:{program}", lambda: rows(statement, program=program))


def tasks(request):
    authenticate(request)
    statement = "SELECT t.title, t.status FROM tasks t JOIN projects j ON j.id = t.project_id WHERE j.name = :name LIMIT 50"
    return 200, rows(statement, name=str(request.query.get("name", "Project 1")))


def health(_request):
    try:
        rows("SELECT 1 AS one")
    except SQLAlchemyError as error:
        log.error("Database health check failed: %s", str(getattr(error, "orig", error)).strip().splitlines()[0])
        return 503, {"status": "unhealthy", "database": "disconnected"}
    try:
        cache.client.ping()
    except redis.RedisError as error:
        log.error("Redis health check failed: %s", error)
        return 503, {"status": "unhealthy", "redis": "disconnected"}
    return 200, {"status": "healthy", "database": "connected", "redis": "connected"}


def alive(_request):
    return 200, {"status": "alive"}


ROUTES = {
    ("POST", "/api/v1/auth/login"): login,
    ("GET", "/api/v1/programs"): programs,
    ("GET", "/api/v1/projects"): projects,
    ("GET", "/api/v1/tasks"): tasks,
    ("GET", "/health"): health,
    ("GET", "/health/live"): alive,
}
