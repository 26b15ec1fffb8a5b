"""What can be broken in the planner's app, its database and its containers."""

from collections.abc import Callable
from dataclasses import replace

from console.practice.simulated.behaviour import Behaviour, Complaint
from console.practice.simulated.container import Load
from console.practice.simulated.faults.database_changes import change_password
from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.log import Log
from console.practice.simulated.machine import File
from console.practice.simulated.proxy import Bystander
from console.practice.simulated.volume import MIB
from console.practice.simulated.workload import Slowed
from console.practice.simulated.world import HISTORY_S, World

TASKS = "/api/v1/tasks"

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
    error = world.blueprint.service.query_error("UndefinedColumn", "column t.assignee does not exist")
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
            program=Bystander(Log(), "Starting app 2.3.1", Load(91.0, 130 * MIB)),
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
    world.cache.filled_bytes = 60 * MIB


def _lose_tables(world: World) -> None:
    """The volume was made anew, and no migration was run on it."""
    world.lose_tables("users")
    world.restart("backend")


def _damage_index(world: World) -> None:
    world.database.damage_index("idx_tasks_project_id", world.now)


def _damage_page(world: World) -> None:
    world.database.find_bad_page(world.now, "programs")


def _keep_images(world: World) -> None:
    """Every release built an image, and none was ever deleted."""
    disk = world.machine.disks["/"]
    for number in range(1, 19):
        world.machine.images[f"planner-app:2.1.{number}"] = 2_300 * MIB
        disk.used_bytes += 2_300 * MIB


def _keep_backups(world: World) -> None:
    """Nobody deletes the nightly dumps of two months."""
    days = 8
    while world.volume.free_bytes > 1_400 * MIB:
        world.write_backup(days, 240 * MIB + days * 1_000_003)
        days += 1


def _bloat(world: World) -> None:
    """An import was taken back row by row, and autovacuum is off for its table."""
    stats = world.database.table_stats["tasks"]
    stats.dead, stats.row_bytes = 160_000, 96_000
    world.volume.data_bytes += stats.dead * stats.row_bytes


def _freeze(world: World) -> None:
    world.backend.frozen = True


def _need_more_memory(world: World) -> None:
    world.backend.defects.start_memory_bytes = 330 * MIB
    world.restart("backend")


def _project(world: World) -> str:
    return world.config.folders["project"].path


def _fill_context(world: World) -> None:
    """Somebody put a dump beside the Dockerfile, and .dockerignore does not know it."""
    world.machine.write(f"{_project(world)}/.dockerignore", "*.log\n", owner="deploy", at=world.now)
    world.machine.files[f"{_project(world)}/dumps/planner_full.sql"] = File("deploy", "deploy", 0o644, 910 * MIB, world.now)


def _built(*lines: str) -> Change:
    """The last build ended so."""

    def apply(world: World) -> None:
        text = "".join(f"{line}\n" for line in lines)
        world.machine.write(f"{_project(world)}/build.log", text, owner="deploy", at=world.now)

    return apply


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
    "planner.d1.wrong-credentials": Fault(210, change_password),
    "planner.d1.not-initialised": Fault(240, _lose_tables),
    "planner.d2.index-corrupt": Fault(600, _damage_index),
    "planner.d2.data-corrupt": Fault(600, _damage_page),
    "planner.d3.docker-garbage": Fault(HISTORY_S - 5, _keep_images),
    "planner.d3.old-backups": Fault(HISTORY_S - 5, _keep_backups),
    "planner.d3.bloat": Fault(HISTORY_S - 5, _bloat),
    "planner.k1.crash-loop": Fault(230, _lose_module),
    "planner.k1.health-check-failing": Fault(170, _freeze),
    "planner.k1.out-of-memory": Fault(260, _need_more_memory),
    "planner.k1.bad-environment": Fault(240, _told("DB_POOL_SIZE", "ten")),
    "planner.k2.context-too-large": Fault(600, _fill_context),
    "planner.k2.dependency-failed": Fault(
        600,
        _built(
            "Step 4/6 : RUN pip install -r requirements.txt",
            "ERROR: Could not find a version that satisfies the requirement fastapi==99.1 (from versions: 0.1.0, 0.115.0)",
            "ERROR: No matching distribution found for fastapi==99.1",
            "The command '/bin/sh -c pip install -r requirements.txt' returned a non-zero code: 1",
        ),
    ),
    "planner.k2.stale-cache": Fault(
        600,
        _built(
            "#7 [app 4/6] RUN apt-get update && apt-get install -y libpq5",
            "#7 3.114 E: Failed to fetch http://mirror.example.org/libpq5_15.6-0_amd64.deb  404  Not Found [IP: 192.0.2.10 80]",
            'ERROR: failed to solve: process "apt-get install -y libpq5" did not complete successfully: exit code: 100',
        ),
    ),
}
