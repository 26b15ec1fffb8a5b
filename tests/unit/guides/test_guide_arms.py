"""Arms of a step seen together: which are never taken, and which cross."""

import pytest

from console.guides.arms import arm_findings
from console.guides.checks.check import Fact, FactType
from console.guides.conditions import parse
from console.guides.issue import Arm, Goal, Leaf

FACTS = {
    fact.name: fact
    for fact in (
        Fact("running", FactType.BOOL, ""),
        Fact("healthy", FactType.BOOL, ""),
        Fact("percent", FactType.NUMBER, ""),
        Fact("count", FactType.NUMBER, ""),
        Fact("reason", FactType.TEXT, "", choices=("refused", "timeout", "other")),
        Fact("name", FactType.TEXT, ""),
    )
}


def findings(*conditions: str) -> list[tuple[int, str]]:
    """Of arms with these conditions, each to a place of its own, and an else after them."""
    arms = [Arm(text, Goal(Leaf.STEP, f"s{number}"), parse(text)) for number, text in enumerate(conditions)]
    arms += [Arm("unknown", Goal(Leaf.UNKNOWN), unknown=True), Arm("else", Goal(Leaf.CLEAR))]
    return sorted((item.arm, item.message.partition(":")[0]) for item in arm_findings(arms, FACTS))


@pytest.mark.parametrize(
    "conditions",
    [
        ("running",),
        ("running and healthy", "running", "healthy"),
        ("percent >= 90", "percent >= 80", "percent > 0 and count > 2"),
        ("reason == 'refused'", "reason == 'timeout'"),
        ("name == 'a'", "name == 'b'", "name in ('c', 'd')"),
        ("percent > 5", "count > 5"),
        ("percent == 0", "percent < 10"),
    ],
)
def test_arms_that_can_all_be_taken_are_left_alone(conditions: tuple[str, ...]) -> None:
    assert findings(*conditions) == []


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        (("percent >= 80", "percent >= 90"), [(1, "this is never taken")]),
        (("running", "running and healthy"), [(1, "this is never taken")]),
        (("running", "not running"), [(3, "else is never taken")]),
        (("running", "not running", "healthy"), [(2, "this is never taken"), (4, "else is never taken")]),
        (("reason in ('refused', 'timeout')", "reason == 'timeout'"), [(1, "this is never taken")]),
        (("reason == 'refused'", "reason != 'refused'"), [(3, "else is never taken")]),
        (("reason in ('refused', 'timeout', 'other')",), [(0, "this always holds"), (2, "else is never taken")]),
        (("percent > 10 and percent < 5",), [(0, "this never holds")]),
        (("name == 'a' and name == 'b'",), [(0, "this never holds")]),
        (("percent < 10", "percent >= 10"), [(3, "else is never taken")]),
        (("percent > 1", "percent <= 1 and count > 3", "count > 3"), [(2, "this is never taken")]),
        (("not (running or healthy)", "not running and not healthy"), [(1, "this is never taken")]),
    ],
)
def test_an_arm_that_is_never_taken_is_told(conditions: tuple[str, ...], told: list[tuple[int, str]]) -> None:
    assert findings(*conditions) == told


def test_two_ranges_that_cross_are_told() -> None:
    assert findings("percent > 10", "percent < 50") == [
        (1, "this and 'percent > 10' above can both hold"),
        (3, "else is never taken"),
    ]
    assert findings("percent > 10 and percent < 50", "percent > 30") == [
        (1, "this and 'percent > 10 and percent < 50' above can both hold")
    ]


def test_conditions_with_too_many_cases_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    assert findings("percent > 1 and count > 1", "percent > 1 and count > 1") == [(1, "this is never taken")]
    monkeypatch.setattr("console.guides.arms.MOST_COMBINATIONS", 8)
    assert findings("percent > 1 and count > 1", "percent > 1 and count > 1") == []
