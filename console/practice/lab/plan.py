"""What the lab of one system consists of: names, ports, and what each container is created with. Nothing here acts."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from console.config import Environment, SystemConfig
from console.practice.lab.errors import LabError

OWNER_LABEL = "triage.lab"
"""On everything the lab makes, with the system's name as its value. Nothing without it is ever touched."""
SPEC_LABEL = "triage.lab.spec"
MIB = 1024 * 1024
SECOND_NS = 1_000_000_000
VOLUME_MIB = 320
REDIS_COMMAND = (
    "redis-server --bind * --protected-mode no --dir /data --appendonly no --maxmemory 64mb --maxmemory-policy allkeys-lru"
)
PROMETHEUS_COMMAND = (
    "prometheus --config.file=/lab/prometheus.yml --storage.tsdb.path=/prometheus --storage.tsdb.retention.time=24h "
    "--log.level=warn"
)


class Service(StrEnum):
    """The containers of the lab, in the order in which they are started."""

    DATABASE = "database"
    CACHE = "cache"
    BACKUP = "backup"
    BACKEND = "backend"
    PROXY = "proxy"
    PROMETHEUS = "prometheus"
    LOAD = "load"


@dataclass(frozen=True, slots=True)
class LabPlan:
    """One system's lab: which container plays which role and which host ports on 127.0.0.1 are published."""

    system: str
    names: Mapping[Service, str]
    ports: Mapping[Service, int]
    select: Mapping[str, str]
    """The label by which the configuration selects the system's containers."""

    @property
    def network(self) -> str:
        return f"{self.system}_default"

    @property
    def volume(self) -> str:
        return f"{self.system}_database"

    @property
    def labels(self) -> dict[str, str]:
        return {OWNER_LABEL: self.system, **self.select}


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """What one container is created with; memory in bytes."""

    service: Service
    name: str
    command: tuple[str, ...]
    aliases: tuple[str, ...]
    memory_bytes: int
    environment: Mapping[str, str]
    health: tuple[str, ...] = ()
    port: tuple[int, int] | None = None
    """Port in the container, port on 127.0.0.1."""
    volume: str | None = None
    user: str = ""
    workdir: str = "/app"
    stop_signal: str = "SIGTERM"

    def fingerprint(self, image: str) -> str:
        """Changes whenever the container would have to be made anew."""
        return hashlib.sha256(json.dumps([image, repr(self)]).encode()).hexdigest()[:16]


def lab_plan(name: str, config: SystemConfig) -> LabPlan:
    """The lab of this system; raises LabError for a system that the lab must not or cannot stand in for."""
    if config.environment is not Environment.LAB:
        raise LabError(
            f'The lab is made for systems with environment = "lab"; {name} is {config.environment.value}.',
            "Name another system with --system, or make a system of its own for the lab in config.toml.",
        )
    missing = [role for role in ("database", "cache", "backend", "proxy") if role not in config.roles]
    if missing:
        raise LabError(
            f"The lab has a database, a cache, a backend and a proxy; {name} names no {' and no '.join(missing)}.",
            f"Name them in [systems.{name}.roles], or use the system sms.",
        )
    names = {service: config.roles.get(service.value, f"{name}-{service.value}") for service in Service}
    if Service.BACKUP.value not in config.roles:
        names[Service.BACKUP] = f"{name}-db-backup"
    ports = {
        Service.PROXY: config.lab.proxy,
        Service.BACKEND: config.lab.backend,
        Service.DATABASE: config.lab.postgres,
        Service.CACHE: config.lab.redis,
        Service.PROMETHEUS: config.lab.prometheus,
    }
    label, _, value = (config.engine.select.get("label", "") if config.engine else "").partition("=")
    return LabPlan(name, names, ports, {label: value} if label else {})


def container_specs(plan: LabPlan, password: str) -> tuple[ContainerSpec, ...]:
    """All containers of the lab, in the order in which they are started."""
    database = {"DB_HOST": plan.names[Service.DATABASE], "DB_PASSWORD": password}

    def port(service: Service, inside: int) -> tuple[int, int]:
        return inside, plan.ports[service]

    return (
        ContainerSpec(
            Service.DATABASE,
            plan.names[Service.DATABASE],
            ("/lab/postgres.sh",),
            ("postgres", "database"),
            512 * MIB,
            {"POSTGRES_PASSWORD": password},
            health=("pg_isready", "-q", "-h", "127.0.0.1", "-U", "sms_user", "-d", "student_management"),
            port=port(Service.DATABASE, 5432),
            volume=plan.volume,
            workdir="/",
            stop_signal="SIGINT",  # PostgreSQL's fast shutdown: SIGTERM would wait for every session to leave.
        ),
        ContainerSpec(
            Service.CACHE,
            plan.names[Service.CACHE],
            tuple(REDIS_COMMAND.split()),
            ("redis", "cache"),
            128 * MIB,
            {},
            health=("redis-cli", "ping"),
            port=port(Service.CACHE, 6379),
            user="redis",
            workdir="/data",
        ),
        ContainerSpec(
            Service.BACKUP,
            plan.names[Service.BACKUP],
            ("/lab/backup.sh",),
            (),
            # What is written to a volume in memory counts against the writer's limit, and this one may fill it.
            (VOLUME_MIB + 128) * MIB,
            database,
            volume=plan.volume,
            workdir="/var/lib/postgresql/backups",
        ),
        ContainerSpec(
            Service.BACKEND,
            plan.names[Service.BACKEND],
            ("python", "-m", "backend.main"),
            ("backend",),
            256 * MIB,
            {**database, "REDIS_HOST": plan.names[Service.CACHE], "AUTH_MODE": "permissive"},
            health=("curl", "-fsS", "-m", "2", "http://127.0.0.1:8000/health/live"),
            port=port(Service.BACKEND, 8000),
        ),
        ContainerSpec(
            Service.PROXY,
            plan.names[Service.PROXY],
            ("nginx", "-c", "/lab/nginx.conf", "-g", "daemon off;"),
            ("proxy",),
            64 * MIB,
            {},
            port=port(Service.PROXY, 8080),
            workdir="/",
        ),
        ContainerSpec(
            Service.PROMETHEUS,
            plan.names[Service.PROMETHEUS],
            tuple(PROMETHEUS_COMMAND.split()),
            ("prometheus",),
            256 * MIB,
            {},
            port=port(Service.PROMETHEUS, 9090),
            user="prometheus",
            workdir="/prometheus",
        ),
        ContainerSpec(
            Service.LOAD,
            plan.names[Service.LOAD],
            ("python", "/lab/load.py"),
            (),
            96 * MIB,
            {**database, "PROXY_HOST": plan.names[Service.PROXY]},
        ),
    )


def creation(spec: ContainerSpec, plan: LabPlan, image: str) -> dict[str, Any]:
    """The engine's create request for a container (Docker Engine API, `POST /containers/create`)."""
    request: dict[str, Any] = {
        "Image": image,
        "Cmd": list(spec.command),
        "Hostname": spec.name,
        "Labels": {**plan.labels, SPEC_LABEL: spec.fingerprint(image)},
        "Env": [f"{key}={value}" for key, value in spec.environment.items()],
        "WorkingDir": spec.workdir,
        "StopSignal": spec.stop_signal,
        "StopTimeout": 8,
        "HostConfig": {
            "Init": True,
            "Memory": spec.memory_bytes,
            "MemorySwap": spec.memory_bytes,
            "NetworkMode": plan.network,
            "RestartPolicy": {"Name": "unless-stopped"},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "20m", "max-file": "2"}},
        },
        "NetworkingConfig": {"EndpointsConfig": {plan.network: {"Aliases": list(spec.aliases)}}},
    }
    if spec.user:
        request["User"] = spec.user
    if spec.health:
        request["Healthcheck"] = {
            "Test": ["CMD", *spec.health],
            "Interval": 3 * SECOND_NS,
            "Timeout": 3 * SECOND_NS,
            "Retries": 3,
            "StartPeriod": 5 * SECOND_NS,
        }
    if spec.port:
        inside, outside = f"{spec.port[0]}/tcp", str(spec.port[1])
        request["ExposedPorts"] = {inside: {}}
        request["HostConfig"]["PortBindings"] = {inside: [{"HostIp": "127.0.0.1", "HostPort": outside}]}
    if spec.volume:
        request["HostConfig"]["Mounts"] = [{"Type": "volume", "Source": spec.volume, "Target": "/var/lib/postgresql"}]
    return request
