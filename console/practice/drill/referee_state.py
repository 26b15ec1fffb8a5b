"""How a round stands and how it ended, as its referee tells a facilitator. Shapes."""

from dataclasses import dataclass

from console.practice.drill.rounds import Entry
from console.practice.drill.watching import Probed, Sample


@dataclass(frozen=True, slots=True)
class End:
    """How a round ended: `done`, `gave_up`, `timed_out`, `aborted`, `void` or `broken_off`, at a time of the stack's clock."""

    how: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class RefereeState:
    """How a round stands, for its facilitator. `phase`: `preparing`, `running`, `frozen`, `healing`, `over`; in seconds."""

    phase: str
    elapsed_s: float
    probes: tuple[Probed, ...]
    sample: Sample
    held_s: float | None
    faults: tuple[str, ...]
    reached: tuple[str, ...]
    trainee: tuple[Entry, ...]
    losses: tuple[str, ...]
