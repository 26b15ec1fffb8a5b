"""Schema migrations: show where the schema stands, and take the last one back."""

import shlex

from console.guides.checks.commands import docker
from console.guides.checks.containers import NoParameters
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.fixes.containers import target_of
from console.guides.risk import Risk
from console.reading import Failure, FailureKind, SourceError
from console.system import System
from console.text import block, clean

_CURRENT_LIMIT_S = 10.0
_ROLLBACK_LIMIT_S = 60.0


async def _plan(system: System, _parameters: NoParameters) -> Plan:
    rollback = _command(system)
    container = await system.need_engine().container(system.container("backend"))
    return Plan(
        targets=(target_of(container),),
        lines=await _current(system, container.name),
        effect="The last migration is taken back: columns and tables that it added go, with what was written to them since.",
        way_back="Run the migration forward again, when its cause is mended.",
        command=docker(system.config, "run", "--rm", container.image, *shlex.split(rollback)),
        confirm_name=clean(container.name),
    )


def _command(system: System) -> str:
    rollback = system.config.migration.get("rollback", "")
    if not rollback:
        message = "How a migration is taken back is not configured."
        raise SourceError(FailureKind.NOT_CONFIGURED, message, f"Set rollback in [systems.{system.name}.migration].")
    return rollback


async def _current(system: System, name: str) -> tuple[str, ...]:
    """Where the schema stands; that it cannot be told is told, it does not keep from rolling back."""
    current = system.config.migration.get("current", "")
    if not current:
        return ("where the schema stands: not configured",)
    try:
        result = await system.need_engine().run_like(name, shlex.split(current), timeout_s=_CURRENT_LIMIT_S)
    except SourceError as error:
        return (f"where the schema stands could not be read: {error.failure.message}",)
    return ("where the schema stands:", *block(result.stdout + result.stderr, lines=20))


async def _roll_back(system: System, _parameters: NoParameters, preview: Preview) -> Applied:
    engine = system.need_engine()
    target: Target = preview.targets[0]
    container = await engine.container(str(target.identity["container"]))
    if container.id != target.identity["id"]:
        failure = Failure(FailureKind.MISSING, f"{target.name} is another container by now.", "Look at a new preview.")
        return Applied(False, (), failure)
    result = await engine.run_like(container.name, shlex.split(_command(system)), timeout_s=_ROLLBACK_LIMIT_S)
    lines = block(result.stdout + b"\n" + result.stderr, lines=20)
    if result.exit_code != 0:
        message = f"The rollback ended with exit code {result.exit_code}."
        return Applied(False, lines, Failure(FailureKind.GARBAGE, message, "Read its output, and call the developers."))
    await engine.restart(container.name)
    return Applied(True, (*lines, f"Restarted {target.name}."))


# Its preview runs a command in a new container: a person asks for that, `triage check` does not.
ACTIONS = (Action("migration.rollback", NoParameters, Risk.R3, _plan, _roll_back, ahead=False),)
