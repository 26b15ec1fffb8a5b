"""What a simulated system is made of: its parts, its service, who uses it, and what stands around it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from console.config import SystemConfig
from console.practice.simulated.container import Load
from console.practice.simulated.service import Service
from console.practice.simulated.traffic import Client, Endpoint
from console.practice.simulated.web import Route

if TYPE_CHECKING:
    from console.practice.simulated.world import World


@dataclass(frozen=True, slots=True)
class Part:
    """A container, or with `unit` a service of the machine itself. `lab_port`: the key of the lab's table under which the host
    port stands. A role beside database, cache, backend and proxy needs `usage` and `greeting`: it has no model of its own."""

    role: str
    image: str = ""
    limit_mib: int = 0
    port: int | None = None
    lab_port: str = ""
    started_h: float = 51.0
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[tuple[str, str, bool], ...] = ()
    """(volume or folder, path in the container, writable)"""
    names: tuple[str, ...] = ()
    """Other names under which its network knows it."""
    restart: str = "unless-stopped"
    """Its restart policy, as a container."""
    usage: Load | None = None
    greeting: str = ""
    unit: str = ""
    user: str = ""
    command: str = ""
    settings_file: str = ""
    log_file: str = ""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """One simulated system. `furnish` adds what stands around it when the world begins; `inputs` is what a well user would
    give when a walk asks."""

    name: str
    service: Service
    parts: tuple[Part, ...]
    endpoints: tuple[Endpoint, ...]
    routes: Mapping[tuple[str, str], Route]
    clients: tuple[Client, ...] = (Client("172.18.0.1"),)
    network: str = ""
    password: str = "practice"  # noqa: S105 - the made-up world's own
    """Of the service's role in PostgreSQL."""
    cache_password: str = ""
    behind_proxy: bool = False
    backup_name: str = "backup_%Y%m%d_%H%M%S.sql"
    """strftime of the nightly dump's name."""
    furnish: Callable[["World"], None] = lambda _world: None
    inputs: Callable[[SystemConfig], Mapping[str, str]] = lambda _config: {}
    answers: Mapping[str, str] = field(default_factory=dict)
    """What a user of the healthy system answers, by the id of the step that asks."""
    commands: Mapping[str, Callable[["World"], str]] = field(default_factory=dict)
    """What the configured commands of the deployment do when they are run inside the backend's container, and print."""
    images: Mapping[str, int] = field(default_factory=dict)
    volumes: Mapping[str, int] = field(default_factory=dict)
