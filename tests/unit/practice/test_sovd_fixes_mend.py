"""Vehicle diagnostics: a cause is gone after its fixes, each of which is seen to hold; a fix that cannot help does not."""

from collections.abc import Mapping

import pytest
from test_every_cause import ISSUES, stack, told, walk
from turned_clock import Clock

from console.guides.fixes import apply_fix, preview_fix, verify_fix
from console.guides.fixes.verify import VerifyState
from console.guides.issue import Issue
from console.guides.walk import Verdict, Walk
from console.practice.simulated.faults import replies_of
from console.system import System

MENDS = {
    "sovd.s1.schema-missing": ("initialise", "start-backend"),
    "sovd.s1.database-down": ("start-database", "start-backend"),
    "sovd.s3.redis-down": ("start-redis", "restart-backend"),
    "sovd.s4.over-limit": ("wait",),
    "sovd.s5.database-disconnected": ("start-database",),
    "sovd.s5.redis-disconnected": ("start-redis",),
    "sovd.s5.out-of-memory": ("raise-database",),
    "sovd.s6.port-held": ("end-process", "start-down"),
    "sovd.s7.not-running": ("start-database", "restart-backend"),
    "sovd.s7.database-missing": ("create", "initialise", "restart-backend"),
    "sovd.s7.pool-leak": ("restart-backend",),
    "sovd.s8.not-running": ("start-redis",),
    "sovd.s8.out-of-memory": ("raise-container", "raise-maxmemory"),
}
DOES_NOT_MEND = {
    "sovd.s1.schema-missing": "start-backend",
    "sovd.s5.database-disconnected": "restart-backend",
    "sovd.s8.out-of-memory": "raise-container",
}


async def mend(issue: Issue, name: str, system: System, fault: str, clock: Clock) -> VerifyState:
    """Make the fix as a person would who was asked for its inputs; how its watching ended."""

    async def record(kind: str, details: Mapping[str, object]) -> None:
        """These changes need no journal."""

    _, inputs = replies_of(fault, system.config)
    walking = Walk(issue, system, inputs=inputs, clock=clock)
    fix = walking.bound(issue.fixes[name])
    preview = await preview_fix(system, fix)
    assert not preview.empty, preview.empty
    applied = await apply_fix(system, fix, preview, record)
    assert applied.done, applied
    seen = [now async for now in verify_fix(system, fix, clock=clock, sleep=clock.pause)]
    walking.close()
    return seen[-1].state


@pytest.mark.parametrize("fault", MENDS)
async def test_its_fixes_mend_it_and_each_is_seen_to_hold(fault: str, clock: Clock) -> None:
    issue = ISSUES[fault.rpartition(".")[0]]
    system = stack(issue, fault, clock)
    conclusion, _ = await walk(issue, system, fault, clock)
    assert conclusion.cause is not None
    assert set(MENDS[fault]) <= set(conclusion.cause.fixes)
    for name in MENDS[fault]:
        assert await mend(issue, name, system, fault, clock) is VerifyState.HELD, name
    clock.passes(310)
    after, walking = await walk(issue, system, fault, clock)
    assert after.verdict is Verdict.CLEAR, told(after, walking)
    await system.aclose()


@pytest.mark.parametrize("fault", DOES_NOT_MEND)
async def test_a_fix_that_cannot_help_leaves_the_cause(fault: str, clock: Clock) -> None:
    issue = ISSUES[fault.rpartition(".")[0]]
    system = stack(issue, fault, clock)
    await system.open()
    await mend(issue, DOES_NOT_MEND[fault], system, fault, clock)
    clock.passes(20)
    after, walking = await walk(issue, system, fault, clock)
    assert after.cause is not None, told(after, walking)
    assert f"{issue.id}.{after.cause.id}" == fault
    await system.aclose()


async def test_a_user_who_was_made_an_administrator_is_one(clock: Clock) -> None:
    fault = "sovd.s4.needs-role"
    system = stack(ISSUES["sovd.s4"], fault, clock)
    await system.open()
    assert await mend(ISSUES["sovd.s4"], "make-admin", system, fault, clock) is VerifyState.HELD
    await system.aclose()
