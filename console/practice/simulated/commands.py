"""What the few commands print that are run inside simulated containers."""

import shlex
from collections.abc import Mapping, Sequence

from console.practice.simulated import dumps
from console.practice.simulated.container import SimulatedContainer
from console.practice.simulated.web import hash_password
from console.practice.simulated.world import World
from console.sources.protocols.engine import ExecResult

ROOT_DF = (
    "Filesystem     1024-blocks     Used Available Capacity Mounted on\n"
    "overlay          123731968 74448896  49283072      61% /\n"
)
PROC_NET_HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def run(world: World, container: SimulatedContainer, argv: Sequence[str]) -> ExecResult:
    """Run one command in a container, or in a new one like it. What the image does not have exits with 127."""
    argv, config = tuple(argv), world.config
    if argv == tuple(config.probes.get("database_from_backend", ())):
        return _probe(world, world.backend.connection_error(world.now))
    if argv == tuple(config.probes.get("cache_from_backend", ())):
        return _probe(world, world.backend.cache_error())
    command: Mapping[str, str] = {str(name): text for name, text in config.migration.items()}
    for key, act in (("current", _current), ("rollback", _rollback)):
        if key in command and argv == tuple(shlex.split(command[key])):
            return act(world)
    for name, text in config.commands.items():
        if argv == tuple(shlex.split(text)):
            return _configured(world, container, name)
    if "hash" in config.commands and argv[:-1] == tuple(shlex.split(config.commands["hash"])):
        return _printed(f"{hash_password(argv[-1])}\n")
    inner = argv[2:] if argv[:1] == ("timeout",) else argv
    if dumps.is_dump_command(inner):
        return dumps.run(world, inner)
    match argv:
        case ("df", "-P", "-k", *_, path):
            return _df(world, container, path)
        case ("find", path, "-maxdepth", "1", "-type", "f", "-name", pattern, "-printf", "%T@ %s %f\\n" | "%T@ %s %f\n"):
            return _find(world, path, pattern)
        case ("rm", "-f", "--", *paths):
            for path in paths:
                world.volume.remove(path)
            return _printed("")
        case ("printenv" | "env",):
            return _printed("".join(f"{name}={value}\n" for name, value in container.environment.items()))
        case ("cat", *files) if files and all(file in ("/proc/net/tcp", "/proc/net/tcp6") for file in files):
            return _printed(_listening(world, container))
        case ("date", "+%s.%N"):
            return _printed(f"{world.now + world.machine.clock_ahead_s:.9f}\n")
        case ("cat", path) if path in world.machine.files:
            return _printed(world.machine.files[path].text())
        case ("timeout", _, "getent", "ahosts" | "hosts", name):
            return _getent(world, container, name)
        case ("sh", "-c", _, "connect", host, port):
            trouble = connection_trouble(world, container, host, int(port))
            return ExecResult(1, b"", f"{trouble}\n".encode()) if trouble else _printed("")
        case _:
            name = argv[0] if argv else ""
            return ExecResult(127, b"", f'exec: "{name}": executable file not found in $PATH\n'.encode())


def connection_trouble(world: World, container: SimulatedContainer, host: str, port: int) -> str:
    """Why a connection from inside a container to another one fails; empty when it does not."""
    found = _neighbour(world, container, host)
    if found is None:
        return f"could not resolve host {host}: Name or service not known"
    if not found.running or found.container_port != port or f"{host}:{port}" in world.network.blocked:
        return f"connection to {host}:{port} failed: Connection refused"
    return ""


def _neighbour(world: World, container: SimulatedContainer, host: str) -> SimulatedContainer | None:
    """The container that a name leads to from inside another one: both in one network, and the engine's DNS knows it."""
    for item in world.containers.values():
        if item.network == container.network and host in (item.name, item.address, *item.aliases):
            return item if item.running or host == item.address else None
    return None


def _getent(world: World, container: SimulatedContainer, name: str) -> ExecResult:
    found = _neighbour(world, container, name)
    return _printed(f"{found.address}     STREAM {name}\n") if found is not None else ExecResult(2, b"", b"")


def _listening(world: World, container: SimulatedContainer) -> str:
    """/proc/net/tcp: what the main process listens on."""
    port, serving = container.container_port, True
    if container.program is world.backend:
        port, serving = world.backend.service.port, world.backend.serving
    elif container.program is world.database:
        serving = world.database.up
    address = "0100007F" if container.environment.get("HOST") in ("127.0.0.1", "localhost") else "00000000"
    if port is None or not serving:
        return PROC_NET_HEAD
    row = f"   0: {address}:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 1\n"
    return PROC_NET_HEAD + row


def _probe(world: World, error: str | None) -> ExecResult:
    if error is None:
        return _printed("OK\n")
    return ExecResult(1, b"", ("\n".join(world.backend.service.connecting(error)) + "\n").encode())


def _current(world: World) -> ExecResult:
    error = world.backend.connection_error(world.now)
    if error is not None:
        return _failed(world, error)
    revision = world.database.revision
    return _printed(f"{revision} (head)\n" if revision == world.backend.service.revision else f"{revision}\n")


def _rollback(world: World) -> ExecResult:
    error = world.backend.connection_error(world.now)
    if error is not None:
        return _failed(world, error)
    before, service = world.database.revision, world.backend.service
    world.database.revision = service.revision if before != service.revision else service.revision_before
    return _printed(f"Running downgrade {before} -> {world.database.revision}\n")


def _configured(world: World, container: SimulatedContainer, name: str) -> ExecResult:
    """A command of the deployment: what it does is the blueprint's."""
    act = world.blueprint.commands.get(name)
    if act is None:
        return ExecResult(127, b"", f"{container.name}: no such script: {name}\n".encode())
    error = world.backend.connection_error(world.now)
    if error is not None:
        return _failed(world, error)
    return _printed(act(world))


def _df(world: World, container: SimulatedContainer, path: str) -> ExecResult:
    volume = world.volume
    mounted = container.program is world.database or container.name == world.config.roles.get("backup")
    return _printed(volume.df() if mounted and volume.holds(path) else ROOT_DF)


def _find(world: World, path: str, pattern: str) -> ExecResult:
    if path.rstrip("/") != world.volume.backup_path.rstrip("/"):
        return ExecResult(1, b"", f"find: ‘{path}’: No such file or directory\n".encode())
    found = world.volume.matching(pattern)
    return _printed("".join(f"{item.modified_at:.10f} {item.size_bytes} {item.name}\n" for item in found))


def _printed(text: str) -> ExecResult:
    return ExecResult(0, text.encode(), b"")


def _failed(world: World, error: str) -> ExecResult:
    return ExecResult(1, b"", ("\n".join(world.backend.service.connecting(error)) + "\n").encode())
