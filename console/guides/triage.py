"""A quick look at every issue at once, and their order: what fires first, and roots before what they drag along.

A quick look is a walk that makes only cheap checks: one that takes longer, or needs a person, is left out. An issue whose quick
look came to where it cannot be clear any more, and to no end, is then walked whole.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from console.guides.checks.registry import find_check
from console.guides.decisions import Conclusion, StepRecord, StepStatus, Verdict
from console.guides.issue import Cause, Issue, Leaf, Step
from console.guides.readings import Readings
from console.guides.walk import Walk
from console.system import System

LOOK_LIMIT_S = 3.0
"""For one check of a quick look."""
WALK_LIMIT_S = 6.0
"""For the whole walk of a suspicious issue."""
ENOUGH_S = 0.8
"""Who asks what is wrong is told so soon, when something is; only a walk that could find a better answer is waited for."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a quick look at an issue found. `conclusion` None: it was not walked to an end, `left` says what is missing."""

    issue: Issue
    path: tuple[StepRecord, ...] = ()
    conclusion: Conclusion | None = None
    left: str = ""
    suspicious: bool = False
    """Its walk cannot end as clear any more."""
    elapsed_s: float = 0.0
    follows_from: str = ""
    """The cause (`sms.c2.database-down`) of which this one is only a consequence."""

    @property
    def wants_more(self) -> bool:
        """Only the whole walk can tell what is wrong."""
        return self.suspicious and self.conclusion is None

    @property
    def verdict(self) -> Verdict | None:
        return self.conclusion.verdict if self.conclusion else None

    @property
    def cause(self) -> str:
        """The cause that was found, with its issue; empty when none was."""
        found = self.conclusion.cause if self.conclusion else None
        return f"{self.issue.id}.{found.id}" if found else ""


async def look_at(walk: Walk) -> Look:
    """Take a quick look at an issue: nothing is asked, nothing slow is made. What a healthy system answers is asked at once."""
    may_clear = leading_to_clear(walk.issue)
    walk.make_ahead(_healthy_way(walk, may_clear))
    try:
        return await _look(walk, may_clear)
    finally:
        walk.drop_ahead()


async def _look(walk: Walk, may_clear: frozenset[str]) -> Look:
    issue = walk.issue
    suspicious = False
    left = ""
    while walk.current is not None:
        step = issue.steps[walk.current]
        asked = walk.question is not None
        if asked or not _is_cheap(step):
            left = left or (f"asks: {step.title}" if asked else f"takes longer: {step.title}")
            if asked or not walk.leave_out():
                return Look(issue, walk.path, None, left, suspicious)
            continue
        made = await walk.step()
        if made is None:
            break
        suspicious |= made.goal.kind is Leaf.STEP and made.status is StepStatus.OK and made.goal.id not in may_clear
    conclusion = walk.conclusion
    if conclusion is not None and conclusion.verdict is Verdict.UNKNOWN and left and not _unread(walk.path):
        conclusion = None
    return Look(issue, walk.path, conclusion, left, suspicious)


def _healthy_way(walk: Walk, may_clear: frozenset[str]) -> Iterator[str]:
    """The steps that a quick look makes of a healthy system, as far as can be told beforehand."""
    name: str | None = walk.current
    while name is not None:
        step = walk.issue.steps[name]
        onward = [arm for arm in step.arms if arm.goal.id in may_clear and arm.goal.kind is Leaf.STEP]
        if walk.question_at(name) is not None or not _is_cheap(step):
            name = next((arm.goal.id for arm in onward if arm.unknown), None)
            continue
        yield name
        if any(arm.goal.kind is Leaf.CLEAR and arm.condition is None and not arm.unknown for arm in step.arms):
            return
        # Conditions mostly name what is wrong, and so the last way is that on which nothing is.
        name = next((arm.goal.id for arm in reversed(onward) if not arm.unknown), None)


def _is_cheap(step: Step) -> bool:
    check = find_check(step.check.name)
    return check is not None and check.ahead


def leading_to_clear(issue: Issue) -> frozenset[str]:
    """The steps from which a walk can still end as clear: on any other, something is wrong that is only to be named."""
    found: set[str] = set()
    while True:
        more = {
            name
            for name, step in issue.steps.items()
            if any(arm.goal.kind is Leaf.CLEAR or (arm.goal.kind is Leaf.STEP and arm.goal.id in found) for arm in step.arms)
        }
        if more == found:
            return frozenset(found)
        found = more


def _unread(path: Iterable[StepRecord]) -> bool:
    return any(made.status is StepStatus.UNKNOWN for made in path)


async def look_closer(system: System, issue: Issue, readings: Readings, inputs: Mapping[str, str] | None = None) -> Look:
    """A quick look at an issue, and its whole walk when that was suspicious and came to no end."""
    look = await _quick(system, issue, readings, inputs)
    return await _whole(system, look, readings, inputs) if look.wants_more else look


async def look_at_all(
    system: System,
    issues: Sequence[Issue],
    readings: Readings,
    inputs: Mapping[str, Mapping[str, str]],
    *,
    timeout_s: float,
    enough_s: float = ENOUGH_S,
) -> tuple[Look, ...]:
    """A look at each issue, all at once, in the order of `ranked`. `inputs`: what is given, by issue id.

    Once something fires and `enough_s` have passed, whole walks are waited for only as far as they could still change what
    stands first; the issues of the others stay suspicious. One whose quick look takes longer than `timeout_s` is unknown.
    """
    started = time.monotonic()
    looks: dict[str, Look] = {}
    pending = {asyncio.ensure_future(_quick(system, issue, readings, inputs.get(issue.id))): issue for issue in issues}
    try:
        while pending:
            elapsed_s = time.monotonic() - started
            if elapsed_s >= timeout_s or (elapsed_s >= enough_s and not _worth_waiting(looks, pending.values())):
                break
            until_s = min(timeout_s, enough_s if elapsed_s < enough_s else timeout_s)
            done, _ = await asyncio.wait(pending, timeout=until_s - elapsed_s, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                issue = pending.pop(task)
                first_time = issue.id not in looks
                look = looks[issue.id] = task.result()
                if first_time and look.wants_more:
                    pending[asyncio.ensure_future(_whole(system, look, readings, inputs.get(issue.id)))] = issue
    finally:
        for task in pending:
            task.cancel()
    late = Conclusion(Verdict.UNKNOWN, f"The walk was not done within {timeout_s:g} s.")
    return ranked([looks.get(issue.id) or Look(issue, conclusion=late, elapsed_s=timeout_s) for issue in issues])


def _worth_waiting(looks: Mapping[str, Look], pending: Iterable[Issue]) -> bool:
    first = ranked(tuple(looks.values()))[:1]
    return not first or any(issue.id not in looks or may_come_first(issue, first[0]) for issue in pending)


def may_come_first(issue: Issue, first: Look) -> bool:
    """Whether a cause of this issue, when it is found yet, could stand before what is first now."""
    if first.verdict is not Verdict.CAUSE:
        return True
    if first.conclusion is not None and first.conclusion.continues == issue.id:
        return True
    if any(_drags_along(cause, first.cause) for cause in issue.causes.values()):
        return True
    return issue.severity.rank <= first.issue.severity.rank and not _explains(first, issue.id)


async def _quick(system: System, issue: Issue, readings: Readings, inputs: Mapping[str, str] | None) -> Look:
    started = time.monotonic()
    look = await look_at(Walk(issue, system, readings=readings, inputs=inputs, limit_s=LOOK_LIMIT_S))
    return replace(look, elapsed_s=time.monotonic() - started)


async def _whole(system: System, look: Look, readings: Readings, inputs: Mapping[str, str] | None) -> Look:
    """The whole walk of an issue whose quick look was suspicious; what that has read a moment ago is not asked again."""
    started = time.monotonic()
    walk = Walk(look.issue, system, readings=readings, inputs=inputs)
    try:
        conclusion = await asyncio.wait_for(walk.finish(), WALK_LIMIT_S)
    except TimeoutError:
        return look
    left = look.left if conclusion is None else ""
    elapsed_s = look.elapsed_s + time.monotonic() - started
    return replace(look, path=walk.path, conclusion=conclusion, left=left, elapsed_s=elapsed_s)


def ranked(looks: Sequence[Look]) -> tuple[Look, ...]:
    """Causes first: roots before what they explain, then by severity, then by how much they explain; then what wants a
    closer look, what could not be read, and what is clear or was not walked to the end."""
    found = {look.cause: look for look in looks if look.cause}
    roots = dict(_explained(found))
    named = [replace(look, follows_from=_root(look, found, roots)) for look in looks]
    reach = {cause: sum(1 for look in named if look.follows_from == cause) for cause in found}

    def key(look: Look) -> tuple[int, bool, int, int, str]:
        order = 1 if look.wants_more else _ORDER[look.verdict]
        return order, bool(look.follows_from), look.issue.severity.rank, -reach.get(look.cause, 0), look.issue.id

    return tuple(sorted(named, key=key))


_ORDER: Mapping[Verdict | None, int] = {
    Verdict.CAUSE: 0,
    Verdict.ESCALATE: 1,
    Verdict.UNKNOWN: 2,
    None: 3,
    Verdict.CLEAR: 4,
}


def _root(look: Look, found: Mapping[str, Look], roots: Mapping[str, str]) -> str:
    """The cause from which a look's outcome follows: also one that names no cause, when a root explains its whole issue."""
    if look.cause:
        return roots.get(look.cause, "")
    if look.verdict not in (Verdict.ESCALATE, Verdict.UNKNOWN):
        return ""
    return next((cause for cause in found if cause not in roots and _explains(found[cause], look.issue.id)), "")


def _explained(found: Mapping[str, Look]) -> Iterator[tuple[str, str]]:
    """Each cause that another one explains, with the root of its chain. Of two that explain each other neither follows."""
    above = {cause: next((root for root in found if root != cause and _explains(found[root], cause)), "") for cause in found}
    for cause, look in found.items():
        continues = look.conclusion.continues if look.conclusion else ""
        below = next((other for other in found if continues and other.startswith(f"{continues}.")), "")
        if below:
            above[cause] = below
    for cause in found:
        way = [cause]
        while above.get(way[-1]) and above[way[-1]] not in way:
            way.append(above[way[-1]])
        if len(way) > 1 and not above.get(way[-1]):
            yield cause, way[-1]


def _explains(look: Look, cause: str) -> bool:
    found = look.conclusion.cause if look.conclusion else None
    return found is not None and _drags_along(found, cause)


def _drags_along(root: Cause, cause: str) -> bool:
    return any(cause == name or cause.startswith(f"{name}.") for name in root.explains)
