"""Containers that several systems have alike."""

from collections.abc import Mapping

from console.practice.lab.spec import MIB, ContainerSpec, LabPlan, Mount, Port, Secret, Service

POSTGRES = "/var/lib/postgresql"
VOLUME_MIB = 320
ALIVE = ("curl", "-fsS", "-m", "2", "http://127.0.0.1:8000/health/live")


def login(plan: LabPlan, secret: Secret) -> dict[str, str]:
    """What a client of the database is told."""
    return {
        "SYSTEM": plan.template.guide,
        "DB_HOST": plan.names[Service.DATABASE],
        "DB_PASSWORD": secret("password"),
        "POSTGRES_USER": plan.template.user,
        "POSTGRES_DB": plan.template.database,
    }


def server(plan: LabPlan, secret: Secret) -> dict[str, str]:
    """What `postgres.sh` is told."""
    return {
        "SYSTEM": plan.template.guide,
        "POSTGRES_PASSWORD": secret("password"),
        "POSTGRES_USER": plan.template.user,
        "POSTGRES_DB": plan.template.database,
    }


def postgres(plan: LabPlan, secret: Secret, aliases: tuple[str, ...], max_connections: int = 40) -> ContainerSpec:
    """PostgreSQL on a small volume in memory."""
    return ContainerSpec(
        Service.DATABASE,
        plan.names[Service.DATABASE],
        ("/lab/postgres.sh",),
        aliases,
        512 * MIB,
        {**server(plan, secret), "MAX_CONNECTIONS": str(max_connections)},
        health=("pg_isready", "-q", "-h", "127.0.0.1", "-U", plan.template.user, "-d", plan.template.database),
        ports=(Port(5432, plan.ports.postgres),),
        mounts=(Mount("database", POSTGRES),),
        workdir="/",
        stop_signal="SIGINT",  # PostgreSQL's fast shutdown: SIGTERM would wait for every session to leave.
    )


def redis(
    plan: LabPlan, command: tuple[str, ...], aliases: tuple[str, ...], *, password: str = "", mounts: tuple[Mount, ...] = ()
) -> ContainerSpec:
    """Redis, which keeps what it writes in /data."""
    return ContainerSpec(
        Service.CACHE,
        plan.names[Service.CACHE],
        (*command, "--requirepass", password) if password else command,
        aliases,
        128 * MIB,
        {"REDISCLI_AUTH": password} if password else {},
        health=("redis-cli", "ping"),
        ports=(Port(6379, plan.ports.redis),),
        mounts=mounts,
        user="redis",
        workdir="/data",
    )


def backup(plan: LabPlan, secret: Secret) -> ContainerSpec:
    """Daily dumps, and the hold on the database's volume while PostgreSQL is stopped."""
    return ContainerSpec(
        Service.BACKUP,
        plan.names[Service.BACKUP],
        ("/lab/backup.sh",),
        (),
        # What is written to a volume in memory counts against the writer's limit, and this one may fill it.
        (VOLUME_MIB + 128) * MIB,
        login(plan, secret),
        mounts=(Mount("database", POSTGRES),),
        workdir=f"{POSTGRES}/backups",
    )


def prometheus(plan: LabPlan) -> ContainerSpec:
    """Scrapes the backend every five seconds."""
    command = (
        "prometheus --config.file=/lab/prometheus.yml --storage.tsdb.path=/prometheus --storage.tsdb.retention.time=24h "
        "--log.level=warn"
    )
    return ContainerSpec(
        Service.PROMETHEUS,
        plan.names[Service.PROMETHEUS],
        tuple(command.split()),
        ("prometheus",),
        256 * MIB,
        ports=(Port(9090, plan.ports.prometheus),),
        user="prometheus",
        workdir="/prometheus",
    )


def load(plan: LabPlan, secret: Secret, target: str, per_s: int, environment: Mapping[str, str] | None = None) -> ContainerSpec:
    """Steady traffic to an address of the lab, and the place from which faults send clients."""
    told = {**login(plan, secret), "TARGET": target, "REQUESTS_PER_S": str(per_s), **(environment or {})}
    return ContainerSpec(Service.LOAD, plan.names[Service.LOAD], ("python", "/lab/load.py"), ("load",), 192 * MIB, told)


def nginx(service: Service, plan: LabPlan, ports: tuple[Port, ...], files: Mapping[str, str] | None = None) -> ContainerSpec:
    """The web server in front of the backend."""
    return ContainerSpec(
        service,
        plan.names[service],
        ("nginx", "-c", "/lab/nginx.conf", "-g", "daemon off;"),
        (service.value,),
        64 * MIB,
        ports=ports,
        files=files or {},
        workdir="/",
    )
