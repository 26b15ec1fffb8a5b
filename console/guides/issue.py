"""One decision tree, loaded and checked: what walks, fixes, the picker and `triage check` read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel

from console.guides.conditions import Condition
from console.guides.inputs import Input, Template, Value
from console.guides.risk import Risk


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


class Leaf(StrEnum):
    """Where an arm can lead."""

    STEP = "step"
    CAUSE = "cause"
    CLEAR = "clear"
    UNKNOWN = "unknown"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class Goal:
    """The end of an arm: a step or a cause by id, or one of the leaves without one."""

    kind: Leaf
    id: str = ""

    def __str__(self) -> str:
        return self.id or self.kind.value


@dataclass(frozen=True, slots=True)
class Arm:
    """One branch of a step. `text` is its condition as it was written, `else`, or `unknown`; `condition` None is `else`."""

    text: str
    goal: Goal
    condition: Condition | None = None
    unknown: bool = False
    """The arm taken when the facts that decide could not be read."""

    def __str__(self) -> str:
        return f"{self.text} → {self.goal}"


@dataclass(frozen=True, slots=True)
class CheckCall:
    """A check of the registry with its parameters. With a `template` these hold samples: it is made only when `bound`."""

    name: str
    parameters: BaseModel
    template: Template | None = None

    @property
    def needs(self) -> tuple[Input, ...]:
        """The inputs without which it cannot be made."""
        return self.template.inputs if self.template else ()

    def bound(self, values: Mapping[str, Value]) -> "CheckCall":
        """The call with these values; raises SourceError when one is missing or does not fit."""
        return CheckCall(self.name, self.template.bound(values)) if self.template else self


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    title: str
    check: CheckCall
    arms: tuple[Arm, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verify:
    """What must hold after a fix: `holds` over the facts of `check`, for `for_s` seconds without a break, within `within_s`."""

    check: CheckCall
    holds: Condition
    for_s: float
    within_s: float


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that a cause offers. `risk` is at least what the action implies. Without `verify` it changes nothing itself."""

    id: str
    title: str
    risk: Risk
    action: str
    parameters: BaseModel
    verify: Verify | None = None
    way_back: str = ""
    notes: str = ""
    template: Template | None = None
    """When set, `parameters` hold samples: it is previewed and made only when `bound`."""

    @property
    def needs(self) -> tuple[Input, ...]:
        """The inputs without which it cannot be previewed, made or verified."""
        own = self.template.inputs if self.template else ()
        return tuple(dict.fromkeys((*own, *(self.verify.check.needs if self.verify else ()))))

    def bound(self, values: Mapping[str, Value]) -> "Fix":
        """The fix with these values; raises SourceError when one is missing or does not fit."""
        parameters = self.template.bound(values) if self.template else self.parameters
        verify = replace(self.verify, check=self.verify.check.bound(values)) if self.verify else None
        return replace(self, parameters=parameters, verify=verify, template=None)


@dataclass(frozen=True, slots=True)
class Cause:
    id: str
    summary: str
    fixes: tuple[str, ...] = ()
    """Ids of fixes, in the order in which they should be tried."""
    continues: str = ""
    """The issue that goes on from here, when this cause has one of its own below it."""
    notes: str = ""
    explains: tuple[str, ...] = ()
    """Guides, issues and causes that only follow from this one."""


@dataclass(frozen=True, slots=True)
class Escalate:
    """When to stop alone and whom to call."""

    after_s: float
    to: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    id: str
    guide: str
    chord: str
    title: str
    severity: Severity
    symptoms: tuple[str, ...]
    errors: tuple[str, ...]
    escalate: Escalate
    start: str
    steps: Mapping[str, Step]
    causes: Mapping[str, Cause]
    fixes: Mapping[str, Fix]
    respond: str = ""
    """How soon somebody should be on it, in words."""
    inputs: Mapping[str, Input] = field(default_factory=dict)
    """What a person must give before some of its steps can be made, by name."""
    path: Path = field(default_factory=Path)

    def fixes_of(self, cause: str) -> tuple[Fix, ...]:
        return tuple(self.fixes[name] for name in self.causes[cause].fixes)
