"""What a referee needs of a stack: to look at it, to break it, to prove that it is broken, and to mend it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from console.practice.drill.scenario import PlannedFault, PlannedNoise
from console.system import System


class StackError(Exception):
    """A stack that cannot be used, or a fault that did not take: `message` says what happened to what, `advice` what to do."""

    def __init__(self, message: str, advice: str = "") -> None:
        self.message = message
        self.advice = advice
        super().__init__(f"{message} {advice}".strip())


@dataclass(frozen=True, slots=True)
class Baseline:
    """What exists: containers and units by name, rows by table; None for a table that could not be counted."""

    parts: frozenset[str]
    rows: Mapping[str, int | None]


class Stack(Protocol):
    """One stack that may be broken: simulated in this process, or the lab. `system` is how referee and trainee look at it."""

    @property
    def kind(self) -> str:
        """`simulated` or `lab`."""

    @property
    def system(self) -> System: ...

    async def why_not_clean(self) -> tuple[str, ...]:
        """Why no round may begin: faults in place, parts that are missing, not labelled or not healthy. Empty: clean."""

    async def baseline(self, tables: tuple[str, ...]) -> Baseline:
        """What exists now. Raises StackError when it cannot be told."""

    async def inject(self, fault: PlannedFault) -> None:
        """Journal the way back, break it, and wait until it bites. Raises StackError when it does not; then it is undone."""

    def cause_of(self, fault: str) -> str:
        """The cause that a fault shows, `<issue>.<cause>`: its own id, or that of the cause of which it is a kind."""

    async def mend(self, fault: str) -> None:
        """Undo this one fault, as somebody else does whose errand it is. Raises StackError."""

    async def make_noise(self, noise: PlannedNoise) -> None: ...

    def replies(self, faults: tuple[str, ...]) -> Mapping[str, str]:
        """What the users whom these faults hit would say: answers by step, inputs by name."""

    async def heal(self) -> tuple[str, ...]:
        """Undo everything, also what the trainee did, until the baseline is back; what was lost and made anew, in words.

        May be called twice. Raises StackError.
        """

    async def aclose(self) -> None: ...
