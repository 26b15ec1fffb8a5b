"""Every issue of every guide: with a cause's fault the walk names that cause, healthy is clear, cut sources are unknown."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from turned_clock import Clock

from console.config import load_config, shipped_config
from console.guides.issue import Issue
from console.guides.loader import load_issues
from console.guides.walk import Conclusion, Verdict, Walk
from console.practice.simulated.faults import fault_ids, replies_of
from console.practice.simulated.system import simulated_system
from console.reading import FailureKind, SourceError
from console.system import System

CONFIG = load_config(shipped_config()).config
SYSTEM_OF = {guide: name for name, system in CONFIG.systems.items() for guide in system.guides}
ISSUES: dict[str, Issue] = {issue.id: issue for guide in SYSTEM_OF for issue in load_issues((guide,))}
CAUSES = [f"{issue.id}.{cause}" for issue in ISSUES.values() for cause in issue.causes]

EXEMPT: dict[str, str] = {}
"""Causes that no simulated stack shows, each with its reason."""

SOURCES = ("engine", "database", "cache", "metrics", "endpoints", "network", "host")


class Cut:
    """A source that accepts questions and never answers them."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def open(self) -> None:
        """Nothing opens."""

    async def aclose(self) -> None:
        """Nothing to close."""

    def __getattr__(self, question: str) -> Callable[..., Awaitable[Any]]:
        async def ask(*_args: object, **_named: object) -> Any:
            raise SourceError(FailureKind.TIMEOUT, f"The {self._name} has not answered {question} within 3 s.")

        return ask


class Watched:
    """Notes that a source was asked at all."""

    def __init__(self, source: Any, name: str, asked: set[str]) -> None:
        self._source, self._name, self._asked = source, name, asked

    def __getattr__(self, question: str) -> Any:
        self._asked.add(self._name)
        return getattr(self._source, question)


def stack(issue: Issue, fault: str, clock: Clock) -> System:
    return simulated_system(CONFIG.system(SYSTEM_OF[issue.guide]), fault=fault, seed=1, clock=clock, pause=clock.pause)


async def walk(issue: Issue, system: System, fault: str, clock: Clock) -> tuple[Conclusion, Walk]:
    """The whole walk; what only a person knows is answered as the affected user would."""
    answers, inputs = replies_of(fault, system.config)
    own = {step.removeprefix(f"{issue.id}."): answer for step, answer in answers.items()}
    await system.open()
    walking = Walk(issue, system, inputs={**inputs, **own}, clock=clock)
    try:
        conclusion = await walking.finish()
    finally:
        walking.close()
    assert conclusion is not None, f"nobody answers {walking.question}"
    return conclusion, walking


def told(conclusion: Conclusion, walking: Walk) -> str:
    """The way that was taken, for reading a failure."""
    steps = [f"{made.step}: {made.headline} {dict(made.facts)} [{made.branch}] {made.failure or ''}" for made in walking.path]
    return "\n".join([conclusion.summary, *steps])


@pytest.mark.parametrize("cause", [cause for cause in CAUSES if cause not in EXEMPT])
async def test_the_walk_names_the_cause_of_its_fault_and_no_other(cause: str, clock: Clock) -> None:
    name, _, wanted = cause.rpartition(".")
    issue = ISSUES[name]
    system = stack(issue, cause, clock)
    conclusion, walking = await walk(issue, system, cause, clock)
    found = conclusion.cause.id if conclusion.cause else conclusion.verdict.value
    assert found == wanted, told(conclusion, walking)
    await system.aclose()


@pytest.mark.parametrize("name", ISSUES)
async def test_a_healthy_stack_is_clear(name: str, clock: Clock) -> None:
    system = stack(ISSUES[name], "healthy", clock)
    conclusion, walking = await walk(ISSUES[name], system, "healthy", clock)
    assert conclusion.verdict is Verdict.CLEAR, told(conclusion, walking)
    await system.aclose()


@pytest.mark.parametrize("name", ISSUES)
async def test_with_the_sources_of_its_first_check_cut_it_is_unknown(name: str, clock: Clock) -> None:
    issue = ISSUES[name]
    asked: set[str] = set()
    watched = stack(issue, "healthy", clock)
    for source in SOURCES:
        live = getattr(watched, source)
        if live is not None:
            watched._sources[source] = Watched(live, source, asked)
    _, inputs = replies_of("healthy", watched.config)
    first = Walk(issue, watched, inputs=inputs, clock=clock)
    if first.question is None:
        await first.step()
        assert asked, f"the first step of {name} asks no source"
    first.close()
    await watched.aclose()
    cut = stack(issue, "healthy", clock)
    for source in asked:
        cut._sources[source] = Cut(source)
    if asked:
        conclusion, walking = await walk(issue, cut, "healthy", clock)
        assert conclusion.verdict is Verdict.UNKNOWN, told(conclusion, walking)
    else:
        # A first step that is for a person is cut by nobody answering it.
        walking = Walk(issue, cut, inputs=inputs, clock=clock, asks=False)
        unanswered = await walking.finish()
        assert unanswered is None or unanswered.verdict is Verdict.UNKNOWN, told(unanswered, walking)
    await cut.aclose()


def test_every_cause_has_its_fault_and_every_exemption_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    known = {fault for name in set(SYSTEM_OF.values()) for fault in fault_ids(CONFIG.system(name))}
    assert set(CAUSES) - known - set(EXEMPT) == set()
    assert all(len(reason) > 20 for reason in EXEMPT.values())
    with capsys.disabled():
        print(f"\n{len(ISSUES)} issues, {len(CAUSES)} causes, {len(EXEMPT)} exempt")
