"""One traversal of an issue, by a person or by `triage check`.

walk = Walk(issue, system)
await walk.step()          # makes the check of `walk.current`, takes an arm, appends to `walk.path`
await walk.finish()        # goes on until there is a conclusion or a question for a person
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from console.guides.checks import Outcome, run_check
from console.guides.checks.ask import AskParameters
from console.guides.checks.check import FactValue
from console.guides.checks.registry import find_check
from console.guides.conditions import evaluate
from console.guides.fixes.action import Record
from console.guides.issue import Arm, Cause, Fix, Goal, Issue, Leaf, Step
from console.guides.readings import Readings
from console.reading import Failure
from console.sources.protocols.engine import LogLine
from console.system import System
from console.text import clean

STEP_LIMIT_S = 3.0


class StepStatus(StrEnum):
    OK = "ok"
    UNKNOWN = "unknown"
    """The facts that decide could not be read."""
    ASKED = "asked"
    """A person answered."""


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
    """An `ask` step that waits for a person. `answers`: id and text of each; empty: any text."""

    step: str
    title: str
    text: str
    answers: tuple[tuple[str, str], ...]


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


@dataclass(frozen=True, slots=True)
class Note:
    at: float
    step: str
    text: str


class Walk:
    """State of one traversal. Nothing is drawn or decided elsewhere: a screen shows these attributes and calls these methods.

    `current`: id of the step that `step()` makes next, None at the end. `question`: set instead of going on when that step
    is for a person. `conclusion`: set at the end. `path`: the steps made. `inputs`: answers by step id, given beforehand.
    `record` receives each step, answer, override and note (kind, details); a journal that fails does not stop a walk, which
    changes nothing: `journal_failure` says so.
    """

    def __init__(
        self,
        issue: Issue,
        system: System,
        *,
        inputs: Mapping[str, str] | None = None,
        readings: Readings | None = None,
        record: Record | None = None,
        clock: Callable[[], float] = time.time,
        limit_s: float = STEP_LIMIT_S,
    ) -> None:
        self.issue = issue
        self.system = system
        self.path: tuple[StepRecord, ...] = ()
        self.notes: tuple[Note, ...] = ()
        self.current: str | None = issue.start
        self.conclusion: Conclusion | None = None
        self.journal_failure = ""
        self._inputs = dict(inputs or {})
        self._own_readings = readings is None
        self._readings = readings or Readings(system, wall=clock)
        self._record = record
        self._clock = clock
        self._limit_s = limit_s
        self._ahead: dict[str, asyncio.Task[Outcome]] = {}
        self._one_at_a_time = asyncio.Lock()

    @property
    def question(self) -> Question | None:
        """What a person must answer before the walk goes on."""
        if self.current is None or self.current in self._inputs:
            return None
        step = self.issue.steps[self.current]
        asked = step.check.parameters
        if not isinstance(asked, AskParameters):
            return None
        return Question(step.id, step.title, asked.question, tuple(asked.answers.items()))

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms of the step made last, for overriding its verdict; empty before the first."""
        return self.issue.steps[self.path[-1].step].arms if self.path else ()

    def command_of(self, step: str) -> str:
        """What a person would type for a step, made or not."""
        call = self.issue.steps[step].check
        check = find_check(call.name)
        return check.command(self.system.config, call.parameters) if check else ""

    async def step(self) -> StepRecord | None:
        """Make the current step. None when there is nothing to make: the walk has ended or waits for an answer.

        Steps are made one after the other, however fast they are asked for.
        """
        async with self._one_at_a_time:
            return await self._step()

    async def _step(self) -> StepRecord | None:
        if self.current is None or self.question is not None:
            return None
        step = self.issue.steps[self.current]
        asked = step.check.parameters
        if isinstance(asked, AskParameters):
            outcome = asked.outcome(self._inputs[step.id])
        else:
            ahead = self._ahead.pop(step.id, None)
            outcome = await (ahead or run_check(step.check, self._readings, limit_s=self._limit_s))
        made = self._decide(step, outcome, StepStatus.ASKED if isinstance(asked, AskParameters) else StepStatus.OK)
        self._go(made)
        await self._write("step", record_entry(made))
        if self.conclusion is not None:
            cause = self.conclusion.cause
            details = {"verdict": self.conclusion.verdict.value, "cause": cause.id if cause else None}
            await self._write("conclusion", {**details, "summary": self.conclusion.summary})
        return made

    async def finish(self) -> Conclusion | None:
        """Go on until there is a conclusion (returned) or a question (None).

        The checks of the likely way are made at once, so that the whole takes as long as the slowest of them.
        """
        self._look_ahead()
        try:
            while await self.step() is not None:
                pass
        finally:
            for task in self._ahead.values():
                task.cancel()
            self._ahead.clear()
        return self.conclusion

    def _look_ahead(self) -> None:
        """Start the cheap checks on the way that a healthy system takes, from the current step on."""
        name: str | None = self.current
        while name is not None:
            step = self.issue.steps[name]
            check = find_check(step.check.name)
            if check is not None and check.ahead and not isinstance(step.check.parameters, AskParameters):
                self._ahead[name] = asyncio.ensure_future(run_check(step.check, self._readings, limit_s=self._limit_s))
            name = healthy_way(step)

    async def answer(self, choice: str) -> None:
        """Answer the question, and make that step. ValueError for an answer that is not offered."""
        question = self.question
        if question is None:
            return
        if question.answers and choice not in dict(question.answers):
            raise ValueError(f"{choice!r} is not one of {', '.join(dict(question.answers))}")
        self._inputs[question.step] = choice
        await self.step()

    async def back(self) -> None:
        """Take the last step back: it is current again and will be made afresh, or asked again."""
        async with self._one_at_a_time:
            await self._back()

    async def _back(self) -> None:
        if not self.path:
            return
        last = self.path[-1]
        self.path = self.path[:-1]
        self.current, self.conclusion = last.step, None
        self._inputs.pop(last.step, None)
        if self._own_readings:
            self._readings.close()
        await self._write("back", {"step": last.step})

    async def override(self, arm: int) -> StepRecord:
        """Send the last step along another of `arms`, against its verdict. It is kept and marked."""
        async with self._one_at_a_time:
            return await self._override(arm)

    async def _override(self, arm: int) -> StepRecord:
        if not self.path:
            raise ValueError("no step has been made yet")
        chosen = self.arms[arm]
        made = replace(self.path[-1], goal=chosen.goal, branch=str(chosen), arm=arm, overridden=True)
        self.path = self.path[:-1]
        self._go(made)
        await self._write("override", {"step": made.step, "branch": made.branch})
        return made

    async def note(self, text: str) -> None:
        """Keep a person's remark with the step made last."""
        made = Note(self._clock(), self.path[-1].step if self.path else "", clean(text))
        self.notes += (made,)
        await self._write("note", {"step": made.step, "text": made.text})

    def close(self) -> None:
        """Let go of questions that still hang."""
        if self._own_readings:
            self._readings.close()

    def _decide(self, step: Step, outcome: Outcome, status: StepStatus) -> StepRecord:
        arm, decided_by, known = choose(step.arms, outcome.facts)
        goal = step.arms[arm].goal if arm is not None else Goal(Leaf.UNKNOWN)
        return StepRecord(
            step=step.id,
            title=step.title,
            check=step.check.name,
            command=self.command_of(step.id),
            status=status if known else StepStatus.UNKNOWN,
            facts=outcome.facts,
            decided_by=decided_by,
            headline=outcome.headline,
            evidence=outcome.evidence,
            failure=outcome.failure,
            unread=outcome.unread,
            branch=str(step.arms[arm]) if arm is not None else "unknown → unknown",
            arm=arm,
            goal=goal,
            elapsed_ms=round(outcome.elapsed_s * 1000, 1),
            log_line=outcome.log_line,
        )

    def _go(self, made: StepRecord) -> None:
        self.path += (made,)
        if made.goal.kind is Leaf.STEP:
            self.current, self.conclusion = made.goal.id, None
        else:
            self.current, self.conclusion = None, conclude(self.issue, self.path)

    async def _write(self, kind: str, details: Mapping[str, object]) -> None:
        if self._record is None:
            return
        try:
            await self._record(kind, {"issue": self.issue.id, **details})
        except OSError as error:
            self.journal_failure = f"The journal cannot be written: {error.strerror or error}."


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
    undecided = [made for made in path if made.status is StepStatus.UNKNOWN and not made.overridden]
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
