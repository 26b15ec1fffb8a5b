"""`triage check`: its object, its exit codes, its ranking, and what it never does."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from guide_stack import Stack, clock, refused, session

from console.guides.check import check, exit_code, list_issues
from console.guides.check_text import as_text, issues_as_text
from console.problem import Problems
from console.sources.protocols.database import Accepts, Activity
from console.sources.protocols.engine import ExecResult, Health

CRITICAL = ("sms.c1", "sms.c2", "sms.c3")


def exhausted() -> Stack:
    stack = Stack()
    stack.database.sessions = [session(100 + number, "idle", 4000) for number in range(38)]
    return stack


async def test_a_healthy_system_is_clear_and_the_exit_code_is_0() -> None:
    result = await check(Stack().system, CRITICAL, clock=clock)

    assert [(item["issue"], item["outcome"]) for item in result["results"]] == [(issue, "clear") for issue in CRITICAL]
    assert exit_code(result) == 0


async def test_without_an_issue_everything_gets_a_quick_look_and_what_it_leaves_out_is_not_undecided() -> None:
    result = await check(Stack().system, clock=clock)

    left = {item["issue"]: item["left"] for item in result["results"] if item["left"]}
    assert left["sms.l3"].startswith("takes longer: ")
    assert {item["outcome"] for item in result["results"] if item["left"]} == {"unknown"}
    assert "not walked to the end" in as_text(result)


async def test_the_object_has_the_keys_that_scripts_rely_on() -> None:
    result = await check(exhausted().system, ["sms.c2"], clock=clock)

    assert set(result) == {"system", "environment", "taken_at", "results"}
    found = result["results"][0]
    assert set(found) >= {"issue", "title", "severity", "outcome", "cause", "summary", "path", "fixes", "elapsed_ms"}
    assert set(found["path"][0]) == {"step", "check", "status", "facts", "command", "branch", "elapsed_ms", "evidence"}
    assert {tuple(sorted(fix)) for fix in found["fixes"]} == {("id", "preview", "risk", "title")}
    assert json.loads(json.dumps(result)) == result


async def test_a_cause_comes_first_and_the_exit_code_is_3() -> None:
    result = await check(exhausted().system, clock=clock)

    first = result["results"][0]
    assert (first["issue"], first["outcome"], first["cause"]) == ("sms.c2", "cause", "pool-exhausted")
    assert first["fixes"][0]["preview"]["lines"][0] == "38 sessions of 40; 2 of 40 stay"
    assert exit_code(result) == 3


async def test_a_root_cause_comes_before_the_one_that_follows_from_it() -> None:
    stack = exhausted()
    stack.engine.probe = ExecResult(1, b"", b"FATAL: sorry, too many clients already\n")
    stack.engine.change("backend", health=Health.UNHEALTHY)

    result = await check(stack.system, clock=clock)

    assert result["results"][0]["cause"] == "pool-exhausted"
    outage = next(item for item in result["results"] if item["issue"] == "sms.c1")
    assert (outage["cause"], outage["follows_from"]) == ("backend-cannot-reach-database", "sms.c2.pool-exhausted")
    assert outage["fixes"]
    assert all(fix["preview"] is None for fix in outage["fixes"])
    asked = (await check(stack.system, ["sms.c1"], clock=clock))["results"][0]
    assert all(fix["preview"] for fix in asked["fixes"])


async def test_sources_that_are_cut_are_unknown_and_the_exit_code_is_4() -> None:
    stack = Stack()
    stack.cut()

    result = await check(stack.system, CRITICAL, clock=clock)

    assert {item["outcome"] for item in result["results"]} == {"unknown"}
    assert exit_code(result) == 4


async def test_one_cut_source_is_enough_for_exit_code_4() -> None:
    stack = Stack()
    stack.database.failure = refused("PostgreSQL")

    assert exit_code(await check(stack.system, CRITICAL, clock=clock)) == 4


async def test_nothing_is_changed() -> None:
    stack = exhausted()

    await check(stack.system, clock=clock)

    assert stack.engine.done == []
    assert stack.database.ended == []


async def test_a_walk_that_is_out_of_time_is_unknown() -> None:
    stack = Stack()

    async def hang() -> Activity:
        await asyncio.Event().wait()
        raise AssertionError

    stack.database.activity = hang  # type: ignore[method-assign]

    result = await check(stack.system, ["c2"], timeout_s=0.1, clock=clock)

    assert result["results"][0]["outcome"] == "unknown"
    assert "not done within 0.1 s" in result["results"][0]["summary"]


async def test_readings_are_shared_between_issues() -> None:
    stack = Stack()

    await check(stack.system, clock=clock)

    assert stack.engine.asked.count("containers") == 1


async def test_at_a_quick_look_what_a_healthy_system_is_asked_is_asked_at_once() -> None:
    stack, asked = Stack(), asyncio.Event()
    accepts, execute = stack.database.accepts, stack.engine.execute

    async def wait_for_the_third_step() -> Accepts:
        await asked.wait()
        return await accepts()

    async def run(name: str, argv: Sequence[str], *, timeout_s: float) -> ExecResult:
        asked.set()
        return await execute(name, argv, timeout_s=timeout_s)

    stack.database.accepts, stack.engine.execute = wait_for_the_third_step, run  # type: ignore[method-assign]

    result = await check(stack.system, clock=clock)

    assert {item["issue"]: item["outcome"] for item in result["results"]}["sms.c2"] == "clear"


async def test_an_issue_that_there_is_not_is_a_problem_and_names_those_that_there_are() -> None:
    with pytest.raises(Problems, match=r"sms\.c1, sms\.c2, sms\.c3"):
        await check(Stack().system, ["sms.c9"])


async def test_a_system_without_guides_is_a_problem() -> None:
    stack = Stack()
    stack.config = stack.config.model_copy(update={"guides": ()})

    with pytest.raises(Problems, match="no guide with issues"):
        await check(stack.system)


async def test_the_text_tells_cause_way_and_fixes() -> None:
    text = as_text(await check(exhausted().system, clock=clock))

    assert "FOUND pool-exhausted  sms.c2" in text
    assert "used_percent >= 90 → pool-exhausted" in text
    assert "fix R3 End the sessions that have been idle for over an hour" in text
    assert "clear  sms.c3" in text


def test_every_issue_is_listed_with_its_causes() -> None:
    config = Stack().config
    found = list_issues(config)

    by_id = {item["id"]: (item["chord"], item["guide"], item["severity"]) for item in found}
    assert by_id["sms.c2"] == ("c2", "sms", "critical")
    assert by_id["sms.l3"] == ("l3", "sms", "low")
    assert "pool-exhausted" in found[1]["causes"]
    assert "walked never" in issues_as_text(found)
