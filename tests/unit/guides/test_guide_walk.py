"""The walk itself: arms, unknowns, overriding, going back, asking, and what it writes down."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from guide_stack import Stack, clock, refused, session, timed_out

from console.guides.compiling import compile_issue
from console.guides.conditions import parse
from console.guides.decisions import StepStatus, Verdict, choose
from console.guides.issue import Arm, Goal, Issue, Leaf
from console.guides.loader import load_issues
from console.guides.walk import Walk
from console.sources.protocols.engine import Containers, ExecResult

ASKING = """\
id: demo.l1
title: The layout is broken
severity: low
escalate: {after: 1d, to: somebody}
start: seen
steps:
  seen:
    title: Is it gone in another browser?
    check: ask
    with: {question: Does another browser show it right?, answers: {yes: "Yes, it does", no: "No, the same"}}
    branches:
      - {when: answer == 'yes', cause: browser-cache}
      - {else: running}
  running:
    title: Do the containers run?
    check: containers.services
    branches:
      - {when: down > 0, go: escalate}
      - {else: clear}
causes:
  browser-cache: {summary: The browser shows old files.}
"""
DATABASE = load_issues(("sms",), ("c2",))[0]


def asking() -> Issue:
    return compile_issue(ASKING, Path("demo/l1-layout.yaml"), "demo")


def arms(*items: str) -> list[Arm]:
    made = []
    for number, text in enumerate(items):
        condition = None if text in ("else", "unknown") else parse(text)
        made.append(Arm(text, Goal(Leaf.CAUSE, f"c{number}"), condition, text == "unknown"))
    return made


def test_the_first_arm_that_holds_is_taken() -> None:
    assert choose(arms("a > 5", "a > 3", "else"), {"a": 4}) == (1, ("a",), True)


def test_else_is_taken_when_every_condition_is_known_to_be_false() -> None:
    assert choose(arms("a > 5", "b", "else"), {"a": 4, "b": False}) == (2, ("a", "b"), True)


def test_a_missing_fact_is_never_the_default_case() -> None:
    assert choose(arms("a > 5", "else"), {"a": None}) == (None, ("a",), False)


def test_an_unknown_arm_takes_what_could_not_be_read() -> None:
    assert choose(arms("a > 5", "unknown", "else"), {"a": None}) == (1, ("a",), False)


def test_a_later_arm_does_not_win_over_an_earlier_one_that_is_unknown() -> None:
    assert choose(arms("a > 5", "b", "else"), {"a": None, "b": True}) == (None, ("a",), False)


def test_what_decided_already_needs_no_more_facts() -> None:
    assert choose(arms("b", "a > 5", "else"), {"a": None, "b": True}) == (0, ("b",), True)


async def test_each_step_keeps_its_evidence_command_and_the_arm_taken() -> None:
    stack = Stack()
    stack.database.sessions = [session(100 + number, "idle", 4000) for number in range(38)]
    walk = Walk(DATABASE, stack.system, clock=clock)

    first = await walk.step()
    second = await walk.step()

    assert first is not None
    assert second is not None
    assert (first.step, first.branch, first.decided_by) == ("accepts", "accepting → sessions", ("accepting",))
    assert first.command == "pg_isready -d postgresql://sms_user@127.0.0.1:5432/student_management"
    assert second.branch == "used_percent >= 90 → pool-exhausted"
    assert second.facts["idle_over_1h"] == 38
    assert "38 held by sms_user, sms-backend, 172.18.0.5" in second.evidence
    assert walk.current is None
    assert walk.conclusion is not None
    assert [fix.id for fix in walk.conclusion.fixes] == ["end-long-idle", "end-idle", "end-largest-holder", "restart-backend"]
    assert await walk.step() is None


async def test_a_source_that_hangs_makes_the_step_unknown_in_time() -> None:
    stack = Stack()

    async def hang() -> Containers:
        await asyncio.Event().wait()
        raise AssertionError

    stack.engine.containers = hang  # type: ignore[method-assign]
    walk = Walk(load_issues(("sms",), ("c1",))[0], stack.system, clock=clock, limit_s=0.05)

    conclusion = await asyncio.wait_for(walk.finish(), 2)
    walk.close()

    assert conclusion is not None
    assert conclusion.verdict is Verdict.UNKNOWN
    assert "not answered within 0.05 s" in conclusion.summary


async def test_a_defect_in_a_check_makes_its_step_unknown_and_ends_nothing() -> None:
    stack = Stack()

    async def broken() -> Containers:
        raise ZeroDivisionError

    stack.engine.containers = broken  # type: ignore[method-assign]

    conclusion = await Walk(load_issues(("sms",), ("c1",))[0], stack.system, clock=clock).finish()

    assert conclusion is not None
    assert conclusion.verdict is Verdict.UNKNOWN
    assert "ZeroDivisionError" in conclusion.summary


async def test_a_key_pressed_twice_makes_no_step_twice() -> None:
    walk = Walk(DATABASE, Stack().system, clock=clock)

    await asyncio.gather(walk.step(), walk.step(), walk.step())

    assert [made.step for made in walk.path] == ["accepts", "sessions", "disk"]


async def test_a_configured_password_that_turns_up_in_evidence_is_hidden() -> None:
    stack = Stack()
    stack.engine.probe = ExecResult(1, b"", b"login with correct-horse was refused: connection refused\n")
    system = stack.system
    system.secrets.add("correct-horse")
    walk = Walk(load_issues(("sms",), ("c1",))[0], system, clock=clock)

    conclusion = await walk.finish()

    assert conclusion is not None
    assert conclusion.verdict is Verdict.CAUSE
    assert "correct-horse" not in repr(walk.path)


async def test_an_overridden_step_is_kept_marked_and_goes_the_other_way() -> None:
    stack = Stack()
    walk = Walk(DATABASE, stack.system, clock=clock)
    await walk.step()

    made = await walk.override(1)

    assert (made.overridden, made.branch) == (True, "reason == 'too_many_clients' → holders")
    assert [item.overridden for item in walk.path] == [True]
    assert walk.current == "holders"


async def test_a_conclusion_can_be_overridden_too() -> None:
    walk = Walk(DATABASE, Stack().system, clock=clock)
    await walk.finish()
    assert walk.conclusion is not None
    assert walk.conclusion.verdict is Verdict.CLEAR

    await walk.override(0)

    assert walk.conclusion.cause is not None
    assert walk.conclusion.cause.id == "corrupted"


async def test_an_unknown_that_a_person_overrode_does_not_hold_back_the_end() -> None:
    stack = Stack()
    stack.database.failure = timed_out("PostgreSQL")
    walk = Walk(DATABASE, stack.system, clock=clock)
    await walk.step()
    await walk.step()
    assert walk.path[-1].status is StepStatus.UNKNOWN

    await walk.override(2)
    conclusion = await walk.finish()

    assert conclusion is not None
    assert conclusion.verdict is Verdict.CLEAR


async def test_going_back_makes_the_step_afresh() -> None:
    stack = Stack()
    walk = Walk(DATABASE, stack.system, clock=clock)
    await walk.step()
    await walk.step()
    stack.database.sessions = [session(100 + number) for number in range(38)]

    await walk.back()
    assert (walk.current, len(walk.path)) == ("sessions", 1)
    made = await walk.step()

    assert made is not None
    assert made.goal == Goal(Leaf.CAUSE, "pool-exhausted")


async def test_going_back_before_the_first_step_does_nothing() -> None:
    walk = Walk(DATABASE, Stack().system, clock=clock)

    await walk.back()

    assert (walk.current, walk.path) == ("accepts", ())


async def test_a_question_waits_for_a_person_and_each_answer_is_an_arm() -> None:
    walk = Walk(asking(), Stack().system, clock=clock)

    assert await walk.finish() is None
    assert walk.question is not None
    assert walk.question.answers == (("yes", "Yes, it does"), ("no", "No, the same"))
    with pytest.raises(ValueError, match="'perhaps' is not one of yes, no"):
        await walk.answer("perhaps")
    await walk.answer("no")

    assert walk.path[0].status is StepStatus.ASKED
    assert walk.path[0].headline == "Answered: No, the same"
    conclusion = await walk.finish()
    assert conclusion is not None
    assert conclusion.verdict is Verdict.CLEAR


async def test_an_answer_given_twice_counts_once() -> None:
    walk = Walk(asking(), Stack().system, clock=clock)
    await walk.answer("yes")
    await walk.answer("no")

    assert len(walk.path) == 1


async def test_a_question_comes_again_after_going_back() -> None:
    walk = Walk(asking(), Stack().system, clock=clock)
    await walk.answer("yes")

    await walk.back()

    assert walk.question is not None


async def test_answers_given_beforehand_are_not_asked() -> None:
    conclusion = await Walk(asking(), Stack().system, inputs={"seen": "yes"}, clock=clock).finish()

    assert conclusion is not None
    assert conclusion.cause is not None
    assert conclusion.cause.id == "browser-cache"


async def test_a_step_can_lead_to_escalation() -> None:
    stack = Stack()
    stack.engine.items.pop("sms-redis")

    conclusion = await Walk(asking(), stack.system, inputs={"seen": "no"}, clock=clock).finish()

    assert conclusion is not None
    assert (conclusion.verdict, conclusion.summary) == (Verdict.ESCALATE, "Call somebody.")


async def test_steps_answers_overrides_and_notes_are_written_down() -> None:
    written: list[tuple[str, Mapping[str, object]]] = []

    async def record(kind: str, details: Mapping[str, object]) -> None:
        written.append((kind, details))

    walk = Walk(DATABASE, Stack().system, record=record, clock=clock)
    await walk.step()
    await walk.note("phoned \x1b[31mthe DBA")
    await walk.override(1)
    await walk.back()

    assert [kind for kind, _ in written] == ["step", "note", "override", "back"]
    assert {details["issue"] for _, details in written} == {"sms.c2"}
    assert written[1][1]["text"] == "phoned the DBA"
    assert walk.notes[0].step == "accepts"


async def test_a_journal_that_fails_does_not_stop_a_walk_and_is_told() -> None:
    async def record(kind: str, details: Mapping[str, object]) -> None:
        raise OSError(28, "No space left on device")

    walk = Walk(DATABASE, Stack().system, record=record, clock=clock)
    conclusion = await walk.finish()

    assert conclusion is not None
    assert walk.journal_failure == "The journal cannot be written: No space left on device."


async def test_hostile_text_from_the_world_is_clean_in_the_record() -> None:
    stack = Stack()
    stack.engine.change("cache", name="sms-redis")
    stack.engine.failure = refused("evil")
    walk = Walk(load_issues(("sms",), ("c1",))[0], stack.system, clock=clock)
    stack.engine.failure = None
    stack.engine.change("cache", error="\x1b]0;owned\x07boom\x00", health_output="x")
    await walk.finish()

    texts = [text for made in walk.path for text in (made.headline, *made.evidence)]
    assert any("boom␀" in text for text in texts)
    assert not any("\x1b" in text for text in texts)
