"""The program planner: app, database, cache with a password, and a web server in front that speaks TLS."""

from collections.abc import Mapping

from console.practice.compose_project import COMPOSE
from console.practice.lab.certificates import server_files
from console.practice.lab.people import CORRELATION_ID, token
from console.practice.lab.spec import MIB, ContainerSpec, LabPlan, Port, Secret, Service, Template, Volume
from console.practice.lab.systems import parts

REDIS = "redis-server --bind * --protected-mode no --dir /data --appendonly no --maxmemory 64mb --maxmemory-policy allkeys-lru"
NAMES = ("planner.local", "localhost", "127.0.0.1")
TLS = """listen 8443 ssl;
ssl_certificate /etc/nginx/ssl/cert.pem;
ssl_certificate_key /etc/nginx/ssl/key.pem;
"""
DOCKERFILE = """FROM python:3.11-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY . .
CMD ["python", "-m", "app.main"]
"""


def environment(plan: LabPlan, secret: Secret) -> dict[str, str]:
    """What the app is told, and what the system's `.env` holds."""
    return {
        "POSTGRES_HOST": "db",
        "POSTGRES_USER": plan.template.user,
        "POSTGRES_PASSWORD": secret("password"),
        "POSTGRES_DB": plan.template.database,
        "REDIS_PASSWORD": secret("redis_password"),
        "REDIS_URL": f"redis://:{secret('redis_password')}@redis:6379/0",
        "SECRET_KEY": secret("jwt_secret"),
        "JWT_EXPIRE_MINUTES": "60",
    }


def _project(plan: LabPlan, secret: Secret) -> Mapping[str, str]:
    served = server_files(NAMES, secret)
    return {
        ".env": "".join(f"{name}={value}\n" for name, value in environment(plan, secret).items()),
        "docker-compose.yml": COMPOSE,
        "Dockerfile": DOCKERFILE,
        ".dockerignore": "node_modules/\n*.log\n.git/\n",
        "requirements.txt": "fastapi\nuvicorn\n",
        "build.log": "Step 6/6 : CMD\nSuccessfully tagged planner:latest\n",
        "cert.pem": served.chain,
        "authority.pem": served.authority,
    }


def _containers(plan: LabPlan, secret: Secret) -> tuple[ContainerSpec, ...]:
    names, served = plan.names, server_files(NAMES, secret)
    return (
        parts.postgres(plan, secret, ("db",)),
        parts.redis(plan, tuple(REDIS.split()), ("redis",), password=secret("redis_password")),
        parts.backup(plan, secret),
        ContainerSpec(
            Service.BACKEND,
            names[Service.BACKEND],
            ("python", "-m", "backend.main"),
            ("app", "backend"),
            256 * MIB,
            {"SYSTEM": plan.template.guide, "MIGRATIONS": "/app/migrations/planner", **environment(plan, secret)},
            health=("curl", "-fsS", "-m", "2", "http://127.0.0.1:8000/health/live"),
            ports=(Port(8000, plan.ports.backend),),
        ),
        parts.nginx(
            Service.PROXY,
            plan,
            (Port(8080, plan.ports.proxy), Port(8443, plan.ports.tls)),
            {
                "/etc/nginx/lab/tls.conf": TLS,
                "/etc/nginx/ssl/cert.pem": served.chain,
                "/etc/nginx/ssl/key.pem": served.key,
            },
        ),
        parts.load(plan, secret, f"http://{names[Service.BACKEND]}:8000", 3),
    )


PLANNER = Template(
    guide="planner",
    services=(Service.DATABASE, Service.CACHE, Service.BACKUP, Service.BACKEND, Service.PROXY, Service.LOAD),
    needs=("database", "cache", "backend"),
    names={
        Service.PROXY: "{system}-nginx-1",
        Service.BACKUP: "{system}-backup-1",
        Service.LOAD: "{system}-load-1",
    },
    database="planner",
    user="postgres",
    data=f"{parts.POSTGRES}/data",
    volumes=(Volume("database", parts.VOLUME_MIB),),
    containers=_containers,
    front=lambda plan: f"http://127.0.0.1:{plan.ports.backend}/health",
    project=_project,
    inputs=lambda secret: {
        "username": "test",
        "password": "test",
        "token": token(secret("jwt_secret"), "test", "MEMBER"),
        "correlation_id": CORRELATION_ID,
        "site": "localhost",
        "program": "P-101",
        "role": "MEMBER",
    },
    answers={"which": "no"},
    compose={Service.DATABASE: "db", Service.CACHE: "redis", Service.BACKEND: "app", Service.PROXY: "nginx"},
)
