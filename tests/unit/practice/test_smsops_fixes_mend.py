"""Operations of the student system: a cause is gone after its fixes, each seen to hold; a fix that cannot help does not."""

import pytest
from mending import expect_left, expect_mended, mend
from test_every_cause import ISSUES, stack, told, walk
from turned_clock import Clock

from console.guides.fixes.verify import VerifyState
from console.guides.walk import Verdict

MENDS = {
    "smsops.a1.backend-down": ("start-backend",),
    "smsops.a1.database-down": ("start-database",),
    "smsops.a1.error-storm": ("restart-backend",),
    "smsops.a2.slow-query": ("create-index",),
    "smsops.a2.connections": ("end-long-idle", "restart-backend"),
    "smsops.a2.cache-ineffective": ("more-cache",),
    "smsops.r1.port-conflict": ("end-process", "start"),
    "smsops.r2.limit-too-low": ("raise-backend",),
    "smsops.r2.too-many-connections": ("end-idle",),
    "smsops.r3.long-query": ("cancel-long",),
    "smsops.r3.blocked": ("end-blocker",),
    "smsops.r3.stale-statistics": ("vacuum",),
    "smsops.r3.missing-index": ("create-index",),
}
HELPS_FOR_NOW = {"smsops.r2.leak": "restart-backend"}
DOES_NOT_MEND = {
    "smsops.a3.server-errors": "restart-backend",
    "smsops.a3.recent-deploy": "restart-backend",
    "smsops.r3.stale-statistics": "analyze",
}


@pytest.mark.parametrize("fault", MENDS)
async def test_its_fixes_mend_it_and_each_is_seen_to_hold(fault: str, clock: Clock) -> None:
    await expect_mended(fault, MENDS[fault], clock, after_s=310)


@pytest.mark.parametrize("fault", HELPS_FOR_NOW)
async def test_a_restart_gives_time_before_a_leak_is_full_again(fault: str, clock: Clock) -> None:
    issue = ISSUES[fault.rpartition(".")[0]]
    system = stack(issue, fault, clock)
    await system.open()
    assert await mend(issue, HELPS_FOR_NOW[fault], system, fault, clock) is VerifyState.HELD
    clock.passes(20)
    assert (await walk(issue, system, fault, clock))[0].verdict is Verdict.CLEAR
    clock.passes(190)
    after, walking = await walk(issue, system, fault, clock)
    assert after.cause is not None, told(after, walking)
    assert f"{issue.id}.{after.cause.id}" == fault
    await system.aclose()


@pytest.mark.parametrize("fault", DOES_NOT_MEND)
async def test_a_fix_that_cannot_help_leaves_the_cause(fault: str, clock: Clock) -> None:
    await expect_left(fault, DOES_NOT_MEND[fault], clock, after_s=70)
