"""After a fix its condition must hold for its time, without a break, within its limit."""

import pytest
from guide_stack import Stack, session, timed_out

from console.guides.fixes import Verification, VerifyState, verify_fix
from console.guides.loader import load_issues

FIX = load_issues(("sms",), ("c2",))[0].fixes["end-idle"]


class Time:
    """A clock that a sleep turns on, and that changes the stack at given seconds."""

    def __init__(self, stack: Stack, used_at: dict[int, int | None]) -> None:
        self.now = 0.0
        self._stack = stack
        self._used_at = used_at
        self._set()

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self._set()

    def _set(self) -> None:
        if int(self.now) in self._used_at:
            used = self._used_at[int(self.now)]
            self._stack.database.failure = timed_out("PostgreSQL") if used is None else None
            self._stack.database.sessions = [session(number) for number in range(1, (used or 0) + 1)]


async def verified(used_at: dict[int, int | None]) -> list[Verification]:
    stack = Stack()
    time = Time(stack, used_at)
    return [now async for now in verify_fix(stack.system, FIX, clock=time.clock, sleep=time.sleep)]


async def test_a_condition_that_holds_from_the_start_is_held_after_its_time() -> None:
    found = await verified({0: 5})

    assert [item.state for item in found] == [VerifyState.HOLDING] * 5 + [VerifyState.HELD]
    assert (found[3].since_s, found[3].for_s, found[3].within_s) == (3.0, 5.0, 30.0)
    assert found[0].text == "7 of 40 connections are used (18 %)."


async def test_a_break_begins_the_time_anew() -> None:
    found = await verified({0: 5, 3: 38, 5: 5})

    assert [item.state for item in found[3:6]] == [VerifyState.WAITING, VerifyState.WAITING, VerifyState.HOLDING]
    assert found[-1].state is VerifyState.HELD
    assert len(found) == 11


@pytest.mark.parametrize("used", [38, None])
async def test_what_never_holds_or_cannot_be_read_fails_in_time(used: int | None) -> None:
    found = await verified({0: used})

    assert found[-1].state is VerifyState.FAILED
    assert found[-1].since_s == 30.0


async def test_an_answer_that_stops_coming_does_not_count_as_holding() -> None:
    found = await verified({0: 5, 4: None})

    assert found[4].state is VerifyState.WAITING
    assert found[-1].state is VerifyState.FAILED


async def test_what_is_only_shown_has_nothing_to_verify() -> None:
    fix = load_issues(("sms",), ("c2",))[0].fixes["show-login"]

    assert [item async for item in verify_fix(Stack().system, fix)] == []
