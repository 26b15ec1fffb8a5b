"""What can be broken in the program planner between a user and what they want to see: network, certificate, login, rights."""

from collections.abc import Callable, Mapping

from console.practice.simulated.behaviour import Behaviour, Complaint
from console.practice.simulated.blueprints.planner import SECRET
from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.furniture import write_certificate
from console.practice.simulated.web import Request, make_token, serve
from console.practice.simulated.world import World

TEST = "10.30.0.40"
"""Where the user `test` is logged in."""
LOGIN, PROGRAMS = "/api/v1/auth/login", "/api/v1/programs"
OF_TEST = "user_id = (SELECT id FROM users WHERE username = 'test')"
OLD_TOKEN = make_token(SECRET, {"sub": "test", "role": "MEMBER", "iat": 1_767_225_600, "exp": 1_767_229_200})


def _listen_inside(world: World) -> None:
    """A deployment took the developers' settings along."""
    world.set_variable("backend", "HOST", "127.0.0.1")
    world.restart("backend")


def _unpublish(world: World) -> None:
    """The container was made anew without its `ports`."""
    app = world.role("backend")
    app.host_port = None
    app.deploy(app.image, world.now)


def _close_port(world: World) -> None:
    """Somebody tidied up the rules of the packet filter."""
    world.machine.firewall.allowed.discard(f"{world.config.lab.backend}/tcp")


def _lose_name(world: World) -> None:
    """Nobody paid for the domain."""
    del world.network.names["planner.local"]


def _certificate(*, ends_in_days: float = 61.0, whole: bool = True, names: tuple[str, ...] = ()) -> Callable[[World], None]:
    return lambda world: write_certificate(world, "web", ends_in_days=ends_in_days, intermediate=whole, names=names)


def _from_test(
    world: World, method: str, path: str, headers: Mapping[str, str] | None = None, json: Mapping[str, str] | None = None
) -> None:
    """A request of the user `test`, when it gets as far as the app."""
    if world.reachable():
        serve(world, Request(method, path, headers or {}, json or {}, client=TEST))


def _store_other_hash(world: World) -> None:
    """An import wrote the hash of an older way of hashing."""
    world.database.tables.run("UPDATE users SET password_hash = 'md5$098f6bcd4621d373' WHERE username = 'test'")
    for before_s in (210, 150, 45):
        world.schedule(before_s, lambda later: _from_test(later, "POST", LOGIN, json={"username": "test", "password": "test"}))


def _lose_secret(world: World) -> None:
    """A deployment whose .env was made anew, and not filled in."""
    world.set_variable("backend", "SECRET_KEY", None)
    world.restart("backend")


def _ask_with_old_token(world: World) -> None:
    """A tab that was left open over night asks once a minute."""
    for before_s in range(20, 300, 60):
        world.schedule(before_s, lambda later: _from_test(later, "GET", PROGRAMS, {"authorization": f"Bearer {OLD_TOKEN}"}))


def _break_login(world: World) -> None:
    """A release that asks for what a login does not send."""
    error = world.backend.service.exception("KeyError: 'tenant'", function="login", line=88, source='tenant = body["tenant"]')
    world.backend.behaviours[LOGIN] = Behaviour(fail_share=1.0, complaint=Complaint("Unhandled exception", error))


def _refuse_test(world: World) -> None:
    """What the user `test` sees: their programs, refused."""

    def ask(later: World) -> None:
        told = f"Insufficient permissions: test on {PROGRAMS} {later.backend.service.trace(later.ticks)}"
        if later.reachable():
            later.backend.say(later.now, "WARNING", "planner", told)

    for before_s in (190, 95, 40):
        world.schedule(before_s, ask)


def _close_role(world: World) -> None:
    """The last review of rights closed one too many."""
    world.database.tables.run(f"UPDATE user_roles SET is_active = false WHERE {OF_TEST}")  # noqa: S608 - our own names
    _refuse_test(world)


def _take_scope(world: World) -> None:
    """The user's only program was taken from them."""
    mine = f"user_role_id IN (SELECT id FROM user_roles WHERE {OF_TEST})"  # noqa: S608 - our own names
    world.database.tables.run(f"DELETE FROM scope_assignments WHERE {mine}")  # noqa: S608 - our own names
    _refuse_test(world)


FAULTS: dict[str, Fault] = {
    "planner.n1.not-listening": Fault(300, _listen_inside),
    "planner.n1.port-not-published": Fault(300, _unpublish),
    "planner.n1.firewall": Fault(600, _close_port),
    "planner.n1.dns": Fault(600, _lose_name),
    "planner.n2.expired": Fault(600, _certificate(ends_in_days=-2), undo=_certificate()),
    "planner.n2.expiring": Fault(600, _certificate(ends_in_days=12)),
    "planner.n2.chain-incomplete": Fault(600, _certificate(whole=False)),
    "planner.n2.name-mismatch": Fault(600, _certificate(names=("old-planner.example",))),
    "planner.u1.hash-mismatch": Fault(600, _store_other_hash),
    "planner.u1.secret-missing": Fault(200, _lose_secret),
    "planner.u1.session-expired": Fault(400, _ask_with_old_token, inputs={"token": OLD_TOKEN}),
    "planner.u1.endpoint-failing": Fault(500, _break_login),
    "planner.u2.role-missing": Fault(600, _close_role, answers={"which": "no"}),
    "planner.u2.scope-missing": Fault(600, _take_scope, answers={"which": "no"}),
}
