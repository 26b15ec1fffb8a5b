"""What a practice round does to a world: break it now or with a history, disturb it, and put everything back."""

from collections.abc import Sequence

from console.practice.simulated.blueprints import blueprint_name
from console.practice.simulated.faults import faults_of
from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.noises import NOISES, Noise
from console.practice.simulated.sessions import Refused
from console.practice.simulated.world import World


def begin_again(world: World, faults: Sequence[str] = (), noises: Sequence[str] = ()) -> None:
    """Put everything back, also what a responder did, and begin with these faults and noises on their way: each has had the
    time that it needs to show by the clock's present. Raises ValueError for one that is not known; nothing is changed then."""
    chosen, disturbing = [_fault(world, name) for name in faults], [_noise(name) for name in noises]
    world.database.tables.close()
    world.begin()
    for fault in chosen:
        world.schedule(fault.onset_s, fault.apply)
    for noise in disturbing:
        world.schedule(noise.onset_s, noise.apply)


def apply_fault(world: World, name: str) -> None:
    """Break something now: it shows after as long as it takes. Raises ValueError, also for what cannot be broken now because
    something else is broken already."""
    fault = _fault(world, name)
    world.advance()
    world.present = world.now + fault.onset_s
    try:
        fault.apply(world)
    except (Refused, KeyError) as error:
        raise ValueError(f"{name} cannot be made now on the simulated {world.config.name}: {error}") from error


def undo_fault(world: World, name: str) -> None:
    """Let others mend a fault whose work it is. Raises ValueError for one that the responder mends."""
    fault = _fault(world, name)
    if fault.undo is None:
        raise ValueError(f"Nobody else mends {name} on the simulated {world.config.name}.")
    world.advance()
    fault.undo(world)


def make_noise(world: World, name: str) -> None:
    """Let something suspicious and harmless happen from now on. Raises ValueError."""
    noise = _noise(name)
    world.advance()
    noise.apply(world)


def _fault(world: World, name: str) -> Fault:
    known = faults_of(blueprint_name(world.config) or "")
    if name not in known:
        raise ValueError(f"There is no fault {name!r} on the simulated {world.config.name}; there are {', '.join(known)}.")
    return known[name]


def _noise(name: str) -> Noise:
    if name not in NOISES:
        raise ValueError(f"There is no noise {name!r}; there are {', '.join(NOISES)}.")
    return NOISES[name]
