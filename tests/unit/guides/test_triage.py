"""The order of what fires, by itself: roots before what they drag along, then by severity."""

from dataclasses import replace

from console.guides.decisions import Conclusion, Verdict
from console.guides.issue import Cause, Escalate, Issue, Severity
from console.guides.loader import load_issues
from console.guides.triage import Look, leading_to_clear, ranked


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
