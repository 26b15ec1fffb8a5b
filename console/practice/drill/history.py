"""What people have practised: every round, best and median by scenario, and what never came up. Pure but for `rounds_played`.

Times are skewed and few, so there are no means and no trend: each round is shown, and a median counts a round that did not come
that far as longer than every other. How hard a scenario is comes from what it took people, never from a label.
"""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from console.guides.issue import Issue
from console.practice.drill.grade import NOT_GRADED
from console.practice.drill.round_clock import when
from console.practice.drill.rounds import Round
from console.text import clean

RESULT = "result.json"


@dataclass(frozen=True, slots=True)
class Played:
    """One round that has ended. `at`: when it began, Unix seconds; times: seconds of its clock, None for what was not reached."""

    round: str
    at: float
    person: str
    scenario: str
    title: str
    system: str
    stack: str
    how: str
    mark: str
    passed: bool
    detect_s: float | None
    diagnose_s: float | None
    mitigate_s: float | None
    hints: int
    causes: tuple[str, ...]

    @property
    def graded(self) -> bool:
        return self.mark != NOT_GRADED

    @property
    def solved_s(self) -> float | None:
        """Until it was mended, or where nothing was wrong until that was said; None when it was not passed."""
        return (self.mitigate_s if self.causes else self.diagnose_s) if self.passed else None


@dataclass(frozen=True, slots=True)
class Middle:
    """Best and median of some rounds, seconds; None: not reached in any round, or not in half of them."""

    best_s: float | None
    median_s: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """A scenario over its graded rounds."""

    scenario: str
    title: str
    rounds: int
    passed: int
    best_mark: str
    detect: Middle
    diagnose: Middle
    solve: Middle
    median_hints: float


@dataclass(frozen=True, slots=True)
class Person:
    """One person's rounds, the newest first, and the issues of the systems they practised that never came up."""

    name: str
    rounds: tuple[Played, ...]
    scenarios: tuple[Figures, ...]
    never: tuple[tuple[str, str], ...]
    """Id and title."""


@dataclass(frozen=True, slots=True)
class History:
    """`people` by name; `scenarios` over all people, the hardest first: those that take longest, then those with more hints."""

    people: tuple[Person, ...]
    scenarios: tuple[Figures, ...]


def rounds_played(rounds: Iterable[Round]) -> tuple[Played, ...]:
    """The rounds that have ended, by what their folders tell; others are left out. Blocking: reads files."""
    return tuple(played for round_ in rounds if (played := _played(round_)) is not None)


def history_of(played: Sequence[Played], issues: Callable[[str], Sequence[Issue]], person: str | None = None) -> History:
    """The history of everybody, or of one person. `issues` gives those of a system."""
    mine = [item for item in played if person is None or item.person == person]
    names = sorted({item.person for item in mine})
    people = []
    for name in names:
        rounds = [item for item in mine if item.person == name]
        people.append(
            Person(name, tuple(sorted(rounds, key=lambda item: -item.at)), _by_scenario(rounds), _never(rounds, issues))
        )
    hardest = sorted(_by_scenario(mine), key=lambda item: (-_or_never(item.solve.median_s), -item.median_hints, item.scenario))
    return History(tuple(people), tuple(hardest))


def _never(rounds: Sequence[Played], issues: Callable[[str], Sequence[Issue]]) -> tuple[tuple[str, str], ...]:
    practised = {cause.rpartition(".")[0] for item in rounds if item.graded for cause in item.causes}
    systems = sorted({item.system for item in rounds})
    return tuple((issue.id, issue.title) for system in systems for issue in issues(system) if issue.id not in practised)


def _by_scenario(rounds: Sequence[Played]) -> tuple[Figures, ...]:
    graded = [item for item in rounds if item.graded]
    found = []
    for name in sorted({item.scenario for item in graded}):
        of = [item for item in graded if item.scenario == name]
        found.append(
            Figures(
                scenario=name,
                title=of[-1].title,
                rounds=len(of),
                passed=sum(item.passed for item in of),
                best_mark=min(item.mark for item in of),
                detect=middle([item.detect_s for item in of]),
                diagnose=middle([item.diagnose_s for item in of]),
                solve=middle([item.solved_s for item in of]),
                median_hints=float(median(item.hints for item in of)),
            )
        )
    return tuple(found)


def middle(times_s: Sequence[float | None]) -> Middle:
    """Best and median, where a round that did not come that far took longer than any other."""
    taken = [_or_never(value) for value in times_s]
    return Middle(_known(min(taken, default=math.inf)), _known(median(taken) if taken else math.inf))


def _or_never(value: float | None) -> float:
    return math.inf if value is None else value


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _played(round_: Round) -> Played | None:
    try:
        result = json.loads((round_.folder / RESULT).read_bytes())
        public = round_.public().entries()
        if not isinstance(result, dict) or not any(entry["kind"] == "ended" for entry in public):
            return None
        told = next((entry for entry in public if entry["kind"] == "round"), {})
        began = next((entry for entry in public if entry["kind"] == "began"), told)
        times = result.get("times") or {}
        return Played(
            round=round_.id,
            at=when(began) or 0.0,
            person=_text(told.get("person")),
            scenario=_text(result.get("scenario")),
            title=_text(told.get("title")),
            system=_text(told.get("system")),
            stack=_text(told.get("stack")),
            how=_text(result.get("how")),
            mark=_text(result["mark"]),
            passed=result["passed"] is True,
            detect_s=_time(times.get("detect_s")),
            diagnose_s=_time(times.get("diagnose_s")),
            mitigate_s=_time(times.get("mitigate_s")),
            hints=int(result.get("hints_taken") or 0),
            causes=tuple(_text(cause) for cause in result.get("causes") or ()),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _text(value: Any) -> str:
    return clean(str(value), 200) if value is not None else ""


def _time(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9 else None
