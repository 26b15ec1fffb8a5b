"""What can be broken in the program planner between a user and what they want to see: network, certificate, login, rights."""

from collections.abc import Callable

from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.furniture import write_certificate
from console.practice.simulated.world import World


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


FAULTS: dict[str, Fault] = {
    "planner.n1.not-listening": Fault(300, _listen_inside),
    "planner.n1.port-not-published": Fault(300, _unpublish),
    "planner.n1.firewall": Fault(600, _close_port),
    "planner.n1.dns": Fault(600, _lose_name),
    "planner.n2.expired": Fault(600, _certificate(ends_in_days=-2)),
    "planner.n2.expiring": Fault(600, _certificate(ends_in_days=12)),
    "planner.n2.chain-incomplete": Fault(600, _certificate(whole=False)),
    "planner.n2.name-mismatch": Fault(600, _certificate(names=("old-planner.example",))),
}
