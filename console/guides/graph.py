"""The tree as a whole: every part is reached, nothing goes in a circle, no way is too long to keep in the head."""

from collections.abc import Iterator, Mapping

from console.guides.issue import Cause, Fix, Leaf, Step
from console.guides.yaml_lines import Document
from console.problem import Problem

MAX_STEPS = 7
"""Steps on one way. The more one has to jump, the more errors one makes (research: NASA, electronic checklists)."""


def graph_problems(
    document: Document, start: str, steps: Mapping[str, Step | None], causes: Mapping[str, Cause], fixes: Mapping[str, Fix]
) -> Iterator[Problem]:
    """What is wrong with a tree whose parts are each right."""
    if start not in steps:
        yield document.problem(("start",), f"there is no step {start!r}", f"There are: {', '.join(steps)}.")
        return
    ways = {name: _next(step) for name, step in steps.items() if step is not None}
    circle = _circle(ways, start)
    if circle:
        yield document.problem(("steps", circle[0]), f"the walk goes in a circle: {' → '.join(circle)}", key=True)
        return
    reached = _reached(ways, start)
    for name in steps:
        if name not in reached:
            yield document.problem(
                ("steps", name), f"no way leads to the step {name!r}", "Remove it, or lead a branch to it.", key=True
            )
    ends = {arm.goal.id for name in reached if (step := steps[name]) for arm in step.arms if arm.goal.kind is Leaf.CAUSE}
    for name in causes:
        if name not in ends:
            yield document.problem(
                ("causes", name), f"no branch finds the cause {name!r}", "Remove it, or lead one to it.", key=True
            )
        if name in steps:
            yield document.problem(("causes", name), f"{name!r} is a step and a cause", "Rename one of them.", key=True)
    offered = {fix for cause in causes.values() for fix in cause.fixes}
    for name in fixes:
        if name not in offered:
            yield document.problem(
                ("fixes", name), f"no cause offers the fix {name!r}", "Remove it, or name it in a cause.", key=True
            )
    longest = _longest(ways, start)
    if longest > MAX_STEPS:
        yield document.problem(
            ("start",), f"one way is {longest} steps long", f"Keep it to {MAX_STEPS}: merge checks or split the issue."
        )


def longest_way(start: str, steps: Mapping[str, Step]) -> int:
    """Steps on the longest way from the start of a tree without a circle."""
    return _longest({name: _next(step) for name, step in steps.items()}, start)


def _next(step: Step) -> tuple[str, ...]:
    return tuple(dict.fromkeys(arm.goal.id for arm in step.arms if arm.goal.kind is Leaf.STEP))


def _reached(ways: Mapping[str, tuple[str, ...]], start: str) -> set[str]:
    found: set[str] = set()
    left = [start]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left.extend(ways[name])
    return found


def _circle(ways: Mapping[str, tuple[str, ...]], start: str) -> tuple[str, ...]:
    """A way that comes back to where it was, or nothing."""
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> tuple[str, ...]:
        if name in way:
            return (*way[way.index(name) :], name)
        if name in done:
            return ()
        for following in ways[name]:
            circle = visit(following, (*way, name))
            if circle:
                return circle
        done.add(name)
        return ()

    return visit(start, ())


def _longest(ways: Mapping[str, tuple[str, ...]], start: str) -> int:
    lengths: dict[str, int] = {}

    def length(name: str) -> int:
        if name not in lengths:
            lengths[name] = 1 + max((length(following) for following in ways[name]), default=0)
        return lengths[name]

    return length(start)
