"""The ISP platform: one container plays the host with its units, another the payment processor and a network device."""

from console.practice.lab.people import token
from console.practice.lab.spec import MIB, ContainerSpec, LabPlan, Mount, Port, Secret, Service, Template, Volume
from console.practice.lab.systems import parts

UPLOADS = "/app/uploads"


def environment(plan: LabPlan, secret: Secret) -> dict[str, str]:
    """What `/opt/dotmac/.env` holds."""
    password = secret("password")
    return {
        "DB_HOST": "localhost",
        "DB_PORT": "5432",
        "DB_NAME": plan.template.database,
        "DB_USER": plan.template.user,
        "DB_PASSWORD": password,
        "DATABASE_URL": f"postgresql://{plan.template.user}:{password}@localhost:5432/{plan.template.database}",
        "DB_POOL_SIZE": "10",
        "REDIS_URL": "redis://localhost:6379/0",
        "JWT_SECRET_KEY": secret("jwt_secret"),
        "JWT_ALGORITHM": "HS256",
        "JWT_EXPIRE_MINUTES": "30",
        "PAYMENT_API_URL": f"http://{plan.names[Service.OUTSIDE]}:8080/api",
        "WEBHOOK_SECRET": secret("webhook_secret"),
        "UPLOADS": UPLOADS,
    }


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _containers(plan: LabPlan, secret: Secret) -> tuple[ContainerSpec, ...]:
    names, ports = plan.names, plan.ports
    told = {**environment(plan, secret), "SYSTEM": plan.template.guide}
    backups = {"BACKUPS": "/var/backups/dotmac", "DB_HOST": "localhost", "DB_PASSWORD": secret("password")}
    server = {**parts.server(plan, secret), **backups}
    return (
        ContainerSpec(
            Service.OUTSIDE,
            names[Service.OUTSIDE],
            ("python", "/lab/outside.py"),
            ("payment-processor", "router"),
            96 * MIB,
            ports=(Port(8080, ports.outside), Port(161, ports.snmp, "udp")),
            mounts=(Mount("uploads", "/held"),),  # So that the small volume stays when the host restarts.
            workdir="/",
        ),
        ContainerSpec(
            Service.HOST,
            names[Service.HOST],
            ("units",),
            (),
            768 * MIB,
            health=("systemctl", "is-active", "dotmac"),
            ports=(Port(8000, ports.backend), Port(5432, ports.postgres), Port(6379, ports.redis)),
            mounts=(Mount("database", parts.POSTGRES), Mount("uploads", UPLOADS)),
            files={"/opt/dotmac/.env": _lines(told), "/etc/default/postgresql": _lines(server)},
            workdir="/opt/dotmac",
        ),
        parts.load(plan, secret, f"http://{names[Service.HOST]}:8000", 3),
    )


DOTMAC = Template(
    guide="dotmac",
    services=(Service.OUTSIDE, Service.HOST, Service.LOAD),
    needs=(),
    names={},
    database="dotmac_db",
    user="dotmac",
    data=f"{parts.POSTGRES}/data",
    volumes=(Volume("database"), Volume("uploads", 32, inodes=2000)),
    containers=_containers,
    front=lambda plan: f"http://127.0.0.1:{plan.ports.backend}/health",
    shared={Service.DATABASE: Service.HOST, Service.CACHE: Service.HOST, Service.BACKEND: Service.HOST},
    units={Service.DATABASE: "postgresql", Service.CACHE: "redis-server", Service.BACKEND: "dotmac"},
    logs={
        Service.DATABASE: "/var/log/postgresql/postgresql-15-main.log",
        Service.CACHE: "/var/log/redis/redis-server.log",
        Service.BACKEND: "/var/log/dotmac/app.log",
    },
    inputs=lambda secret: {
        "email": "user1@dotmac.local",
        "password": "user1",
        "token": token(secret("jwt_secret"), "user1@dotmac.local", "staff"),
        "host": "127.0.0.1",
        "community": "public",
    },
)
