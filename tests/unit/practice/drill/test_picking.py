"""Which scenario comes next: none again before all were seen, and only such as are wanted."""

from dataclasses import replace

import pytest
from rounds_played import SCENARIO

from console.guides.issue import Severity
from console.practice.drill.history import Played
from console.practice.drill.picking import Wanted, family, fitting, pick, times_played
from console.practice.drill.scenario import StackKind

SCENARIOS = [replace(SCENARIO, id=f"sms-{name}") for name in "abcde"]


def played(scenario: str, person: str = "Ada", how: str = "done") -> Played:
    return Played("", 0.0, person, scenario, "", "sms", "lab", how, "A", True, 1.0, 2.0, 3.0, 0, ())


def test_nothing_comes_again_before_all_were_seen_and_then_all_come_again() -> None:
    past: list[Played] = []
    for turn in range(3 * len(SCENARIOS)):
        chosen = pick(SCENARIOS, times_played(past, "Ada"), seed=turn)
        past.append(played(chosen.id))
        if len(past) % len(SCENARIOS) == 0:
            assert set(times_played(past).values()) == {len(past) // len(SCENARIOS)}


def test_what_others_played_and_what_was_void_is_not_seen() -> None:
    past = [played("sms-a"), played("sms-b", person="Bob"), played("sms-c", how="void")]
    assert times_played(past, "Ada") == {"sms-a": 1}
    assert {pick(SCENARIOS, times_played(past, "Ada"), seed).id for seed in range(60)} == {f"sms-{name}" for name in "bcde"}


def test_the_same_seed_and_past_give_the_same_scenario() -> None:
    assert len({pick(SCENARIOS, {}, 7).id for _ in range(5)}) == 1
    assert len({pick(list(reversed(SCENARIOS)), {}, 7).id for _ in range(5)}) == 1
    assert len({pick(SCENARIOS, {}, seed).id for seed in range(60)}) == len(SCENARIOS)


def test_none_to_choose_from_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such scenario"):
        pick([], {}, 1)


def test_only_what_is_wanted_fits() -> None:
    first, second, third = SCENARIOS[:3]
    some = [
        replace(first, stack=StackKind.LAB),
        replace(second, severity=Severity.LOW),
        replace(third, system="planner", stack=StackKind.SIMULATED),
    ]
    causes = {first.id: ("sms.c2.pool-exhausted",), second.id: ("smsops.a2.connections", "sms.l1.page"), third.id: ()}

    def ids(**wanted: object) -> list[str]:
        return [item.id[-1] for item in fitting(some, causes, Wanted(**wanted))]  # type: ignore[arg-type]

    assert ids() == ["a", "b", "c"]
    assert ids(system="sms") == ["a", "b"]
    assert ids(stack=StackKind.LAB) == ["a", "b"]
    assert ids(stack=StackKind.SIMULATED) == ["b", "c"]
    assert ids(severity=Severity.LOW) == ["b"]
    assert ids(families="c") == ["a"]
    assert ids(families="al") == ["b"]
    assert ids(families="cx", system="planner") == []


def test_a_family_is_the_letter_of_the_chord() -> None:
    assert [family(cause) for cause in ("sms.c2.pool-exhausted", "planner.n1.port-not-published", "odd")] == ["c", "n", ""]
