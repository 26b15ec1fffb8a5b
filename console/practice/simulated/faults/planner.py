"""What can be broken in the planner's app, its database and its containers."""

from collections.abc import Callable

from dataclasses import replace

from console.practice.simulated.behaviour import Behaviour, Complaint
from console.practice.simulated.container import Load
from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.log import Log
from console.practice.simulated.proxy import Bystander
from console.practice.simulated.workload import Slowed
from console.practice.simulated.world import World

PROJECTS, TASKS = "/api/v1/projects", "/api/v1/tasks"

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


def _stop(role: str) -> Change:
    return lambda world: world.role(role).stop(world.now)


def _release_without_migration(world: World) -> None:
    """The app was deployed, and nobody ran the migration that came with it."""
    world.database.revision = world.blueprint.service.revision_before


def _fail_tasks(world: World) -> None:
    """A release with a query that asks for a column that no migration ever makes."""
    error = world.blueprint.service.query_error("UndefinedColumn", 'column t.assignee does not exist')
    world.backend.behaviours[TASKS] = Behaviour(fail_share=0.8, complaint=Complaint("Query failed", error))


def _rush(world: World) -> None:
    """Far more is asked than usual, nearly as much as one process can answer."""
    world.traffic.factor = 6.5


def _rush_on_three(world: World) -> None:
    """The same, with two more containers of the app that are as busy."""
    _rush(world)
    own = world.role("backend")
    for number in (2, 3):
        twin = replace(
            own,
            id=own.id[number:] + own.id[:number],
            name=own.name.replace("-1", f"-{number}"),
            program=Bystander(Log(), "Starting app 2.3.1", Load(91.0, 130 << 20)),
            log=Log(),
            host_port=None,
            address=f"172.18.0.{20 + number}",
        )
        twin.stop(world.now)
        world.containers[twin.name] = twin
        twin.start(world.now)


def _age_statistics(world: World) -> None:
    """Nobody has analysed the table since most of its rows came: the server reads all of it."""
    world.database.workload.slowed["tasks"] = Slowed(90, "analyze")
    world.database.table_stats["tasks"].analyzed_at = world.now - 20 * 86_400
    world.database.table_stats["tasks"].changed = 9_000


def _fill_cache(world: World) -> None:
    """Somebody keeps large reports in Redis, which throws everything else out for them."""
    world.cache.filled_bytes = 60 << 20


def _change_password(world: World) -> None:
    """The password in the server was changed, the one in .env was not; the app was deployed since."""
    world.database.set_password(world.database.user, "another-one")
    for session in list(world.database.sessions):
        world.database.terminate(session, world.now)


def _lose_tables(world: World) -> None:
    """The volume was made anew, and no migration was run on it."""
    world.lose_tables("users")
    world.restart("backend")


FAULTS: dict[str, Fault] = {
    "planner.a1.missing-secret": Fault(240, _told("SECRET_KEY", None)),
    "planner.a1.database-unreachable": Fault(230, _told("POSTGRES_HOST", "database")),
    "planner.a1.image-pull": Fault(220, _lose_image),
    "planner.a1.crash": Fault(210, _lose_module),
    "planner.a2.migration-pending": Fault(400, _release_without_migration),
    "planner.a2.database-unreachable": Fault(180, _stop("database")),
    "planner.a2.redis-unreachable": Fault(180, _stop("cache")),
    "planner.a2.query-error": Fault(400, _fail_tasks),
    "planner.a3.cpu": Fault(500, _rush),
    "planner.a3.at-max-replicas": Fault(500, _rush_on_three),
    "planner.a3.slow-query": Fault(500, _age_statistics),
    "planner.a3.cache-not-working": Fault(500, _fill_cache),
    "planner.d1.not-running": Fault(180, _stop("database")),
    "planner.d1.wrong-credentials": Fault(210, _change_password),
    "planner.d1.not-initialised": Fault(240, _lose_tables),
}
