"""What can be broken in vehicle diagnostics."""

from collections.abc import Callable

from console.practice.simulated.blueprints.sovd import SECRET
from console.practice.simulated.faults.database_changes import change_password, drop_database
from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.machine import Listener
from console.practice.simulated.traffic import Arrival, Loop
from console.practice.simulated.volume import MIB
from console.practice.simulated.web import Request, make_token, serve
from console.practice.simulated.world import HISTORY_S, World

JOHN = "10.20.0.5"
"""Where john_doe, an engineer, is logged in."""
CORRELATION_ID = "7c1e5a20-3b64-4d0f-9a11-9e0000000001"
COMMANDS = "/api/v1/commands"
VEHICLES = "/api/v1/vehicles"
HURRY_S = 58.0
ISSUED_AT = 1_767_225_600
OLD_TOKEN = make_token(SECRET, {"sub": "john_doe", "role": "engineer", "iat": ISSUED_AT, "exp": ISSUED_AT + 1_800})
GOOD_TOKEN = make_token(SECRET, {"sub": "john_doe", "role": "engineer", "iat": ISSUED_AT, "exp": 4_102_444_800})

Change = Callable[[World], None]


def _stop(role: str) -> Change:
    return lambda world: world.role(role).stop(world.now)


def _told(name: str, value: str) -> Change:
    """A deployment whose .env said something else."""

    def apply(world: World) -> None:
        world.set_variable("backend", name, value)
        world.restart("backend")

    return apply


def _lose_schema(world: World) -> None:
    world.lose_tables("users")
    world.restart("backend")


def _start_without_database(world: World) -> None:
    world.role("database").stop(world.now)
    world.restart("backend")


def _ask_as_john(token: str) -> Change:
    """John's browser asks for the vehicles, every ten seconds."""

    def ask(world: World) -> None:
        if world.reachable():
            serve(world, Request("GET", VEHICLES, {"authorization": f"Bearer {token}"}, client=JOHN))

    def apply(world: World) -> None:
        for before_s in range(10, 100, 10):
            world.schedule(before_s, ask)

    return apply


def _both(*changes: Change) -> Change:
    def apply(world: World) -> None:
        for change in changes:
            change(world)

    return apply


def _lose_time(world: World) -> None:
    """The machine came up with a clock that had stopped for over a year."""
    world.machine.clock_ahead_s = -400 * 86_400.0


def _find_time(world: World) -> None:
    world.machine.clock_ahead_s = 0.0


def _strip_upgrades(world: World) -> None:
    """A proxy that knows no WebSockets was put before the backend."""
    world.network.dropped_headers.add("upgrade")


def _hurry(world: World) -> None:
    """A burst of commands within the last minute; it is over by now."""
    world.traffic.loops.append(Loop(JOHN, COMMANDS, 0.5, "POST"))
    world.schedule(4, lambda later: later.traffic.loops.clear())
    _trace_one(world, world.now + HURRY_S, COMMANDS, "POST")


def _loop(per_s: float, path: str, method: str, onset_s: float) -> Change:
    def apply(world: World) -> None:
        world.traffic.loops.append(Loop(JOHN, path, per_s, method))
        _trace_one(world, world.now + onset_s, path, method)

    return apply


def _end_loops(world: World) -> None:
    world.traffic.loops.clear()


def _trace_one(world: World, present: float, path: str, method: str) -> None:
    """One more request of John's, whose id he reads in the answer: late in the minute that counts, so that it is refused."""
    into_minute_s = present % 60
    before_s = 5.0 if into_minute_s > 30 else into_minute_s + 1

    def ask(later: World) -> None:
        endpoint = later.traffic.named(path, method)
        if endpoint is not None:
            later.traffic.once.append(Arrival(later.now, endpoint, JOHN, CORRELATION_ID))

    world.schedule(before_s, ask)


def _squeeze_database(world: World) -> None:
    """A deployment gave the database a quarter of its memory."""
    world.role("database").memory_limit_bytes = 131 * MIB


def _take_port(world: World) -> None:
    """Somebody's own program holds the frontend's port since that was stopped; starting it again failed."""
    frontend, now = world.role("frontend"), world.now
    port = frontend.host_port or 5173
    frontend.stop(now)
    world.machine.listeners[port] = Listener(port, 52_117, "node", "node node_modules/.bin/vite", "deploy", now + 1)
    frontend.fail_to_start(
        now + 2,
        f"driver failed programming external connectivity on endpoint {frontend.name} ({frontend.id[:12]}): "
        f"Bind for 0.0.0.0:{port} failed: port is already allocated",
    )


def _leak_connections(world: World) -> None:
    """A page that loses a connection each time it is opened, and has been opened sixty times in the last hour."""
    for number in range(60):
        age_s = 3_500 - 50 * number
        world.backend.leak(idle_s=age_s - 40, age_s=age_s, now=world.now)


def _fill_cache(world: World) -> None:
    world.cache.filled_bytes = 64 * MIB


def _keep_nothing(world: World) -> None:
    """Redis was made anew without its volume, and writes nothing."""
    cache = world.role("cache")
    cache.mounts.clear()
    world.cache.config |= {"save": "", "appendonly": "no"}
    world.restart("cache")


_REDIS_ELSEWHERE = _told("REDIS_URL", "redis://cache:6379/0")
_TRACED = {"correlation_id": CORRELATION_ID, "username": "john_doe"}

FAULTS: dict[str, Fault] = {
    "sovd.s1.schema-missing": Fault(150, _lose_schema),
    "sovd.s1.database-down": Fault(160, _start_without_database),
    "sovd.s1.wrong-url": Fault(140, _told("DATABASE_URL", "postgresql://sovd_user:sovd_password@postgres:5432/sovd_db")),
    "sovd.s2.token-expired": Fault(120, _ask_as_john(OLD_TOKEN), inputs={"token": OLD_TOKEN}),
    "sovd.s2.secret-mismatch": Fault(
        180, _both(_told("JWT_SECRET_KEY", "rotated-on-one-side-only"), _ask_as_john(GOOD_TOKEN)), inputs={"token": GOOD_TOKEN}
    ),
    "sovd.s2.clock-skew": Fault(200, _both(_lose_time, _ask_as_john(GOOD_TOKEN)), inputs={"token": GOOD_TOKEN}, undo=_find_time),
    "sovd.s3.redis-down": Fault(170, _stop("cache")),
    "sovd.s3.wrong-redis-url": Fault(150, _REDIS_ELSEWHERE),
    "sovd.s3.blocked": Fault(300, _strip_upgrades),
    "sovd.s3.cors": Fault(210, _told("CORS_ORIGINS", "https://old-frontend.example")),
    "sovd.s4.over-limit": Fault(HURRY_S, _hurry, answers={"purpose": "ordinary"}, inputs=_TRACED),
    "sovd.s4.client-loop": Fault(240, _loop(8.0, VEHICLES, "GET", 240), inputs=_TRACED, undo=_end_loops),
    "sovd.s4.needs-role": Fault(400, _loop(0.5, COMMANDS, "POST", 400), answers={"purpose": "administration"}, inputs=_TRACED),
    "sovd.s5.database-disconnected": Fault(140, _stop("database")),
    "sovd.s5.redis-disconnected": Fault(150, _stop("cache")),
    "sovd.s5.wrong-url": Fault(160, _REDIS_ELSEWHERE),
    "sovd.s5.out-of-memory": Fault(300, _squeeze_database),
    "sovd.s6.port-held": Fault(140, _take_port),
    "sovd.s7.not-running": Fault(170, _stop("database")),
    "sovd.s7.wrong-credentials": Fault(190, change_password),
    "sovd.s7.database-missing": Fault(180, drop_database),
    "sovd.s7.pool-leak": Fault(HISTORY_S - 5, _leak_connections),
    "sovd.s8.not-running": Fault(160, _stop("cache")),
    "sovd.s8.wrong-url": Fault(150, _REDIS_ELSEWHERE, undo=_told("REDIS_URL", "redis://redis:6379/0")),
    "sovd.s8.out-of-memory": Fault(280, _fill_cache),
    "sovd.s8.not-persisting": Fault(400, _keep_nothing),
}
