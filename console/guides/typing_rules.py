"""Whether a condition fits the facts that it reads: names, types, and arms that can never be taken."""

from collections.abc import Iterator, Mapping, Sequence

from console.guides.checks.check import Fact, FactType
from console.guides.conditions import Compare, Condition, ConditionError, Named, Scalar, leaves

_TYPES = {FactType.BOOL: "true or false", FactType.NUMBER: "a number", FactType.TEXT: "a text in quotes"}


def misfits(condition: Condition, facts: Mapping[str, Fact]) -> Iterator[ConditionError]:
    """What is wrong with a condition, given the facts that a check declares."""
    for leaf in leaves(condition.node):
        fact = facts.get(leaf.name)
        if fact is None:
            known = ", ".join(facts) or "none"
            yield ConditionError(leaf.at, f"unknown name {leaf.name!r}", f"The facts of this check are: {known}.")
        elif isinstance(leaf, Named):
            if fact.type is not FactType.BOOL:
                yield ConditionError(
                    leaf.at, f"{leaf.name} is {_TYPES[fact.type]}, not true or false", "Compare it with a value."
                )
        else:
            yield from _comparison(leaf, fact)


def _comparison(leaf: Compare, fact: Fact) -> Iterator[ConditionError]:
    ordered = leaf.operator in ("<", "<=", ">", ">=")
    if ordered and fact.type is not FactType.NUMBER:
        yield ConditionError(leaf.at, f"{leaf.name} has no order, {leaf.operator} does not apply", "Use == or in.")
        return
    for value in leaf.values:
        if _type_of(value) is not fact.type:
            yield ConditionError(
                leaf.at, f"{leaf.name} is {_TYPES[fact.type]}, not {value!r}", "Compare it with a value of its type."
            )
        elif fact.choices and value not in fact.choices:
            known = ", ".join(repr(choice) for choice in fact.choices)
            yield ConditionError(leaf.at, f"{leaf.name} is never {value!r}", f"It is one of {known}.")


def _type_of(value: Scalar) -> FactType:
    if isinstance(value, bool):
        return FactType.BOOL
    return FactType.TEXT if isinstance(value, str) else FactType.NUMBER


def shadowed(conditions: Sequence[Condition]) -> Iterator[tuple[int, int]]:
    """Pairs (arm, earlier arm): the arm can never be taken, because the earlier one holds whenever it does.

    Seen for equal conditions, and for single comparisons of one number with a bound.
    """
    for later, condition in enumerate(conditions):
        for earlier in range(later):
            if (
                condition.node == conditions[earlier].node
                or condition.text == conditions[earlier].text
                or _covers(conditions[earlier], condition)
            ):
                yield later, earlier
                break


def _covers(earlier: Condition, later: Condition) -> bool:
    first, second = earlier.node, later.node
    if not (isinstance(first, Compare) and isinstance(second, Compare)) or first.name != second.name:
        return False
    wide, narrow = first.values[0], second.values[0]
    if isinstance(wide, str | bool) or isinstance(narrow, str | bool) or len(first.values) + len(second.values) > 2:
        return False
    if first.operator == ">=":
        return second.operator in (">", ">=", "==") and narrow >= wide
    if first.operator == ">":
        return (second.operator == ">" and narrow >= wide) or (second.operator in (">=", "==") and narrow > wide)
    if first.operator == "<=":
        return second.operator in ("<", "<=", "==") and narrow <= wide
    if first.operator == "<":
        return (second.operator == "<" and narrow <= wide) or (second.operator in ("<=", "==") and narrow < wide)
    return False
