"""Which scenario is played next: at random without repeats until all were seen, among those that are wanted. Pure."""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from console.guides.issue import Severity
from console.practice.drill.history import Played
from console.practice.drill.scenario import Scenario, StackKind


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a scenario must be like; None or empty: anything.

    `families`: letters of chords. The guides group their issues by them (the `c` of `c2` stands for critical outages of the
    student system, the `n` of the planner's `n1` for its network), so that `cn` asks for a cause of one of these groups. A
    scenario without a fault belongs to none.
    """

    system: str | None = None
    stack: StackKind | None = None
    severity: Severity | None = None
    families: str = ""


def family(cause: str) -> str:
    """The letter of a cause's chord: `c` of `sms.c2.pool-exhausted`."""
    return cause.split(".")[1][:1] if cause.count(".") >= 2 else ""


def fitting(scenarios: Iterable[Scenario], causes: Mapping[str, Collection[str]], wanted: Wanted) -> tuple[Scenario, ...]:
    """The scenarios that are as wanted. `causes`: those of each scenario, by its id."""
    return tuple(
        scenario
        for scenario in scenarios
        if wanted.system in (None, scenario.system)
        and (wanted.stack is None or scenario.stack in (wanted.stack, StackKind.EITHER))
        and wanted.severity in (None, scenario.severity)
        and (not wanted.families or any(family(cause) in wanted.families for cause in causes.get(scenario.id, ())))
    )


def times_played(played: Iterable[Played], person: str | None = None) -> Mapping[str, int]:
    """How often each scenario was played, by this person or by anybody; a round that was void does not count."""
    return Counter(item.scenario for item in played if item.how != "void" and person in (None, item.person))


def pick(scenarios: Sequence[Scenario], seen: Mapping[str, int], seed: int) -> Scenario:
    """One of those that were played least: none comes again before all were seen. The same seed and past give the same one.

    Raises ValueError when there is none to choose from.
    """
    if not scenarios:
        raise ValueError("There is no such scenario.")
    least = min(seen.get(scenario.id, 0) for scenario in scenarios)
    left = sorted((item for item in scenarios if seen.get(item.id, 0) == least), key=lambda item: item.id)
    return random.Random(seed).choice(left)  # noqa: S311 - a drill, not a secret
