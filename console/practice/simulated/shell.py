"""What commands print on the simulated machine: those that `console.sources.host.command` lists."""

import re
from collections.abc import Iterable, Sequence

from console.practice.simulated.container import CORES
from console.practice.simulated.machine import File, Machine, Printed
from console.practice.simulated.unit import unknown_unit
from console.practice.simulated.world import World

DOCKER_PID = 2_101
NO_FILE = "No such file or directory"


def run(world: World, argv: Sequence[str]) -> Printed:
    """Run one command as root would; 127 when there is no such command."""
    machine = world.machine
    if argv and argv[0] in machine.commands:
        return machine.commands[argv[0]](argv)
    match tuple(argv):
        case ("date", "+%s.%N"):
            return _out(f"{_now(world):.9f}\n")
        case ("date", "+%z"):
            return _out("+0000\n")
        case ("df", "-P", "-k" | "-i" as kind, *_, path):
            return _df(world, kind, path)
        case ("cat", "/proc/meminfo"):
            return _out(_meminfo(world))
        case ("ps", *_):
            return _out("".join(_ps(world)))
        case ("top", *_):
            return _out("".join(_top(world)))
        case ("ss", *_):
            return _out("".join(_listening(world)))
        case ("kill", "-TERM", pid):
            return _kill(world, int(pid))
        case ("env", *_, "systemctl", "show", "--no-pager", _, "--", name):
            return _show(machine, name)
        case ("systemctl", "--no-ask-password", verb, "--", name):
            return _systemctl(world, verb, name)
        case ("find", "-P", *paths, "-maxdepth", "0", "-printf", _):
            return _together(_find(world, path, deep=False) for path in paths)
        case ("find", "-H", path, *rest):
            return _find(world, path, deep="-xdev" in rest)
        case ("tail", "-c" | "-n" as kind, count, "--", path):
            return _tail(machine, kind, int(count), path)
        case ("chown", *_, owner, path):
            return _chown(machine, owner, path)
        case ("chmod", "--", mode, path):
            return _chmod(machine, int(mode, 8), path)
        case ("rm", "-f", "--", *paths):
            return _together(_remove(world, path) for path in paths)
        case ("ufw", "status", *_):
            return _out(machine.firewall.status())
        case ("ufw", "allow", rule):
            machine.firewall.allowed.add(rule)
            machine.firewall.denied.discard(rule)
            return _out("Rule added\n")
        case ("dmesg", *_):
            return _out(machine.dmesg())
        case _:
            return 127, "", f"{argv[0] if argv else ''}: command not found\n"


def _now(world: World) -> float:
    return world.now + world.machine.clock_ahead_s


def _df(world: World, kind: str, path: str) -> Printed:
    if world.units and world.volume.holds(path):
        mount, total, used = world.volume.mount, world.volume.total_bytes, world.volume.used_bytes
        device, inodes_total, inodes_used = "/dev/vdb1", 1_310_720, 2_204
    else:
        mount, disk = world.machine.disk_of(path)
        total, used, device = disk.total_bytes, disk.used_bytes, disk.device
        inodes_total, inodes_used = disk.inodes_total, disk.inodes_used
    if kind == "-i":
        return _out(_df_text("Inodes", device, inodes_total, inodes_used, mount))
    return _out(_df_text("1024-blocks", device, total // 1024, used // 1024, mount))


def _df_text(unit: str, device: str, total: int, used: int, mount: str) -> str:
    free, percent = max(0, total - used), -(-100 * used // total) if total else 0
    head = f"Filesystem     {unit}     Used Available Capacity Mounted on\n"
    return f"{head}{device}    {total} {used} {free}      {percent}% {mount}\n"


def _meminfo(world: World) -> str:
    memory = world.machine.memory
    used = sum(item.samples[-1].memory_bytes for item in world.containers.values() if item.samples)
    used += sum(item.memory_bytes for item in world.units.values()) + sum(item.memory_bytes for item in world.machine.processes)
    available = max(0, memory.total_bytes - memory.other_used_bytes - used)
    rows = {
        "MemTotal": memory.total_bytes,
        "MemFree": available // 3,
        "MemAvailable": available,
        "SwapTotal": memory.swap_total_bytes,
        "SwapFree": memory.swap_total_bytes - memory.swap_used_bytes,
    }
    return "".join(f"{name + ':':<16}{size // 1024:>8} kB\n" for name, size in rows.items())


def _running(world: World) -> list[tuple[int, str, int, float, float, str, str]]:
    """Every process: pid, user, bytes, start, percent of one core, name, command."""
    began = world.now - 90 * 86_400
    found = [(1, "root", 12 << 20, began, 0.0, "systemd", "/sbin/init")]
    for unit in world.units.values():
        if unit.running:
            name = unit.command.split()[0].rpartition("/")[2]
            found.append((unit.pid, unit.user, unit.memory_bytes, unit.started_at or began, unit.cpu_percent, name, unit.command))
    for number, item in enumerate(world.containers.values()):
        if item.running and world.machine.engine_up:
            load = item.program.load(world.now)
            started, words = item.started_at or began, " ".join(item.command) or item.image
            found.append(
                (4_000 + int(item.id[:3], 16), "root", load.memory_bytes, started, load.cpu_percent, words.split()[0], words)
            )
            if item.host_port is not None:
                command = (
                    f"/usr/bin/docker-proxy -proto tcp -host-ip 127.0.0.1 -host-port {item.host_port} "
                    f"-container-ip 172.18.0.{number + 3} -container-port {item.container_port}"
                )
                found.append((DOCKER_PID + 17 * number, "root", 4 << 20, started, 0.0, "docker-proxy", command))
    found += [
        (item.pid, item.user, item.memory_bytes, item.started_at, item.cpu_percent, item.name, item.command)
        for item in world.machine.processes
    ]
    found += [
        (item.pid, item.user, 18 << 20, item.started_at, 0.1, item.process, item.command)
        for item in world.machine.listeners.values()
    ]
    return found


def _ps(world: World) -> list[str]:
    now = world.now
    return [
        f"{pid:>7} {user:<32} {size // 1024:>6} {int(now - started):>11} {name:<32} {command}\n"
        for pid, user, size, started, _, name, command in _running(world)
    ]


def _top(world: World) -> list[str]:
    total = world.machine.memory.total_bytes
    rows = sorted(_running(world), key=lambda row: -row[4])
    head = [
        "top - up 90 days\n",
        f"%Cpu(s): {sum(row[4] for row in rows) / CORES:.1f} us\n",
        "\n",
        "    PID USER      %CPU  %MEM COMMAND\n",
    ]
    return head + [
        f"{pid:>7} {user:<9} {share:>5.1f} {100 * size / total:>5.1f} {name}\n" for pid, user, size, _, share, name, _ in rows
    ]


def _listening(world: World) -> list[str]:
    sockets = []
    for number, item in enumerate(world.containers.values()):
        if item.running and world.machine.engine_up and item.host_port is not None:
            sockets.append((item.host_port, DOCKER_PID + 17 * number, "docker-proxy"))
    for role, unit in world.units.items():
        if unit.running and unit.port is not None and (role != "backend" or world.backend.serving):
            sockets.append((unit.port, unit.pid, unit.command.split()[0].rpartition("/")[2]))
    sockets += [(item.port, item.pid, item.process) for item in world.machine.listeners.values()]
    return [
        f'LISTEN 0      4096       127.0.0.1:{port:<9}      0.0.0.0:*    users:(("{name}",pid={pid},fd=4))\n'
        for port, pid, name in sorted(sockets)
    ]


def _kill(world: World, pid: int) -> Printed:
    machine = world.machine
    for port, listener in list(machine.listeners.items()):
        if listener.pid == pid:
            del machine.listeners[port]
            return _out("")
    for process in list(machine.processes):
        if process.pid == pid:
            machine.processes.remove(process)
            return _out("")
    for unit in world.units.values():
        if unit.pid == pid and unit.running:
            unit.restart(world.now)
            return _out("")
    return 1, "", f"kill: ({pid}) - No such process\n"


def _show(machine: Machine, name: str) -> Printed:
    unit = machine.units.get(name.removesuffix(".service"))
    if not machine.units:
        return 1, "", "System has not been booted with systemd as init system (PID 1). Can't operate.\n"
    return _out(unit.shown() if unit is not None else unknown_unit())


def _systemctl(world: World, verb: str, name: str) -> Printed:
    unit = world.machine.units.get(name.removesuffix(".service"))
    if unit is None or not unit.known:
        return 5, "", f"Failed to {verb} {name}.service: Unit {name}.service not found.\n"
    if verb == "enable":
        unit.enabled = True
    elif verb == "stop":
        unit.stop(world.now)
    elif verb == "start":
        unit.start(world.now)
    else:
        unit.restart(world.now)
    return _out("")


def _find(world: World, path: str, *, deep: bool) -> Printed:
    machine = world.machine
    root = path.rstrip("/") or "/"
    if root == world.volume.backup_path.rstrip("/") and world.units:
        return _backups(world, root, deep=deep)
    if root not in machine.files:
        return 1, "", f"find: ‘{path}’: {NO_FILE}\n"
    files = machine.under(root) if deep and machine.files[root].is_folder else {root: machine.files[root]}
    return _out("".join(_entry(name, item, world.now) for name, item in files.items()))


def _backups(world: World, root: str, *, deep: bool) -> Printed:
    if not deep:
        return _out(_entry(root, File(is_folder=True, mode=0o755, size_bytes=4096, modified_at=world.now - 28_800), world.now))
    found = world.volume.files.values()
    return _out(
        "".join(f"f 640 {item.size_bytes} {item.modified_at:.10f} postgres postgres {root}/{item.name}\0" for item in found)
    )


def _entry(path: str, item: File, now: float) -> str:
    modified_at = item.modified_at if item.log is None else now
    kind = "d" if item.is_folder else "f"
    return f"{kind} {item.mode:o} {item.bytes_of()} {modified_at:.10f} {item.owner} {item.group} {path}\0"


def _tail(machine: Machine, kind: str, count: int, path: str) -> Printed:
    found = machine.files.get(path)
    if found is None:
        return 1, "", f"tail: cannot open '{path}' for reading: {NO_FILE}\n"
    if kind == "-c":
        return _out(found.text()[-count:])
    if found.log is not None:
        return _out("".join(f"{line.text}\n" for line in found.log.tail(count, None)))
    return _out("\n".join(found.text().splitlines()[-count:]) + "\n")


def _chown(machine: Machine, owner: str, path: str) -> Printed:
    if path not in machine.files:
        return 1, "", f"chown: cannot access '{path}': {NO_FILE}\n"
    user, _, group = owner.partition(":")
    for name, item in machine.files.items():
        if name == path or name.startswith(path.rstrip("/") + "/"):
            item.owner, item.group = user, group or item.group
    return _out("")


def _chmod(machine: Machine, mode: int, path: str) -> Printed:
    if path not in machine.files:
        return 1, "", f"chmod: cannot access '{path}': {NO_FILE}\n"
    machine.files[path].mode = mode
    return _out("")


def _remove(world: World, path: str) -> Printed:
    machine = world.machine
    found = machine.files.pop(path, None)
    if found is not None:
        disk = machine.disk_of(path)[1]
        disk.used_bytes, disk.inodes_used = disk.used_bytes - found.bytes_of(), disk.inodes_used - 1
    elif not world.volume.remove(path) and not re.match(r"^/", path):
        return 1, "", f"rm: cannot remove '{path}': {NO_FILE}\n"
    return _out("")


def _together(each: Iterable[Printed]) -> Printed:
    """What a command prints that was given several paths."""
    printed = list(each)
    return max(code for code, _, _ in printed), "".join(out for _, out, _ in printed), "".join(said for _, _, said in printed)


def _out(text: str) -> Printed:
    return 0, text, ""
