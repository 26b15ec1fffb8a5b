"""A drill touches only what carries the lab's label, mends what it and the trainee did, and says what it could not bring back."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.config import SystemConfig, load_config
from console.practice.drill.lab_stack import LabStack
from console.practice.drill.referee import Referee
from console.practice.drill.rounds import new_round
from console.practice.drill.scenario import PlannedFault, PlannedNoise
from console.practice.drill.scenarios import load_scenario
from console.practice.drill.stack import StackError
from console.practice.drill.truths import load_truth
from console.practice.lab.spec import Service
from console.practice.lab.stack import Lab
from console.practice.lab.target import Target

pytestmark = pytest.mark.engine
TABLES = ("grades", "users")
POOL = PlannedFault("sms.c2.pool-exhausted")


@pytest.fixture
def system(lab: Lab, triage_config: Path, monkeypatch: pytest.MonkeyPatch) -> SystemConfig:
    monkeypatch.setenv("XDG_STATE_HOME", str(lab.folder.parents[2]))
    return load_config(triage_config).config.systems["sms"]


@pytest.fixture
async def stack(system: SystemConfig) -> AsyncIterator[LabStack]:
    made = LabStack(system, print)
    yield made
    await made.heal()
    await made.aclose()


@pytest.fixture
def elsewhere(system: SystemConfig, triage_config: Path, tmp_path: Path) -> SystemConfig:
    """A lab that was never made, with names of its own."""
    text = triage_config.read_text(encoding="utf-8").replace("systems.sms", "systems.triagetest")
    path = tmp_path / "elsewhere.toml"
    path.write_text(text.replace('"sms-', '"triagetest-').replace('= "sms"', '= "triagetest"'), encoding="utf-8")
    return load_config(path).config.system("triagetest")


@pytest.fixture
def foreign(lab: Lab) -> Iterator[dict[str, Any]]:
    """Somebody else's container, which happens to have the name of that lab's backend."""
    image = lab.container(Service.LOAD)["Config"]["Image"]
    made = lab.client.api.create_container(image, command=["sleep", "600"], name="triagetest-backend")
    lab.client.api.start(made["Id"])
    yield made
    lab.client.api.remove_container(made["Id"], force=True)


async def test_where_nothing_carries_the_label_that_is_said_and_nothing_is_touched(elsewhere: SystemConfig) -> None:
    stack = LabStack(elsewhere)
    with pytest.raises(StackError, match=r"Nothing here carries the label triage\.lab=triagetest, and nothing else is"):
        await stack.why_not_clean()
    with pytest.raises(StackError, match="The lab has no container triagetest-"):
        await stack.inject(POOL)
    assert await stack.heal() == ()
    await stack.aclose()


async def test_a_container_of_the_same_name_without_the_label_is_refused_and_untouched(
    lab: Lab, elsewhere: SystemConfig, foreign: dict[str, Any], tmp_path: Path
) -> None:
    before = lab.client.api.inspect_container(foreign["Id"])
    stack = LabStack(elsewhere)
    refused = await stack.why_not_clean()
    assert refused == ("there is a container triagetest-backend that is not the lab's; it was left as it is",)
    with pytest.raises(StackError, match="triagetest-backend that is not the lab's"):
        await stack.inject(PlannedFault("sms.c1.container-down"))

    scenario, truth = load_scenario("sms-monday-morning"), load_truth("sms-monday-morning")
    round_ = new_round("triagetest", tmp_path / "drills")
    assert await Referee(scenario, truth, stack, round_, person="a test").run() == "void"
    assert "triagetest-backend that is not the lab's" in round_.public().entries()[-1]["reason"]
    assert not [entry for entry in round_.referee().entries() if entry["kind"] in ("inject_begins", "heal_begins")]
    await stack.heal()
    await stack.aclose()
    after = lab.client.api.inspect_container(foreign["Id"])
    assert (after["State"], after["Config"], after["Name"]) == (before["State"], before["Config"], before["Name"])


async def test_a_lab_with_a_fault_is_not_clean(stack: LabStack) -> None:
    assert await stack.why_not_clean() == ()
    await stack.inject(POOL)
    reasons = await stack.why_not_clean()
    assert reasons[0] == "sms.c2.pool-exhausted is in place (`triage lab undo` removes it)"


async def test_a_lab_has_one_round_at_a_time(stack: LabStack, system: SystemConfig) -> None:
    assert await stack.why_not_clean() == ()
    other = LabStack(system)
    assert await other.why_not_clean() == ("another round has this lab: `triage drill status` tells which",)
    with pytest.raises(StackError, match="Another round has this lab"):
        await other.heal()
    await other.aclose()


async def test_healing_puts_back_what_the_round_and_the_trainee_did_and_may_be_repeated(stack: LabStack, lab: Lab) -> None:
    before = await stack.baseline(TABLES)
    await stack.make_noise(PlannedNoise("old-errors"))
    await stack.inject(POOL)
    lab.client.api.stop(lab.container(Service.CACHE)["Id"], timeout=3)
    lab.client.api.remove_container(lab.container(Service.PROXY)["Id"], force=True)
    for _ in range(2):
        assert await stack.heal() == ()
        assert await stack.baseline(TABLES) == before
        assert await stack.why_not_clean() == ()


async def test_a_fault_is_undone_although_the_trainee_stopped_what_its_way_back_needs(stack: LabStack, lab: Lab) -> None:
    await stack.baseline(TABLES)
    await stack.inject(PlannedFault("sms.h2.permission-missing"))
    lab.client.api.stop(lab.container(Service.DATABASE)["Id"], timeout=8)
    assert await stack.heal() == ()
    assert await stack.why_not_clean() == ()


async def test_a_setting_of_the_server_that_the_trainee_made_is_reset(stack: LabStack, lab: Lab) -> None:
    await stack.baseline(TABLES)
    await stack.inject(POOL)
    target = Target(lab)
    target.sql("ALTER SYSTEM SET superuser_reserved_connections = 7")
    target.restart(Service.DATABASE)
    target.start_database()
    assert target.sql("SHOW superuser_reserved_connections") == "7"
    assert await stack.heal() == ()
    assert target.sql("SHOW superuser_reserved_connections") == "3"
    assert await stack.why_not_clean() == ()


async def test_rows_that_the_trainee_lost_are_told_and_the_lab_is_made_anew(stack: LabStack, lab: Lab) -> None:
    before = await stack.baseline(TABLES)
    Target(lab).sql("DELETE FROM user_permission; TRUNCATE grade CASCADE")
    lost = await stack.heal()
    assert [what for what in lost if "rows of grades are gone" in what]
    assert await stack.baseline(TABLES) == before
    assert await stack.why_not_clean() == ()


async def test_tables_are_counted_also_when_one_is_locked_missing_or_the_server_is_away(stack: LabStack, lab: Lab) -> None:
    target = Target(lab)
    holder = "BEGIN; LOCK TABLE grade IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(20)"
    target.leave_running(Service.DATABASE, "psql", "-U", "postgres", "-d", target.database, "-c", holder)
    target.wait(lambda: target.sql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted") != "0", "held")
    found = await stack.baseline(("grades", "users", "nowhere"))
    assert (found.rows["grades"], found.rows["nowhere"]) == (None, 0)
    assert found.rows["users"]
    target.kill(Service.DATABASE, "pg_sleep")
    target.stop(Service.DATABASE)
    assert (await stack.baseline(("users",))).rows == {"users": None}


async def test_a_round_that_ends_while_a_fault_is_being_made_gives_it_up_and_undoes_it(
    stack: LabStack, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = stack._known
    never = replace(real(POOL.fault), bites=lambda _target, _notes: False)
    monkeypatch.setattr(stack, "_known", lambda _fault: never)
    making = asyncio.ensure_future(stack.inject(POOL))
    while not stack._injection.open():
        await asyncio.sleep(0.1)
    began = time.monotonic()
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert time.monotonic() - began < 20, "it was not waited for until its own time was up"
    assert stack._injection.open() == ()
    monkeypatch.undo()
    assert await stack.heal() == ()
