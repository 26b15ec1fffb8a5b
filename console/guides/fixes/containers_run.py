"""Running a command of the deployment inside a container: its init script, a migration."""

import shlex

from console.guides.checks.commands import docker
from console.guides.checks.containers import describe, is_looping
from console.guides.fixes.action import Action, Applied, Plan, Preview
from console.guides.fixes.containers import target_of
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.guides.risk import Risk
from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.engine import Container, State
from console.system import System
from console.text import block, clean

LIMIT_S = 120.0
_SHOWN = 30


class RunParameters(Parameters):
    role: str = "backend"
    command: str
    """The name of a command in the config's `commands`."""


async def _plan(system: System, wanted: RunParameters) -> Plan:
    argv = command_of(system, wanted.command)
    container = await system.need_engine().container(system.container(wanted.role))
    name, now = clean(container.name), Readings(system).wall()
    inside = _takes_commands(container, now)
    place = f"inside {name}" if inside else f"in a new container like {name}, which is not up, and which is removed afterwards"
    verb = ("exec", container.name) if inside else ("run", "--rm", container.image)
    return Plan(
        targets=(target_of(container),),
        lines=(describe(container, container.name, now), f"runs {place}: {clean(shlex.join(argv), 300)}"),
        effect="The command does what the deployment wrote it for; what it changes is its own affair.",
        way_back="None that Triage knows: look into the command first.",
        command=docker(system.config, *verb, *argv),
        confirm_name=name,
    )


def command_of(system: System, name: str) -> tuple[str, ...]:
    """A configured command as words. Raises NOT_CONFIGURED when there is none, or when its quotes are wrong."""
    text, key = system.config.commands.get(name, ""), f"[systems.{system.name}.commands]"
    if not text:
        raise SourceError(
            FailureKind.NOT_CONFIGURED, f"No command {clean(name)!r} is configured.", f"Set {clean(name)} in {key}."
        )
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        message = f"The command {clean(name)!r} cannot be read: {error}."
        raise SourceError(FailureKind.NOT_CONFIGURED, message, f"Mend its quotes in {key}.") from None


def _takes_commands(container: Container, now: float) -> bool:
    return container.state is State.RUNNING and not is_looping(container, now)


async def _run(system: System, wanted: RunParameters, preview: Preview) -> Applied:
    engine, target = system.need_engine(), preview.targets[0]
    argv = command_of(system, wanted.command)
    container = await engine.container(str(target.identity["container"]))
    if container.id != target.identity["id"]:
        return Applied(
            False, (), Failure(FailureKind.MISSING, f"{target.name} is another container by now.", "Look at a new preview.")
        )
    inside = _takes_commands(container, Readings(system).wall())
    act = engine.execute if inside else engine.run_like
    result = await act(container.name, argv, timeout_s=LIMIT_S)
    lines = block(result.stdout + b"\n" + result.stderr, lines=1000)
    shown = tuple(line for line in lines if line.strip())[-_SHOWN:]
    if result.exit_code != 0:
        message = f"The command ended with exit code {result.exit_code}."
        return Applied(False, shown, Failure(FailureKind.DECLINED, message, "Read its output, and call the developers."))
    return Applied(True, (*shown, "The command ended well (exit code 0)."))


ACTIONS = (Action("containers.run", RunParameters, Risk.R3, _plan, _run),)
