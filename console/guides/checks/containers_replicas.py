"""How many containers share a role's work, and whether there may be more."""

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, FactType, FactValue, Findings
from console.guides.checks.commands import docker, docker_ps, joined
from console.guides.checks.words import number
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.engine import Container, State
from console.text import clean

_SERVICE = "com.docker.compose.service"
"""The label by which Compose knows the containers of one service."""


class ReplicasParameters(Parameters):
    role: str


def of_one_service(role: Container, all_of_them: tuple[Container, ...]) -> tuple[Container, ...]:
    """The containers that do the same work: those of the same Compose service; without its label, the one alone."""
    service = role.labels.get(_SERVICE, "")
    same = [item for item in all_of_them if service and item.labels.get(_SERVICE) == service]
    return tuple(sorted(same or [role], key=lambda item: item.name))


async def _replicas(readings: Readings, parameters: ReplicasParameters) -> Findings:
    config, name = readings.system.config, readings.system.container(parameters.role)
    found = await readings.containers()
    container = found.named(name)
    if container is None:
        raise SourceError(FailureKind.MISSING, f"{clean(name)} does not exist, so nobody shares its work.")
    same = of_one_service(container, found.items)
    running = sum(item.state is State.RUNNING for item in same)
    most = config.replicas.get(parameters.role)
    facts: dict[str, FactValue] = {"running": running, "most": most, "at_most": None if most is None else running >= most}
    lines = []
    for item in same:
        usage = found.usage.get(item.id)
        cpu = f", {usage.cpu_percent:.0f} % of a core" if usage is not None and usage.cpu_percent is not None else ""
        lines.append(clean(f"{item.name}: {item.state.value}{cpu}", 160))
    told, share = number(running, "container"), "shares" if running == 1 else "share"
    if most is None:
        message = f"How many containers of the {clean(parameters.role)} this machine may run is not configured."
        unread = (Failure(FailureKind.NOT_CONFIGURED, message, f"Set it in [systems.{config.name}.replicas]."),)
        return Findings(facts, f"{told} {share} the work.", tuple(lines), unread)
    return Findings(facts, f"{told} of at most {most} {share} the work.", tuple(lines))


def _command(config: SystemConfig, _parameters: ReplicasParameters) -> str:
    return joined([docker_ps(config), docker(config, "stats", "--no-stream")])


CHECKS = (
    Check(
        name="containers.replicas",
        title="How many containers share this role's work?",
        parameters=ReplicasParameters,
        facts=(
            Fact("running", FactType.NUMBER, "containers of the same service that run"),
            Fact("most", FactType.NUMBER, "the most that the configuration allows"),
            Fact("at_most", FactType.BOOL, "no more may be added; unknown when the configuration sets no limit"),
        ),
        command=_command,
        make=_replicas,
    ),
)
