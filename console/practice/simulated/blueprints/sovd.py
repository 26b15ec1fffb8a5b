"""Vehicle diagnostics: a backend with WebSockets, rate limits and tokens, a frontend, PostgreSQL, Redis, Prometheus."""

from collections.abc import Mapping

from console.config import SystemConfig
from console.practice.simulated.blueprint import Blueprint, Part
from console.practice.simulated.container import Load
from console.practice.simulated.furniture import settings_of, write_project
from console.practice.simulated.service import Service
from console.practice.simulated.traffic import Client, Endpoint
from console.practice.simulated.volume import MIB
from console.practice.simulated.web import alive, login, make_token, metrics, ready, websocket
from console.practice.simulated.world import World

RELEASE = "sovd-backend:1.4.0"
SECRET = "practice-jwt-secret-of-vehicle-diagnostics"  # noqa: S105 - the made-up world's own

SERVICE = Service(
    name="sovd-backend",
    greeting="Starting backend 1.4.0",
    database_hosts=("db", "sovd-db-1"),
    database_address="172.18.0.3",
    cache_hosts=("redis", "sovd-redis-1"),
    address="172.18.0.5",
    required=("DATABASE_URL", "REDIS_URL", "JWT_SECRET_KEY"),
    revision="0007_audit_logs",
    revision_before="0006_responses",
    needs_database=True,
    correlated=True,
    secret_name="JWT_SECRET_KEY",  # noqa: S106 - a variable's name
    leaked_query="SELECT id, vin, make, model, connection_status FROM vehicles ORDER BY id LIMIT 50",
)

ENVIRONMENT = {
    "DATABASE_URL": "postgresql://{user}:{password}@db:5432/{database}",
    "REDIS_URL": "redis://redis:6379/0",
    "JWT_SECRET_KEY": SECRET,
    "JWT_ALGORITHM": "HS256",
    "JWT_EXPIRE_MINUTES": "30",
    "CORS_ORIGINS": "http://localhost:{frontend},http://127.0.0.1:{frontend}",
}

PARTS = (
    Part(
        "database", "postgres:15", 512, 5432, "postgres", names=("db",), command="postgres",
        environment={"POSTGRES_USER": "{user}", "POSTGRES_PASSWORD": "{password}", "POSTGRES_DB": "{database}"},
        mounts=(("sovd_database", "/var/lib/postgresql", True),),
    ),
    Part(
        "cache", "redis:7", 128, 6379, "redis", names=("redis",), command="redis-server",
        mounts=(("sovd_redis_data", "/data", True),),
    ),
    Part(
        "backend", RELEASE, 256, 8000, "backend", 5.3, ENVIRONMENT, names=("backend",),
        command="python -m backend.main", restart="no",
    ),
    Part(
        "frontend", "sovd-frontend:1.4.0", 64, 5173, "frontend", names=("frontend",), command="nginx",
        usage=Load(0.7, 14 * MIB, 4_000, 9_000, 2), greeting="nginx/1.22.1: start worker processes",
    ),
    Part(
        "backup", "postgres:15", 64, command="/lab/backup.sh", mounts=(("sovd_database", "/var/lib/postgresql", True),),
        usage=Load(0.0, 6 * MIB), greeting="Waiting for the next backup",
    ),
    Part(
        "prometheus", "prom/prometheus:v2.42", 256, 9090, "prometheus", command="prometheus",
        usage=Load(1.4, 88 * MIB, 2_600, 900, 9), greeting='level=info msg="Server is ready to receive web requests."',
    ),
)  # fmt: skip

ENDPOINTS = (
    Endpoint(
        "GET", "/api/v1/vehicles", 70, 0.018,
        "SELECT id, vin, make, model, connection_status FROM vehicles ORDER BY id LIMIT 50", cached=True, limit="api",
    ),
    Endpoint(
        "GET", "/api/v1/sessions", 14, 0.021,
        "SELECT id, vehicle_id, status, started_at FROM sessions WHERE user_id = $1 AND status = 'active'", limit="api",
    ),
    Endpoint(
        "GET", "/api/v1/commands", 6, 0.024,
        "SELECT id, command_name, status, submitted_at FROM commands ORDER BY submitted_at DESC LIMIT 20", limit="commands",
    ),
    Endpoint(
        "POST", "/api/v1/commands", 8, 0.045,
        "INSERT INTO commands (user_id, vehicle_id, command_name, status) VALUES ($1, $2, $3, 'completed')",
        writes=True, limit="commands",
    ),
    Endpoint(
        "POST", "/api/v1/auth/login", 2, 0.070, "SELECT password_hash, role FROM users WHERE username = $1 AND is_active",
        rejected=0.03, limit="auth",
    ),
)  # fmt: skip

CLIENTS = (
    *(Client(f"10.20.0.{number + 10}", f"engineer{number}", "engineer") for number in range(1, 39)),
    Client("10.20.0.5", "john_doe", "engineer"),
    Client("10.20.0.4", "admin", "admin"),
)


def furnish(world: World) -> None:
    """The deployment's folder, with the environment that its Compose file gives to the containers; room for its pool."""
    world.database.settings.put("max_connections", "100")
    database = {"POSTGRES_USER": "{user}", "POSTGRES_PASSWORD": "{password}", "POSTGRES_DB": "{database}"}
    write_project(world, {".env": settings_of(world, {**database, **ENVIRONMENT})})


def inputs(_config: SystemConfig) -> Mapping[str, str]:
    """What john_doe would say, who is well."""
    claims = {"sub": "john_doe", "role": "engineer", "iat": 1_767_225_600, "exp": 4_102_444_800}
    return {
        "token": make_token(SECRET, claims),
        "username": "john_doe",
        "correlation_id": "3f9b6a52-1c1e-4d7e-9a55-0c2f6b8d4e11",
        "password": "john_doe",
        "origin": "http://localhost:5173",
    }


BLUEPRINT = Blueprint(
    name="sovd",
    service=SERVICE,
    parts=PARTS,
    endpoints=ENDPOINTS,
    routes={
        ("GET", "/health/ready"): ready,
        ("GET", "/health/live"): alive,
        ("GET", "/metrics"): metrics,
        ("GET", "/ws/commands"): websocket,
        ("POST", "/api/v1/auth/login"): login(
            "SELECT password_hash, CASE WHEN NOT is_active THEN 'no such user' END AS refused FROM users "
            "WHERE username = %(name)s",
            "username",
        ),
    },
    clients=CLIENTS,
    network="sovd_default",
    password="sovd_password",  # noqa: S106 - the made-up world's own
    backup_name="sovd_db_%Y%m%d_%H%M%S.sql.gz",
    furnish=furnish,
    commands={"init": lambda world: world.initialise()},
    inputs=inputs,
    images={"sovd-backend:1.3.2": 398 * MIB},
    volumes={"sovd_database_old": 902 * MIB},
)
