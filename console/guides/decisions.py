"""What a walk is made of, and the rules by which it goes: facts → arm, path → conclusion. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from console.guides.checks.check import FactValue
from console.guides.conditions import evaluate
from console.guides.inputs import Input
from console.guides.issue import Arm, Cause, Fix, Goal, Issue, Leaf, Step
from console.reading import Failure
from console.sources.protocols.engine import LogLine


class StepStatus(StrEnum):
    OK = "ok"
    UNKNOWN = "unknown"
    """The facts that decide could not be read."""
    ASKED = "asked"
    """A person answered."""
    LEFT_OUT = "left_out"
    """Not made in a quick look: it takes longer, or needs a person."""


class Verdict(StrEnum):
    """How a walk ends; the words are those of `triage check --json`."""

    CAUSE = "cause"
    CLEAR = "clear"
    UNKNOWN = "unknown"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step that was made. `arm` is the index of the arm taken in the step's arms, None for the default of unknown."""

    step: str
    title: str
    check: str
    command: str
    """What a person would type."""
    status: StepStatus
    facts: Mapping[str, FactValue]
    decided_by: tuple[str, ...]
    """The facts that the arm taken was decided by."""
    headline: str
    """One sentence: the answer to the step's question."""
    evidence: tuple[str, ...]
    failure: Failure | None
    unread: tuple[Failure, ...]
    branch: str
    """The arm as text: `used_percent >= 90 → pool-exhausted`."""
    arm: int | None
    goal: Goal
    elapsed_ms: float
    overridden: bool = False
    log_line: LogLine | None = None
    """The line of a log that the evidence names, when it names one."""


@dataclass(frozen=True, slots=True)
class Question:
    """A step that waits for a person: an `ask` step, or one whose check needs an input that is not given (`wanted`).

    `answers`: id and text of each; empty: any text.
    """

    step: str
    title: str
    text: str
    answers: tuple[tuple[str, str], ...] = ()
    wanted: Input | None = None

    @property
    def secret(self) -> bool:
        """Whether what is typed must not be shown."""
        return self.wanted is not None and self.wanted.kind.secret


@dataclass(frozen=True, slots=True)
class Conclusion:
    """Where a walk ended. `unread` is everything that could not be read on the way and that nobody overrode."""

    verdict: Verdict
    summary: str
    cause: Cause | None = None
    fixes: tuple[Fix, ...] = ()
    continues: str = ""
    """The issue that goes on from here (`sms.c2`), or empty."""
    unread: tuple[Failure, ...] = ()


def healthy_way(step: Step) -> str | None:
    """The step that follows when nothing is wrong: where `else` goes, or the first arm that leads on when that ends."""
    onward = [arm.goal.id for arm in step.arms if arm.goal.kind is Leaf.STEP]
    default = next((arm.goal for arm in step.arms if arm.condition is None and not arm.unknown), None)
    if default is not None and default.kind is Leaf.STEP and step.arms[0].goal.kind is not Leaf.STEP:
        return default.id
    return onward[0] if onward else None


def choose(arms: Sequence[Arm], facts: Mapping[str, FactValue]) -> tuple[int | None, tuple[str, ...], bool]:
    """The arm that these facts take: its index (None: unknown without an arm for it), the facts that decided, and whether
    they were known. The first condition that holds wins; one that cannot be decided before it makes the step unknown, for
    missing data is never the default case."""
    asked: dict[str, None] = {}
    for index, arm in enumerate(arms):
        if arm.unknown:
            continue
        if arm.condition is None:
            return index, tuple(asked), True
        holds = evaluate(arm.condition, facts)
        if holds:
            return index, arm.condition.names, True
        asked.update(dict.fromkeys(arm.condition.names))
        if holds is None:
            missing = tuple(name for name in arm.condition.names if facts.get(name) is None)
            return next((number for number, item in enumerate(arms) if item.unknown), None), missing, False
    return None, tuple(asked), False


def conclude(issue: Issue, path: Sequence[StepRecord]) -> Conclusion:
    """What a finished path amounts to. `clear` needs every step on the way to have been read."""
    last = path[-1]
    unread = tuple(dict.fromkeys(failure for made in path if not made.overridden for failure in _failures(made)))
    if last.goal.kind is Leaf.CAUSE:
        cause = issue.causes[last.goal.id]
        summary = f"{cause.summary} {last.headline}".strip()
        return Conclusion(Verdict.CAUSE, summary, cause, issue.fixes_of(cause.id), cause.continues, unread)
    if last.goal.kind is Leaf.ESCALATE:
        return Conclusion(Verdict.ESCALATE, f"Call {issue.escalate.to}. {issue.escalate.text}".strip(), unread=unread)
    undecided = [made for made in path if made.status in (StepStatus.UNKNOWN, StepStatus.LEFT_OUT) and not made.overridden]
    if last.goal.kind is Leaf.CLEAR and not undecided:
        return Conclusion(Verdict.CLEAR, f"Nothing wrong was found here. {last.headline}".strip(), unread=unread)
    if not undecided:
        return Conclusion(Verdict.UNKNOWN, f"Not decided: {last.title} {last.headline}", unread=unread)
    asked = "; ".join(made.title for made in undecided)
    reasons = " ".join(str(failure) for failure in unread) or "The facts that decide are missing."
    return Conclusion(Verdict.UNKNOWN, f"Not known: {asked} {reasons}", unread=unread)


def record_entry(made: StepRecord) -> dict[str, object]:
    """A step as `triage check --json` and the journal write it."""
    return {
        "step": made.step,
        "check": made.check,
        "status": made.status.value,
        "facts": dict(made.facts),
        "command": made.command,
        "branch": made.branch,
        "elapsed_ms": made.elapsed_ms,
        "evidence": list(made.evidence),
        **({"failure": str(made.failure)} if made.failure else {}),
        **({"overridden": True} if made.overridden else {}),
    }


def _failures(made: StepRecord) -> tuple[Failure, ...]:
    if made.failure is not None:
        return (made.failure,)
    return made.unread
