"""What a scenario says, and apart from it the truth that grades it. Shapes only; `scenarios` reads the files."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from console.guides.conditions import Condition
from console.guides.issue import CheckCall, Severity


class StackKind(StrEnum):
    """Where a scenario can be played."""

    SIMULATED = "simulated"
    LAB = "lab"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault by its id (`<issue>.<cause>`), and how many seconds after the round began it is injected."""

    fault: str
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PlannedNoise:
    """Something that looks suspicious and is harmless: one of the stack's noises by name, from `at_s` on."""

    noise: str
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PlannedReport:
    """What a user says, as they would word it, so many seconds after the round began."""

    at_s: float
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One practice round as it is planned. Its id and title give nothing of the cause away.

    `severity` and `respond_s` (seconds in which the guide wants a response) measure the round. `hints` are three, each
    telling more than the one before. `hide_steps`: the console does not offer the trees; the responder diagnoses alone.
    """

    id: str
    title: str
    system: str
    stack: StackKind
    severity: Severity
    respond_s: float
    brief: str
    faults: tuple[PlannedFault, ...]
    noise: tuple[PlannedNoise, ...]
    reports: tuple[PlannedReport, ...]
    hints: tuple[str, str, str]
    hide_steps: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """One steady-state probe: a check, and what holds of its facts on the mended stack and not on the broken one."""

    id: str
    title: str
    check: CheckCall
    holds: Condition


@dataclass(frozen=True, slots=True)
class Errand:
    """What no responder mends from the console (a release, a certificate, somebody else's server): `who` does it, `after_s`
    seconds after a diagnosis named the fault's cause, and says so."""

    fault: str
    who: str
    after_s: float
    says: str


@dataclass(frozen=True, slots=True)
class Truth:
    """What grades a scenario. Nothing that a trainee's screen uses may import this.

    `causes`: what is to be diagnosed (`<issue>.<cause>`), none when nothing is wrong. `accepted`: causes that also count as
    right, each with the cause of `causes` that it stands for. `probes`: at least one fails while a fault is there, all hold
    when it is mended. `keep_tables`: tables whose rows must still be there in the end. `mending`: fixes (`<issue>.<fix>`)
    that are no needless ones although the cause does not name them. `debrief`: Markdown. `errands`: what others mend when they
    are told the cause.
    """

    id: str
    causes: tuple[str, ...]
    accepted: Mapping[str, str]
    probes: tuple[Probe, ...]
    keep_tables: tuple[str, ...]
    mending: tuple[str, ...]
    debrief: str
    errands: tuple[Errand, ...] = ()
