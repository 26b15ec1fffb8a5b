"""Faults of the program planner."""

import json
import socket
import time
from dataclasses import replace

from console.practice.lab import redis_faults
from console.practice.lab.database_faults import dead_rows, index_missing, password_changed, rows_away
from console.practice.lab.deployment_faults import certificate, large_context, project_file
from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.faults_database import corrupted
from console.practice.lab.faults_sms import restarted
from console.practice.lab.old_backups import disk_used_percent, prepare_backups, remove_backups, write_backups
from console.practice.lab.people import CORRELATION_ID, token
from console.practice.lab.pieces import (
    CLIENTS,
    DEADLINE_S,
    Bites,
    answers,
    both,
    changed,
    every,
    logged,
    release,
    remade,
    statements,
    stopped,
    tables_away,
    tables_back,
    told,
    user_of,
)
from console.practice.lab.spec import MIB, ContainerSpec, Service
from console.practice.lab.target import Target

PROGRAMS, TASKS, LOGIN = "/api/v1/programs", "/api/v1/tasks", "/api/v1/auth/login"
TABLES = ("tasks", "projects", "scope_assignments", "user_roles", "programs", "roles", "users", "alembic_version")
READING_BY_INDEX = ("enable_indexscan", "enable_bitmapscan")
CROWD = "/tmp/crowd.json"  # noqa: S108 (in a container)
USUAL, HEAVY = 1024, 16_384
"""Shares of the processor."""
LOST_NAME = "planner.invalid"
"""Of a domain that never exists (RFC 2606)."""
TEST = {"username": "test", "password": "test"}
ROLE_OF_TEST = "user_id = (SELECT id FROM users WHERE username = 'test')"
SCOPE_OF_TEST = f"user_role_id IN (SELECT id FROM user_roles WHERE {ROLE_OF_TEST})"  # noqa: S608 (our own names)


def _forbidden(target: Target, _notes: Notes) -> bool:
    mine = token(target.secret("jwt_secret"), "test", "MEMBER")
    return target.ask(PROGRAMS, token=mine, identity=CORRELATION_ID) == 403


def _programs_fail(target: Target, _notes: Notes) -> bool:
    return target.ask(PROGRAMS, token=token(target.secret("jwt_secret"), "test", "MEMBER")) == 500


def _expired(target: Target, _notes: Notes) -> None:
    target.ask(PROGRAMS, token=_old_token(target), identity=CORRELATION_ID)


def _old_token(target: Target) -> str:
    return token(target.secret("jwt_secret"), "test", "MEMBER", issued_ago_s=90_000)


def _module_missing(old: bytes, _target: Target) -> bytes:
    return old.replace(b"import redis\n", b"import openpyxl\nimport redis\n", 1)


def _unhealthy(spec: ContainerSpec, _target: Target) -> ContainerSpec:
    return replace(spec, health=("curl", "-fsS", "-m", "2", "http://127.0.0.1:8000/healthz"))


def _health_fails(target: Target, _notes: Notes) -> bool:
    return bool(target.inspect(Service.BACKEND)["State"]["Health"]["Status"] == "unhealthy")


def _unpublished(spec: ContainerSpec, _target: Target) -> ContainerSpec:
    return replace(spec, ports=())


def _little(spec: ContainerSpec, _target: Target) -> ContainerSpec:
    return replace(spec, memory_bytes=24 * MIB)


def _tighten(target: Target, _notes: Notes) -> None:
    target.limit_memory(Service.BACKEND, int(target.memory_used(Service.BACKEND) / 0.92))


def _tight(target: Target, _notes: Notes) -> bool:
    limit = int(target.inspect(Service.BACKEND)["HostConfig"]["Memory"])
    return limit < target.made_with_memory(Service.BACKEND) and target.memory_used(Service.BACKEND) > 0.85 * limit


def _loosen(target: Target, _notes: Notes) -> None:
    target.limit_memory(Service.BACKEND, target.made_with_memory(Service.BACKEND))


def _unmigrate(target: Target, _notes: Notes) -> None:
    target.must(Service.BACKEND, "python", "-m", "backend.migrations", "downgrade", "-1")


def _migrate(target: Target, _notes: Notes) -> None:
    target.start_database()
    target.start(Service.BACKEND)
    target.must(Service.BACKEND, "python", "-m", "backend.migrations", "upgrade")


def _busy(target: Target, _notes: Notes) -> bool:
    found = target.must(Service.BACKEND, "top", "-b", "-n", "2", "-d", "0.5", "-w", "200")
    return any(float(line.split()[8]) > 70 for line in found.splitlines() if "python" in line)


def _optimise(target: Target, _notes: Notes) -> None:
    target.leave_running(Service.BACKEND, "timeout", str(DEADLINE_S), "python", CLIENTS, "compute")


def _stop(target: Target, _notes: Notes) -> None:
    target.kill(Service.BACKEND, f"{CLIENTS} compute")


def _crowd(target: Target, _notes: Notes) -> None:
    """Eight users' programs ask for tasks as fast as they are answered, and send along all that they know each time."""
    known = json.dumps([{"id": number, "title": f"Task {number}", "status": "open"} for number in range(6_000)])
    target.write(Service.LOAD, CROWD, known.encode())
    address = f"http://{target.name(Service.BACKEND)}:8000{TASKS}?n=[1-1000000]"
    headers = ("-H", f"Authorization: Bearer {token(target.secret('jwt_secret'), 'test', 'MEMBER')}", "-H", "Expect:")
    for _ in range(8):
        target.leave_running(
            Service.LOAD,
            "timeout",
            str(DEADLINE_S),
            "curl",
            "-s",
            "-o",
            "/dev/null",
            "-X",
            "GET",
            *headers,
            "--data-binary",
            f"@{CROWD}",
            address,
        )


def _disperse(target: Target, _notes: Notes) -> None:
    target.kill(Service.LOAD, CROWD)


def heavy(fault: LabFault) -> LabFault:
    """The app and its clients get the processor before other containers: felt also where those are busy."""

    def inject(target: Target, notes: Notes) -> None:
        for service in (Service.BACKEND, Service.LOAD):
            target.weigh(service, HEAVY)
        fault.inject(target, notes)

    def undo(target: Target, notes: Notes) -> None:
        fault.undo(target, notes)
        for service in (Service.BACKEND, Service.LOAD):
            target.weigh(service, USUAL)

    return replace(fault, inject=inject, undo=undo)


def _resolves(name: str) -> bool:
    try:
        return bool(socket.getaddrinfo(name, None))
    except OSError:
        return False


def _login(status: int) -> Bites:
    return answers(LOGIN, status, method="POST", json=TEST)


FAULTS = (
    told(
        "planner.a1.missing-secret",
        "The app is told no SECRET_KEY",
        lambda _target: {"SECRET_KEY": None},
        logged("environment variable SECRET_KEY is not set"),
    ),
    told(
        "planner.a1.database-unreachable",
        "POSTGRES_HOST names a host that is not there",
        lambda _target: {"POSTGRES_HOST": "database"},
        logged("could not translate host name"),
    ),
    changed(
        "planner.a1.crash",
        "A release needs a module that its image does not have",
        Service.BACKEND,
        "/app/backend/planner.py",
        _module_missing,
        logged("No module named 'openpyxl'"),
    ),
    LabFault(
        "planner.a1.image-pull",
        "The app's container was to be made anew, and its image is not there",
        inject=lambda target, _: target.set_aside(Service.BACKEND),
        bites=lambda target, _: target.gone(Service.BACKEND),
        undo=lambda target, _: target.bring_back(Service.BACKEND),
    ),
    LabFault("planner.a2.migration-pending", "A migration of this release was not run", _unmigrate, _programs_fail, _migrate),
    replace(stopped("planner.a2.database-unreachable", "PostgreSQL is stopped", Service.DATABASE), bites=answers("/health", 503)),
    replace(stopped("planner.a2.redis-unreachable", "Redis is stopped", Service.CACHE), bites=answers("/health", 503)),
    release(
        "planner.a2.query-error",
        "Requests for tasks fail",
        {"fail": {TASKS: 0.8}},
        logged(f"Unhandled exception while answering GET {TASKS}"),
    ),
    release("planner.a3.cpu", "The app computes without end", {"spin": 1}, _busy),
    both(
        release("planner.a3.at-max-replicas", "Three containers of the app run, and it computes without end", {"spin": 1}, _busy),
        LabFault(
            "planner.a3.at-max-replicas",
            "Three containers of the app run",
            inject=lambda target, _: target.add_replicas(Service.BACKEND, 3),
            bites=lambda _target, _notes: True,
            undo=lambda target, _: target.remove_replicas(Service.BACKEND, 3),
        ),
    ),
    release("planner.a3.slow-query", "The query of tasks takes long", {"slow": {TASKS: 1.4}}, logged("Request took")),
    redis_faults.full("planner.a3.cache-not-working", "Redis throws keys away as fast as they come", policy="allkeys-lru"),
    stopped("planner.d1.not-running", "PostgreSQL is stopped", Service.DATABASE),
    password_changed(
        "planner.d1.wrong-credentials",
        "The password of postgres was changed",
        every(answers("/health", 503), logged("password authentication failed")),
    ),
    statements(
        "planner.d1.not-initialised",
        "The database has no tables",
        tables_away(TABLES),
        tables_back(TABLES),
        "SELECT to_regclass('public.users') IS NULL",
    ),
    corrupted(
        "planner.d2.index-corrupt",
        "A page of an index is damaged on disk",
        "idx_tasks_project_id",
        "SELECT bt_index_check('idx_tasks_project_id'::regclass)",
    ),
    corrupted("planner.d2.data-corrupt", "A page of a table is damaged on disk", "programs", "SELECT count(*) FROM programs"),
    LabFault(
        "planner.d3.old-backups",
        "Backups older than a month fill the volume to 95 %",
        prepare=lambda target: prepare_backups(95, target),
        inject=write_backups,
        bites=lambda target, _: disk_used_percent(target) > 93,
        undo=remove_backups,
    ),
    dead_rows("planner.d3.bloat", "Nothing vacuums the table of tasks", "tasks", "status"),
    told(
        "planner.k1.bad-environment",
        "The app's pool size is no number",
        lambda _target: {"DB_POOL_SIZE": "ten"},
        logged("ValueError: invalid literal for int()"),
    ),
    changed(
        "planner.k1.crash-loop",
        "A release needs a module that its image does not have",
        Service.BACKEND,
        "/app/backend/planner.py",
        _module_missing,
        logged("No module named 'openpyxl'"),
    ),
    remade(
        "planner.k1.health-check-failing",
        "The health check asks for a page that is not there",
        Service.BACKEND,
        _unhealthy,
        _health_fails,
    ),
    remade("planner.k1.out-of-memory", "The app's memory limit is lower than what it needs", Service.BACKEND, _little, restarted),
    project_file(
        "planner.k2.dependency-failed",
        "The last build could not install a dependency",
        "build.log",
        "Step 4/6 : RUN pip install -r requirements.txt\n"
        "ERROR: Could not find a version that satisfies the requirement fastapi==99.1\n"
        "ERROR: No matching distribution found for fastapi==99.1\n",
    ),
    project_file(
        "planner.k2.stale-cache",
        "The last build failed on what it had kept of an earlier one",
        "build.log",
        "#7 3.114 E: Failed to fetch http://mirror.example.org/libpq5_15.6-0_amd64.deb  Hash Sum mismatch\n"
        'ERROR: failed to solve: process "apt-get install -y libpq5" did not complete successfully: exit code: 100\n',
    ),
    large_context("planner.k2.context-too-large", "The build's context holds 600 MiB"),
    project_file(
        "planner.k3.unknown-key",
        "The Compose file has a key that there is none of",
        "docker-compose.yml",
        "services:\n  app:\n    build: .\n    port: ['8000:8000']\n",
    ),
    LabFault("planner.p1.limit-too-low", "The app's memory limit leaves it no room", _tighten, _tight, _loosen),
    release(
        "planner.p1.leak",
        "The app keeps more and more memory",
        {"leak": 3 * MIB, "steady": True},
        lambda target, _: target.memory_used(Service.BACKEND) > 60 * MIB,
    ),
    heavy(
        LabFault(
            "planner.p2.hot-process", "An optimiser inside the app's container computes without end", _optimise, _busy, _stop
        )
    ),
    index_missing(
        "planner.p3.missing-index", "The index on projects is missing", "idx_projects_program_id", "projects", "program_id"
    ),
    statements(
        "planner.p3.logging-off",
        "Slow statements are not logged",
        ["ALTER SYSTEM SET log_min_duration_statement = -1", "SELECT pg_reload_conf()"],
        ["ALTER SYSTEM RESET log_min_duration_statement", "SELECT pg_reload_conf()"],
        "SELECT current_setting('log_min_duration_statement') = '-1'",
    ),
    statements(
        "planner.p3.seq-scan",
        "PostgreSQL was told not to use indexes",
        [f"ALTER SYSTEM SET {name} = off" for name in READING_BY_INDEX] + ["SELECT pg_reload_conf()"],
        [f"ALTER SYSTEM RESET {name}" for name in READING_BY_INDEX] + ["SELECT pg_reload_conf()"],
        "SELECT current_setting('enable_indexscan') = 'off'",
    ),
    heavy(
        LabFault(
            "planner.p2.saturated",
            "More is asked of the app than one process can do",
            _crowd,
            every(
                _busy, lambda target, _: target.log(Service.BACKEND, 2000, int(time.time()) - 5).count(f"GET {TASKS} 200") > 200
            ),
            _disperse,
        )
    ),
    told(
        "planner.n1.not-listening",
        "The app listens inside its container alone",
        lambda _target: {"LISTEN": "127.0.0.1"},
        answers("/health", 0),
    ),
    remade(
        "planner.n1.port-not-published", "The app's port is not published", Service.BACKEND, _unpublished, answers("/health", 0)
    ),
    LabFault(
        "planner.n1.dns",
        "The name that users type is no name any more",
        inject=lambda _target, _notes: None,
        bites=lambda _target, _notes: not _resolves(LOST_NAME),
        undo=lambda _target, _notes: None,
        inputs=lambda _target: {"site": LOST_NAME},
    ),
    certificate("planner.n2.expired", "The certificate has expired", (-90, -3)),
    certificate("planner.n2.expiring", "The certificate expires in nine days", (-80, 9)),
    certificate("planner.n2.chain-incomplete", "The server does not send the intermediate certificate", (-5, 200), whole=False),
    certificate("planner.n2.name-mismatch", "The certificate is for another name", (-5, 200), ("other.local",)),
    replace(
        statements(
            "planner.u1.hash-mismatch",
            "A user's password hash is another",
            ["UPDATE users SET password_hash = 'sha256$other' WHERE username = 'test'"],
            [
                "UPDATE users SET password_hash = 'sha256$' || encode(sha256('test'::bytea), 'hex') "
                "WHERE username = 'test' AND password_hash = 'sha256$other'"
            ],
            "SELECT true",
        ),
        bites=_login(401),
    ),
    told(
        "planner.u1.secret-missing",
        "The app is told no SECRET_KEY",
        lambda _target: {"SECRET_KEY": None},
        logged("environment variable SECRET_KEY is not set"),
    ),
    user_of(
        "planner.u1.session-expired",
        "A user's token has expired",
        logged("Authentication failed: Token has expired"),
        _expired,
        inputs=lambda target: {"token": _old_token(target)},
    ),
    release("planner.u1.endpoint-failing", "The login itself fails", {"fail": {LOGIN: 1.0}}, _login(500)),
    rows_away("planner.u2.scope-missing", "A user's role has no scope", "scope_assignments", SCOPE_OF_TEST),
    replace(
        statements(
            "planner.u2.role-missing",
            "A user's role is not active",
            [f"UPDATE user_roles SET is_active = false WHERE {ROLE_OF_TEST}"],  # noqa: S608 (our own names)
            [f"UPDATE user_roles SET is_active = true WHERE {ROLE_OF_TEST}"],  # noqa: S608 (our own names)
            "SELECT true",
        ),
        bites=_forbidden,
    ),
)
