"""A fault of the simulated stack: it changes a process, rows, files, the machine or the network, and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from console.practice.simulated.world import World


@dataclass(frozen=True, slots=True)
class Fault:
    """One change of the world: it happens `onset_s` seconds before the operator looks for the first time.

    `answers` (by the id of the step that asks) and `inputs` (by name) are what the affected user would say; inputs that are
    not named are those of a well user. `undo`: how others mend it whose work it is (a release, a certificate, somebody else's
    server); only faults that nobody can mend from the console have one.
    """

    onset_s: float
    apply: Callable[[World], None]
    answers: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    undo: Callable[[World], None] | None = None
