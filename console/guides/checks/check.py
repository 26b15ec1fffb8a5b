"""What a check is, what it finds, and how it is made under a time limit without ever raising."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any

from pydantic import BaseModel

from console.config import SystemConfig
from console.guides.inputs import not_given
from console.guides.issue import CheckCall
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.engine import LogLine

FactValue = bool | int | float | str | None
Facts = Mapping[str, FactValue]


class FactType(StrEnum):
    BOOL = "bool"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Fact:
    """A named result of a check. `choices`: every value that a text may have, empty when it is free."""

    name: str
    type: FactType
    meaning: str
    unit: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check saw. A fact that is left out, or None, could not be read: `unread` says why. Texts are clean."""

    facts: Facts
    headline: str
    """One sentence: what the answer to the step's question is."""
    evidence: tuple[str, ...] = ()
    unread: tuple[Failure, ...] = ()
    """What could not be read although the check itself was made."""
    log_line: LogLine | None = None
    """The line of a log that decided, for going to it in that log."""


@dataclass(frozen=True, slots=True)
class Check:
    """A kind of question. `command` derives what a person would type from configuration and parameters."""

    name: str
    title: str
    parameters: type[BaseModel]
    facts: tuple[Fact, ...]
    command: Callable[[SystemConfig, Any], str]
    make: Callable[[Readings, Any], Awaitable[Findings]]
    facts_for: Callable[[Any], tuple[Fact, ...]] | None = None
    """Facts that depend on the parameters (the answers of an `ask`); None: always `facts`."""
    ahead: bool = True
    """Cheap enough to be made before it is known whether it is needed."""
    more_s: float = 0.0
    """Beyond the ordinary limit of a check, for what must be looked at more than once."""

    def declared(self, parameters: BaseModel) -> Mapping[str, Fact]:
        """The facts of a call by name."""
        facts = self.facts_for(parameters) if self.facts_for else self.facts
        return {fact.name: fact for fact in facts}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A check that was made, or could not be: every declared fact is there, None when it is unknown."""

    facts: Facts
    headline: str
    evidence: tuple[str, ...] = ()
    unread: tuple[Failure, ...] = ()
    failure: Failure | None = None
    elapsed_s: float = 0.0
    declared: Mapping[str, Fact] = field(default_factory=dict)
    log_line: LogLine | None = None


async def run_check(call: CheckCall, readings: Readings, *, limit_s: float = 3.0, shared: bool = False) -> Outcome:
    """Make a check. Never raises for what the world does: a source that fails or is out of time leaves its facts unknown.

    `shared`: steps that ask the same at the same time share the answer. Not for a check with inputs, which may be secrets.
    """
    from console.guides.checks.registry import find_check

    check = find_check(call.name)
    if check is None:
        raise KeyError(call.name)
    if call.needs:
        return not_made(call, not_given(call.needs[0].name))
    declared = check.declared(call.parameters)
    started = time.monotonic()
    make = partial(_call, check, call.parameters, readings)
    if shared:
        make = partial(readings.share, ("check", check.name, repr(call.parameters)), make)
    findings, failure = await _make(check, make, limit_s + check.more_s)
    elapsed_s = time.monotonic() - started
    hide = readings.system.secrets.hide
    if findings is None:
        failure = _hidden(failure, hide) if failure else None
        return Outcome(dict.fromkeys(declared), failure.message if failure else "", (), (), failure, elapsed_s, declared)
    values = {name: findings.facts.get(name) for name in declared}
    facts = {name: hide(value) if isinstance(value, str) else value for name, value in values.items()}
    evidence = tuple(map(hide, findings.evidence))
    unread = tuple(_hidden(item, hide) for item in findings.unread)
    return Outcome(facts, hide(findings.headline), evidence, unread, None, elapsed_s, declared, findings.log_line)


def not_made(call: CheckCall, failure: Failure | None) -> Outcome:
    """The outcome of a check that was not made: every fact is unknown. `failure`: why not; None when it was left out."""
    from console.guides.checks.registry import find_check

    check = find_check(call.name)
    declared = check.declared(call.parameters) if check else {}
    return Outcome(dict.fromkeys(declared), failure.message if failure else "", failure=failure, declared=declared)


def _hidden(failure: Failure, hide: Callable[[str], str]) -> Failure:
    return replace(failure, message=hide(failure.message), advice=hide(failure.advice))


async def _make(
    check: Check, make: Callable[[], Coroutine[Any, Any, Findings]], limit_s: float
) -> tuple[Findings | None, Failure | None]:
    task = asyncio.ensure_future(make())
    try:
        await asyncio.wait({task}, timeout=limit_s)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not task.done():
        # It is left behind, not awaited: some drivers take seconds to notice that they are cancelled.
        task.cancel()
        task.add_done_callback(_look)
        message = f"The check {check.name} was not answered within {limit_s:g} s."
        return None, Failure(FailureKind.TIMEOUT, message, "The source may be frozen or overloaded: `triage doctor` tells which.")
    try:
        return task.result(), None
    except asyncio.CancelledError:
        return None, Failure(FailureKind.LOST, f"The check {check.name} was given up.")
    except SourceError as error:
        return None, error.failure
    except Exception as error:
        # A defect of ours must leave one step unknown, not end the program in the middle of an incident.
        message = f"The check {check.name} failed in an unexpected way: {type(error).__name__}."
        return None, Failure(FailureKind.GARBAGE, message, "Please report this.")


def _look(task: "asyncio.Task[Findings]") -> None:
    """A late answer must not be reported as an exception that was never looked at."""
    if not task.cancelled():
        task.exception()


async def _call(check: Check, parameters: BaseModel, readings: Readings) -> Findings:
    return await check.make(readings, parameters)
