"""Makes the fixes of a cause on a simulated stack as a person would, and looks whether they mend it."""

from collections.abc import Mapping, Sequence

from test_every_cause import ISSUES, stack, told, walk
from turned_clock import Clock

from console.guides.fixes import apply_fix, preview_fix, verify_fix
from console.guides.fixes.verify import VerifyState
from console.guides.issue import Issue
from console.guides.walk import Verdict, Walk
from console.practice.simulated.faults import replies_of
from console.system import System


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


async def expect_mended(fault: str, fixes: Sequence[str], clock: Clock, *, after_s: float) -> None:
    """The cause offers these fixes, each is seen to hold, and so long after them the walk is clear."""
    issue = ISSUES[fault.rpartition(".")[0]]
    system = stack(issue, fault, clock)
    conclusion, _ = await walk(issue, system, fault, clock)
    assert conclusion.cause is not None
    assert set(fixes) <= set(conclusion.cause.fixes)
    for name in fixes:
        assert await mend(issue, name, system, fault, clock) is VerifyState.HELD, name
    clock.passes(after_s)
    after, walking = await walk(issue, system, fault, clock)
    assert after.verdict is Verdict.CLEAR, told(after, walking)
    await system.aclose()


async def expect_left(fault: str, fix: str, clock: Clock, *, after_s: float = 0.0, seen: VerifyState | None = None) -> None:
    """So long after this fix the walk still names the cause; `seen`: how watching the fix ends, None where either may be."""
    issue = ISSUES[fault.rpartition(".")[0]]
    system = stack(issue, fault, clock)
    await system.open()
    state = await mend(issue, fix, system, fault, clock)
    assert seen in (None, state)
    clock.passes(after_s)
    after, walking = await walk(issue, system, fault, clock)
    assert after.cause is not None, told(after, walking)
    assert f"{issue.id}.{after.cause.id}" == fault
    await system.aclose()
