"""What can be broken in the planner's app, its database and its containers."""

from collections.abc import Callable

from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.world import World

Change = Callable[[World], None]


def _told(name: str, value: str | None) -> Change:
    """A deployment whose .env said something else, or nothing."""

    def apply(world: World) -> None:
        world.set_variable("backend", name, value)
        world.restart("backend")

    return apply


def _lose_image(world: World) -> None:
    """A release whose image cannot be fetched: Compose removed the old container and could not make the new one."""
    container = world.role("backend")
    container.stop(world.now)
    del world.containers[container.name]


def _lose_module(world: World) -> None:
    world.backend.defects.missing_module = "openpyxl"
    world.restart("backend")


FAULTS: dict[str, Fault] = {
    "planner.a1.missing-secret": Fault(240, _told("SECRET_KEY", None)),
    "planner.a1.database-unreachable": Fault(230, _told("POSTGRES_HOST", "database")),
    "planner.a1.image-pull": Fault(220, _lose_image),
    "planner.a1.crash": Fault(210, _lose_module),
}
