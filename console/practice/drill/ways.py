"""The ways through trees: the shortest one to a cause, and those that the trainee walked. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console.guides.issue import Arm, Issue, Leaf
from console.practice.drill.review import Walked, Way, WayStep
from console.practice.drill.round_clock import RoundClock, when
from console.practice.drill.rounds import Entry
from console.text import clean


def shortest_way(issue: Issue, cause: str) -> tuple[WayStep, ...]:
    """The fewest steps from the tree's start to a cause; ways over what could not be read only when there is no other."""
    for arms_for_unknown in (False, True):
        way = _search(issue, cause, arms_for_unknown=arms_for_unknown)
        if way:
            return tuple(WayStep(step, issue.steps[step].title, str(arm)) for step, arm in way)
    return ()


def _search(issue: Issue, cause: str, *, arms_for_unknown: bool) -> list[tuple[str, Arm]]:
    """Breadth first: the first way that comes to the cause is a shortest one."""
    came: dict[str, list[tuple[str, Arm]]] = {issue.start: []}
    waiting = [issue.start]
    while waiting:
        name = waiting.pop(0)
        for arm in issue.steps[name].arms:
            if arm.unknown and not arms_for_unknown:
                continue
            if arm.goal.kind is Leaf.CAUSE and arm.goal.id == cause:
                return [*came[name], (name, arm)]
            if arm.goal.kind is Leaf.STEP and arm.goal.id not in came:
                came[arm.goal.id] = [*came[name], (name, arm)]
                waiting.append(arm.goal.id)
    return []


@dataclass
class WalkTold:
    """A walk as the trainee's entries tell it. `ended` is the cause, or the verdict without one; empty when it was left."""

    issue: str
    began_at: float
    until_at: float
    steps: list[Entry] = field(default_factory=list)
    ended: str = ""


def walks_told(trainee: Sequence[Entry]) -> list[WalkTold]:
    """The walks, in the order in which they began. A step that was taken back is not part of a walk any more."""
    found: list[WalkTold] = []
    last: dict[str, WalkTold] = {}
    for entry in trainee:
        issue, at = entry.get("issue"), when(entry)
        if not isinstance(issue, str) or at is None:
            continue
        kind = entry.get("kind")
        if kind == "walk_begins" or (kind == "step" and issue not in last):
            last[issue] = WalkTold(clean(issue, 60), at, at)
            found.append(last[issue])
        walk = last.get(issue)
        if walk is None:
            continue
        if kind in ("walk_begins", "step", "conclusion", "back", "override", "note"):
            walk.until_at = max(walk.until_at, at)
        if kind == "step":
            walk.steps.append(entry)
        elif kind == "back" and walk.steps:
            walk.steps.pop()
            walk.ended = ""
        elif kind == "override" and walk.steps:
            walk.steps[-1] = {**walk.steps[-1], "branch": entry.get("branch"), "overridden": True}
        elif kind == "conclusion":
            walk.ended = clean(str(entry.get("cause") or entry.get("verdict") or ""), 60)
    return [walk for walk in found if walk.steps]


def walked_of(walks: Sequence[WalkTold], issues: Mapping[str, Issue], clock: RoundClock) -> tuple[Walked, ...]:
    """Each walk in a line."""
    return tuple(
        Walked(
            issue=walk.issue,
            title=issues[walk.issue].title if walk.issue in issues else "",
            began_s=clock.passed_s(walk.began_at),
            took_s=clock.passed_s(walk.until_at) - clock.passed_s(walk.began_at),
            steps=len(walk.steps),
            ended=walk.ended,
        )
        for walk in walks
    )


def way_of(cause: str, walks: Sequence[WalkTold], issues: Mapping[str, Issue], clock: RoundClock) -> Way:
    """How a cause (`<issue>.<cause>`) is found, beside the walk of its tree that found it, or else the longest one made there."""
    issue_id, _, name = cause.rpartition(".")
    issue = issues.get(issue_id)
    here = [walk for walk in walks if walk.issue == issue_id]
    found = [walk for walk in here if walk.ended == name]
    best = found[0] if found else max(here, key=lambda walk: len(walk.steps), default=None)
    known = issue is not None and name in issue.causes
    return Way(
        cause=cause,
        summary=issue.causes[name].summary if issue is not None and known else "",
        issue_title=issue.title if issue is not None else "",
        shortest=shortest_way(issue, name) if issue is not None and known else (),
        taken=tuple(_taken(entry, issue) for entry in best.steps) if best else (),
        began_s=clock.passed_s(here[0].began_at) if here else None,
        notes=issue.causes[name].notes if issue is not None and known else "",
    )


def _taken(entry: Entry, issue: Issue | None) -> WayStep:
    step = clean(str(entry.get("step") or "?"), 60)
    title = issue.steps[step].title if issue is not None and step in issue.steps else step
    chosen = " (chosen by hand)" if entry.get("overridden") else ""
    return WayStep(step, title, clean(str(entry.get("branch") or "?"), 200) + chosen)
