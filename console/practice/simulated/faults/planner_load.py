"""What can be broken in the program planner where it is heavy or slow, and in what it is deployed with."""

from console.practice.compose_project import COMPOSE
from console.practice.simulated.blueprints.planner import compose
from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.furniture import folder_of
from console.practice.simulated.machine import Process
from console.practice.simulated.volume import GIB, MIB
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


def _squeeze_app(world: World) -> None:
    """A deployment gave the app half of the memory that it had."""
    world.role("backend").memory_limit_bytes = 138 * MIB


def _leak(world: World) -> None:
    world.backend.leak_bytes_per_s = 0.6 * MIB


def _fill_machine(world: World) -> None:
    """Somebody runs an import on the machine that is not for it."""
    machine = world.machine
    machine.processes.append(Process(31_204, "java", "java -Xmx12g -jar import-archive.jar", "deploy", 12 * GIB, 6.0, world.now))
    machine.memory.swap_used_bytes = int(0.93 * machine.memory.swap_total_bytes)


def _run_away(world: World) -> None:
    world.backend.cpu_percent = 94.0


def _surge(world: World) -> None:
    """The whole organisation plans its year on one morning."""
    world.traffic.factor = 7.0


def _lose_index(world: World) -> None:
    del world.database.indexes["idx_projects_program_id"]


def _log_nothing(world: World) -> None:
    world.database.settings.put("log_min_duration_statement", "-1")


def _forbid_indexes(world: World) -> None:
    """Somebody tried something out, with ALTER SYSTEM, and left it so."""
    for name in ("enable_indexscan", "enable_bitmapscan"):
        world.database.settings.put(name, "off")


FAULTS: dict[str, Fault] = {
    "planner.k3.compose-too-old": Fault(600, _old_compose),
    "planner.k3.unknown-key": Fault(600, _misspell_key),
    "planner.p1.limit-too-low": Fault(300, _squeeze_app),
    "planner.p1.leak": Fault(90, _leak),
    "planner.p1.host-exhausted": Fault(600, _fill_machine),
    "planner.p2.hot-process": Fault(200, _run_away),
    "planner.p2.saturated": Fault(110, _surge),
    "planner.p3.missing-index": Fault(500, _lose_index),
    "planner.p3.seq-scan": Fault(500, _forbid_indexes),
    "planner.p3.logging-off": Fault(800, _log_nothing),
}
