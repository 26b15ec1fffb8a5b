"""The parts that a lab is made of: its services, what each container is created with, and one system's template."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from console.config_tables import LabConfig

MIB = 1024 * 1024
OWNER_LABEL = "triage.lab"
"""On everything the lab makes, with the system's name as its value. Nothing without it is ever touched."""


class Secret(Protocol):
    """A secret of this lab by name: made when it is first asked for (`make`, else at random), kept for this user alone."""

    def __call__(self, name: str, make: Callable[[], str] | None = None) -> str: ...


class Service(StrEnum):
    """What a container of a lab is for. Not every system has every service."""

    HOST = "host"
    """A container that plays a machine with its services."""
    DATABASE = "database"
    CACHE = "cache"
    BACKUP = "backup"
    MAIL = "mail"
    PAGES = "pages"
    """The site with the help pages."""
    OUTSIDE = "outside"
    """What is not the system's own: a payment processor, a network device."""
    BACKEND = "backend"
    PROXY = "proxy"
    FRONTEND = "frontend"
    PROMETHEUS = "prometheus"
    LOAD = "load"


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume of the lab in a container."""

    volume: str
    path: str


@dataclass(frozen=True, slots=True)
class Port:
    """A port in the container and the port on 127.0.0.1 that leads to it."""

    inside: int
    outside: int
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """What one container is created with; memory in bytes."""

    service: Service
    name: str
    command: tuple[str, ...]
    aliases: tuple[str, ...]
    memory_bytes: int
    environment: Mapping[str, str] = field(default_factory=dict)
    health: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """Path → text of the files that are put into the container before it starts."""
    user: str = ""
    workdir: str = "/app"
    stop_signal: str = "SIGTERM"
    restart: str = "unless-stopped"

    def fingerprint(self, image: str) -> str:
        """Changes whenever the container would have to be made anew."""
        return hashlib.sha256(json.dumps([image, repr(self)]).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of the lab. With a size it lies in memory and is emptied when nothing has it mounted any more."""

    suffix: str
    size_mib: int = 0
    inodes: int = 0


@dataclass(frozen=True, slots=True)
class LabPlan:
    """One system's lab: which container plays which role and which host ports on 127.0.0.1 are published."""

    system: str
    template: "Template"
    names: Mapping[Service, str]
    ports: LabConfig
    select: Mapping[str, str]
    """The label by which the configuration selects the system's containers."""

    @property
    def services(self) -> tuple[Service, ...]:
        """The lab's containers, in the order in which they are started."""
        return self.template.services

    @property
    def network(self) -> str:
        return f"{self.system}_default"

    def volume(self, suffix: str) -> str:
        return f"{self.system}_{suffix}"

    @property
    def labels(self) -> dict[str, str]:
        return {OWNER_LABEL: self.system, **self.select}


@dataclass(frozen=True, slots=True)
class Template:
    """What the lab of one kind of system consists of, whatever its containers are called."""

    guide: str
    services: tuple[Service, ...]
    needs: tuple[str, ...]
    """Roles that the configuration must name."""
    names: Mapping[Service, str]
    """Names for services without a role; `{system}` is filled in."""
    database: str
    user: str
    data: str
    """The database's data directory in its container."""
    volumes: tuple[Volume, ...]
    containers: Callable[[LabPlan, Secret], tuple[ContainerSpec, ...]]
    front: Callable[[LabPlan], str]
    """The address that answers 200 when the lab is well."""
    shared: Mapping[Service, Service] = field(default_factory=dict)
    """Services without a container of their own → the service in whose container they run."""
    units: Mapping[Service, str] = field(default_factory=dict)
    """The units of services that run on the host, in the order in which they are started."""
    logs: Mapping[Service, str] = field(default_factory=dict)
    """Their logs, on the host."""
    inputs: Callable[[Secret], Mapping[str, str]] | None = None
    """What a user who is well would give to a walk that asks."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """What that user would answer, by the id of the step that asks."""
    project: Callable[[LabPlan, Secret], Mapping[str, str]] | None = None
    """Files of the system's folder on this machine, by name: its `.env`, a certificate."""
    compose: Mapping[Service, str] = field(default_factory=dict)
    """The services' names in a Compose file, for the label that Compose would give."""
