"""A simulated container: its process, the engine's supervision of it, and the JSON in which an engine describes it."""

import hashlib
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from console.practice.simulated.log import Log, rfc3339

NEVER = "0001-01-01T00:00:00Z"
HEALTH_EVERY_S = 3.0
HEALTH_RETRIES = 3
CORES = 2


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended."""

    code: int
    out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """What a process uses: percent of one core, resident memory, network bytes a second each way."""

    cpu_percent: float
    memory_bytes: int
    received_bytes_s: float = 0.0
    sent_bytes_s: float = 0.0
    pids: int = 1


@dataclass(frozen=True, slots=True)
class Probe:
    """The answer of a health check: its exit code and what it printed."""

    exit_code: int
    output: str


class Program(Protocol):
    """The main process of a container. Times are Unix seconds of the world."""

    def start(self, now: float, /) -> None: ...
    def tick(self, now: float, /) -> Exit | None: ...
    def stop(self, now: float, /) -> int:
        """End at the engine's request; the exit code."""
        ...

    def killed(self) -> None:
        """End by the kernel's hand (no memory left in the limit): nothing is logged."""
        ...

    def probe(self, now: float, /) -> Probe | None:
        """The health check's answer, None when the image has no health check."""
        ...

    def load(self, now: float, /) -> Load: ...


@dataclass(frozen=True, slots=True)
class Sample:
    """Counters of a running container at one moment."""

    at: float
    cpu_ns: int
    system_ns: int
    memory_bytes: int
    received_bytes: int
    sent_bytes: int
    pids: int


@dataclass(slots=True)
class SimulatedContainer:
    """A container under the engine's supervision: health checks, restart policy with its growing pauses, counters."""

    id: str
    name: str
    image: str
    program: Program
    log: Log
    labels: Mapping[str, str]
    created_at: float
    memory_limit_bytes: int
    host_port: int | None = None
    container_port: int | None = None
    command: Sequence[str] = ()
    restart_policy: str = "unless-stopped"
    network: str = "sms_default"
    address: str = ""
    aliases: tuple[str, ...] = ()
    """Other names under which its network knows it."""
    environment: dict[str, str] = field(default_factory=dict)
    """What its process finds at its next start."""
    mounts: list[tuple[str, str, bool]] = field(default_factory=list)
    """(volume or folder, path inside, writable)"""
    processes: list[tuple[str, float, int]] = field(default_factory=list)
    """What runs beside its main process: command, percent of one core, bytes."""
    image_id: str = ""
    state: str = "created"
    started_at: float | None = None
    finished_at: float | None = None
    exit_code: int = 0
    oom_killed: bool = False
    error: str = ""
    restart_count: int = 0
    health: str = ""
    failing_streak: int = 0
    health_log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=5))
    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=5))
    _restart_at: float = math.inf
    _pause_s: float = 0.1
    _next_health_at: float = math.inf

    def __post_init__(self) -> None:
        self.image_id = self.image_id or f"sha256:{self.id[::-1]}"

    @property
    def running(self) -> bool:
        return self.state == "running"

    def deploy(self, image: str, now: float) -> None:
        """Be made anew from another image, as a deployment does, and run."""
        self.image, self.image_id, self.created_at = image, f"sha256:{hashlib.sha256(image.encode()).hexdigest()}", now
        self.stop(now)
        self.start(now)

    def start(self, now: float) -> None:
        """Start at the operator's request: the engine forgets how often it restarted the container itself."""
        if self.running:
            return
        self.restart_count, self._pause_s = 0, 0.1
        self._run(now)

    def stop(self, now: float) -> None:
        """Stop at the operator's request; the restart policy lets it rest."""
        if self.state == "restarting":
            self.state, self._restart_at = "exited", math.inf
        elif self.running:
            self._note_end(Exit(self.program.stop(now)), now)
            self.state = "exited"

    def fail_to_start(self, now: float, error: str) -> None:
        """The engine could not start it (a port that is taken): exit code 128 and the engine's words."""
        self.state, self.exit_code, self.error, self._restart_at = "exited", 128, error, math.inf
        self.finished_at = now if self.finished_at is None else self.finished_at

    def adopt(self, started_at: float, now: float) -> None:
        """Be running since long before the world began."""
        self._run(now)
        self.started_at = started_at
        if self.health:
            self.health = "healthy"

    def tick(self, now: float, elapsed_s: float, *, sampled: bool = True) -> None:
        """Supervise for one step of the world; without samples where nobody can ask for them any more."""
        if self.state == "restarting" and now >= self._restart_at:
            self._run(now)
        if not self.running:
            return
        ended = self.program.tick(now)
        if ended is not None:
            self._end(ended, now)
            return
        load = self.program.load(now)
        if load.memory_bytes > self.memory_limit_bytes:
            self.program.killed()
            self._end(Exit(137, out_of_memory=True), now)
            return
        if sampled:
            self._count(now, elapsed_s, load)
        if now >= self._next_health_at:
            self._check_health(now)

    def _run(self, now: float) -> None:
        self.state, self.started_at, self._restart_at = "running", now, math.inf
        # The OOM flag stays until the next end, as the engine leaves it (seen with 20.10).
        self.error, self.exit_code = "", 0
        self.samples.clear()
        self.program.start(now)
        has_health = self.program.probe(now) is not None
        self.health = "starting" if has_health else ""
        self.failing_streak = 0
        self._next_health_at = now + HEALTH_EVERY_S if has_health else math.inf

    def _end(self, ended: Exit, now: float) -> None:
        ran_s = now - (self.started_at or now)
        self._note_end(ended, now)
        # moby's restart manager: pauses double from 0.1 s up to a minute, and start again after a run of ten seconds.
        self._pause_s = 0.1 if ran_s > 10 else min(60.0, 2 * self._pause_s)
        if self.restart_policy == "no":
            self.state = "exited"
        else:
            self.state, self._restart_at = "restarting", now + self._pause_s
            self.restart_count += 1

    def _note_end(self, ended: Exit, now: float) -> None:
        self.finished_at, self.exit_code, self.oom_killed = now, ended.code, ended.out_of_memory
        self.samples.clear()
        self.health = "unhealthy" if self.health else ""

    def _check_health(self, now: float) -> None:
        self._next_health_at = now + HEALTH_EVERY_S
        probe = self.program.probe(now)
        if probe is None:
            return
        entry = {"Start": rfc3339(now - 0.1), "End": rfc3339(now), "ExitCode": probe.exit_code, "Output": probe.output}
        self.health_log.append(entry)
        if probe.exit_code == 0:
            self.health, self.failing_streak = "healthy", 0
        else:
            self.failing_streak += 1
            if self.failing_streak >= HEALTH_RETRIES:
                self.health = "unhealthy"

    def _count(self, now: float, elapsed_s: float, load: Load) -> None:
        before = self.samples[-1] if self.samples else Sample(now - elapsed_s, 0, 0, 0, 0, 0, 0)
        self.samples.append(
            Sample(
                now,
                before.cpu_ns + int(load.cpu_percent / 100 * elapsed_s * 1e9),
                before.system_ns + int(CORES * elapsed_s * 1e9),
                load.memory_bytes,
                before.received_bytes + int(load.received_bytes_s * elapsed_s),
                before.sent_bytes + int(load.sent_bytes_s * elapsed_s),
                load.pids,
            )
        )

    def listed(self, now: float) -> dict[str, Any]:
        """The container as GET /containers/json has it."""
        port: dict[str, Any] = {"PrivatePort": self.container_port, "Type": "tcp"}
        if self.host_port is not None and self.running:
            port |= {"IP": "127.0.0.1", "PublicPort": self.host_port}
        return {
            "Id": self.id,
            "Names": [f"/{self.name}"],
            "Image": self.image,
            "ImageID": self.image_id,
            "Command": " ".join(self.command),
            "Created": int(self.created_at),
            "Ports": [port] if self.container_port is not None else [],
            "Labels": dict(self.labels),
            "State": self.state,
            "Status": self._status(now),
            "HostConfig": {"NetworkMode": self.network},
            "NetworkSettings": {"Networks": {self.network: self._place()}},
            "Mounts": self._mounted(),
        }

    def inspected(self) -> dict[str, Any]:
        """The container as GET /containers/{id}/json has it."""
        state: dict[str, Any] = {
            "Status": self.state,
            "Running": self.state in ("running", "restarting"),
            "Paused": False,
            "Restarting": self.state == "restarting",
            "OOMKilled": self.oom_killed,
            "Dead": False,
            "Pid": 4_000 + int(self.id[:3], 16) if self.running else 0,
            "ExitCode": self.exit_code,
            "Error": self.error,
            "StartedAt": NEVER if self.started_at is None else rfc3339(self.started_at),
            "FinishedAt": NEVER if self.finished_at is None else rfc3339(self.finished_at),
        }
        if self.health:
            state["Health"] = {"Status": self.health, "FailingStreak": self.failing_streak, "Log": list(self.health_log)}
        key = f"{self.container_port}/tcp"
        binding = [{"HostIp": "127.0.0.1", "HostPort": str(self.host_port)}] if self.host_port is not None else None
        ports = {key: binding} if self.container_port is not None else {}
        return {
            "Id": self.id,
            "Name": f"/{self.name}",
            "Created": rfc3339(self.created_at),
            "Image": self.image_id,
            "State": state,
            "RestartCount": self.restart_count,
            "HostConfig": {
                "Memory": self.memory_limit_bytes,
                "MemorySwap": self.memory_limit_bytes,
                "RestartPolicy": {"Name": self.restart_policy, "MaximumRetryCount": 0},
                "NetworkMode": self.network,
                "PortBindings": ports,
            },
            "Config": {
                "Image": self.image,
                "Labels": dict(self.labels),
                "Tty": False,
                "Cmd": list(self.command),
                "Env": [f"{name}={value}" for name, value in self.environment.items()],
                "ExposedPorts": {key: {}} if ports else {},
            },
            "Path": next(iter(self.command), ""),
            "Args": list(self.command[1:]),
            "Mounts": self._mounted(),
            "NetworkSettings": {"Ports": ports if self.running else {}, "Networks": {self.network: self._place()}},
        }

    def top(self) -> dict[str, Any]:
        """The answer of GET /containers/{id}/top for `ps -eo pid,pcpu,rss,args`."""
        main = self.samples[-1] if self.samples else None
        load = self.program.load(self.started_at or 0.0) if main is None else None
        used = main.memory_bytes if main is not None else (load.memory_bytes if load is not None else 0)
        share = 100 * main.cpu_ns / max(1, main.system_ns / CORES) if main is not None else 0.0
        pid = 4_000 + int(self.id[:3], 16)
        own = [str(pid), f"{share:.1f}", str(used // 1024), " ".join(self.command) or self.image]
        others = [
            [str(pid + 7 + number), f"{cpu:.1f}", str(memory // 1024), command]
            for number, (command, cpu, memory) in enumerate(self.processes)
        ]
        return {"Titles": ["PID", "%CPU", "RSS", "COMMAND"], "Processes": [own, *others]}

    def _place(self) -> dict[str, Any]:
        return {"IPAddress": self.address if self.running else "", "Aliases": list(self.aliases)}

    def _mounted(self) -> list[dict[str, Any]]:
        return [
            {
                "Type": "bind" if source.startswith("/") else "volume",
                "Name": "" if source.startswith("/") else source,
                "Source": source if source.startswith("/") else f"/var/lib/docker/volumes/{source}/_data",
                "Destination": target,
                "RW": writable,
            }
            for source, target, writable in self.mounts
        ]

    def _status(self, now: float) -> str:
        if self.state == "restarting":
            return f"Restarting ({self.exit_code}) {_ago(now - (self.finished_at or now))} ago"
        if self.state == "exited":
            return f"Exited ({self.exit_code}) {_ago(now - (self.finished_at or now))} ago"
        if self.state == "created":
            return "Created"
        health = {"": "", "starting": " (health: starting)"}.get(self.health, f" ({self.health})")
        return f"Up {_ago(now - (self.started_at or now))}{health}"


def stats(sample: Sample, limit_bytes: int) -> dict[str, Any]:
    """Counters as GET /containers/{id}/stats has them (cgroup v1: the page cache is counted in `usage`)."""
    cache_bytes = 24 << 20
    return {
        "read": rfc3339(sample.at),
        "cpu_stats": {
            "cpu_usage": {"total_usage": sample.cpu_ns},
            "system_cpu_usage": sample.system_ns,
            "online_cpus": CORES,
        },
        "precpu_stats": {},
        "memory_stats": {
            "usage": sample.memory_bytes + cache_bytes,
            "limit": limit_bytes,
            "stats": {"total_inactive_file": cache_bytes},
        },
        "networks": {"eth0": {"rx_bytes": sample.received_bytes, "tx_bytes": sample.sent_bytes}},
        "pids_stats": {"current": sample.pids},
    }


def _ago(seconds: float) -> str:
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}s"
    return "Less than a second" if seconds < 1 else f"{int(seconds)} seconds"
