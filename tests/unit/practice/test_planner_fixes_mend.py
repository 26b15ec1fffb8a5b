"""The planner's app, database and containers: a cause is gone after its fixes; a fix that cannot help is seen not to."""

import pytest
from mending import expect_left, expect_mended
from test_every_cause import ISSUES, stack
from turned_clock import Clock

from console.guides.fixes import preview_fix
from console.guides.fixes.verify import VerifyState

MENDS = {
    "planner.a2.migration-pending": ("upgrade",),
    "planner.a2.database-unreachable": ("start-database",),
    "planner.a2.redis-unreachable": ("start-redis",),
    "planner.a3.slow-query": ("analyze",),
    "planner.a3.cache-not-working": ("more-cache",),
    "planner.d1.not-running": ("start",),
    "planner.d1.not-initialised": ("upgrade",),
    "planner.d2.index-corrupt": ("reindex",),
    "planner.d3.docker-garbage": ("prune-images",),
    "planner.d3.old-backups": ("remove-old",),
    "planner.d3.bloat": ("vacuum",),
    "planner.k1.health-check-failing": ("restart",),
    "planner.k1.out-of-memory": ("raise-memory",),
}
DOES_NOT_MEND = {
    "planner.a1.database-unreachable": "restart-app",
    "planner.a2.redis-unreachable": "restart-app-for-redis",
    "planner.a2.database-unreachable": "restart-app",
    "planner.k1.crash-loop": "restart",
}
HITS_NOTHING = {
    "planner.a1.database-unreachable": ("start-database",),
    "planner.a3.slow-query": ("create-index",),
    "planner.d3.docker-garbage": ("prune-containers", "start-again"),
}


@pytest.mark.parametrize("fault", MENDS)
async def test_its_fixes_mend_it_and_each_is_seen_to_hold(fault: str, clock: Clock) -> None:
    await expect_mended(fault, MENDS[fault], clock, after_s=90)


@pytest.mark.parametrize("fault", DOES_NOT_MEND)
async def test_a_fix_that_cannot_help_is_seen_to_fail_and_leaves_the_cause(fault: str, clock: Clock) -> None:
    await expect_left(fault, DOES_NOT_MEND[fault], clock, seen=VerifyState.FAILED)


@pytest.mark.parametrize(("fault", "name"), [(fault, name) for fault, names in HITS_NOTHING.items() for name in names])
async def test_a_fix_with_nothing_to_do_says_so(fault: str, name: str, clock: Clock) -> None:
    issue = ISSUES[fault.rpartition(".")[0]]
    system = stack(issue, fault, clock)
    await system.open()
    preview = await preview_fix(system, issue.fixes[name])
    assert preview.empty
    await system.aclose()


async def test_stopped_containers_of_the_system_itself_are_not_deleted(clock: Clock) -> None:
    issue = ISSUES["planner.d3"]
    system = stack(issue, "planner.d1.not-running", clock)
    await system.open()
    preview = await preview_fix(system, issue.fixes["prune-containers"])
    assert "planner-db-1" in preview.empty
    assert not preview.can_apply
    await system.aclose()
