"""Faults of the operations guide of the Student Management System."""

from dataclasses import replace

from console.practice.lab import redis_faults
from console.practice.lab.database_faults import dead_rows, index_missing
from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.faults_outage import port_held
from console.practice.lab.faults_sms import slow, tight
from console.practice.lab.pieces import Bites, both, clients, logged, long_statement, release, remade, stopped, told
from console.practice.lab.spec import MIB, ContainerSpec, Service
from console.practice.lab.target import Target

PATHS = ("/api/v1/grades", "/api/v1/attendance", "/api/v1/students", "/api/v1/courses")


def _idle(count: int) -> str:
    return f"SELECT count(*) >= {count} FROM pg_stat_activity WHERE application_name = 'report-job'"  # noqa: S608 (our own number)


def _sql_says(query: str) -> Bites:
    return lambda target, _: target.sql(query) == "t"


def _broken(spec: ContainerSpec, _target: Target) -> ContainerSpec:
    return replace(spec, command=("python", "-m", "backend.server"))


def _new_release(spec: ContainerSpec, _target: Target) -> ContainerSpec:
    files = {"/app/config/defects.json": '{"fail": {"/api/v1/grades": 0.5, "/api/v1/courses": 0.5}}'}
    return replace(spec, environment={**spec.environment, "RELEASE": "1.18.0"}, files=files)


def _close_data(target: Target, _notes: Notes) -> None:
    target.must(Service.BACKUP, "chmod", "0777", target.data)
    target.restart(Service.DATABASE)


def _open_data(target: Target, _notes: Notes) -> None:
    target.must(Service.BACKUP, "chmod", "0700", target.data)
    target.start_database()


def _unknown_paths(target: Target) -> list[tuple[str, ...]]:
    return [("loop", "12", "GET", f"http://{target.name(Service.PROXY)}:8080/api/v1/report-cards")]


def _crowd() -> LabFault:
    """Sessions that are all there before anything else is done."""
    all_there = _sql_says(_idle(26))
    fault = clients(
        "smsops.r2.too-many-connections",
        "A report job opens connections and keeps them, and they fill PostgreSQL's memory",
        lambda _target: [("idle", "26")],
        all_there,
    )

    def inject(target: Target, notes: Notes) -> None:
        fault.inject(target, notes)
        target.wait(lambda: all_there(target, notes), "the report job has its connections")

    return replace(fault, inject=inject)


FAULTS = (
    stopped("smsops.a1.backend-down", "The backend's container is stopped", Service.BACKEND),
    stopped("smsops.a1.database-down", "PostgreSQL's container is stopped", Service.DATABASE),
    release(
        "smsops.a1.error-storm",
        "Nearly every request ends in an error",
        {"fail": dict.fromkeys(PATHS, 0.9)},
        logged("Unhandled exception while answering"),
    ),
    release("smsops.a2.slow-query", "The query of grades takes long", {"slow": {PATHS[0]: 1.4}}, slow(PATHS[0])),
    clients(
        "smsops.a2.connections",
        "A report job holds most of the connections",
        lambda _target: [("idle", "34")],
        _sql_says(_idle(33)),
    ),
    both(
        redis_faults.full(
            "smsops.a2.cache-ineffective",
            "Redis throws pages away as fast as they are made, and making them takes long",
            policy="allkeys-lru",
        ),
        release("", "", {"slow": {PATHS[0]: 1.4}}, slow(PATHS[0])),
    ),
    release(
        "smsops.a2.n-plus-one",
        "The list of students asks the database once a row, and again",
        {"many": dict.fromkeys(PATHS[1:], 1000)},
        slow(PATHS[2]),
    ),
    release(
        "smsops.a3.one-endpoint",
        "Requests for grades fail",
        {"fail": {PATHS[0]: 0.7}},
        logged(f"Unhandled exception while answering GET {PATHS[0]}"),
    ),
    remade(
        "smsops.a3.recent-deploy",
        "A new release was deployed, and fails",
        Service.BACKEND,
        _new_release,
        logged("Unhandled exception while answering"),
    ),
    clients(
        "smsops.a3.client-errors",
        "A client asks for what is not there",
        _unknown_paths,
        logged("GET /api/v1/report-cards 404"),
    ),
    release(
        "smsops.a3.server-errors",
        "Requests of all kinds fail",
        {"fail": dict.fromkeys(PATHS, 0.4)},
        logged(f"Unhandled exception while answering GET {PATHS[3]}"),
    ),
    port_held("smsops.r1.port-conflict", "The proxy is stopped, and another process holds its port", Service.PROXY),
    LabFault(
        "smsops.r1.volume-permission",
        "The data directory is open to everybody, with which PostgreSQL does not start",
        _close_data,
        logged("has invalid permissions", Service.DATABASE),
        _open_data,
    ),
    told(
        "smsops.r1.bad-environment",
        "The backend's pool size is no number",
        lambda _target: {"DB_POOL_SIZE": "ten"},
        logged("ValueError: invalid literal for int()"),
    ),
    remade(
        "smsops.r1.image-broken",
        "The backend's image has not the module that it starts with",
        Service.BACKEND,
        _broken,
        logged("No module named backend.server"),
    ),
    release(
        "smsops.r2.leak",
        "The backend keeps more and more memory",
        {"leak": MIB, "leaked": 180 * MIB, "steady": True},
        lambda target, _: target.memory_used(Service.BACKEND) > 0.86 * target.made_with_memory(Service.BACKEND),
    ),
    tight("smsops.r2.limit-too-low", "The backend's memory limit leaves it no room", 0.92),
    both(_crowd(), tight("", "", 0.9, Service.DATABASE)),
    long_statement("smsops.r3.long-query", "A report runs for minutes", "grade"),
    clients(
        "smsops.r3.blocked",
        "A report job holds the table of courses; others wait for it",
        lambda _target: [("lock", "course")],
        _sql_says("SELECT count(*) > 1 FROM pg_locks WHERE NOT granted"),
    ),
    dead_rows("smsops.r3.stale-statistics", "Nothing vacuums the table of attendance", "attendance", "status"),
    index_missing(
        "smsops.r3.missing-index", "The index on grades is missing", "idx_grades_student_course", "grade", "enrollment_id"
    ),
)
