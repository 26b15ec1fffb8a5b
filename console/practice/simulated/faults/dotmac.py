"""What can be broken in the ISP platform's services, logins and tokens."""

from collections.abc import Callable

from console.practice.simulated.blueprints.dotmac import SECRET
from console.practice.simulated.faults.database_changes import change_password, drop_database, end_sessions
from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.web import Request, make_token, serve
from console.practice.simulated.world import World

USER = "user1@dotmac.local"
CUSTOMERS = "/api/customers"
ISSUED_AT = 1_767_225_600
OLD_TOKEN = make_token(SECRET, {"sub": USER, "role": "staff", "iat": ISSUED_AT, "exp": ISSUED_AT + 1_800})
FOREIGN_TOKEN = make_token("the-secret-before", {"sub": USER, "role": "staff", "iat": ISSUED_AT, "exp": 4_102_444_800})

Change = Callable[[World], None]


def stop(role: str) -> Change:
    return lambda world: world.part(role).stop(world.now)


def told(name: str, value: str | None) -> Change:
    """Somebody changed .env and restarted the service."""

    def apply(world: World) -> None:
        world.set_variable("backend", name, value)
        world.restart("backend")

    return apply


def _user(change: str) -> Change:
    """Change the row of the user who complains."""

    def apply(world: World) -> None:
        world.database.tables.run(f"UPDATE users SET {change} WHERE email = %(email)s", {"email": USER})  # noqa: S608 - our own words

    return apply


def _close_port(world: World) -> None:
    """The packet filter was made stricter: not even the machine itself reaches PostgreSQL any more."""
    world.machine.firewall.on_loopback = True
    world.machine.firewall.allowed.discard(f"{world.units['database'].port}/tcp")
    end_sessions(world)


def _ask_password(world: World) -> None:
    """Redis was given a password that nobody told the service."""
    world.cache.password = "nobody-told-the-service"  # noqa: S105 - the made-up world's own
    world.restart("cache")


def _ask_no_password(world: World) -> None:
    world.cache.password = ""
    world.restart("cache")


def _ask_with(token: str) -> Change:
    """The user's browser asks for the customers, every ten seconds."""

    def ask(world: World) -> None:
        if world.reachable():
            serve(world, Request("GET", CUSTOMERS, {"authorization": f"Bearer {token}"}, client="10.40.0.11"))

    def apply(world: World) -> None:
        for before_s in range(10, 100, 10):
            world.schedule(before_s, ask)

    return apply


def _lose_time(world: World) -> None:
    """The machine came up with a clock that had stopped for an hour and a half."""
    world.machine.clock_ahead_s = -5_400.0


FAULTS: dict[str, Fault] = {
    "dotmac.s1.wrong-password": Fault(190, change_password, inputs={"new_password": "practice"}),
    "dotmac.s1.database-down": Fault(170, stop("database")),
    "dotmac.s1.port-blocked": Fault(180, _close_port),
    "dotmac.s1.database-missing": Fault(180, drop_database),
    "dotmac.s2.not-running": Fault(160, stop("cache")),
    "dotmac.s2.auth-required": Fault(150, _ask_password, undo=_ask_no_password),
    "dotmac.s2.wrong-address": Fault(140, told("REDIS_URL", "redis://localhost:6380/0")),
    "dotmac.u1.user-missing": Fault(600, lambda _world: None, inputs={"email": "nobody@dotmac.local"}),
    "dotmac.u1.locked": Fault(
        600, _user("failed_login_attempts = 5, locked_until = now() + interval '30 minutes'"), inputs={"email": USER}
    ),
    "dotmac.u1.inactive": Fault(600, _user("is_active = false"), inputs={"email": USER}),
    "dotmac.u1.hash-mismatch": Fault(600, _user("password_hash = 'sha256$of-another-release'"), inputs={"email": USER}),
    "dotmac.u2.expired": Fault(120, _ask_with(OLD_TOKEN), inputs={"token": OLD_TOKEN}),
    "dotmac.u2.bad-signature": Fault(120, _ask_with(FOREIGN_TOKEN), inputs={"token": FOREIGN_TOKEN}),
    "dotmac.u2.secret-unset": Fault(130, told("JWT_SECRET_KEY", None)),
    "dotmac.u2.clock-skew": Fault(400, _lose_time),
}
