"""Faults of vehicle diagnostics."""

import time
from dataclasses import replace

from console.practice.lab import pieces, redis_faults
from console.practice.lab.database_faults import database_missing, password_changed
from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.faults_outage import port_held
from console.practice.lab.people import CORRELATION_ID, token
from console.practice.lab.pieces import answers, clients, down, every, logged, release, remade, statements, stopped, told
from console.practice.lab.spec import ContainerSpec, Port, Service
from console.practice.lab.target import Target

TABLES = ("responses", "commands", "sessions", "audit_logs", "vehicles", "users")
READY = "/health/ready"
COMMANDS = "/api/v1/commands"
VEHICLES = "/api/v1/vehicles"
OTHER_SECRET = "a-secret-that-was-rotated-on-one-side-only"  # noqa: S105 (wrong on purpose)
BALLAST = "/dev/shm/ballast"  # noqa: S108 (in the container)
STRIPPING = """server {
    listen 8000;
    location / { set $b backend; proxy_pass http://$b:8000; proxy_set_header X-Real-IP $remote_addr; }
}
"""
"""A proxy that forwards requests but not their Upgrade header."""


def user_token(target: Target, *, issued_ago_s: float = 60) -> str:
    """John Doe's token, signed as the system's `.env` has it."""
    return token(target.secret("jwt_secret"), "john_doe", "engineer", issued_ago_s=issued_ago_s)


def _ask_with_old_token(target: Target, _notes: Notes) -> None:
    target.ask(VEHICLES, token=user_token(target, issued_ago_s=7200), identity=CORRELATION_ID)


def _restart_backend(target: Target, _notes: Notes) -> None:
    target.restart(Service.BACKEND)


def _restarts_too(fault: LabFault) -> LabFault:
    """The fault met by a backend that starts, not by one that runs."""

    def inject(target: Target, notes: Notes) -> None:
        fault.inject(target, notes)
        _restart_backend(target, notes)

    return replace(fault, inject=inject, bites=every(fault.bites, down))


def _with_database(target: Target, host: str) -> str:
    return f"postgresql://{target.user}:{target.password()}@{host}:5432/sovd_db"


def _late_clock(spec: ContainerSpec, _target: Target) -> ContainerSpec:
    environment = {**spec.environment, "DONT_FAKE_MONOTONIC": "1"}
    return replace(spec, command=("faketime", "-f", "-90m", *spec.command), environment=environment)


def _unpublished(spec: ContainerSpec, _target: Target) -> ContainerSpec:
    return replace(spec, ports=())


def _stripping(spec: ContainerSpec, target: Target) -> ContainerSpec:
    ports = (*spec.ports, Port(8000, target.ports.backend))
    return replace(spec, ports=ports, files={**spec.files, "/etc/nginx/lab/servers/backend.conf": STRIPPING})


def _limited(path: str, method: str = "GET") -> pieces.Bites:
    """The user's own next request is refused too, under an id that can be traced."""

    def bites(target: Target, _notes: Notes) -> bool:
        body = {"vehicle_id": "1"} if method == "POST" else None
        return target.ask(path, method=method, json=body, token=user_token(target), identity=CORRELATION_ID) == 429

    return bites


def _far_over(target: Target, _notes: Notes) -> bool:
    """Four times the limit within the last minute: before, it could still be a person in a hurry."""
    return target.log(Service.BACKEND, 5000, int(time.time()) - 60).count(f"GET {VEHICLES} 429") > 330


def _loop(per_s: str, method: str, path: str) -> pieces.Commands:
    def commands(target: Target) -> list[tuple[str, ...]]:
        body = '{"vehicle_id": 1}' if method == "POST" else ""
        return [("loop", per_s, method, f"http://{target.name(Service.BACKEND)}:8000{path}", body, user_token(target))]

    return commands


def _squeeze(target: Target, _notes: Notes) -> None:
    # What lies in shared memory cannot be reclaimed, so that the share stays where it is put.
    target.must(Service.DATABASE, "fallocate", "-l", "60M", BALLAST)
    target.limit_memory(Service.DATABASE, int(target.memory_used(Service.DATABASE) / 0.95))


def _tight(target: Target, _notes: Notes) -> bool:
    limit = int(target.inspect(Service.DATABASE)["HostConfig"]["Memory"])
    return limit < target.made_with_memory(Service.DATABASE) and target.memory_used(Service.DATABASE) > 0.9 * limit


def _widen(target: Target, _notes: Notes) -> None:
    target.limit_memory(Service.DATABASE, target.made_with_memory(Service.DATABASE))
    target.start_database()
    target.must(Service.DATABASE, "rm", "-f", BALLAST)


def _not_kept(spec: ContainerSpec, _target: Target) -> ContainerSpec:
    command = " ".join(spec.command).replace("--appendonly yes", "--appendonly no")
    return replace(spec, command=(*command.split(), "--save", ""), mounts=())


FAULTS = (
    _restarts_too(
        statements(
            "sovd.s1.schema-missing",
            "The database has none of the backend's tables",
            pieces.tables_away(TABLES),
            pieces.tables_back(TABLES),
            "SELECT to_regclass('public.users') IS NULL",
        )
    ),
    _restarts_too(stopped("sovd.s1.database-down", "PostgreSQL is stopped, and the backend was restarted", Service.DATABASE)),
    told(
        "sovd.s1.wrong-url",
        "DATABASE_URL names a host that is not there",
        lambda target: {"DATABASE_URL": _with_database(target, "postgres")},
        every(down, logged("could not translate host name")),
    ),
    LabFault(
        "sovd.s2.token-expired",
        "John Doe's token has expired",
        inject=_ask_with_old_token,
        bites=logged("Authentication failed: Token has expired"),
        undo=lambda _target, _notes: None,
        inputs=lambda target: {"token": user_token(target, issued_ago_s=7200)},
    ),
    told(
        "sovd.s2.secret-mismatch",
        "The backend's JWT_SECRET_KEY is not the one of the .env file",
        lambda _target: {"JWT_SECRET_KEY": OTHER_SECRET},
        lambda target, _: target.ask(VEHICLES, token=user_token(target)) == 401,
        inputs=lambda target: {"token": user_token(target)},
    ),
    remade(
        "sovd.s2.clock-skew",
        "The backend's clock is an hour and a half behind",
        Service.BACKEND,
        _late_clock,
        lambda target, _: target.ask(VEHICLES, token=user_token(target)) == 401,
        inputs=lambda target: {"token": user_token(target)},
    ),
    stopped("sovd.s3.redis-down", "Redis is stopped", Service.CACHE),
    told(
        "sovd.s3.wrong-redis-url",
        "REDIS_URL names a host that is not there",
        lambda _target: {"REDIS_URL": "redis://cache:6379/0"},
        answers(READY, 503),
    ),
    pieces.both(
        remade(
            "sovd.s3.blocked",
            "A proxy before the backend drops the Upgrade header",
            Service.BACKEND,
            _unpublished,
            answers(READY, 200),
        ),
        remade("sovd.s3.blocked", "", Service.FRONTEND, _stripping, answers(READY, 200)),
    ),
    told(
        "sovd.s3.cors",
        "The frontend's origin is not among the allowed ones",
        lambda _target: {"CORS_ORIGINS": "https://old-frontend.example"},
        answers("/health/live", 200),
    ),
    clients(
        "sovd.s4.over-limit",
        "An engineer sends more commands than ten a minute",
        _loop("0.4", "POST", COMMANDS),
        _limited(COMMANDS, "POST"),
        answers={"purpose": "ordinary"},
        inputs=lambda _target: {"correlation_id": CORRELATION_ID, "username": "john_doe"},
    ),
    clients(
        "sovd.s4.needs-role",
        "An engineer has an administrator's work to do",
        _loop("0.5", "POST", COMMANDS),
        _limited(COMMANDS, "POST"),
        inputs=lambda _target: {"correlation_id": CORRELATION_ID, "username": "john_doe"},
        answers={"purpose": "administration"},
    ),
    clients(
        "sovd.s4.client-loop",
        "A client asks for the vehicles over and over",
        _loop("30", "GET", VEHICLES),
        every(_limited(VEHICLES), _far_over),
        inputs=lambda _target: {"correlation_id": CORRELATION_ID, "username": "john_doe"},
    ),
    replace(
        stopped("sovd.s5.database-disconnected", "PostgreSQL is stopped", Service.DATABASE),
        bites=answers(READY, 503),
    ),
    replace(stopped("sovd.s5.redis-disconnected", "Redis is stopped", Service.CACHE), bites=answers(READY, 503)),
    told(
        "sovd.s5.wrong-url",
        "REDIS_URL names a host that is not there",
        lambda _target: {"REDIS_URL": "redis://cache:6379/0"},
        answers(READY, 503),
    ),
    LabFault("sovd.s5.out-of-memory", "PostgreSQL uses nearly all of its memory limit", _squeeze, _tight, _widen),
    port_held("sovd.s6.port-held", "The frontend is stopped, and another process holds its port", Service.FRONTEND),
    stopped("sovd.s7.not-running", "PostgreSQL is stopped", Service.DATABASE),
    password_changed(
        "sovd.s7.wrong-credentials",
        "The password of sovd_user was changed",
        every(answers(READY, 503), logged("password authentication failed")),
    ),
    database_missing(
        "sovd.s7.database-missing",
        "There is no database sovd_db",
        every(answers(READY, 503), logged('database "sovd_db" does not exist')),
    ),
    release(
        "sovd.s7.pool-leak",
        "The backend has taken sixty connections and gives none back",
        {"hold": 60},
        lambda target, _: int(target.sql("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle'")) > 50,
    ),
    stopped("sovd.s8.not-running", "Redis is stopped", Service.CACHE),
    told(
        "sovd.s8.wrong-url",
        "REDIS_URL names a host that is not there",
        lambda _target: {"REDIS_URL": "redis://cache:6379/0"},
        answers(READY, 503),
    ),
    redis_faults.full("sovd.s8.out-of-memory", "Redis is full and refuses to write"),
    remade(
        "sovd.s8.not-persisting",
        "Redis keeps nothing: no volume, no snapshots, no log of appends",
        Service.CACHE,
        _not_kept,
        lambda target, _: target.must(Service.CACHE, "redis-cli", "config", "get", "appendonly").endswith("no"),
    ),
)
