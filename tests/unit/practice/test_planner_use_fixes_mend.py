"""The program planner in use: a cause is gone after its fixes, each of which is seen to hold; a fix that cannot help does not."""

import pytest
from mending import expect_left, expect_mended, mend
from test_every_cause import ISSUES, stack, told, walk
from turned_clock import Clock

from console.guides.fixes import preview_fix
from console.guides.fixes.verify import VerifyState
from console.guides.walk import Verdict, Walk
from console.practice.simulated.faults import replies_of
from console.practice.simulated.furniture import write_certificate

MENDS = {
    "planner.p1.limit-too-low": ("raise-app",),
    "planner.p2.hot-process": ("restart-app",),
    "planner.p3.missing-index": ("create-index",),
    "planner.p3.seq-scan": ("index-scans",),
    "planner.p3.logging-off": ("log-slow",),
    "planner.n1.firewall": ("allow",),
    "planner.u1.hash-mismatch": ("reset",),
    "planner.u2.role-missing": ("open-role",),
    "planner.u2.scope-missing": ("assign-scope",),
}
DOES_NOT_MEND = {
    "planner.n2.expired": "restart-proxy",
    "planner.p3.seq-scan": "analyze",
    "planner.u1.endpoint-failing": "restart-app",
}
HITS_NOTHING = {
    "planner.p1.limit-too-low": ("raise-database", "raise-cache"),
    "planner.u2.scope-missing": ("open-scope",),
    "planner.n1.not-listening": ("start-app",),
}


@pytest.mark.parametrize("fault", MENDS)
async def test_its_fixes_mend_it_and_each_is_seen_to_hold(fault: str, clock: Clock) -> None:
    await expect_mended(fault, MENDS[fault], clock, after_s=20)


async def test_a_role_and_a_scope_given_anew_let_a_user_in_as_well(clock: Clock) -> None:
    fault = "planner.u2.role-missing"
    issue = ISSUES["planner.u2"]
    system = stack(issue, fault, clock)
    await system.open()
    assert await mend(issue, "assign-role", system, fault, clock) is VerifyState.HELD
    assert await mend(issue, "assign-scope", system, fault, clock) is VerifyState.HELD
    after, walking = await walk(issue, system, fault, clock)
    assert after.verdict is Verdict.CLEAR, told(after, walking)
    await system.aclose()


async def test_a_restart_gives_a_leak_time_and_no_end(clock: Clock) -> None:
    fault = "planner.p1.leak"
    issue = ISSUES["planner.p1"]
    system = stack(issue, fault, clock)
    await system.open()
    assert await mend(issue, "restart-app", system, fault, clock) is VerifyState.HELD
    clock.passes(60)
    after, walking = await walk(issue, system, fault, clock)
    assert after.cause is not None, told(after, walking)
    assert after.cause.id == "leak"
    await system.aclose()


@pytest.mark.parametrize("fault", ["expired", "expiring", "chain-incomplete", "name-mismatch"])
async def test_a_certificate_that_was_renewed_is_shown_after_a_restart(fault: str, clock: Clock) -> None:
    issue, fault = ISSUES["planner.n2"], f"planner.n2.{fault}"
    system = stack(issue, fault, clock)
    before, _ = await walk(issue, system, fault, clock)
    write_certificate(system._sources["host"]._world, "web", ends_in_days=89, served=False)
    assert before.cause is not None
    assert await mend(issue, "restart-proxy", system, fault, clock) is VerifyState.HELD
    after, walking = await walk(issue, system, fault, clock)
    assert after.verdict is Verdict.CLEAR, told(after, walking)
    await system.aclose()


@pytest.mark.parametrize("fault", DOES_NOT_MEND)
async def test_a_fix_that_cannot_help_is_seen_to_fail_and_leaves_the_cause(fault: str, clock: Clock) -> None:
    await expect_left(fault, DOES_NOT_MEND[fault], clock, after_s=20, seen=VerifyState.FAILED)


@pytest.mark.parametrize(("fault", "name"), [(fault, name) for fault, names in HITS_NOTHING.items() for name in names])
async def test_a_fix_with_nothing_to_do_says_so(fault: str, name: str, clock: Clock) -> None:
    issue = ISSUES[fault.rpartition(".")[0]]
    system = stack(issue, fault, clock)
    await system.open()
    walking = Walk(issue, system, inputs=replies_of(fault, system.config)[1], clock=clock)
    preview = await preview_fix(system, walking.bound(issue.fixes[name]))
    assert preview.empty
    walking.close()
    await system.aclose()
