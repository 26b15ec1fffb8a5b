"""What can be broken in the student management system."""

from console.practice.simulated.faults.database_changes import end_sessions
from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.machine import Listener
from console.practice.simulated.postgres import MAX_CONNECTIONS, RESERVED
from console.practice.simulated.volume import MIB
from console.practice.simulated.world import HISTORY_S, World


def _stop_engine(world: World) -> None:
    for role in ("proxy", "backend", "cache", "database", "backup"):
        world.role(role).stop(world.now)
    world.machine.engine_up = False


def _stop_backend(world: World) -> None:
    world.role("backend").stop(world.now)


def _freeze_backend(world: World) -> None:
    world.backend.frozen = True


def _misdirect_backend(world: World) -> None:
    """The backend looks for its database where none is; its sessions end as the old address goes away."""
    world.backend.wrong_address = "172.18.0.77"
    for session in list(world.backend.pool):
        world.database.close(session)


def _fill_volume_nearly(world: World) -> None:
    _write_old_backups(world, leave_free_bytes=world.volume.total_bytes * 5 // 100)


def _fill_volume(world: World) -> None:
    _write_old_backups(world, leave_free_bytes=2 * MIB)


def _write_old_backups(world: World, *, leave_free_bytes: int) -> None:
    """Nightly dumps of the weeks before last week that nobody deleted; the oldest takes what is left."""
    days = 8
    while world.volume.free_bytes - leave_free_bytes > 400 * MIB:
        world.write_backup(days, 190 * MIB + days * 1_000_003)
        days += 1
    world.write_backup(days, world.volume.free_bytes - leave_free_bytes)


def _take_port(world: World) -> None:
    """Somebody's own server holds the proxy's port since the proxy was stopped; starting that again failed."""
    proxy, now = world.role("proxy"), world.now
    port = proxy.host_port or 8080
    proxy.stop(now)
    command = f"python3 -m http.server {port}"
    world.machine.listeners[port] = Listener(port, 48_213, "python3", command, "deploy", now + 1)
    proxy.fail_to_start(
        now + 2,
        f"driver failed programming external connectivity on endpoint {proxy.name} ({proxy.id[:12]}): Error starting userland "
        f"proxy: listen tcp4 127.0.0.1:{port}: bind: address already in use",
    )


def _stop_database(world: World) -> None:
    world.role("database").stop(world.now)


def _leak_connections(world: World) -> None:
    """The backend's export loses a connection each time it is used. It has run for two hours, so most are lost already."""
    room = MAX_CONNECTIONS - RESERVED - len(world.database.sessions) - 9
    for number in range(room):
        age_s = 6_600 - 3_000 * number / room
        world.backend.leak(idle_s=age_s - 40, age_s=age_s, now=world.now)
    world.backend.leaks_every_s = 45


def _damage_database(world: World) -> None:
    world.database.find_damage(world.now)


def _change_password(world: World) -> None:
    """The role's password was changed, and whoever did it ended the sessions that still had the old one."""
    world.database.refuses_password = True
    end_sessions(world)


def _need_more_memory(world: World) -> None:
    world.backend.defects.start_memory_bytes = 330 * MIB
    _crash(world)


def _lose_module(world: World) -> None:
    world.backend.defects.missing_module = "pyotp"
    _crash(world)


def _migrate_too_far(world: World) -> None:
    world.database.revision = "0004_grade_weights"
    _crash(world)


def _break_configuration(world: World) -> None:
    world.backend.defects.broken_configuration = True
    _crash(world)


def _crash(world: World) -> None:
    """A deployment restarted the backend."""
    world.restart("backend")


FAULTS: dict[str, Fault] = {
    "sms.c1.engine-down": Fault(150, _stop_engine),
    "sms.c1.container-down": Fault(190, _stop_backend),
    "sms.c1.container-unhealthy": Fault(170, _freeze_backend),
    "sms.c1.backend-cannot-reach-database": Fault(160, _misdirect_backend),
    "sms.c1.disk-nearly-full": Fault(HISTORY_S - 5, _fill_volume_nearly),
    "sms.c1.port-conflict": Fault(140, _take_port),
    "sms.c2.database-down": Fault(180, _stop_database),
    "sms.c2.pool-exhausted": Fault(HISTORY_S - 5, _leak_connections),
    "sms.c2.disk-full": Fault(320, _fill_volume),
    "sms.c2.corrupted": Fault(200, _damage_database),
    "sms.c2.login-refused": Fault(210, _change_password),
    "sms.c3.out-of-memory": Fault(260, _need_more_memory),
    "sms.c3.missing-dependency": Fault(230, _lose_module),
    "sms.c3.migration-failed": Fault(220, _migrate_too_far),
    "sms.c3.unhandled-exception": Fault(240, _break_configuration),
}
