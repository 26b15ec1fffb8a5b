"""Vehicle diagnostics: a cause is gone after its fixes, each of which is seen to hold; a fix that cannot help does not."""

import pytest
from mending import expect_left, expect_mended, mend
from test_every_cause import ISSUES, stack
from turned_clock import Clock

from console.guides.fixes.verify import VerifyState

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


@pytest.mark.parametrize("fault", MENDS)
async def test_its_fixes_mend_it_and_each_is_seen_to_hold(fault: str, clock: Clock) -> None:
    await expect_mended(fault, MENDS[fault], clock, after_s=310)


@pytest.mark.parametrize("fault", DOES_NOT_MEND)
async def test_a_fix_that_cannot_help_leaves_the_cause(fault: str, clock: Clock) -> None:
    await expect_left(fault, DOES_NOT_MEND[fault], clock, after_s=20)


async def test_a_user_who_was_made_an_administrator_is_one(clock: Clock) -> None:
    fault = "sovd.s4.needs-role"
    system = stack(ISSUES["sovd.s4"], fault, clock)
    await system.open()
    assert await mend(ISSUES["sovd.s4"], "make-admin", system, fault, clock) is VerifyState.HELD
    await system.aclose()
