"""A round looked back at: what happened, what was seen of it, what the trainee did, and the grade. Shapes.

`looking_back.review_of` makes a review from the round's folder alone. Times are seconds of the round's clock, which stands while
the round is frozen; `_at` are Unix seconds. Texts are clean.
"""

from dataclasses import dataclass
from enum import StrEnum

from console.practice.drill.grade import Grade
from console.practice.drill.round_clock import RoundClock


class Lane(StrEnum):
    """Who or what a moment of the round is about."""

    FAULT = "fault"
    NOISE = "noise"
    PROBE = "probe"
    PHASE = "phase"
    REPORT = "report"
    MESSAGE = "message"
    HINT = "hint"
    TRAINEE = "trainee"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `bad`: it was a trouble or a mistake."""

    at_s: float
    lane: Lane
    text: str
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """A symptom over the round: (seconds, value or None where it was not known). `limit`: what it cannot pass."""

    name: str
    unit: str
    points: tuple[tuple[float, float | None], ...]
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class WayStep:
    """A step of a tree on a way, and the arm that leads on: `used_percent >= 90 → pool-exhausted`."""

    step: str
    title: str
    branch: str


@dataclass(frozen=True, slots=True)
class Way:
    """How a cause of the round is found: the shortest way through its tree, and the one that the trainee took there, if any."""

    cause: str
    summary: str
    issue_title: str
    shortest: tuple[WayStep, ...]
    taken: tuple[WayStep, ...]
    began_s: float | None = None
    """When the trainee first walked the tree."""
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Walked:
    """A walk that the trainee made, in the order of the round. `ended` is where it led, empty when it was left."""

    issue: str
    title: str
    began_s: float
    took_s: float
    steps: int
    ended: str


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds that went into one thing."""

    what: str
    took_s: float


@dataclass(frozen=True, slots=True)
class Done:
    """A change that the trainee made, and whether it was seen to hold (None: nobody watched)."""

    at_s: float
    fix: str
    title: str
    risk: str
    command: str
    """What a person would have typed."""
    serves: bool
    held: bool | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """Everything that a review shows. `grade` is None for a round whose truth was not written down."""

    round: str
    scenario: str
    title: str
    system: str
    stack: str
    person: str
    severity: str
    respond_s: float
    brief: str
    clock: RoundClock
    length_s: float | None
    how: str
    reason: str
    causes: tuple[str, ...]
    grade: Grade | None
    timeline: tuple[Moment, ...]
    curves: tuple[Curve, ...]
    ways: tuple[Way, ...]
    walked: tuple[Walked, ...]
    phases: tuple[Spent, ...]
    """The round's length, split at detected, diagnosed and mitigated."""
    spent: tuple[Spent, ...]
    """What the trainee was at meanwhile, the longest first."""
    done: tuple[Done, ...]
    reports: tuple[str, ...]
    notes: tuple[str, ...]
    evidence: tuple[str, ...]
    """What the checks that decided found, a line each."""
    debrief: str


def as_json(review: Review) -> str:
    """One object with the fields of Review, as `triage drill review --json` prints it."""
    from pydantic import TypeAdapter

    return TypeAdapter(Review).dump_json(review, indent=1).decode()
