"""Containers: does the engine answer, do the system's services run, and how did one of them end."""

import re
from collections.abc import Awaitable, Callable

from pydantic import Field, model_validator

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.commands import container_name, docker, docker_ps, joined
from console.guides.checks.words import age, listed, size
from console.guides.parameters import Parameters, Seconds
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.sources.protocols.engine import Container, Engine, Health, State, Usage
from console.text import clean

RECENT_S = 60.0
"""A restart by the engine itself within this time means that the container may be in a loop: the engine waits at most a
minute between two attempts."""

_ABSENT = "absent"
_STATES = (*(state.value for state in State), _ABSENT)
_GONE = (FailureKind.REFUSED, FailureKind.MISSING)
_START_ERRORS = (
    ("port", re.compile(r"port is already allocated|address already in use|ports are not available", re.I)),
    ("network", re.compile(r"network \S{1,128} not found|failed to create endpoint|no available .{0,20}address", re.I)),
    ("permission", re.compile(r"permission denied|operation not permitted", re.I)),
    ("image", re.compile(r"no such image|pull access denied|manifest unknown|executable file not found|no such file", re.I)),
)
START_ERRORS = ("", *(name for name, _ in _START_ERRORS), "other")
_PORT_TAKEN = ("port is already allocated", "address already in use")


FIRST_DOWN = "first-down"
"""In place of a role: the first of the start order that is not up, or the last of it when all are."""


class NoParameters(Parameters):
    pass


class ServicesParameters(Parameters):
    roles: tuple[str, ...] = ()
    """Which roles must run; none: those of the configured start order."""


class StateParameters(Parameters):
    role: str = ""
    """`first-down` is the first that is not up."""
    name: str = ""
    """A container by name, instead of a role."""
    recent: Seconds = Field(default=RECENT_S)
    """A restart by the engine so long ago still counts as a loop."""

    @model_validator(mode="after")
    def _one_of(self) -> "StateParameters":
        if bool(self.role) == bool(self.name):
            raise ValueError("needs either role or name")
        return self


def is_down(container: Container | None) -> bool:
    """Whether a container does not serve: only a running one does; a paused one answers nobody."""
    return container is None or container.state is not State.RUNNING


def is_looping(container: Container, now: float, recent_s: float = RECENT_S) -> bool:
    """Whether the engine keeps restarting it: it says so, or it was restarted by the engine a moment ago."""
    if container.state is State.RESTARTING:
        return True
    if container.state is not State.RUNNING or not container.restart_count:
        return False
    return container.started_at is not None and now - container.started_at < recent_s


def has_crashed(container: Container, looping: bool) -> bool | None:
    """Whether it loops, or ended by itself with an error; None when the engine does not tell how it ended.

    One that a person stopped ends with 0, or by the signals 2, 15, or 9 when it did not listen: that is no crash.
    """
    if looping:
        return True
    if container.state not in (State.EXITED, State.DEAD):
        return False
    if container.exit_code is None:
        return None
    return bool(container.oom_killed) or container.exit_code not in (0, 130, 137, 143)


def port_taken(container: Container) -> bool:
    """Whether the engine could not start it because a port is held by somebody else."""
    return any(words in container.error for words in _PORT_TAKEN)


def start_error(container: Container) -> str:
    """Why the engine could not start it, as one of START_ERRORS; empty when it did not complain."""
    if not container.error:
        return ""
    return next((name for name, pattern in _START_ERRORS if pattern.search(container.error)), "other")


async def services(readings: Readings, roles: tuple[str, ...] = ()) -> dict[str, Container | None]:
    """The containers by role, in start order; None for one that does not exist. Raises when the engine does not answer."""
    config = readings.system.config
    wanted = roles or tuple(role for role in config.order if role in config.roles)
    if not wanted:
        raise SourceError(
            FailureKind.NOT_CONFIGURED, "No container has a role.", f"Name them under [systems.{config.name}.roles] and in order."
        )
    found = await readings.containers()
    result: dict[str, Container | None] = {}
    for role in wanted:
        name = readings.system.container(role)
        result[role] = found.named(name) or await _outside(readings, name)
    return result


async def role_meant(readings: Readings, role: str) -> str:
    """The role itself, or the one that `first-down` stands for now."""
    if role != FIRST_DOWN:
        return role
    by_role, now = await services(readings), readings.wall()
    down = [name for name, item in by_role.items() if is_down(item) or (item is not None and is_looping(item, now))]
    return down[0] if down else list(by_role)[-1]


async def _outside(readings: Readings, name: str) -> Container | None:
    """A container that the system's selector leaves out (it lost its label), or None when there is none of that name."""
    engine = readings.system.need_engine()
    try:
        return await readings.share(("container", name), lambda: engine.container(name))
    except SourceError as error:
        if error.failure.kind is FailureKind.MISSING:
            return None
        raise


def describe(container: Container | None, name: str, now: float) -> str:
    """One line on how a container is."""
    if container is None:
        return f"{clean(name)}: does not exist"
    words = [container.state.value]
    if container.state is State.RUNNING and container.health is not Health.NONE:
        words.append(container.health.value)
    if container.state is State.RUNNING and container.started_at is not None:
        words.append(f"up {age(now - container.started_at)}")
    if container.state is not State.RUNNING and container.exit_code is not None:
        words.append(f"exit code {container.exit_code}")
    if container.oom_killed:
        words.append(
            "killed for memory (OOM)" if container.state is not State.RUNNING else "its last run was killed for memory (OOM)"
        )
    if container.restart_count:
        words.append(f"restarted {container.restart_count} times by the engine")
    if container.error:
        words.append(container.error)
    if container.health is Health.UNHEALTHY and container.health_output:
        words.append(f"health check: {container.health_output}")
    return f"{clean(container.name)}: {clean(', '.join(words))}"


async def _engine(readings: Readings, _parameters: NoParameters) -> Findings:
    try:
        found = await readings.containers()
    except SourceError as error:
        # Refused, or no socket there at all: nothing listens, which is an answer. Anything else leaves it unknown.
        if error.failure.kind in _GONE:
            return Findings({"answers": False}, error.failure.message, (str(error.failure),))
        raise
    names = [clean(item.name) for item in found.items]
    return Findings({"answers": True}, f"The engine answers and knows {len(names)} containers of this system.", tuple(names))


async def _services(readings: Readings, parameters: ServicesParameters) -> Findings:
    by_role = await services(readings, parameters.roles)
    now = readings.wall()
    down = [role for role, item in by_role.items() if is_down(item) or (item is not None and is_looping(item, now))]
    unhealthy = _with_health(by_role, down, Health.UNHEALTHY)
    starting = _with_health(by_role, down, Health.STARTING)
    looping = [role for role, item in by_role.items() if item is not None and is_looping(item, now)]
    evidence = tuple(f"{role}: {describe(item, readings.system.container(role), now)}" for role, item in by_role.items())
    facts = {
        "total": len(by_role),
        "down": len(down),
        "unhealthy": len(unhealthy),
        "starting": len(starting),
        "looping": len(looping),
    }
    return Findings(facts, _services_headline(down, looping, unhealthy, starting, len(by_role)), evidence)


def _with_health(by_role: dict[str, Container | None], down: list[str], health: Health) -> list[str]:
    return [role for role, item in by_role.items() if role not in down and item is not None and item.health is health]


def _services_headline(down: list[str], looping: list[str], unhealthy: list[str], starting: list[str], total: int) -> str:
    if looping:
        return f"Not up: {listed(down)}; the engine keeps restarting {listed(looping)}, a crash loop."
    if down:
        return f"Not running: {listed(down)}."
    if unhealthy:
        return f"Running but unhealthy: {listed(unhealthy)}."
    if starting:
        return f"Running, health not yet known: {listed(starting)}."
    return f"All {total} services run."


async def _state(readings: Readings, parameters: StateParameters) -> Findings:
    name = parameters.name or readings.system.container(await role_meant(readings, parameters.role))
    found = await readings.containers()
    container = found.named(name) or await _outside(readings, name)
    if container is None:
        absent: Facts = {"state": _ABSENT, "health": Health.NONE.value, "running": False, "looping": False, "crashed": False}
        return Findings(absent, describe(None, name, 0.0))
    now = readings.wall()
    looping = is_looping(container, now, parameters.recent)
    if looping:
        container = await settled(readings, name)
    usage = found.usage.get(container.id)
    facts: Facts = {
        "state": container.state.value,
        "health": container.health.value,
        "running": container.state is State.RUNNING,
        "looping": looping,
        "crashed": has_crashed(container, looping),
        "restarts": container.restart_count,
        "exit_code": container.exit_code,
        "oom_killed": container.oom_killed,
        "uptime_s": max(0.0, now - container.started_at) if _up(container) and container.started_at is not None else None,
        "created_age_s": max(0.0, now - container.created_at) if container.created_at is not None else None,
        "health_failing": container.state is State.RUNNING and container.health is Health.UNHEALTHY,
        "start_error": start_error(container),
        "cpu_percent": usage.cpu_percent if usage else None,
        "memory_percent": usage.memory_percent if usage else None,
        "memory_limit_bytes": container.memory_limit_bytes,
    }
    line = describe(container, name, now)
    return Findings(facts, f"{line}.", (line, *_memory(container, usage)))


def _up(container: Container) -> bool:
    return container.state is State.RUNNING


async def settled(readings: Readings, name: str) -> Container:
    """A looping container just after it ended, when that comes within a second: only then does the engine tell how it ended.

    Inspected anew: in a list, the state of one moment may stand beside the exit code and the start of the next.
    """
    engine = readings.system.need_engine()
    return await readings.share(("settled", name), lambda: _ended(engine, name, readings.system.pause))


async def _ended(engine: Engine, name: str, pause: Callable[[float], Awaitable[None]]) -> Container:
    latest = await engine.container(name)
    for _ in range(10):
        if latest.state is not State.RUNNING:
            return latest
        await pause(0.1)
        latest = await engine.container(name)
    return latest


def _memory(container: Container, usage: Usage | None) -> tuple[str, ...]:
    limit = container.memory_limit_bytes
    lines = [f"memory limit: {size(limit) if limit else 'none'}"]
    if usage is not None and usage.memory_used_bytes is not None:
        percent = f" ({usage.memory_percent:.0f} %)" if usage.memory_percent is not None else ""
        lines.append(f"memory used: {size(usage.memory_used_bytes)}{percent}")
    return tuple(lines)


def _state_command(config: SystemConfig, parameters: StateParameters) -> str:
    name = parameters.name or container_name(config, parameters.role)
    shown = "{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}} {{.State.OOMKilled}}"
    return joined([docker(config, "inspect", "-f", shown, name), docker(config, "stats", "--no-stream", name)])


_HEALTHS: tuple[str, ...] = tuple(health.value for health in Health)

CHECKS = (
    Check(
        name="containers.engine",
        title="Does the container engine answer?",
        parameters=NoParameters,
        facts=(Fact("answers", FactType.BOOL, "the engine answers; false only when nothing listens there"),),
        command=lambda config, _parameters: docker(config, "info"),
        make=_engine,
    ),
    Check(
        name="containers.services",
        title="Do the system's containers run, and are they healthy?",
        parameters=ServicesParameters,
        facts=(
            Fact("total", FactType.NUMBER, "services that must run"),
            Fact("down", FactType.NUMBER, "services whose container does not exist, does not run, is paused or crash-loops"),
            Fact("unhealthy", FactType.NUMBER, "services that run and fail their health check"),
            Fact("starting", FactType.NUMBER, "services that run and whose health is not yet known"),
            Fact("looping", FactType.NUMBER, "services that the engine keeps restarting"),
        ),
        command=lambda config, _parameters: docker_ps(config),
        make=_services,
    ),
    Check(
        name="containers.state",
        title="How is one container?",
        parameters=StateParameters,
        facts=(
            Fact("state", FactType.TEXT, "the engine's word", choices=_STATES),
            Fact("health", FactType.TEXT, "the verdict of its health check", choices=_HEALTHS),
            Fact("running", FactType.BOOL, "its state is running"),
            Fact("looping", FactType.BOOL, "the engine keeps restarting it"),
            Fact("crashed", FactType.BOOL, "it loops, or ended by itself with an error"),
            Fact("restarts", FactType.NUMBER, "restarts by the engine since a person started it"),
            Fact("exit_code", FactType.NUMBER, "of its last end"),
            Fact("oom_killed", FactType.BOOL, "the kernel killed it for memory"),
            Fact("uptime_s", FactType.NUMBER, "since its start, while it runs", "s"),
            Fact("created_age_s", FactType.NUMBER, "since it was made (a release makes it anew)", "s"),
            Fact("health_failing", FactType.BOOL, "it runs and fails its health check"),
            Fact("start_error", FactType.TEXT, "why the engine could not start it", choices=START_ERRORS),
            Fact("cpu_percent", FactType.NUMBER, "of one core", "%"),
            Fact("memory_percent", FactType.NUMBER, "of its limit", "%"),
            Fact("memory_limit_bytes", FactType.NUMBER, "0 or unknown when there is none", "B"),
        ),
        command=_state_command,
        make=_state,
    ),
)
