"""Every fault of the lab is felt when it is made, named by its walk, and leaves nothing behind when unmade, once or twice."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from console.config import SystemConfig, load_config, shipped_config
from console.guides.check import check
from console.practice.lab.errors import LabError
from console.practice.lab.fault import LabFault
from console.practice.lab.fault_journal import OpenFault
from console.practice.lab.faults import BY_SYSTEM, FAULTS
from console.practice.lab.injection import Injection
from console.practice.lab.noises import NOISES
from console.practice.lab.spec import Service
from console.practice.lab.stack import Lab
from console.practice.lab.target import Target
from console.practice.simulated.faults import replies_of
from console.system import live_system

pytestmark = pytest.mark.engine


@pytest.fixture
def injection(lab: Lab) -> Iterator[Injection]:
    injection = Injection(lab, print)
    yield injection
    injection.undo_all()


FELT_S = 70.0
HEALED_S = 240.0
"""Some walks look back for minutes, and want some of them to be there."""
EVERY = "TRIAGE_ALL_FAULTS"
"""Set to 1, all faults are made; otherwise the outages, and of the others one of each kind."""
SAMPLE = {
    "sms.h1.no-users",
    "sms.h2.permission-missing",
    "sms.h2.stale-cache",
    "sms.l2.not-deployed",
    "smsops.a2.connections",
    "planner.a1.missing-secret",
    "planner.n1.port-not-published",
    "planner.n2.chain-incomplete",
    "dotmac.s1.wrong-password",
    "dotmac.s2.auth-required",
    "dotmac.f1.inodes-exhausted",
    "dotmac.n1.remote-down",
    "sms.c1.killed",
    "sms.c1.network-delay",
    "sms.c2.paused",
    "sms.h2.poisoned-cache",
    "sms.m1.redis-slow",
    "sms.m2.privilege-revoked",
    "sovd.s2.clock-skew",
    "sovd.s3.blocked",
    "sovd.s7.database-missing",
    "sovd.s8.out-of-memory",
}
MADE = [
    pytest.param(system, fault, id=fault.id)
    for system, faults in BY_SYSTEM.items()
    for fault in faults
    if os.environ.get(EVERY) == "1" or fault.id in SAMPLE or fault.id.startswith("sms.c")
]


RANKED = ("container-down", "container-unhealthy", "port-conflict", "database-down", "pool-exhausted", "out-of-memory")
"""Of the outages, those whose place among all issues of the system is looked at as well: one of each kind."""


@pytest.mark.parametrize(("system", "fault"), MADE)
async def test_a_fault_bites_its_walk_names_it_and_it_is_undone(
    system: str, fault: LabFault, lab_of: Callable[[str], Lab], tmp_path: Path
) -> None:
    lab = lab_of(system)
    injection, target = Injection(lab, print), Target(lab)
    notes = await asyncio.to_thread(fault.prepare, target)
    await asyncio.to_thread(injection.inject, fault)
    assert [item.fault_id for item in Injection(lab, print).open()] == [fault.id]

    config = lab_config(lab, tmp_path)
    issue, _, cause = fault.cause.rpartition(".")
    answers, inputs = injection.replies(fault)
    found = await walk_until(config, issue, {**answers, **inputs}, lambda result: result["cause"] == cause)
    assert (found["outcome"], found["cause"]) == ("cause", cause), found["summary"]
    if issue.startswith("sms.c") and cause in RANKED:
        first = (await walk(config, None, {}))["results"][0]
        assert (first["issue"], first["cause"]) == (issue, cause), first["summary"]

    Injection(lab, print).undo(fault.id)  # Another one, as a later process would.
    await asyncio.to_thread(injection.healed)
    assert injection.open() == ()
    await asyncio.to_thread(fault.undo, target, notes)
    await asyncio.to_thread(target.start_all)
    await asyncio.to_thread(injection.healed)
    assert lab.status().up
    assert target.as_user("SELECT 1").exit_code == 0
    well = {**replies_of("healthy", config)[0], **injection.replies(None)[1]}
    healed = await walk_until(config, issue, well, lambda result: result["outcome"] == "clear", HEALED_S)
    assert healed["outcome"] == "clear", healed["summary"]
    await asyncio.to_thread(lab.up)  # Nothing is left that would have to be made anew.


def lab_config(lab: Lab, tmp_path: Path) -> SystemConfig:
    """The configuration of a lab, whose secrets are found although the test's home is another one."""
    text = shipped_config().read_text(encoding="utf-8").replace("$TRIAGE_STATE/lab", str(lab.folder.parent))
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    return load_config(tmp_path / "config.toml").config.system(lab.plan.system)


async def walk(config: SystemConfig, issue: str | None, told: Mapping[str, str]) -> dict[str, Any]:
    system = live_system(config)
    await system.open()
    try:
        return await check(system, (issue,) if issue else (), timeout_s=15, told=told)
    finally:
        await system.aclose()


async def walk_until(
    config: SystemConfig,
    issue: str,
    told: Mapping[str, str],
    holds: Callable[[dict[str, Any]], bool],
    within_s: float = FELT_S,
) -> dict[str, Any]:
    """The walk's result once it holds, or the last one: an effect may need a moment to be felt (health checks, logs)."""
    until = time.monotonic() + within_s
    while True:
        (result,) = (await walk(config, issue, told))["results"]
        if holds(result) or time.monotonic() > until:
            return dict(result)
        await asyncio.sleep(0.5)


NOISY = {"sms": sorted(NOISES), "dotmac": ["log-noise", "slow-job"]}


@pytest.mark.parametrize(
    ("system", "noise"),
    [
        (system, name)
        for system in BY_SYSTEM
        for name in sorted(NOISES)
        if os.environ.get(EVERY) == "1" or name in NOISY.get(system, ())
    ],
)
async def test_a_noise_is_no_cause_and_is_undone(system: str, noise: str, lab_of: Callable[[str], Lab], tmp_path: Path) -> None:
    lab = lab_of(system)
    injection, target = Injection(lab, print), Target(lab)
    answers, inputs = injection.replies(None)
    # What a test before this one left behind (the machine counts the processes that it killed) is no noise.
    before = await causes_named(lab_config(lab, tmp_path), {**answers, **inputs})
    await asyncio.to_thread(injection.inject, NOISES[noise])
    assert await causes_named(lab_config(lab, tmp_path), {**answers, **inputs}) <= before
    await asyncio.to_thread(Injection(lab, print).undo, f"noise.{noise}")
    await asyncio.to_thread(NOISES[noise].undo, target, {})
    assert injection.open() == ()
    assert lab.status().up


async def causes_named(config: SystemConfig, told: Mapping[str, str]) -> set[str]:
    found = await walk(config, None, told)
    return {f"{item['issue']}.{item['cause']}" for item in found["results"] if item["outcome"] == "cause"}


def test_a_container_of_the_labs_name_that_is_not_the_labs_is_left_alone(lab: Lab, injection: Injection) -> None:
    api, mine = lab.client.api, lab.container(Service.BACKEND)
    name = mine["Name"].lstrip("/")
    api.stop(mine["Id"])
    api.rename(mine["Id"], f"{name}-aside")
    foreign = api.create_container(mine["Config"]["Image"], ["sleep", "600"], name=name)
    try:
        api.start(foreign["Id"])
        before = api.inspect_container(foreign["Id"])
        for fault in (FAULTS["sms.c1.killed"], FAULTS["sms.m2.one-endpoint"], NOISES["log-noise"]):
            with pytest.raises(LabError, match=f"container {name} that is not the lab's"):
                injection.inject(fault)
            assert injection.open() == ()
        after = api.inspect_container(foreign["Id"])
        assert (after["State"], after["HostConfig"]) == (before["State"], before["HostConfig"])
    finally:
        api.remove_container(foreign["Id"], force=True)
        api.rename(mine["Id"], name)
        lab.up()


def test_the_journal_is_written_before_the_fault_is_made(lab: Lab, injection: Injection) -> None:
    seen: list[OpenFault] = []
    fault = LabFault(
        "sms.c1.container-down",
        "Looks into the journal",
        inject=lambda _target, _notes: seen.extend(Injection(lab, print).open()),
        bites=lambda _target, _notes: True,
        undo=lambda _target, _notes: None,
    )
    injection.inject(fault)
    assert [item.fault_id for item in seen] == ["sms.c1.container-down"]


def test_a_fault_that_fails_half_way_is_undone(lab: Lab, injection: Injection) -> None:
    def fails(target: Target, _notes: object) -> None:
        target.stop(Service.BACKEND)
        raise LabError("The second half failed.")

    real = FAULTS["sms.c1.container-down"]
    with pytest.raises(LabError, match="second half"):
        injection.inject(LabFault(real.id, real.title, fails, real.bites, real.undo))
    assert injection.open() == ()
    injection.healed()
    assert lab.status().up


def test_a_fault_whose_container_is_gone_counts_as_undone(lab: Lab, injection: Injection) -> None:
    injection.inject(FAULTS["sms.c1.container-down"])
    lab.client.api.remove_container(lab.container(Service.BACKEND)["Id"], force=True)
    injection.undo("sms.c1.container-down")
    assert injection.open() == ()


def test_what_a_person_mended_by_hand_is_not_mended_again(lab: Lab, injection: Injection) -> None:
    injection.inject(FAULTS["sms.c3.out-of-memory"])
    target = Target(lab)
    target.limit_memory(Service.BACKEND, 300 * 1024 * 1024)
    injection.undo("sms.c3.out-of-memory")
    injection.healed()
    assert lab.container(Service.BACKEND)["HostConfig"]["Memory"] == 300 * 1024 * 1024


def test_the_leaked_sessions_can_be_ended_and_stay_ended(lab: Lab, injection: Injection) -> None:
    injection.inject(FAULTS["sms.c2.pool-exhausted"])
    target = Target(lab)
    held = target.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'grade-export' AND state = 'idle'")
    assert int(held) > 25
    target.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'grade-export'")
    target.wait(lambda: target.as_user("SELECT 1").exit_code == 0, "sms_user can log in")
    target.wait(
        lambda: target.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'grade-export'") == "0",
        "the leaked sessions are gone",
    )
