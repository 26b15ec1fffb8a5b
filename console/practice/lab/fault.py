"""What a fault on the lab is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from console.practice.lab.target import Target

Notes = Mapping[str, str]
"""What the way back needs, gathered before anything is touched; kept in the journal as JSON."""


def nothing(_target: Target) -> Notes:
    """For a fault whose way back needs to know nothing."""
    return {}


@dataclass(frozen=True, slots=True)
class LabFault:
    """A fault that makes one cause of one issue true, named `<issue>.<cause>`; or by its kind, and `shows` is the cause.

    `prepare` only looks; its notes are journalled before `inject` acts. `bites` says whether the fault can be felt;
    a round only counts from then on. `undo` is driven by the notes alone, may run after half an injection, after
    somebody mended the fault by hand, or twice, and then changes nothing that it should not. `answers` (by the id of
    the asking step) and `inputs` (by name) are what the affected user would say.
    """

    id: str
    title: str
    inject: Callable[[Target, Notes], None]
    bites: Callable[[Target, Notes], bool]
    undo: Callable[[Target, Notes], None]
    prepare: Callable[[Target], Notes] = nothing
    answers: Mapping[str, str] = field(default_factory=dict)
    inputs: Callable[[Target], Mapping[str, str]] = nothing
    shows: str = ""

    @property
    def cause(self) -> str:
        """What a walk names while this fault is in place, `<issue>.<cause>`."""
        return self.shows or self.id
