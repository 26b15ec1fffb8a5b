"""What the few commands print that are run inside simulated containers."""

import shlex
from collections.abc import Mapping

from console.practice.simulated import tracebacks
from console.practice.simulated.backend import NEWEST_REVISION
from console.practice.simulated.container import SimulatedContainer
from console.practice.simulated.world import World
from console.sources.protocols.engine import ExecResult

ROOT_DF = (
    "Filesystem     1024-blocks     Used Available Capacity Mounted on\n"
    "overlay          123731968 74448896  49283072      61% /\n"
)


def run(world: World, container: SimulatedContainer, argv: tuple[str, ...]) -> ExecResult:
    """Run one command in a container, or in a new one like it. What the image does not have exits with 127."""
    config = world.config
    if argv == tuple(config.probes.get("database_from_backend", ())):
        return _connect(world)
    for key, act in (("current", _current), ("rollback", _rollback)):
        command: Mapping[str, str] = {str(name): text for name, text in config.migration.items()}
        if key in command and argv == tuple(shlex.split(command[key])):
            return act(world)
    match argv:
        case ("df", "-P", "-k", path):
            return _df(world, container, path)
        case ("find", path, "-maxdepth", "1", "-type", "f", "-name", pattern, "-printf", "%T@ %s %f\\n" | "%T@ %s %f\n"):
            return _find(world, path, pattern)
        case ("rm", "-f", "--", *paths):
            for path in paths:
                world.volume.remove(path)
            return _printed("")
        case _:
            name = argv[0] if argv else ""
            return ExecResult(127, b"", f'exec: "{name}": executable file not found in $PATH\n'.encode())


def _connect(world: World) -> ExecResult:
    error = world.backend.connection_error(world.now)
    if error is None:
        return _printed("OK\n")
    return ExecResult(1, b"", ("\n".join(tracebacks.connecting(error)) + "\n").encode())


def _current(world: World) -> ExecResult:
    error = world.backend.connection_error(world.now)
    return _printed(f"{world.database.revision}\n") if error is None else _failed(error)


def _rollback(world: World) -> ExecResult:
    error = world.backend.connection_error(world.now)
    if error is not None:
        return _failed(error)
    before = world.database.revision
    world.database.revision = NEWEST_REVISION if before != NEWEST_REVISION else "0002_grade_indexes"
    return _printed(f"Running downgrade {before} -> {world.database.revision}\n")


def _df(world: World, container: SimulatedContainer, path: str) -> ExecResult:
    volume = world.volume
    mounted = container.program is world.database or container.name == world.config.roles.get("backup")
    if mounted and (path == volume.mount or path.startswith(f"{volume.mount}/")):
        return _printed(volume.df())
    return _printed(ROOT_DF)


def _find(world: World, path: str, pattern: str) -> ExecResult:
    if path.rstrip("/") != world.volume.backup_path.rstrip("/"):
        return ExecResult(1, b"", f"find: ‘{path}’: No such file or directory\n".encode())
    found = world.volume.matching(pattern)
    return _printed("".join(f"{item.modified_at:.10f} {item.size_bytes} {item.name}\n" for item in found))


def _printed(text: str) -> ExecResult:
    return ExecResult(0, text.encode(), b"")


def _failed(error: str) -> ExecResult:
    return ExecResult(1, b"", ("\n".join(tracebacks.connecting(error)) + "\n").encode())
