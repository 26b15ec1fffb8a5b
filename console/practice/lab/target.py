"""What a fault may do to the lab: every act names a service and reaches the lab's own container, or nothing."""

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from console.config_tables import LabConfig
from console.practice.lab import engine
from console.practice.lab.engine import Output
from console.practice.lab.errors import LabError, NotInLab
from console.practice.lab.plan import SPEC_LABEL
from console.practice.lab.spec import ContainerSpec, Service
from console.practice.lab.stack import POLL_S, Lab
from console.text import clean

STOP_TIMEOUT_S = 8
REACTION_TIMEOUT_S = 45.0


class Target:
    """The lab as a fault sees it. Raises NotInLab for a container that is missing or not the lab's, else LabError."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    @property
    def folder(self) -> Path:
        """Where this lab keeps its files on this machine."""
        return self._lab.folder

    @property
    def ports(self) -> LabConfig:
        """The ports on 127.0.0.1 that the lab publishes."""
        return self._lab.plan.ports

    @property
    def user(self) -> str:
        """The application's login."""
        return self._lab.plan.template.user

    @property
    def database(self) -> str:
        """The application's database."""
        return self._lab.plan.template.database

    @property
    def data(self) -> str:
        """The database's data directory, in its container."""
        return self._lab.plan.template.data

    @property
    def system(self) -> str:
        """The system's name."""
        return self._lab.plan.system

    @property
    def guide(self) -> str:
        """Which kind of system it is."""
        return self._lab.plan.template.guide

    def name(self, service: Service) -> str:
        return self._lab.plan.names[service]

    def has(self, service: Service) -> bool:
        """Whether this lab has the service at all."""
        return service in self._lab.plan.names

    def inspect(self, service: Service) -> dict[str, Any]:
        return self._lab.container(service)

    def unit(self, service: Service) -> str:
        """The unit of a service that runs on the host; empty for one with a container of its own."""
        return self._lab.plan.template.units.get(service, "")

    def unit_log(self, service: Service) -> str:
        """Where the unit of a service writes its log, on the host; empty for one with a container of its own."""
        return self._lab.plan.template.logs[service] if self.unit(service) else ""

    def running(self, service: Service) -> bool:
        """Whether the service's container runs, and its unit is active when it has one."""
        if not self.alive(service):
            return False
        return not self.unit(service) or self.run(service, "systemctl", "is-active", self.unit(service)).exit_code == 0

    def alive(self, service: Service) -> bool:
        """Whether commands can be run where the service is: its container runs, and is neither paused nor between two starts."""
        state = self.inspect(service)["State"]
        return bool(state["Running"] and not state["Restarting"] and not state["Paused"])

    def stop(self, service: Service) -> None:
        if self.unit(service):
            self.must(service, "systemctl", "stop", self.unit(service))
        else:
            self._lab.client.api.stop(self.inspect(service)["Id"], timeout=STOP_TIMEOUT_S)

    def start(self, service: Service) -> None:
        """Start the service; nothing happens when it runs."""
        found = self.inspect(service)
        if self.unit(service) and found["State"]["Running"]:
            self.must(service, "systemctl", "start", self.unit(service))
            return
        if found["State"]["Paused"]:
            self._lab.client.api.unpause(found["Id"])
        self._lab.client.api.start(found["Id"])

    def start_all(self) -> None:
        """Start what the lab has and does not run, in order: what could not start while a fault was in place stays down."""
        for service in (*self._lab.plan.services, *self._lab.plan.template.units):
            try:
                if not self.running(service):
                    self.start(service)
            except NotInLab:
                continue  # Somebody removed it; `up` makes it again.
            if service is Service.DATABASE:
                self.start_database()

    def restart(self, service: Service) -> None:
        """Stop and start, also out of a crash loop; the engine's restart count begins anew."""
        self.stop(service)
        self.start(service)

    def limit_memory(self, service: Service, memory_bytes: int) -> None:
        """Change the memory limit of a stopped container."""
        found = self.inspect(service)
        self._lab.client.api.update_container(found["Id"], mem_limit=memory_bytes, memswap_limit=memory_bytes)

    def weigh(self, service: Service, shares: int) -> None:
        """How much of the processor a container gets when there is not enough for all; 1024 is usual."""
        self._lab.client.api.update_container(self.inspect(service)["Id"], cpu_shares=shares)

    def memory_used(self, service: Service) -> int:
        """Bytes that the container uses, as `docker stats` counts them: without the page cache that can be dropped."""
        memory = self._lab.client.api.stats(self.inspect(service)["Id"], stream=False, one_shot=True)["memory_stats"]
        found = memory.get("stats", {})
        return int(memory["usage"]) - int(found.get("total_inactive_file", found.get("inactive_file", 0)))

    def made_with_memory(self, service: Service) -> int:
        """The memory limit in bytes that the lab gives this service."""
        return self.spec(service).memory_bytes

    def spec(self, service: Service) -> ContainerSpec:
        """What the lab creates this service's container with."""
        return next(spec for spec in self._lab.specs() if spec.name == self.name(service))

    def remake(self, spec: ContainerSpec) -> None:
        """Make a container anew, from its specification or a changed one."""
        self._lab.remake(spec)

    def remove_half_made(self, service: Service) -> None:
        """Remove what an interruption left of a container that was being made anew."""
        self._lab.remove_half_made(self.name(service))

    def set_aside(self, service: Service) -> None:
        """Stop a container and take its name away, as Compose does before it makes a new one in its place."""
        self.stop(service)
        self._lab.rename(self.name(service), f"{self.name(service)}-before")

    def bring_back(self, service: Service) -> None:
        """Give the container that was set aside its name again, when nobody made a new one meanwhile; start what is there."""
        if self.gone(service):
            self._lab.rename(f"{self.name(service)}-before", self.name(service))
        self._lab.remove(f"{self.name(service)}-before")
        self.start(service)

    def gone(self, service: Service) -> bool:
        """Whether there is no container of the service's name."""
        try:
            self.inspect(service)
        except NotInLab:
            return True
        return False

    def add_replicas(self, service: Service, most: int) -> None:
        """Let more containers do the same work, up to so many; their ports are not published."""
        for name in self._replicas(service, most):
            self._lab.add(replace(self.spec(service), name=name, ports=(), aliases=()))

    def remove_replicas(self, service: Service, most: int) -> None:
        for name in self._replicas(service, most):
            self._lab.remove(name)

    def _replicas(self, service: Service, most: int) -> list[str]:
        first = self.name(service)
        return [f"{first.removesuffix('-1')}-{number}" for number in range(2, most + 1)]

    def add_part(self, spec: ContainerSpec) -> None:
        """Make a container that the lab otherwise does not have; nothing when it is there."""
        self._lab.add(spec)

    def part(self, name: str) -> dict[str, Any] | None:
        """Such a container, inspected; raises LabError when one of that name is not the lab's."""
        return self._lab.part(name)

    def remove_part(self, name: str) -> None:
        """Remove it; nothing when it is gone."""
        self._lab.remove(name)

    def is_made_as(self, spec: ContainerSpec) -> bool:
        """Whether the container that is there was made from this specification."""
        found = self.inspect(spec.service)
        return bool(found["Config"]["Labels"].get(SPEC_LABEL) == spec.fingerprint(found["Config"]["Image"]))

    def run(self, service: Service, *command: str) -> Output:
        """Run a command in the container, which must run."""
        if not self.alive(service):
            raise LabError(f"{self.name(service)} does not run.", f"`docker start {self.name(service)}`, then try again.")
        return engine.run_in(self._lab.client, self.inspect(service)["Id"], command)

    def must(self, service: Service, *command: str) -> str:
        """Run a command in the container; what it printed. Raises LabError when it fails."""
        return self._must(self.run(service, *command), f"run {command[0]} in {self.name(service)}").strip()

    def leave_running(self, service: Service, *command: str) -> None:
        engine.start_in(self._lab.client, self.inspect(service)["Id"], command)

    def kill(self, service: Service, pattern: str) -> None:
        """End the processes of a running container whose command line matches; nothing when there are none."""
        if self.alive(service):
            self.run(service, "pkill", "-f", pattern)

    def pause(self, service: Service) -> None:
        """Freeze every process of the container; `start` lets them go on."""
        self._lab.client.api.pause(self.inspect(service)["Id"])

    def shoot(self, service: Service) -> None:
        """Kill the container, if it runs; the engine leaves it so."""
        if self.alive(service):
            self._lab.client.api.kill(self.inspect(service)["Id"])

    def address(self, service: Service) -> str:
        """The container's address in the lab's network."""
        return str(self.inspect(service)["NetworkSettings"]["Networks"][self._lab.plan.network]["IPAddress"])

    def read(self, service: Service, path: str) -> bytes:
        return engine.read_file(self._lab.client, self.inspect(service)["Id"], path)

    def write(self, service: Service, path: str, content: bytes) -> None:
        engine.write_file(self._lab.client, self.inspect(service)["Id"], path, content)

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        json: Mapping[str, str] | None = None,
        token: str = "",
        identity: str = "",
        timeout_s: float = 6.0,
    ) -> int:
        """The status with which the backend answers a request from this machine; 0 when it does not answer."""
        import httpx

        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if identity:
            headers["X-Correlation-ID"] = identity
        url = f"http://127.0.0.1:{self.ports.backend}{path}"
        try:
            return httpx.request(method, url, json=json, headers=headers, timeout=timeout_s, trust_env=False).status_code
        except httpx.HTTPError:
            return 0

    def read_page(self, path: str) -> bytes:
        """The first 8 KiB of a file of the data volume, which the backup container mounts too."""
        result = self.run(Service.BACKUP, "sh", "-c", f"dd if={path} bs=8192 count=1 status=none | base64 -w0")
        return base64.b64decode(result.stdout)

    def write_page(self, path: str, page: bytes) -> None:
        """Overwrite the first 8 KiB of a file of the data volume in place."""
        text = base64.b64encode(page).decode()
        script = f"echo {text} | base64 -d | dd of={path} bs=8192 count=1 conv=notrunc status=none"
        self._must(self.run(Service.BACKUP, "sh", "-c", script), f"write {path}")

    def start_database(self) -> None:
        """Start PostgreSQL and wait until it accepts connections."""
        self.start(Service.DATABASE)
        self.wait(self._accepting, f"{self.name(Service.DATABASE)} accepts connections")

    def sql(self, statement: str, database: str = "") -> str:
        """Run a statement as the superuser, over the socket and a reserved slot; its rows as plain text."""
        name = database or self._lab.plan.template.database
        command = ("psql", "-X", "-q", "-A", "-t", "-U", "postgres", "-d", name, "-c", statement)
        return self._must(self.run(Service.DATABASE, *command), "run a statement").strip()

    def forget_statements(self) -> None:
        """Let the server forget which statements it ran, and how slow they were while something was wrong."""
        self.sql("SELECT pg_stat_statements_reset()")

    def as_user(self, statement: str) -> Output:
        """Log in over TCP as the application does, with the password that the lab's clients use, and run a statement."""
        found, template = self.inspect(Service.DATABASE), self._lab.plan.template
        command = ("psql", "-X", "-q", "-h", "127.0.0.1", "-U", template.user, "-d", template.database, "-c", statement)
        return engine.run_in(self._lab.client, found["Id"], command, {"PGPASSWORD": self._lab.password()})

    def password(self) -> str:
        return self._lab.password()

    def drop_backend_sessions(self) -> None:
        """End the backend's pooled sessions, so that it meets what a new login meets."""
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%-backend'")

    def backend_log(self, lines: int = 60) -> str:
        return self.log(Service.BACKEND, lines)

    def log(self, service: Service, lines: int = 60, since: int = 0) -> str:
        """The last lines of a service's log; since then (Unix seconds), for a container of its own."""
        if self.unit(service):
            return self.run(service, "tail", "-n", str(lines), self.unit_log(service)).stdout
        raw: bytes = self._lab.client.api.logs(self.inspect(service)["Id"], tail=lines, since=since or None)
        return raw.decode("utf-8", "replace")

    def secret(self, name: str, make: Callable[[], str] | None = None) -> str:
        """One of the lab's secrets."""
        return self._lab.secret(name, make)

    def project_file(self, name: str) -> Path:
        """A file of the system's folder on this machine."""
        return self._lab.folder / "project" / name

    def crash_loops(self) -> bool:
        """Whether the engine has restarted the backend more than once since a person or a fault did."""
        return int(self.inspect(Service.BACKEND)["RestartCount"]) > 1

    def wait(self, holds: Callable[[], bool], what: str, timeout_s: float = REACTION_TIMEOUT_S) -> None:
        """Wait until a condition holds; raises LabError when it does not in time."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > deadline:
                raise LabError(f"After {timeout_s:.0f} s it is still not so that {what}.")
            time.sleep(POLL_S)

    def _accepting(self) -> bool:
        return self.running(Service.DATABASE) and self.run(Service.DATABASE, "pg_isready", "-q", "-h", "127.0.0.1").exit_code == 0

    def _must(self, result: Output, what: str) -> str:
        if result.exit_code != 0:
            raise LabError(f"Could not {what}: {clean(result.stderr.strip() or result.stdout.strip(), 300)}.")
        return result.stdout
