"""The vehicle diagnostics backend: logins with tokens, vehicles, commands over Redis pub/sub, limits by role."""

import json
import logging
import os
import sys

import redis
from prometheus_client import Counter
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError

from backend import cache, settings
from backend.accounts import LIFETIME_S, authenticate, hash_password, make_token, refuse_login
from backend.db import change, rows
from backend.rates import limit

log = logging.getLogger("backend.sovd")
AUTH_PER_MIN, COMMANDS_PER_MIN, API_PER_MIN, ADMIN_PER_MIN = 5, 10, 100, 10_000
CHANNEL = "commands"
allow_origins = os.environ.get("CORS_ORIGINS", "http://localhost:5173").split(",")
WEBSOCKETS = {"/ws/commands": (CHANNEL, allow_origins)}
EXECUTED = Counter("commands_executed_total", "Commands that vehicles have answered", ["status"])


def start():
    """Look at the schema, without which nothing works; ends the backend with what the database says."""
    try:
        rows("SELECT count(*) AS users FROM users")
    except ProgrammingError as error:
        log.exception("Startup failed: %s", str(error.orig).splitlines()[0])
        sys.exit(1)
    except OperationalError as error:
        log.exception("Startup failed: could not connect to server: %s", str(error.orig).strip().splitlines()[0])
        sys.exit(1)


def login(request):
    limit(request, "auth", AUTH_PER_MIN, request.client)
    name = str(request.body.get("username", ""))
    found = rows("SELECT password_hash, role FROM users WHERE username = :name AND is_active", name=name)
    if not found:
        refuse_login(request, name, "no such user")
    if found[0]["password_hash"] != hash_password(str(request.body.get("password", ""))):
        refuse_login(request, name, "wrong password")
    request.user, request.role = name, found[0]["role"]
    token = make_token(name, request.role)
    log.info("User %s (role=%s) logged in correlation_id=%s", name, request.role, request.id)
    try:
        cache.client.set(f"session:{name}:{request.id[:8]}", request.role, ex=LIFETIME_S)
    except redis.RedisError as error:
        log.error("Error connecting to Redis: %s; the session of %s was not kept correlation_id=%s", error, name, request.id)
    return 200, {"access_token": token, "token_type": "bearer", "expires_in": LIFETIME_S}


def _enter(request, kind, most):
    authenticate(request)
    limit(request, kind, ADMIN_PER_MIN if request.role == "admin" else most, request.user)


def vehicles(request):
    _enter(request, "api", API_PER_MIN)
    statement = "SELECT id, vin, make, model, connection_status FROM vehicles ORDER BY id LIMIT 50"
    return 200, cache.cached("vehicles:list", lambda: rows(statement))


def commands(request):
    _enter(request, "commands", COMMANDS_PER_MIN)
    return 200, rows("SELECT id, command_name, status, submitted_at FROM commands ORDER BY submitted_at DESC LIMIT 20")


def submit(request):
    _enter(request, "commands", COMMANDS_PER_MIN)
    vehicle, name = int(request.body.get("vehicle_id", 1)), str(request.body.get("command_name", "ReadDTC"))
    change(
        "INSERT INTO commands (user_id, vehicle_id, command_name, status, completed_at) "
        "SELECT id, :vehicle, :name, 'completed', now() FROM users WHERE username = :user",
        vehicle=vehicle,
        name=name,
        user=request.user,
    )
    change("DELETE FROM commands WHERE submitted_at < now() - interval '6 hours' AND id > 6000")
    try:
        cache.client.publish(CHANNEL, json.dumps({"vehicle_id": vehicle, "command": name, "status": "completed"}))
    except redis.RedisError as error:
        log.error("Error connecting to Redis: %s; no update was published correlation_id=%s", error, request.id)
        EXECUTED.labels("failed").inc()
        return 202, {"status": "submitted"}
    EXECUTED.labels("completed").inc()
    return 201, {"status": "completed"}


def ready(_request):
    parts = {"database": _word(lambda: rows("SELECT 1 AS one"), "Database"), "redis": _word(cache.client.ping, "Redis")}
    healthy = all(word == "connected" for word in parts.values())
    return (200 if healthy else 503), {"status": "healthy" if healthy else "unhealthy", **parts}


def _word(question, name):
    try:
        question()
    except (SQLAlchemyError, redis.RedisError) as error:
        log.error("%s health check failed: %s", name, str(getattr(error, "orig", error)).strip().splitlines()[0])
        return "disconnected"
    return "connected"


def alive(_request):
    return 200, {"status": "alive", "release": os.environ.get("RELEASE", "1.4.0"), "system": settings.SYSTEM}


ROUTES = {
    ("POST", "/api/v1/auth/login"): login,
    ("GET", "/api/v1/vehicles"): vehicles,
    ("GET", "/api/v1/commands"): commands,
    ("POST", "/api/v1/commands"): submit,
    ("GET", "/health/ready"): ready,
    ("GET", "/health/live"): alive,
}
