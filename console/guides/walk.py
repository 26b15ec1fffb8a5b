"""One traversal of an issue, by a person or by `triage check`.

walk = Walk(issue, system)
await walk.step()          # makes the check of `walk.current`, takes an arm, appends to `walk.path`
await walk.finish()        # goes on until there is a conclusion or a question for a person
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

from console.guides.checks import Outcome, run_check
from console.guides.checks.ask import AskParameters
from console.guides.checks.check import not_made
from console.guides.checks.registry import find_check
from console.guides.decisions import (
    Conclusion,
    Question,
    StepRecord,
    StepStatus,
    Verdict,
    choose,
    conclude,
    healthy_way,
    record_entry,
)
from console.guides.fixes.action import Record
from console.guides.inputs import Input, Value
from console.guides.issue import Arm, CheckCall, Fix, Goal, Issue, Leaf, Step
from console.guides.readings import Readings
from console.reading import SourceError
from console.system import System
from console.text import clean

__all__ = ["Conclusion", "Note", "Question", "StepRecord", "StepStatus", "Verdict", "Walk", "record_entry"]

STEP_LIMIT_S = 3.0


@dataclass(frozen=True, slots=True)
class Note:
    at: float
    step: str
    text: str


class Walk:
    """State of one traversal. Nothing is drawn or decided elsewhere: a screen shows these attributes and calls these methods.

    `current`: id of the step that `step()` makes next, None at the end. `question`: set instead of going on when that step
    is for a person. `conclusion`: set at the end. `path`: the steps made. `inputs`: what is given beforehand: answers by step
    id, values of inputs by name. `memory` is where inputs are looked up and kept that hold for the whole incident; secrets
    stay in the walk until `close`. Without `asks` a step whose input is missing is unknown, instead of asking for it.
    `record` receives each step, input, override and note (kind, details); a journal that fails does not stop a walk, which
    changes nothing: `journal_failure` says so.
    """

    def __init__(
        self,
        issue: Issue,
        system: System,
        *,
        inputs: Mapping[str, str] | None = None,
        memory: MutableMapping[str, str] | None = None,
        asks: bool = True,
        readings: Readings | None = None,
        record: Record | None = None,
        clock: Callable[[], float] | None = None,
        limit_s: float = STEP_LIMIT_S,
    ) -> None:
        self.issue = issue
        self.system = system
        self.path: tuple[StepRecord, ...] = ()
        self.notes: tuple[Note, ...] = ()
        self.current: str | None = issue.start
        self.conclusion: Conclusion | None = None
        self.journal_failure = ""
        self._given = dict(inputs or {})
        self._memory: MutableMapping[str, str] = {} if memory is None else memory
        self._asks = asks
        self._hidden: list[str] = []
        self._own_readings = readings is None
        self._readings = readings or Readings(system, wall=clock)
        self._record = record
        self._clock = clock or system.clock
        self._limit_s = limit_s
        self._ahead: dict[str, asyncio.Task[Outcome]] = {}
        self._one_at_a_time = asyncio.Lock()
        for item in issue.inputs.values():
            if item.name in self._given:
                self._hide(item, self._given[item.name])

    @property
    def values(self) -> Mapping[str, Value]:
        """The inputs of the issue that are given, by name."""
        found: dict[str, Value] = {}
        for item in self.issue.inputs.values():
            text = self._given.get(item.name, self._memory.get(item.name))
            if text is not None and item.fits(text):
                found[item.name] = item.read(text)
        return found

    @property
    def question(self) -> Question | None:
        """What a person must answer before the walk goes on."""
        return self.question_at(self.current) if self.current is not None else None

    def question_at(self, name: str) -> Question | None:
        """What a person must answer before a step can be made, as far as is known now."""
        step = self.issue.steps[name]
        asked = step.check.parameters
        if isinstance(asked, AskParameters):
            if name in self._given:
                return None
            return Question(step.id, step.title, asked.question, tuple(asked.answers.items()))
        missing = self._missing(step.check.needs) if self._asks else ()
        return Question(step.id, step.title, missing[0].title, wanted=missing[0]) if missing else None

    def missing(self, fix: Fix) -> tuple[Input, ...]:
        """The inputs that a fix needs and that are not given yet."""
        return self._missing(fix.needs)

    def bound(self, fix: Fix) -> Fix:
        """A fix with the inputs that are given; raises SourceError when one is missing."""
        return fix.bound(self.values)

    def _missing(self, needs: tuple[Input, ...]) -> tuple[Input, ...]:
        values = self.values if needs else {}
        return tuple(item for item in needs if item.name not in values)

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms of the step made last, for overriding its verdict; empty before the first."""
        return self.issue.steps[self.path[-1].step].arms if self.path else ()

    def command_of(self, step: str) -> str:
        """What a person would type for a step, made or not: `$name` stands for an input that is not given, or is a secret."""
        call = self.issue.steps[step].check
        check = find_check(call.name)
        if check is None or call.template is None:
            return check.command(self.system.config, call.parameters) if check else ""
        values = self.values
        try:
            parameters = call.template.placeholder(values)
        except ValueError:  # what was given does not fit the parameter: the step says so
            parameters, values = call.parameters, {}
        return call.template.without_samples(check.command(self.system.config, parameters), values)

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
            outcome = asked.outcome(self._given[step.id])
        else:
            outcome = await self._make(step)
        made = self._decide(step, outcome, StepStatus.ASKED if isinstance(asked, AskParameters) else StepStatus.OK)
        self._go(made)
        await self._write("step", record_entry(made))
        if self.conclusion is not None:
            cause = self.conclusion.cause
            details = {"verdict": self.conclusion.verdict.value, "cause": cause.id if cause else None}
            await self._write("conclusion", {**details, "summary": self.conclusion.summary})
        return made

    def leave_out(self) -> bool:
        """Go on without making the current step, where its arm for the unknown leads, if that is another step."""
        if self.current is None:
            return False
        step = self.issue.steps[self.current]
        arm = next((index for index, arm in enumerate(step.arms) if arm.unknown), None)
        if arm is None or step.arms[arm].goal.kind is not Leaf.STEP:
            return False
        self._go(replace(self._decide(step, not_made(step.check, None), StepStatus.LEFT_OUT), status=StepStatus.LEFT_OUT))
        return True

    async def _make(self, step: Step) -> Outcome:
        ahead = self._ahead.pop(step.id, None)
        if ahead is not None:
            return await ahead
        try:
            return await self._run(step.check)
        except SourceError as error:
            return not_made(step.check, error.failure)

    def _run(self, call: CheckCall) -> Coroutine[Any, Any, Outcome]:
        """The check with the inputs that are given; raises SourceError when one is missing."""
        return run_check(call.bound(self.values), self._readings, limit_s=self._limit_s, shared=not call.needs)

    async def finish(self) -> Conclusion | None:
        """Go on until there is a conclusion (returned) or a question (None).

        The checks of the likely way are made at once, so that the whole takes as long as the slowest of them.
        """
        self.make_ahead(self._likely_way())
        try:
            while await self.step() is not None:
                pass
        finally:
            self.drop_ahead()
        return self.conclusion

    def make_ahead(self, steps: Iterable[str]) -> None:
        """Start the cheap ones among the checks of these steps; `drop_ahead` ends those that the walk did not come to."""
        for name in steps:
            call = self.issue.steps[name].check
            check = find_check(call.name)
            if check is not None and check.ahead and not isinstance(call.parameters, AskParameters):
                with contextlib.suppress(SourceError):  # an input is missing: the step itself asks for it, or says so
                    self._ahead[name] = asyncio.ensure_future(self._run(call))

    def drop_ahead(self) -> None:
        """Let go of the checks that were made ahead for nothing."""
        for task in self._ahead.values():
            task.cancel()
        self._ahead.clear()

    def _likely_way(self) -> Iterator[str]:
        """The steps of the way that a healthy system takes, from the current one on."""
        name: str | None = self.current
        while name is not None:
            yield name
            name = healthy_way(self.issue.steps[name])

    async def answer(self, choice: str) -> None:
        """Answer the question, and make that step. ValueError for an answer that is not offered, or has not the form wanted."""
        question = self.question
        if question is None:
            return
        if question.wanted is not None:
            await self.give(question.wanted.name, choice)
            await self.step()
            return
        if question.answers and choice not in dict(question.answers):
            raise ValueError(f"{choice!r} is not one of {', '.join(dict(question.answers))}")
        self._given[question.step] = choice
        await self.step()

    async def give(self, name: str, text: str) -> None:
        """Give an input of this issue. Raises ValueError, telling the form that is wanted, and then nothing is kept."""
        wanted = self.issue.inputs.get(name)
        if wanted is None:
            raise ValueError(f"this issue has no input {clean(name, 60)}")
        value = str(wanted.read(text))
        if wanted.kind.secret:
            self._hide(wanted, text)
            self._given[name] = text
            return
        self._given.pop(name, None)
        self._memory[name] = value
        await self._write("input", {"name": name, "value": value})

    def forget(self) -> None:
        """Forget the inputs that are kept in this walk; those of the incident are forgotten by whoever keeps them."""
        for name in self.issue.inputs:
            self._given.pop(name, None)
        for secret in self._hidden:
            self.system.secrets.forget(secret)
        self._hidden.clear()

    def _hide(self, wanted: Input, text: str) -> None:
        """From now on a secret is hidden wherever it turns up."""
        if wanted.kind.secret and wanted.fits(text):
            for secret in {text, str(wanted.read(text))}:
                self._hidden.append(secret)
                self.system.secrets.add(secret, however_short=True)

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
        self._given.pop(last.step, None)
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
        """Let go of questions that still hang, and of secrets."""
        if self._own_readings:
            self._readings.close()
        self.forget()

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
