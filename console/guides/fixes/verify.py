"""After a fix: the check is made again until its condition has held for its time, or the time is up."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from console.guides.checks import run_check
from console.guides.conditions import evaluate
from console.guides.issue import Fix
from console.guides.readings import Readings
from console.system import System

EVERY_S = 1.0


class VerifyState(StrEnum):
    WAITING = "waiting"
    """The condition does not hold, or could not be checked, yet."""
    HOLDING = "holding"
    HELD = "held"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verification:
    """How it stands. `since_s`: seconds since the condition began to hold (HOLDING, HELD), or since the fix was made."""

    state: VerifyState
    since_s: float
    text: str
    """What the last check saw, for showing."""
    for_s: float = 0.0
    within_s: float = 0.0


async def verify_fix(
    system: System,
    fix: Fix,
    *,
    clock: Callable[[], float] | None = None,
    sleep: Callable[[float], Awaitable[None]] | None = None,
) -> AsyncIterator[Verification]:
    """Tell each time the check was made how it stands; the last one is HELD or FAILED. Ends at once without a `verify`.

    A check that cannot be made is not a condition that holds: the time that it has held begins anew.
    """
    if fix.verify is None:
        return
    wanted = fix.verify
    clock, sleep = clock or system.elapsed, sleep or system.pause
    began = clock()
    holds_since: float | None = None
    while True:
        readings = Readings(system)
        try:
            outcome = await run_check(wanted.check, readings, limit_s=min(3.0, wanted.within_s))
        finally:
            readings.close()
        now = clock()
        holds = evaluate(wanted.holds, outcome.facts)
        text = outcome.headline if outcome.failure is None else str(outcome.failure)
        if holds is not True:
            holds_since = None
        elif holds_since is None:
            holds_since = now
        if holds_since is not None and now - holds_since >= wanted.for_s:
            yield Verification(VerifyState.HELD, now - holds_since, text, wanted.for_s, wanted.within_s)
            return
        if now - began >= wanted.within_s:
            yield Verification(VerifyState.FAILED, now - began, text, wanted.for_s, wanted.within_s)
            return
        if holds_since is not None:
            yield Verification(VerifyState.HOLDING, now - holds_since, text, wanted.for_s, wanted.within_s)
        else:
            yield Verification(VerifyState.WAITING, now - began, text, wanted.for_s, wanted.within_s)
        await sleep(EVERY_S)
