"""The student management system: a cause is gone after its fixes, each of which is seen to hold; others leave it."""

import pytest
from test_every_cause import ISSUES, stack, told, walk
from test_sovd_fixes_mend import mend
from turned_clock import Clock

from console.guides.fixes.verify import VerifyState
from console.guides.walk import Verdict

MENDS = {
    "sms.h1.no-users": ("seed",),
    "sms.h2.stale-cache": ("delete-key",),
    "sms.h2.permission-missing": ("grant",),
    "sms.h3.no-data": ("seed",),
    "sms.h3.outside-semester": ("set-semester",),
    "sms.h3.permission-missing": ("grant",),
    "sms.m1.slow-query": ("analyze",),
    "sms.m1.missing-index": ("create-indexes",),
    "sms.m1.resource-saturated": ("restart-backend",),
    "sms.m1.cache-ineffective": ("raise-container", "raise-maxmemory"),
    "sms.m2.lock-contention": ("end-blocker",),
}
DOES_NOT_MEND = {
    "sms.h2.no-data": "seed",
    "sms.h2.permission-missing": "delete-key",
    "sms.m1.resource-saturated": "raise-memory",
    "sms.m1.cache-ineffective": "raise-container",
    "sms.m2.resource-limit": "restart-backend",
}


@pytest.mark.parametrize("fault", MENDS)
async def test_its_fixes_mend_it_and_each_is_seen_to_hold(fault: str, clock: Clock) -> None:
    issue = ISSUES[fault.rpartition(".")[0]]
    system = stack(issue, fault, clock)
    conclusion, _ = await walk(issue, system, fault, clock)
    assert conclusion.cause is not None
    assert set(MENDS[fault]) <= set(conclusion.cause.fixes)
    for name in MENDS[fault]:
        assert await mend(issue, name, system, fault, clock) is VerifyState.HELD, name
    clock.passes(150)
    after, walking = await walk(issue, system, fault, clock)
    assert after.verdict is Verdict.CLEAR, told(after, walking)
    await system.aclose()


@pytest.mark.parametrize("fault", DOES_NOT_MEND)
async def test_a_fix_that_cannot_help_leaves_the_cause(fault: str, clock: Clock) -> None:
    issue = ISSUES[fault.rpartition(".")[0]]
    system = stack(issue, fault, clock)
    await system.open()
    await mend(issue, DOES_NOT_MEND[fault], system, fault, clock)
    clock.passes(200)
    after, walking = await walk(issue, system, fault, clock)
    assert after.cause is not None, told(after, walking)
    assert f"{issue.id}.{after.cause.id}" == fault
    await system.aclose()
