"""A history for a terminal. Pure."""

import time
from collections.abc import Iterator, Sequence

from console.practice.drill.grade import span
from console.practice.drill.history import Figures, History, Middle, Person


def as_text(history: History) -> str:
    """Each person with every round, then how hard the scenarios were for all of them."""
    if not history.people:
        return "No round has been played to its end."
    lines = [line for person in history.people for line in (*_person(person), "")]
    if len(history.people) > 1:
        lines += ["How hard the scenarios are, by what they took everybody:", *_figures(history.scenarios)]
    return "\n".join(lines).rstrip()


def _person(person: Person) -> Iterator[str]:
    count = len(person.rounds)
    yield f"{person.name or 'nobody named'}: {count} round{'s' if count != 1 else ''}"
    yield f"  {'began':<16}  {'scenario':<32} {'stack':<9} {'how':<10} mark  detected diagnosed mitigated hints"
    for item in person.rounds:
        began = time.strftime("%Y-%m-%d %H:%M", time.localtime(item.at))
        times = "".join(f"{_time(value):>10}" for value in (item.detect_s, item.diagnose_s, item.mitigate_s))
        yield f"  {began}  {item.scenario:<32} {item.stack:<9} {item.how:<10} {item.mark:<4} {times} {item.hints:>5}"
    if person.scenarios:
        yield ""
        yield from _figures(person.scenarios)
    if person.never:
        yield ""
        yield f"  Never practised ({len(person.never)}):"
        yield from (f"    {issue:<12} {title}" for issue, title in person.never)


def _figures(figures: Sequence[Figures]) -> Iterator[str]:
    head = f"  {'scenario':<32} rounds passed best"
    yield f"{head}  {'detected':<15} {'diagnosed':<15} {'solved':<15} hints   (best / median)"
    for item in figures:
        times = " ".join(f"{_middle(value):<15}" for value in (item.detect, item.diagnose, item.solve))
        yield f"  {item.scenario:<32} {item.rounds:>6} {item.passed:>6} {item.best_mark:>4}  {times} {item.median_hints:>5g}"


def _middle(value: Middle) -> str:
    return f"{_time(value.best_s)} / {_time(value.median_s)}"


def _time(value_s: float | None) -> str:
    return "–" if value_s is None else span(value_s)
