"""Brings the lab of one system up, takes it down, and says how it stands."""

import fcntl
import hashlib
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from console.config_sources import EngineConfig
from console.practice.lab import engine
from console.practice.lab.errors import LabError, NotInLab
from console.practice.lab.image_build import TABLES, context_files, ensure_image
from console.practice.lab.plan import SPEC_LABEL, container_specs, creation
from console.practice.lab.ready import ServiceState, service_state, waiting_for
from console.practice.lab.spec import OWNER_LABEL, ContainerSpec, LabPlan, Service, Volume
from console.state import private_dir, state_dir, write_private
from console.text import clean

READY_TIMEOUT_S = 120.0
POLL_S = 0.3
TABLES_LABEL = "triage.lab.tables"
"""On volumes: for which tables they were made."""


@dataclass(frozen=True, slots=True)
class LabStatus:
    """How the lab stands: every service, and what is still awaited before it counts as up."""

    services: tuple[ServiceState, ...]
    waiting: tuple[str, ...]

    @property
    def up(self) -> bool:
        return not self.waiting


class Lab:
    """The lab of one system on one engine. Every call blocks; every question to the engine has a timeout."""

    def __init__(self, plan: LabPlan, config: EngineConfig, say: Callable[[str], None]) -> None:
        self.plan = plan
        self._config = config
        self._say = say
        self._client: Any = None
        self.folder = state_dir() / "lab" / plan.system

    @property
    def client(self) -> Any:
        """The docker client, connected at its first use; raises LabError when no engine answers."""
        if self._client is None:
            self._client = engine.connect(self._config)
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def password(self) -> str:
        """The password of the application's login and of postgres."""
        return self.secret("password")

    def secret(self, name: str, make: Callable[[], str] | None = None) -> str:
        """A secret of this lab, made at the first call and kept for this user alone."""
        path = self.folder / name
        if not path.exists():
            write_private(path, (make or _random)())
        return path.read_text(encoding="utf-8").strip()

    def specs(self) -> tuple[ContainerSpec, ...]:
        """What each container is created with, in the order in which they are started."""
        return container_specs(self.plan, self.secret)

    def up(self) -> None:
        """Make and start what is missing, and wait until the whole lab answers. Raises LabError; safe to call again."""
        with self._alone():
            specs = self.specs()
            self._forget_old_tables()
            found = {spec.service: self._owned(spec.name) for spec in specs}
            for spec in specs:
                self._check_port(spec, found[spec.service])
            image = ensure_image(self._config, self._say)
            self._ensure_network()
            for volume in self.plan.template.volumes:
                self._ensure_volume(volume)
            self._write_project()
            for spec in specs:
                self.remove_half_made(spec.name)
                self._ensure_container(spec, found[spec.service], image)
                if spec.name == self.plan.names[Service.DATABASE]:
                    self._wait_for_database(spec.name)
            self.wait_until_up()

    def down(self) -> None:
        """Remove the containers, network and volume that carry the lab's label, and nothing else."""
        with self._alone():
            self._remove_all()

    def _remove_all(self) -> None:
        api, mine = self.client.api, {"label": f"{OWNER_LABEL}={self.plan.system}"}
        for found in api.containers(all=True, filters=mine):
            self._say(f"Removing {clean(found['Names'][0].lstrip('/'))}")
            _unless_gone(api.remove_container, found["Id"], force=True, v=True)
        for found in api.networks(filters=mine):
            _unless_gone(api.remove_network, found["Id"])
        for found in api.volumes(filters=mine).get("Volumes") or ():
            _unless_gone(api.remove_volume, found["Name"])

    def status(self) -> LabStatus:
        """Every service as the engine sees it. Makes no change."""
        states = tuple(self._state(service) for service in self.plan.services)
        return LabStatus(states, waiting_for(self.plan, states))

    def wait_until_up(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until every container runs and is healthy and the metrics have arrived; raises LabError with what is not."""
        self._say("Waiting until everything is healthy")
        deadline = time.monotonic() + timeout_s
        status = self.status()
        while not status.up:
            if time.monotonic() > deadline:
                raise LabError(
                    f"The lab is not up after {timeout_s:.0f} s: {'; '.join(status.waiting)}.",
                    "Look at `docker logs` of the container named; `triage lab down` and `triage lab up` begin anew.",
                )
            time.sleep(POLL_S)
            status = self.status()

    def container(self, service: Service) -> dict[str, Any]:
        """The lab's own container of this service, inspected; raises LabError when it is missing or not the lab's."""
        name = self.plan.names[service]
        found = self._owned(name)
        if found is None:
            raise NotInLab(f"The lab has no container {name}.", "Make it with `triage lab up`.")
        return found

    def refuse_foreign(self) -> None:
        """Raise LabError when a container of one of the lab's names is somebody else's."""
        for service in self.plan.services:
            self._owned(self.plan.names[service])

    def _state(self, service: Service) -> ServiceState:
        name = self.plan.names[service]
        return service_state(service, name, self.plan.system, self._inspect(name))

    def _inspect(self, name: str) -> dict[str, Any] | None:
        from docker.errors import NotFound

        try:
            found: dict[str, Any] = self.client.api.inspect_container(name)
        except NotFound:
            return None
        return found

    def _owned(self, name: str) -> dict[str, Any] | None:
        found = self._inspect(name)
        if found is not None and (found["Config"].get("Labels") or {}).get(OWNER_LABEL) != self.plan.system:
            raise LabError(
                f"There is a container {name} that is not the lab's; it was left as it is.",
                f"Rename or remove it, or give the lab other names in [systems.{self.plan.system}.roles].",
            )
        return found

    def _check_port(self, spec: ContainerSpec, found: dict[str, Any] | None) -> None:
        if found is not None and found["State"]["Running"]:
            return
        for port in spec.ports:
            kind = socket.SOCK_DGRAM if port.protocol == "udp" else socket.SOCK_STREAM
            with socket.socket(type=kind) as probe:
                if port.protocol == "tcp":
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port.outside))
                except OSError as error:
                    raise LabError(
                        f"Port {port.outside} on 127.0.0.1, which {spec.name} needs, is taken"
                        f"{_holder(port.outside)} ({error.strerror}).",
                        f"End that, or choose another port in [systems.{self.plan.system}.lab].",
                    ) from None

    def _forget_old_tables(self) -> None:
        """Remove what was made for other tables than today's: a newer backend would not find its own in them."""
        mine = {"label": [f"{OWNER_LABEL}={self.plan.system}"]}
        volumes = self.client.api.volumes(filters=mine).get("Volumes") or ()
        wanted = self._tables()
        if all((volume.get("Labels") or {}).get(TABLES_LABEL) == wanted for volume in volumes):
            return
        self._say("The system's tables are others now; making the lab anew")
        self._remove_all()

    def _tables(self) -> str:
        return hashlib.sha256(context_files()[f"{TABLES}/{self.plan.template.guide}.sql"]).hexdigest()[:16]

    def _write_project(self) -> None:
        """The system's folder on this machine: what a deployment keeps beside its containers."""
        if self.plan.template.project is None:
            return
        for name, text in self.plan.template.project(self.plan, self.secret).items():
            path = self.folder / "project" / name
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                write_private(path, text)

    def _ensure_network(self) -> None:
        name = self.plan.network
        for found in self.client.api.networks(names=[name]):
            if found["Name"] == name:
                if (found.get("Labels") or {}).get(OWNER_LABEL) != self.plan.system:
                    raise LabError(
                        f"There is a network {name} that is not the lab's; it was left as it is.",
                        f"`docker network rm {name}` removes it, when nothing needs it.",
                    )
                return
        self.client.api.create_network(name, driver="bridge", labels=self.plan.labels, check_duplicate=True)

    def _ensure_volume(self, volume: Volume) -> None:
        from docker.errors import NotFound

        name = self.plan.volume(volume.suffix)
        try:
            found = self.client.api.inspect_volume(name)
        except NotFound:
            options = {}
            if volume.size_mib:
                inodes = f",nr_inodes={volume.inodes}" if volume.inodes else ""
                options = {"type": "tmpfs", "device": "tmpfs", "o": f"size={volume.size_mib}m,mode=0755{inodes}"}
            labels = {**self.plan.labels, TABLES_LABEL: self._tables()}
            self.client.api.create_volume(name, driver="local", driver_opts=options, labels=labels)
            return
        if (found.get("Labels") or {}).get(OWNER_LABEL) != self.plan.system:
            raise LabError(f"There is a volume {name} that is not the lab's; it was left as it is.")

    def remake(self, spec: ContainerSpec) -> None:
        """Make a container anew as this specification says, also one that is gone; `up` makes it as planned. Raises LabError."""
        old = self._owned(spec.name) or self.container(next(item for item in self.plan.services if item is not spec.service))
        made = self._prepare(spec, old["Config"]["Image"])
        self._discard(spec.name)
        self._begin(spec, made)

    def add(self, spec: ContainerSpec) -> None:
        """Make one more container like that of a service, under a name of its own; `remove` or `down` removes it."""
        if self._owned(spec.name) is None:
            self._create(spec, self.container(spec.service)["Config"]["Image"])

    def part(self, name: str) -> dict[str, Any] | None:
        """A container of the lab by its name, inspected; None: there is none. Raises LabError for one that is not the lab's."""
        return self._owned(name)

    def remove_half_made(self, name: str) -> None:
        """Remove what an interruption left of a container that was being made."""
        self._discard(half_made(name))

    def remove(self, name: str) -> None:
        """Remove a container that is the lab's, whatever it is called; nothing when there is none."""
        self.remove_half_made(name)
        self._discard(name)

    def _discard(self, name: str) -> None:
        found = self._owned(name)
        if found is not None:
            _unless_gone(self.client.api.remove_container, found["Id"], force=True, v=True)

    def rename(self, name: str, to: str) -> None:
        """Give a container of the lab another name; nothing when there is none."""
        found = self._owned(name)
        if found is not None:
            self.client.api.rename(found["Id"], to)

    def _ensure_container(self, spec: ContainerSpec, found: dict[str, Any] | None, image: str) -> None:
        from docker.errors import APIError

        api = self.client.api
        if found is not None and not _as_made(found, spec, image):
            self._say(f"Making {spec.name} anew")
            if spec.name == self.plan.names[Service.DATABASE] and found["State"]["Running"]:
                api.stop(found["Id"])  # Killed, PostgreSQL would lose its statistics.
            api.remove_container(found["Id"], force=True, v=True)
            found = None
        try:
            if found is None:
                self._say(f"Starting {spec.name}")
                self._create(spec, image)
            elif found["State"]["Paused"]:
                api.unpause(found["Id"])
            elif not found["State"]["Running"]:
                self._say(f"Starting {spec.name}")
                api.start(found["Id"])
        except APIError as error:
            raise LabError(
                f"{spec.name} could not be started: {clean(str(error.explanation or error), 300)}.",
                "Mend that and run `triage lab up` again; it goes on from here.",
            ) from None

    def _create(self, spec: ContainerSpec, image: str) -> None:
        self._begin(spec, self._prepare(spec, image))

    def _prepare(self, spec: ContainerSpec, image: str) -> str:
        """A container with all its files, under a name of its own: what has the right name is whole, whatever was interrupted."""
        self.remove_half_made(spec.name)
        made = self.client.api.create_container_from_config(creation(spec, self.plan, image), half_made(spec.name))
        for path, text in spec.files.items():
            engine.write_file(self.client, made["Id"], path, text.encode())
        return str(made["Id"])

    def _begin(self, spec: ContainerSpec, made: str) -> None:
        self.client.api.rename(made, spec.name)
        self.client.api.start(made)

    def _wait_for_database(self, name: str) -> None:
        from docker.errors import APIError

        self._say("Waiting for PostgreSQL and its data")
        deadline = time.monotonic() + READY_TIMEOUT_S
        while True:
            try:
                if engine.run_in(self.client, name, ("pg_isready", "-q", "-h", "127.0.0.1")).exit_code == 0:
                    break
            except APIError:
                pass  # It is between two starts; the deadline bounds this.
            found = self._owned(name)
            if time.monotonic() > deadline or found is None or found["RestartCount"] > 1:
                last = self.client.api.logs(name, tail=1) if found else b"it was removed"
                raise LabError(f"{name} does not accept connections: {clean(last, 300)}.", f"`docker logs {name}` tells more.")
            time.sleep(POLL_S)
        # The volume may be older than the password: a state folder that was removed, or a drill that changed it.
        password = self.password()
        for role in dict.fromkeys((self.plan.template.user, "postgres")):
            statement = f"ALTER ROLE {role} PASSWORD '{password}'"
            result = engine.run_in(self.client, name, ("psql", "-X", "-q", "-U", "postgres", "-c", statement))
            if result.exit_code != 0:
                raise LabError(f"The password of {role} could not be set: {clean(result.stderr.strip(), 200)}.")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lab's lock, so that two commands never build and remove at the same time."""
        with (private_dir(self.folder) / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say("Another command works on the lab; waiting for it")
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def half_made(name: str) -> str:
    """What a container is called until it has everything that it starts with."""
    return f"{name}-new"


def _random() -> str:
    return secrets.token_hex(24)


def _unless_gone(remove: Callable[..., object], name: str, **options: bool) -> None:
    from docker.errors import NotFound

    try:
        remove(name, **options)
    except NotFound:
        return  # Somebody else removed it, which is what was wanted.


def _as_made(found: dict[str, Any], spec: ContainerSpec, image: str) -> bool:
    """Whether a container is still what it was made as; a memory limit can be changed behind its label."""
    labels = found["Config"].get("Labels") or {}
    return labels.get(SPEC_LABEL) == spec.fingerprint(image) and found["HostConfig"]["Memory"] == spec.memory_bytes


def _holder(port: int) -> str:
    """Who listens on a port of this machine, as far as this user may know."""
    import psutil

    try:
        listening = [item for item in psutil.net_connections("tcp") if item.status == psutil.CONN_LISTEN]
    except psutil.Error:
        return ""
    for item in listening:
        if item.laddr and item.laddr.port == port and item.pid:
            try:
                return f" by {clean(psutil.Process(item.pid).name(), 60)}, pid {item.pid}"
            except psutil.Error:
                return f" by pid {item.pid}"
    return ""
