"""Vehicle diagnostics: database, cache with a volume, backend with WebSockets and rate limits, frontend, metrics."""

from collections.abc import Mapping

from console.practice.lab.people import CORRELATION_ID, token
from console.practice.lab.spec import MIB, ContainerSpec, LabPlan, Mount, Port, Secret, Service, Template, Volume
from console.practice.lab.systems import parts

REDIS = "redis-server --bind * --protected-mode no --dir /data --appendonly yes --maxmemory 64mb --maxmemory-policy noeviction"


def environment(plan: LabPlan, secret: Secret) -> dict[str, str]:
    """What the backend is told, and what the system's `.env` holds."""
    return {
        "DATABASE_URL": f"postgresql://{plan.template.user}:{secret('password')}@db:5432/{plan.template.database}",
        "REDIS_URL": "redis://redis:6379/0",
        "JWT_SECRET_KEY": secret("jwt_secret"),
        "JWT_ALGORITHM": "HS256",
        "JWT_EXPIRE_MINUTES": "30",
        "CORS_ORIGINS": f"http://localhost:{plan.ports.frontend},http://127.0.0.1:{plan.ports.frontend}",
    }


def _project(plan: LabPlan, secret: Secret) -> Mapping[str, str]:
    told = {
        "POSTGRES_USER": plan.template.user,
        "POSTGRES_PASSWORD": secret("password"),
        "POSTGRES_DB": plan.template.database,
        **environment(plan, secret),
    }
    return {".env": "".join(f"{name}={value}\n" for name, value in told.items())}


def _containers(plan: LabPlan, secret: Secret) -> tuple[ContainerSpec, ...]:
    names = plan.names
    return (
        parts.postgres(plan, secret, ("db",), max_connections=100),
        parts.redis(plan, tuple(REDIS.split()), ("redis",), mounts=(Mount("redis_data", "/data"),)),
        parts.backup(plan, secret),
        ContainerSpec(
            Service.BACKEND,
            names[Service.BACKEND],
            ("python", "-m", "backend.main"),
            ("backend",),
            256 * MIB,
            {"SYSTEM": plan.template.guide, "RELEASE": "1.4.0", **environment(plan, secret)},
            health=parts.ALIVE,
            ports=(Port(8000, plan.ports.backend),),
            restart="no",  # As its Compose file has it: a backend that cannot start stays "Exit 1".
        ),
        parts.nginx(
            Service.FRONTEND,
            plan,
            (Port(5173, plan.ports.frontend),),
            {"/etc/nginx/lab/port.conf": "listen 5173;\n"},
        ),
        parts.prometheus(plan),
        parts.load(plan, secret, f"http://{names[Service.FRONTEND]}:5173", 2),
    )


SOVD = Template(
    guide="sovd",
    services=(
        Service.DATABASE,
        Service.CACHE,
        Service.BACKUP,
        Service.BACKEND,
        Service.FRONTEND,
        Service.PROMETHEUS,
        Service.LOAD,
    ),
    needs=("database", "cache", "backend", "frontend"),
    names={service: f"{{system}}-{service.value}-1" for service in (Service.BACKUP, Service.PROMETHEUS, Service.LOAD)},
    database="sovd_db",
    user="sovd_user",
    data=f"{parts.POSTGRES}/data",
    volumes=(Volume("database", parts.VOLUME_MIB), Volume("redis_data")),
    containers=_containers,
    front=lambda plan: f"http://127.0.0.1:{plan.ports.backend}/health/ready",
    project=_project,
    inputs=lambda secret: {
        "username": "john_doe",
        "password": "john_doe",
        "token": token(secret("jwt_secret"), "john_doe", "engineer"),
        "correlation_id": CORRELATION_ID,
        "origin": "http://localhost:5273",
    },
    compose={Service.DATABASE: "db", Service.CACHE: "redis", Service.BACKEND: "backend", Service.FRONTEND: "frontend"},
)
