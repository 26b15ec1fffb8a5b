"""The student management system: a cause is gone after its fixes, each of which is seen to hold; others leave it."""

import pytest
from mending import expect_left, expect_mended
from turned_clock import Clock

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
    await expect_mended(fault, MENDS[fault], clock, after_s=150)


@pytest.mark.parametrize("fault", DOES_NOT_MEND)
async def test_a_fix_that_cannot_help_leaves_the_cause(fault: str, clock: Clock) -> None:
    await expect_left(fault, DOES_NOT_MEND[fault], clock, after_s=200)
