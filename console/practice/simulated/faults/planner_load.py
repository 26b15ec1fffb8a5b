"""What can be broken in the program planner where it is heavy or slow, and in what it is deployed with."""

from console.practice.simulated.blueprints.planner import COMPOSE, compose
from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.furniture import folder_of
from console.practice.simulated.world import World


def _old_compose(world: World) -> None:
    """A machine that was never upgraded: no plugin, and the old program of its distribution."""
    world.machine.commands["docker"] = lambda _argv: (1, "", "docker: 'compose' is not a docker command.\nSee 'docker --help'\n")
    world.machine.commands["docker-compose"] = lambda argv: compose("1.29.2", ("compose", *argv[1:]))


def _misspell_key(world: World) -> None:
    """Somebody wrote a health check by heart."""
    text = COMPOSE.replace(
        "    env_file: .env\n", "    env_file: .env\n    heathcheck:\n      test: curl -f http://localhost:8000/health\n"
    )
    world.machine.write(f"{folder_of(world, 'project')}/docker-compose.yml", text, owner="deploy", at=world.now)


FAULTS: dict[str, Fault] = {
    "planner.k3.compose-too-old": Fault(600, _old_compose),
    "planner.k3.unknown-key": Fault(600, _misspell_key),
}
