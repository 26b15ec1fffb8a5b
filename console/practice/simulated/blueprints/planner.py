"""The program planner under Docker Compose: an app with roles and scopes, PostgreSQL, Redis with a password, nginx with TLS."""

from collections.abc import Mapping

from console.config import SystemConfig
from console.practice.compose_project import COMPOSE
from console.practice.simulated.blueprint import Blueprint, Part
from console.practice.simulated.container import Load
from console.practice.simulated.furniture import serve_certificate, settings_of, write_certificate, write_project
from console.practice.simulated.machine import Printed
from console.practice.simulated.service import Service
from console.practice.simulated.traffic import Client, Endpoint
from console.practice.simulated.volume import MIB
from console.practice.simulated.web import alive, login, make_token, metrics, ready
from console.practice.simulated.world import World

RELEASE = "planner-app:2.3.1"
SECRET = "practice-secret-key-of-the-planner"  # noqa: S105 - the made-up world's own
REDIS_PASSWORD = "practice-redis"  # noqa: S105

SERVICE = Service(
    name="planner-app",
    greeting="Starting app 2.3.1",
    database_hosts=("db", "planner-db-1"),
    database_address="172.18.0.3",
    cache_hosts=("redis", "planner-redis-1"),
    address="172.18.0.5",
    package="app",
    folder="/app/app",
    required=("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"),
    revision="0042_program_scopes",
    numbers=("DB_POOL_SIZE", "JWT_EXPIRE_MINUTES"),
    revision_before="0041_projects",
    migrates=False,
    unmigrated=("scope_assignments", "column s.is_active does not exist"),
    needs_database=True,
    correlated=True,
    secret_name="SECRET_KEY",  # noqa: S106 - a variable's name
    leaked_query="SELECT j.id, j.name, j.status FROM projects j WHERE j.program_id = $1 ORDER BY j.name LIMIT 50",
)

ENVIRONMENT = {
    "POSTGRES_HOST": "db",
    "POSTGRES_USER": "{user}",
    "POSTGRES_PASSWORD": "{password}",
    "POSTGRES_DB": "{database}",
    "REDIS_PASSWORD": REDIS_PASSWORD,
    "REDIS_URL": f"redis://:{REDIS_PASSWORD}@redis:6379/0",
    "SECRET_KEY": SECRET,
    "JWT_EXPIRE_MINUTES": "60",
}

PARTS = (
    Part(
        "database", "postgres:15", 512, 5432, "postgres", names=("db",), command="postgres",
        environment={"POSTGRES_USER": "{user}", "POSTGRES_PASSWORD": "{password}", "POSTGRES_DB": "{database}"},
        mounts=(("planner_database", "/var/lib/postgresql", True),),
    ),
    Part("cache", "redis:7", 128, 6379, "redis", names=("redis",), command="redis-server"),
    Part("backend", RELEASE, 256, 8000, "backend", 5.3, ENVIRONMENT, names=("app", "backend"), command="uvicorn app.main:app"),
    Part(
        "proxy", "nginx:1.22", 64, 8443, "tls", names=("nginx",), command="nginx",
        usage=Load(0.7, 14 * MIB, 4_000, 9_000, 2), greeting="nginx/1.22.1: start worker processes",
    ),
    Part(
        "backup", "postgres:15", 64, command="/lab/backup.sh", mounts=(("planner_database", "/var/lib/postgresql", True),),
        usage=Load(0.0, 6 * MIB), greeting="Waiting for the next backup",
    ),
)  # fmt: skip

ENDPOINTS = (
    Endpoint(
        "GET", "/api/v1/projects", 56, 0.020,
        "SELECT j.id, j.name, j.status FROM projects j WHERE j.program_id = $1 ORDER BY j.name LIMIT 50", cached=True,
    ),
    Endpoint(
        "GET", "/api/v1/tasks", 22, 0.028,
        "SELECT t.title, t.status FROM tasks t JOIN projects j ON j.id = t.project_id WHERE j.name = $1 LIMIT 50",
    ),
    Endpoint(
        "GET", "/api/v1/programs", 18, 0.024,
        "SELECT DISTINCT p.code, p.name FROM programs p JOIN scope_assignments s ON s.program_id = p.id "
        "AND s.is_active JOIN user_roles r ON r.id = s.user_role_id JOIN users u ON u.id = r.user_id WHERE u.username = $1",
    ),
    Endpoint(
        "POST", "/api/v1/auth/login", 4, 0.070, "UPDATE users SET last_login_at = now() WHERE username = $1",
        writes=True, rejected=0.03,
    ),
)  # fmt: skip

CLIENTS = tuple(Client(f"10.30.0.{number + 10}", f"user{number}", "MEMBER") for number in range(1, 21))

DOCKERFILE = """FROM python:3.11-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY . .
CMD ["uvicorn", "app.main:app"]
"""


def furnish(world: World) -> None:
    """The deployment's folder, Compose, the packet filter, and the name under which the world reaches the app."""
    write_project(
        world,
        {
            ".env": settings_of(world, ENVIRONMENT),
            "docker-compose.yml": COMPOSE,
            "Dockerfile": DOCKERFILE,
            ".dockerignore": "node_modules/\n*.log\n.git/\n",
            "requirements.txt": "fastapi\nuvicorn\nsqlalchemy\n",
            "build.log": "Step 6/6 : CMD\nSuccessfully tagged planner:latest\n",
        },
    )
    write_certificate(world, "web")
    serve_certificate(world, "web")
    machine, lab = world.machine, world.config.lab
    machine.commands["docker"] = lambda argv: compose("2.29.1", tuple(argv[1:]))
    machine.commands["docker-compose"] = lambda argv: compose("2.29.1", ("compose", *argv[1:]))
    machine.firewall.active, machine.firewall.default = True, "deny"
    machine.firewall.allowed |= {"22/tcp", "443/tcp", "8000/tcp", f"{lab.backend}/tcp", f"{lab.tls}/tcp"}
    world.network.names["planner.local"] = ("127.0.0.1",)
    world.network.own_names.add("planner.local")


def compose(version: str, words: tuple[str, ...]) -> Printed:
    if words[:2] == ("compose", "version"):
        return 0, f"{version}\n" if "--short" in words else f"Docker Compose version v{version}\n", ""
    return 1, "", "docker: this is not known here\n"


def inputs(config: SystemConfig) -> Mapping[str, str]:
    """What the user `test` would say, who is well."""
    claims = {"sub": "test", "role": "MEMBER", "iat": 1_767_225_600, "exp": 4_102_444_800}
    return {
        "site": "planner.local",
        "username": "test",
        "password": "test",
        "token": make_token(SECRET, claims),
        "program": "P-101",
        "role": "MEMBER",
        "new_password": "a-new-practice-password",
        "folder": config.folders["project"].path if "project" in config.folders else "/srv/planner",
    }


BLUEPRINT = Blueprint(
    name="planner",
    service=SERVICE,
    parts=PARTS,
    endpoints=ENDPOINTS,
    routes={
        ("GET", "/health"): ready,
        ("GET", "/health/live"): alive,
        ("GET", "/metrics"): metrics,
        ("POST", "/api/v1/auth/login"): login(
            "SELECT password_hash, CASE WHEN NOT is_active THEN 'no such user' END AS refused FROM users "
            "WHERE username = %(name)s",
            "username",
        ),
    },
    clients=CLIENTS,
    network="planner_default",
    cache_password=REDIS_PASSWORD,
    backup_name="planner_%Y%m%d_%H%M%S.sql.gz",
    furnish=furnish,
    inputs=inputs,
    commands={"upgrade": lambda world: world.upgrade()},
    images={"planner-app:2.2.0": 431 * MIB},
    volumes={"planner_database_old": 1_210 * MIB},
)
