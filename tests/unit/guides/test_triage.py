"""The order of what fires, by itself: roots before what they drag along, then by severity."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest
from guide_stack import Stack

from console.guides.decisions import Conclusion, Verdict
from console.guides.issue import Cause, Escalate, Issue, Severity
from console.guides.loader import load_issues
from console.guides.readings import Readings
from console.guides.triage import Look, leading_to_clear, look_at_all, may_come_first, ranked


def issue(name: str, severity: Severity = Severity.HIGH, **causes: tuple[str, ...]) -> Issue:
    made = {cause: Cause(cause, "", explains=explains) for cause, explains in causes.items()}
    guide, _, chord = name.partition(".")
    return Issue(name, guide, chord, name, severity, (), (), Escalate(60, "somebody"), "", {}, made, {})


def found(name: str, severity: Severity = Severity.HIGH, explains: tuple[str, ...] = (), continues: str = "") -> Look:
    made = issue(name, severity, broken=explains)
    cause = replace(made.causes["broken"], continues=continues)
    return Look(made, conclusion=Conclusion(Verdict.CAUSE, "", cause, continues=continues))


def order(*looks: Look) -> list[tuple[str, str]]:
    return [(look.issue.id, look.follows_from) for look in ranked(looks)]


def test_a_root_comes_before_five_issues_that_only_follow_whatever_their_severity() -> None:
    looks = [found(f"a.c{number}", Severity.CRITICAL) for number in range(1, 6)]
    root = found("a.m1", Severity.MEDIUM, explains=tuple(look.issue.id for look in looks))
    assert order(*looks, root) == [("a.m1", ""), *((look.issue.id, "a.m1.broken") for look in looks)]


def test_what_explains_a_guide_explains_each_of_its_issues_but_not_itself() -> None:
    assert order(found("a.c2"), found("b.a1"), found("a.c1", explains=("a", "b"))) == [
        ("a.c1", ""),
        ("a.c2", "a.c1.broken"),
        ("b.a1", "a.c1.broken"),
    ]


def test_a_chain_leads_to_its_root() -> None:
    chain = [found("a.c1"), found("a.c2", explains=("a.c1",)), found("a.c3", explains=("a.c2.broken",))]
    assert order(*chain) == [("a.c3", ""), ("a.c1", "a.c3.broken"), ("a.c2", "a.c3.broken")]


def test_one_that_goes_on_with_another_follows_it_when_that_fires_too() -> None:
    assert order(found("a.c1", continues="a.c2"), found("a.c2")) == [("a.c2", ""), ("a.c1", "a.c2.broken")]
    assert order(found("a.c1", continues="a.c2")) == [("a.c1", "")]


def test_of_two_that_explain_each_other_neither_follows() -> None:
    assert order(found("a.c2", explains=("a.c1",)), found("a.c1", explains=("a.c2",))) == [("a.c1", ""), ("a.c2", "")]


def test_what_fires_comes_before_what_is_suspicious_unknown_not_seen_and_clear() -> None:
    def end(name: str, verdict: Verdict | None, *, suspicious: bool = False) -> Look:
        return Look(issue(name), conclusion=Conclusion(verdict, "") if verdict else None, suspicious=suspicious)

    looks = [
        end("a.c1", Verdict.CLEAR),
        end("a.c2", None),
        end("a.c3", Verdict.UNKNOWN),
        end("a.c4", None, suspicious=True),
        found("a.c5", Severity.LOW),
    ]
    assert [look.issue.id for look in ranked(looks)] == ["a.c5", "a.c4", "a.c3", "a.c2", "a.c1"]


def test_what_cannot_be_read_because_of_a_root_follows_from_it_and_comes_after_what_stands_alone() -> None:
    root = found("a.c1", explains=("b",))
    unread = Look(issue("b.a1", Severity.CRITICAL), conclusion=Conclusion(Verdict.UNKNOWN, ""))
    alone = Look(issue("a.h1"), conclusion=Conclusion(Verdict.UNKNOWN, ""))
    assert order(root, unread, alone) == [("a.c1", ""), ("a.h1", ""), ("b.a1", "a.c1.broken")]


def test_a_way_that_cannot_end_as_clear_any_more_is_told_from_one_that_can() -> None:
    (outage,) = load_issues(("sms",), ("c1",))
    may_clear = leading_to_clear(outage)
    assert outage.start in may_clear
    assert not {"last-words", "reach-unhealthy"} & may_clear


# -- who is waited for ----------------------------------------------------------------------------------------------------


def test_until_something_fires_any_cause_could_come_first() -> None:
    assert may_come_first(issue("a.l1", Severity.LOW), Look(issue("a.c1")))


@pytest.mark.parametrize(
    ("later", "could"),
    [
        (issue("a.l1", Severity.LOW, root=("b.m1",)), True),
        (issue("a.l1", Severity.LOW, root=("b",)), True),
        (issue("a.l1", Severity.LOW, root=("a.c1",)), False),
        (issue("a.c1", Severity.CRITICAL), True),
        (issue("a.m1", Severity.MEDIUM), True),
        (issue("a.l1", Severity.LOW), False),
        (issue("a.h1", Severity.HIGH), False),
        (issue("a.l2", Severity.LOW), True),
    ],
    ids=["its root", "root of its guide", "root of others", "graver", "as grave", "less grave", "it follows", "goes on there"],
)
def test_what_could_stand_before_the_first_is_its_root_what_is_as_grave_and_where_it_goes_on(later: Issue, could: bool) -> None:
    first = found("b.m1", Severity.MEDIUM, explains=("a.h1",), continues="a.l2")
    assert may_come_first(later, first) is could


class Slow:
    """Issues whose quick look is suspicious, and whose whole walk ends when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *quick: Look) -> None:
        self.issues = tuple(look.issue for look in quick)
        self.begun: dict[str, asyncio.Event] = {look.issue.id: asyncio.Event() for look in quick}
        self.ends: dict[str, asyncio.Future[Look]] = {}
        looks = {look.issue.id: look for look in quick}

        async def quick_look(_system: object, issue: Issue, *_: object) -> Look:
            return looks[issue.id]

        async def whole(_system: object, look: Look, *_: object) -> Look:
            self.begun[look.issue.id].set()
            return await self.ends.setdefault(look.issue.id, asyncio.get_running_loop().create_future())

        monkeypatch.setattr("console.guides.triage._quick", quick_look)
        monkeypatch.setattr("console.guides.triage._whole", whole)

    def look(self, *, timeout_s: float = 5.0, enough_s: float = 0.0) -> "asyncio.Future[tuple[Look, ...]]":
        given: Mapping[str, Mapping[str, str]] = {}
        readings = Readings(Stack().system)
        return asyncio.ensure_future(
            look_at_all(readings.system, self.issues, readings, given, timeout_s=timeout_s, enough_s=enough_s)
        )


def suspicious(name: str, severity: Severity = Severity.HIGH, **causes: tuple[str, ...]) -> Look:
    return Look(issue(name, severity, **causes), suspicious=True, left="takes longer: Is it slow?")


async def test_a_walk_that_cannot_change_what_stands_first_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(monkeypatch, found("a.c1", Severity.CRITICAL), suspicious("b.m1", Severity.MEDIUM))
    looks = await asyncio.wait_for(slow.look(), 3)
    assert [(look.issue.id, look.cause, look.left) for look in looks] == [
        ("a.c1", "a.c1.broken", ""),
        ("b.m1", "", "takes longer: Is it slow?"),
    ]


async def test_a_walk_that_could_find_the_root_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(monkeypatch, found("a.c1", Severity.CRITICAL), suspicious("b.m1", Severity.MEDIUM, broken=("a.c1",)))
    looking = slow.look()
    await asyncio.wait_for(slow.begun["b.m1"].wait(), 3)
    assert not looking.done()
    slow.ends["b.m1"].set_result(found("b.m1", Severity.MEDIUM, explains=("a.c1",)))
    looks = await asyncio.wait_for(looking, 3)
    assert [(look.cause, look.follows_from) for look in looks] == [("b.m1.broken", ""), ("a.c1.broken", "b.m1.broken")]


async def test_while_nothing_fires_every_walk_is_waited_for_as_long_as_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(monkeypatch, Look(issue("a.c1"), conclusion=Conclusion(Verdict.CLEAR, "")), suspicious("b.l1", Severity.LOW))
    looking = slow.look()
    await asyncio.wait_for(slow.begun["b.l1"].wait(), 3)
    slow.ends["b.l1"].set_result(found("b.l1", Severity.LOW))
    assert [look.cause for look in await asyncio.wait_for(looking, 3)] == ["b.l1.broken", ""]
    out_of_time = await asyncio.wait_for(Slow(monkeypatch, suspicious("b.l1")).look(timeout_s=0.05), 3)
    assert [(look.wants_more, look.verdict) for look in out_of_time] == [(True, None)]
