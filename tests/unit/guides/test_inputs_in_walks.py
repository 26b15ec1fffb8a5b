"""Inputs from the file to the walk: what the loader refuses, what is asked for, what is kept, and what never is."""

from pathlib import Path

import pytest
from fake_cache import FakeCache, system_with
from fixing import Written
from guide_stack import NOW, clock

from console.guides import check as headless
from console.guides.check import check, exit_code
from console.guides.checks import run_check
from console.guides.compiling import compile_issue
from console.guides.decisions import StepStatus, Verdict
from console.guides.fixes import apply_fix, preview_fix
from console.guides.issue import Issue
from console.guides.loader import Guides
from console.guides.readings import Readings
from console.guides.walk import Walk
from console.problem import Problems
from console.reading import FailureKind, SourceError
from console.sources.protocols.cache import CacheKey
from tests.asking_issue import DROP, HEAD, KEY, SECOND, WORD

GOOD = (
    HEAD
    + """\
      - {when: present, go: second}
      - {else: clear}
"""
    + SECOND
    + """\
      - {when: present, cause: old}
      - {else: clear}
causes:
  old: {summary: It is old., fixes: [drop]}
fixes:
"""
    + DROP
)


def compiled(text: str = GOOD) -> Issue:
    return compile_issue(text, Path("demo/h1-grades.yaml"), "demo")


def problems(old: str, new: str) -> list[str]:
    assert old in GOOD
    with pytest.raises(Problems) as caught:
        compiled(GOOD.replace(old, new, 1))
    return [f"{item.line}:{item.column} {item.message} | {item.advice}" for item in caught.value.items]


def cache() -> FakeCache:
    found = {name: CacheKey(name, "string", 60.0, 1.0, 100, f"{name}!".encode()) for name in (KEY, WORD)}
    return FakeCache(found=found)


# -- loading --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'key: "grades:student:${student_id}"}\n    branches',
            'key: "grades:student:${studentid}"}\n    branches',
            "13:33 steps.known.with.key: there is no input 'studentid' | Did you mean student_id?",
        ),
        (
            "with: {key: $word}",
            'with: {key: "a${word}"}',
            "20:19 steps.second.with.key: word is password, which cannot stand inside a text | Give $word as a whole value.",
        ),
        (
            "with: {key: $word}",
            "with: {key: fixed}",
            "7:3 no step and no fix uses the input 'word' | Remove it, or use it.",
        ),
        (
            "with: {key: $word}",
            "with: {key: $student_id}",
            "20:17 steps.second.with.key: input should be a valid string | ",
        ),
        (
            "{kind: number, title: Number of the student}",
            "{kind: integer, title: x}",
            "6:22 inputs.student_id.kind: input should",
        ),
        ("  word: {kind", "  Word!: {kind", "7:3 'Word!' is no name for an input | Small letters, digits, _ and -."),
    ],
)
def test_a_wrong_input_is_told_with_its_place(old: str, new: str, told: str) -> None:
    assert any(line.startswith(told) for line in problems(old, new)), problems(old, new)


def test_an_input_and_a_step_that_asks_have_different_names() -> None:
    asks = 'check: ask\n    with: {question: "Is it there?", answers: {present: x}}'
    told = problems("check: cache.key\n    with: {key: $word}", asks)
    assert not any("is an input and a step" in line for line in told)
    with pytest.raises(Problems, match=r"'second' is an input and a step that asks\. Rename one of them\."):
        compiled(GOOD.replace("check: cache.key\n    with: {key: $word}", asks).replace("  word: {kind", "  second: {kind"))


def test_sql_and_questions_take_no_input_into_their_text() -> None:
    asks = 'check: ask\n    with: {question: "Is ${student_id} there?", answers: {present: x}}'
    told = problems("check: cache.key\n    with: {key: $word}", asks)
    assert any("steps.second.with.question: question takes no input" in line for line in told)


# -- walking --------------------------------------------------------------------------------------------------------------


async def test_a_step_asks_for_its_input_and_is_made_with_what_was_given() -> None:
    redis, memory, journal = cache(), dict[str, str](), Written()
    walk = Walk(compiled(), system_with(redis), memory=memory, record=journal.record, clock=clock)

    assert await walk.step() is None
    question = walk.question
    assert question is not None
    assert question.wanted is not None
    assert (question.text, question.wanted.name, question.secret) == ("Number of the student", "student_id", False)
    assert "TTL grades:student:$student_id" in walk.command_of("known")

    with pytest.raises(ValueError, match="student_id must be a number such as 42, not 'DROP TABLE'"):
        await walk.answer("DROP TABLE")
    assert redis.done == []
    await walk.answer(" 42 ")

    assert redis.done == [f"key {KEY}"]
    assert memory == {"student_id": "42"}
    assert KEY in walk.path[0].command
    assert [kind for kind, _ in journal.entries] == ["input", "step"]


async def test_what_was_given_in_the_incident_is_not_asked_for_again() -> None:
    walk = Walk(compiled(), system_with(cache()), memory={"student_id": "42"}, clock=clock)
    await walk.step()
    assert walk.path[0].facts["present"] is True
    again = Walk(compiled(), system_with(cache()), memory={"student_id": "of another form"}, clock=clock)
    assert again.question is not None


async def test_a_secret_is_shown_nowhere_written_nowhere_and_forgotten_with_the_walk() -> None:
    redis, memory, journal = cache(), dict[str, str](), Written()
    system = system_with(redis)
    walk = Walk(compiled(), system, memory=memory, record=journal.record, clock=clock)
    await walk.give("student_id", "42")
    await walk.step()
    assert walk.question is not None
    assert walk.question.secret
    await walk.answer(WORD)

    made = walk.path[1]
    assert redis.done[-1] == f"key {WORD}"
    assert "$word" in made.command
    assert WORD not in repr(made)
    assert WORD not in repr(walk.conclusion)
    assert WORD not in repr(journal.entries)
    assert memory == {"student_id": "42"}
    assert system.secrets.hide(WORD) != WORD

    walk.close()
    assert "word" not in walk.values
    assert system.secrets.hide(WORD) == WORD


async def test_a_short_password_is_hidden_where_it_stands_as_a_word() -> None:
    redis = FakeCache(found={"test": CacheKey("test", "string", 60.0, 1.0, 100, b"latest test (test)")})
    walk = Walk(compiled(), system_with(redis), inputs={"student_id": "42", "word": "test"}, clock=clock)
    redis.found[KEY] = redis.found["test"]
    await walk.finish()
    assert redis.done[-1] == "key test"
    assert "begins with latest ••• (•••)" in walk.path[1].evidence
    assert "test" not in walk.path[1].headline


async def test_headless_a_missing_input_makes_the_step_unknown_and_is_named() -> None:
    redis = cache()
    walk = Walk(compiled(), system_with(redis), asks=False, clock=clock)

    conclusion = await walk.finish()

    assert conclusion is not None
    assert conclusion.verdict is Verdict.UNKNOWN
    assert walk.path[0].status is StepStatus.UNKNOWN
    assert str(walk.path[0].failure) == "The input student_id was not given. --input student_id=…"
    assert redis.done == []


async def test_a_value_that_the_parameter_does_not_take_leaves_the_step_unknown() -> None:
    issue = compiled(GOOD.replace("{kind: number,", "{kind: correlation-id,").replace("grades:student:", "g" * 490 + ":"))
    redis = cache()
    walk = Walk(issue, system_with(redis), inputs={"student_id": "a" * 100}, asks=False, clock=clock)

    await walk.step()

    assert "What was given for student_id does not fit key" in str(walk.path[0].failure)
    assert redis.done == []


async def test_a_call_with_samples_is_never_made() -> None:
    redis, issue = cache(), compiled()
    system = system_with(redis)

    outcome = await run_check(issue.steps["known"].check, Readings(system))
    with pytest.raises(SourceError, match="student_id was not given"):
        await preview_fix(system, issue.fixes["drop"])

    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.NOT_CONFIGURED
    assert redis.done == []


async def test_a_fix_is_bound_to_what_was_given() -> None:
    redis, system = cache(), None
    system = system_with(redis)
    walk = Walk(compiled(), system, clock=clock)
    fix = walk.issue.fixes["drop"]
    assert [item.name for item in walk.missing(fix)] == ["student_id"]
    await walk.give("student_id", "42")
    assert walk.missing(fix) == ()

    bound = walk.bound(fix)
    preview = await preview_fix(system, bound)
    applied = await apply_fix(system, bound, preview, Written().record)

    assert bound.verify is not None
    assert not bound.verify.check.needs
    assert preview.lines == (f"{KEY}  string  100 B  expires in 1 min",)
    assert applied.done
    assert KEY not in redis.found


# -- triage check ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headless, "read_guides", lambda *_: Guides((compiled(),)))


@pytest.mark.usefixtures("demo")
async def test_check_takes_inputs_by_name_and_by_issue() -> None:
    for name in ("student_id", "demo.h1.student_id"):
        result = await check(system_with(cache()), inputs={name: "42", "word": WORD}, clock=lambda: NOW)
        (found,) = result["results"]
        assert (found["outcome"], exit_code(result)) == ("cause", 3)
        assert found["fixes"][0]["preview"]["targets"] == [KEY]
        assert WORD not in repr(result)


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"student": "42"}, "there is no input 'student'. There are: student_id, word."),
        ({"student_id": "1 OR 1=1"}, "student_id must be a number such as 42, not '1 OR 1=1'"),
        ({"word": ""}, "word must be a password of 1 to 200 characters"),
        ({"word": "x" * 2**20}, "word must be a password of 1 to 200 characters"),
    ],
)
async def test_check_refuses_a_wrong_input_before_anything_is_read(given: dict[str, str], told: str) -> None:
    redis = cache()
    with pytest.raises(Problems) as caught:
        await check(system_with(redis), inputs=given, clock=lambda: NOW)
    assert [str(item) for item in caught.value.items] == [f"--input:1:1: {told}"]
    assert redis.done == []


@pytest.mark.usefixtures("demo")
async def test_what_the_user_of_a_practice_stack_would_say_yields_to_what_was_given() -> None:
    told = {"student_id": "7", "word": WORD, "of_another_issue": "x"}
    redis = cache()
    result = await check(system_with(redis), told=told, inputs={"student_id": "42"}, clock=lambda: NOW)
    assert result["results"][0]["outcome"] == "cause"
    assert f"key {KEY}" in redis.done
