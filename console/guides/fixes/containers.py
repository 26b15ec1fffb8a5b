"""Changes to containers: start, restart, restart everything in order, raise a memory limit."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from pydantic import Field

from console.guides.checks.commands import docker, joined
from console.guides.checks.containers import describe, is_down, services
from console.guides.checks.words import listed, size
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.parameters import Amount, Parameters
from console.guides.readings import Readings
from console.guides.risk import Risk
from console.reading import FailureKind, SourceError
from console.sources.protocols.engine import Container, Engine, Health, State
from console.system import System
from console.text import clean


class Which(Parameters):
    roles: tuple[str, ...] = ()
    """These roles; none: all of the configured start order."""
    only: Literal["any", "down", "unhealthy"] = "any"
    """Of these, only the ones that do not run, or that run and fail their health check."""


class MemoryLimit(Parameters):
    role: str = "backend"
    factor: float = Field(default=2.0, gt=1, le=8)
    """How many times the present limit."""
    at_least: Amount = Field(default=128 * 2**20)
    short_at: float | None = Field(default=None, gt=0, le=100)
    """Only when it uses so many percent of its limit, or the kernel killed it for memory; None: in any case."""


class OneContainer(Parameters):
    name: str


async def selected(system: System, which: Which) -> dict[str, Container]:
    """The containers that `which` means now, by role, in start order. One that does not exist cannot be started: left out."""
    readings = Readings(system)
    try:
        by_role = await services(readings, which.roles)
    finally:
        readings.close()
    wanted: dict[str, Callable[[Container], bool]] = {
        "any": lambda _container: True,
        "down": is_down,
        "unhealthy": lambda container: not is_down(container) and container.health is Health.UNHEALTHY,
    }
    return {role: item for role, item in by_role.items() if item is not None and wanted[which.only](item)}


def target_of(container: Container) -> Target:
    identity = {"container": container.name, "id": container.id, "state": container.state.value}
    return Target(clean(container.name), identity)


def verb_for(container: Container) -> Literal["start", "unpause", "restart"]:
    """How a container comes up: `start` does nothing for one that loops, and a paused one has only to go on."""
    if container.state is State.PAUSED:
        return "unpause"
    return "start" if container.state in (State.EXITED, State.CREATED, State.DEAD) else "restart"


def _plan(
    system: System, containers: Mapping[str, Container], verbs: Mapping[str, str], effect: str, way_back: str, empty: str
) -> Plan:
    now = Readings(system).wall()
    names = [clean(item.name) for item in containers.values()]
    return Plan(
        targets=tuple(map(target_of, containers.values())),
        lines=tuple(f"{verbs[role]} {describe(item, item.name, now)}" for role, item in containers.items()),
        effect=effect,
        way_back=way_back,
        command=joined([docker(system.config, verbs[role], item.name) for role, item in containers.items()]),
        confirm_name=names[0] if len(names) == 1 else system.name,
        empty="" if containers else empty,
    )


async def _plan_start(system: System, which: Which) -> Plan:
    found = await selected(system, which)
    verbs = {role: verb_for(item) for role, item in found.items()}
    effect = f"{listed([clean(item.name) for item in found.values()])} comes up; what keeps it from running will stop it again."
    empty = "Every one of these containers runs already, or does not exist any more."
    return _plan(system, found, verbs, effect, "docker stop the same containers.", empty)


async def _plan_restart(system: System, which: Which) -> Plan:
    found = await selected(system, which)
    verbs = {role: "unpause" if item.state is State.PAUSED else "restart" for role, item in found.items()}
    effect = "Requests in flight fail; the service is away until its health check passes again."
    if found and set(verbs.values()) == {"unpause"}:
        effect = "It goes on where it was paused, with the sessions that it had."
    return _plan(system, found, verbs, effect, "None is needed: the same container goes on.", _NONE)


async def _plan_order(system: System, which: Which) -> Plan:
    found = await selected(system, which)
    order = " → ".join(found)
    effect = f"The whole system is away for a moment: {order}, each when the one before it answers."
    return _plan(
        system, found, dict.fromkeys(found, "restart"), effect, "None is needed: the same containers start again.", _NONE
    )


_NONE = "There is no such container now."


async def _still(engine: Engine, target: Target) -> Container:
    """The container if it is still the one previewed; raises MISSING when it is gone or is another by now."""
    name = str(target.identity["container"])
    found = await engine.container(name)
    if found.id != target.identity["id"]:
        raise SourceError(FailureKind.MISSING, f"{clean(name)} is another container by now.", "Look at a new preview.")
    return found


async def _each(system: System, preview: Preview, act: Callable[[Engine, Container], Awaitable[str]]) -> Applied:
    """Act on the targets one after the other; stops at the first failure, and says what was done until then."""
    engine = system.need_engine()
    done: list[str] = []
    for target in preview.targets:
        try:
            done.append(await act(engine, await _still(engine, target)))
        except SourceError as error:
            return Applied(False, tuple(done), error.failure)
    return Applied(True, tuple(done))


async def _up(engine: Engine, container: Container) -> str:
    # What it is now decides, not what it was in the preview: another person may have started it.
    if container.state is State.RUNNING:
        return f"{clean(container.name)} runs by now: left alone."
    return await _again(engine, container)


async def _again(engine: Engine, container: Container) -> str:
    if container.state is State.PAUSED:
        await engine.start(container.name)
        return f"{clean(container.name)} goes on."
    return await _anew(engine, container)


async def _anew(engine: Engine, container: Container) -> str:
    if verb_for(container) == "start":
        await engine.start(container.name)
        return f"Started {clean(container.name)}."
    await engine.restart(container.name)
    return f"Restarted {clean(container.name)}."


async def _in_order(system: System, _which: Which, preview: Preview) -> Applied:
    async def act(engine: Engine, container: Container) -> str:
        line = await _anew(engine, container)
        return f"{line} {await _ready(engine, container.name)}"

    return await _each(system, preview, act)


async def _ready(engine: Engine, name: str) -> str:
    """Wait, at most 30 s, until a container is healthy (or runs, when it has no health check)."""
    for _ in range(60):
        found = await engine.container(name)
        if found.state is State.RUNNING and found.health in (Health.NONE, Health.HEALTHY):
            return "It is up."
        await asyncio.sleep(0.5)
    raise SourceError(FailureKind.TIMEOUT, f"{clean(name)} did not come up within 30 s.", "Look at its log: sms.c3 does.")


async def _plan_memory(system: System, wanted: MemoryLimit) -> Plan:
    container = await system.need_engine().container(system.container(wanted.role))
    name, limit = clean(container.name), container.memory_limit_bytes or 0
    new = max(int(limit * wanted.factor), wanted.at_least)
    empty = "" if limit else f"{name} has no memory limit: the machine itself is short of memory."
    if not empty and wanted.short_at is not None:
        empty = await _enough(system, container, wanted.short_at)
    if not empty:
        empty = await _too_much(system, new - limit)
    mebibytes = new // 2**20
    return Plan(
        targets=(Target(name, {"container": container.name, "id": container.id, "limit_bytes": new}),),
        lines=(
            f"{name}: memory limit {size(limit)} → {size(new)}",
            f"in docker-compose.yml, to keep it: mem_limit: {mebibytes}m",
        ),
        effect="The limit is raised at once, without a restart; it lasts until the container is made anew.",
        way_back=docker(system.config, "update", "--memory", str(limit), "--memory-swap", str(limit), container.name),
        command=docker(system.config, "update", "--memory", f"{mebibytes}m", "--memory-swap", f"{mebibytes}m", container.name),
        confirm_name=name,
        empty=empty,
    )


async def _enough(system: System, container: Container, short_at: float) -> str:
    """Why a container needs no more memory; empty when it does, or when it does not run and so cannot be asked."""
    if container.oom_killed or container.state is not State.RUNNING:
        return ""
    percent = (await system.need_engine().usage(container.name)).memory_percent
    if percent is None or percent >= short_at:
        return ""
    return f"{clean(container.name)} uses {percent:.0f} % of its memory limit: it is not the one that is short."


async def _too_much(system: System, more_bytes: int) -> str:
    """Why the machine has no room for a higher limit; empty when it has, or when that cannot be read."""
    try:
        memory = await system.host.memory()
    except SourceError:
        return ""
    if more_bytes <= memory.available_bytes:
        return ""
    return f"This machine has only {size(memory.available_bytes)} of memory available, and {size(more_bytes)} more are wanted."


async def _set_memory(system: System, _wanted: MemoryLimit, preview: Preview) -> Applied:
    limit = int(preview.targets[0].identity["limit_bytes"])

    async def act(engine: Engine, container: Container) -> str:
        await engine.set_memory_limit(container.name, limit)
        line = f"{clean(container.name)} may use {size(limit)} now."
        if verb_for(container) == "start":
            await engine.start(container.name)
            return f"{line} Started it."
        return line

    return await _each(system, preview, act)


async def _one(
    system: System, wanted: OneContainer, verb: str, effect: str, way_back: str, empty: Callable[[Container], str]
) -> Plan:
    container = await system.need_engine().container(wanted.name)
    name = clean(container.name)
    return Plan(
        targets=(target_of(container),),
        lines=(describe(container, container.name, Readings(system).wall()),),
        effect=effect,
        way_back=way_back and docker(system.config, way_back, container.name),
        command=docker(system.config, verb_for(container) if verb == "start" and not empty(container) else verb, container.name),
        confirm_name=name,
        empty=empty(container),
    )


async def _plan_start_one(system: System, wanted: OneContainer) -> Plan:
    def empty(container: Container) -> str:
        return f"{clean(container.name)} runs already." if container.state is State.RUNNING else ""

    return await _one(system, wanted, "start", "The container comes up.", "stop", empty)


async def _plan_stop_one(system: System, wanted: OneContainer) -> Plan:
    def empty(container: Container) -> str:
        return f"{clean(container.name)} does not run." if verb_for(container) == "start" else ""

    return await _one(system, wanted, "stop", "What it serves is away until it is started again.", "start", empty)


async def _plan_restart_one(system: System, wanted: OneContainer) -> Plan:
    effect = "Requests in flight fail; it is away until its health check passes again."
    return await _one(system, wanted, "restart", effect, "", lambda _container: "")


async def _stop(engine: Engine, container: Container) -> str:
    await engine.stop(container.name)
    return f"Stopped {clean(container.name)}."


def _doing(act: Callable[[Engine, Container], Awaitable[str]]) -> Callable[[System, object, Preview], Awaitable[Applied]]:
    async def do(system: System, _parameters: object, preview: Preview) -> Applied:
        return await _each(system, preview, act)

    return do


ACTIONS = (
    Action("containers.start", Which, Risk.R2, _plan_start, _doing(_up)),
    Action("containers.restart", Which, Risk.R2, _plan_restart, _doing(_again)),
    Action("containers.restart_in_order", Which, Risk.R2, _plan_order, _in_order),
    Action("containers.set_memory_limit", MemoryLimit, Risk.R2, _plan_memory, _set_memory),
    Action("containers.start_one", OneContainer, Risk.R2, _plan_start_one, _doing(_up)),
    Action("containers.stop_one", OneContainer, Risk.R2, _plan_stop_one, _doing(_stop)),
    Action("containers.restart_one", OneContainer, Risk.R2, _plan_restart_one, _doing(_anew)),
)
