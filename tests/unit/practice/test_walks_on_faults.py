"""Every critical fault is named by the walk that it belongs to, and mended by the fix that the walk offers."""

from collections.abc import Callable, Mapping

import pytest
from turned_clock import Clock

from console.guides.fixes import apply_fix, preview_fix
from console.guides.issue import Issue
from console.guides.loader import load_issues
from console.guides.walk import Conclusion, Verdict, Walk
from console.practice.simulated.system import fault_ids
from console.system import System

Stack = Callable[..., System]
ISSUES = {issue.id: issue for issue in load_issues(("sms",)) if issue.severity == "critical"}
FAULTS = tuple(fault for fault in fault_ids() if fault.startswith("sms.c"))

MENDS = {
    "sms.c1.container-down": ("start-down",),
    "sms.c1.container-unhealthy": ("restart-unhealthy",),
    "sms.c1.disk-nearly-full": ("remove-old-backups",),
    "sms.c1.port-conflict": ("end-process", "start-down-after-port"),
    "sms.c2.database-down": ("start-database",),
    "sms.c2.pool-exhausted": ("end-long-idle", "restart-backend"),
    "sms.c2.disk-full": ("remove-old-backups",),
    "sms.c3.out-of-memory": ("raise-memory",),
    "sms.c3.migration-failed": ("roll-back",),
}
DOES_NOT_MEND = {
    "sms.c3.out-of-memory": "restart-backend",
    "sms.c3.migration-failed": "restart-backend",
    "sms.c3.unhandled-exception": "restart-backend",
}


def issue_of(fault: str) -> Issue:
    return ISSUES[fault.rpartition(".")[0]]


async def walk(issue: Issue, system: System, clock: Clock) -> Conclusion:
    await system.open()
    walking = Walk(issue, system, clock=clock)
    try:
        conclusion = await walking.finish()
    finally:
        walking.close()
    assert conclusion is not None
    return conclusion


async def mend(issue: Issue, fix: str, system: System) -> None:
    async def record(kind: str, details: Mapping[str, object]) -> None:
        """These changes need no journal."""

    chosen = issue.fixes[fix]
    preview = await preview_fix(system, chosen)
    assert not preview.empty
    applied = await apply_fix(system, chosen, preview, record)
    assert applied.done, applied


async def named(fault: str, system: System, clock: Clock) -> str:
    """The fault that its issue's walk names."""
    conclusion = await walk(issue_of(fault), system, clock)
    assert conclusion.verdict is Verdict.CAUSE
    assert conclusion.cause is not None
    return f"{issue_of(fault).id}.{conclusion.cause.id}"


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in {**MENDS, **DOES_NOT_MEND}])
async def test_the_walk_names_the_cause(fault: str, stack: Stack, clock: Clock) -> None:
    assert await named(fault, stack(fault), clock) == fault


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_on_a_healthy_stack_every_walk_is_clear(seed: int, stack: Stack, clock: Clock) -> None:
    system = stack(seed=seed)
    verdicts = {issue.id: (await walk(issue, system, clock)).verdict for issue in ISSUES.values()}
    assert set(verdicts.values()) == {Verdict.CLEAR}, verdicts


@pytest.mark.parametrize("fault", MENDS)
async def test_the_walk_names_the_cause_and_its_fix_mends_it(fault: str, stack: Stack, clock: Clock) -> None:
    system, issue = stack(fault), issue_of(fault)
    assert await named(fault, system, clock) == fault
    for fix in MENDS[fault]:
        await mend(issue, fix, system)
    clock.passes(90)
    assert (await walk(issue, system, clock)).verdict is Verdict.CLEAR
    assert (await system.need_endpoints().get("health")).status == 200


@pytest.mark.parametrize("fault", DOES_NOT_MEND)
async def test_a_restart_is_no_cure_for_a_crash_loop(fault: str, stack: Stack, clock: Clock) -> None:
    system = stack(fault)
    assert await named(fault, system, clock) == fault
    await mend(issue_of(fault), DOES_NOT_MEND[fault], system)
    clock.passes(27)
    assert await named(fault, system, clock) == fault
