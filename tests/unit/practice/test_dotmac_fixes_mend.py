"""The ISP platform: a cause is gone after its fixes, each of which is seen to hold; a fix that cannot help does not."""

import pytest
from mending import expect_left, expect_mended, mend
from test_every_cause import ISSUES, stack
from turned_clock import Clock

from console.guides.fixes.verify import VerifyState

MENDS = {
    "dotmac.s1.wrong-password": ("set-password", "restart-service"),
    "dotmac.s1.database-down": ("start-database", "restart-service"),
    "dotmac.s1.port-blocked": ("open-port", "restart-service"),
    "dotmac.s2.not-running": ("start-redis",),
    "dotmac.u1.locked": ("unlock",),
    "dotmac.u1.inactive": ("activate",),
    "dotmac.p1.missing-index": ("create-indexes", "analyze"),
    "dotmac.p1.slow-query": ("cancel-long",),
    "dotmac.f1.permission": ("set-owner",),
    "dotmac.f1.disk-full": ("remove-old",),
    "dotmac.f1.inodes-exhausted": ("remove-old",),
    "dotmac.i1.duplicates": ("renew",),
    "dotmac.m1.blocked": ("open-port",),
}
DOES_NOT_MEND = {
    "dotmac.s1.wrong-password": ("restart-service", VerifyState.FAILED),
    "dotmac.s2.wrong-address": ("restart-service", VerifyState.FAILED),
    "dotmac.p2.leak": ("restart-service", VerifyState.HELD),
}


@pytest.mark.parametrize("fault", MENDS)
async def test_its_fixes_mend_it_and_each_is_seen_to_hold(fault: str, clock: Clock) -> None:
    await expect_mended(fault, MENDS[fault], clock, after_s=310)


@pytest.mark.parametrize("fault", DOES_NOT_MEND)
async def test_a_fix_that_cannot_help_leaves_the_cause(fault: str, clock: Clock) -> None:
    fix, seen = DOES_NOT_MEND[fault]
    await expect_left(fault, fix, clock, after_s=20, seen=seen)


async def test_who_had_a_portal_id_first_keeps_it_and_nobody_else_is_touched(clock: Clock) -> None:
    issue = ISSUES["dotmac.i1"]
    system = stack(issue, "dotmac.i1.duplicates", clock)
    await system.open()
    await mend(issue, "renew", system, "dotmac.i1.duplicates", clock)
    rows = await system.need_database().select(
        "SELECT id, portal_id FROM customers WHERE id IN (1, 2, 3, 12, 13, 40) ORDER BY id"
    )
    assert {row["id"]: row["portal_id"] for row in rows} == {
        1: "PRT-100001",
        2: "PRT-100002",
        3: "PRT-100003",
        12: "PRT-112001",
        13: "PRT-112002",
        40: "PRT-112003",
    }
    await system.aclose()
