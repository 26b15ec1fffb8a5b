"""The arms of a step seen together: which can never be taken, and which two cross one another.

Every name takes each value that the conditions tell apart (of a number: each bound, and what lies between); an arm that is the
first to hold for no combination of these is never taken, whatever the system is like.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from console.guides.checks.check import Fact, FactType
from console.guides.conditions import Compare, Condition, Scalar, evaluate, leaves
from console.guides.issue import Arm

MOST_COMBINATIONS = 20_000
"""With more a step is not looked at: nobody writes such conditions."""
_OTHER = "\N{NULL}other"
"""A text that no condition names."""


@dataclass(frozen=True, slots=True)
class ArmFinding:
    """What is wrong with the arm at this place among the step's arms."""

    arm: int
    message: str
    advice: str
    warning: bool = False


def arm_findings(arms: Sequence[Arm], facts: Mapping[str, Fact]) -> Iterator[ArmFinding]:
    """Arms that are never taken, conditions that always or never hold, and neighbours on one name that cross."""
    conditions = [(index, arm.condition) for index, arm in enumerate(arms) if arm.condition is not None]
    worlds = _worlds([condition for _, condition in conditions], facts)
    if worlds is None:
        return
    holding = {index: {at for at, world in enumerate(worlds) if evaluate(condition, world)} for index, condition in conditions}
    above: set[int] = set()
    for index, arm in enumerate(arms):
        if arm.unknown:
            continue
        mine = holding.get(index, set(range(len(worlds))))
        if not mine:
            yield ArmFinding(index, "this never holds", "Its parts exclude each other.")
        elif mine <= above:
            yield _never(index, arm)
        elif arm.condition is not None and len(mine) == len(worlds):
            yield ArmFinding(index, "this always holds", "Write it as {else: …}, or say what it must be told from.")
        above |= mine
    yield from _crossing(arms, conditions, holding)


def _never(index: int, arm: Arm) -> ArmFinding:
    if arm.condition is None:
        return ArmFinding(index, "else is never taken: the arms above hold in every case", "Make the last of them the else.")
    return ArmFinding(index, "this is never taken: the arms above hold whenever it does", "Put it before them, or take it away.")


def _crossing(
    arms: Sequence[Arm], conditions: Sequence[tuple[int, Condition]], holding: Mapping[int, set[int]]
) -> Iterator[ArmFinding]:
    """Two arms on one and the same name that hold together in some cases, each without the other in more: which of them is
    taken then hangs on their order alone."""
    for place, (later, condition) in enumerate(conditions):
        for earlier, other in conditions[:place]:
            one_name = len(condition.names) == 1 and condition.names == other.names
            both = holding[later] & holding[earlier]
            inside = both in (holding[later], holding[earlier])
            if one_name and both and not inside and arms[later].goal != arms[earlier].goal:
                message = f"this and {other.text!r} above can both hold"
                yield ArmFinding(later, message, "The first is taken: part their ranges so that a reader sees it.", warning=True)
                break


def _worlds(conditions: Sequence[Condition], facts: Mapping[str, Fact]) -> list[dict[str, Scalar | None]] | None:
    values: dict[str, list[Scalar]] = {}
    for name in dict.fromkeys(name for condition in conditions for name in condition.names):
        told = [
            value
            for condition in conditions
            for leaf in leaves(condition.node)
            if isinstance(leaf, Compare) and leaf.name == name
            for value in leaf.values
        ]
        fact = facts.get(name)
        if fact is None:
            return None
        values[name] = _values(fact, told)
    if math.prod(map(len, values.values())) > MOST_COMBINATIONS:
        return None
    return [dict(zip(values, world, strict=True)) for world in product(*values.values())]


def _values(fact: Fact, told: Sequence[Scalar]) -> list[Scalar]:
    """Values of a fact, one of each kind that the conditions tell apart."""
    if fact.type is FactType.BOOL:
        return [True, False]
    if fact.type is FactType.TEXT:
        return list(fact.choices) if fact.choices else [*dict.fromkeys(told), _OTHER]
    bounds = sorted({float(value) for value in told if not isinstance(value, str)})
    if not bounds:
        return [0.0]
    between = [(low + high) / 2 for low, high in pairwise(bounds)]
    return [bounds[0] - 1, *bounds, *between, bounds[-1] + 1]
