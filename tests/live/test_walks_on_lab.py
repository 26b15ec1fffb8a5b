"""On real containers: the walk names the cause of each fault and no other, is clear on the healthy lab, unknown when cut."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.config import load_config
from console.guides.check import check, exit_code
from console.practice.lab.faults import FAULTS
from console.practice.lab.injection import Injection
from console.practice.lab.stack import Lab
from console.system import live_system

pytestmark = pytest.mark.engine

# What follows from a fault without being it: the engine itself cannot be stopped in a lab that runs on it.
ISSUES = ("sms.c1", "sms.c2", "sms.c3")


@pytest.fixture
def injection(lab: Lab) -> Iterator[Injection]:
    injection = Injection(lab, print)
    yield injection
    injection.undo_all()


async def walk(config_file: Path, *issues: str) -> dict[str, Any]:
    system = live_system(load_config(config_file).config.system("sms"))
    await system.open()
    try:
        return await check(system, issues, timeout_s=10, inputs={})
    finally:
        await system.aclose()


async def walk_until(config_file: Path, issue: str, outcome: str, *, within_s: float) -> dict[str, Any]:
    """The walk's answer once it is `outcome`, or the last one: an effect may need a moment to be felt (health checks, logs)."""
    until = time.monotonic() + within_s
    while True:
        answer = await walk(config_file, issue)
        (result,) = answer["results"]
        if result["outcome"] == outcome or time.monotonic() > until:
            return answer
        await asyncio.sleep(0.5)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.startswith(ISSUES)])
async def test_the_walk_names_the_cause_of_a_fault(fault: str, injection: Injection, triage_config: Path) -> None:
    issue, _, cause = fault.rpartition(".")
    await asyncio.to_thread(injection.inject, FAULTS[fault])
    answer = await walk_until(triage_config, issue, "cause", within_s=20)
    (result,) = answer["results"]
    assert (result["outcome"], result["cause"]) == ("cause", cause), result["summary"]
    assert exit_code(answer) == 3
    assert result["elapsed_ms"] < 2000
    await asyncio.to_thread(injection.undo, fault)
    await asyncio.to_thread(injection.healed)
    healed = await walk_until(triage_config, issue, "clear", within_s=70)
    assert healed["results"][0]["outcome"] == "clear", healed["results"][0]["summary"]


async def test_every_walk_is_clear_on_the_healthy_lab(lab: Lab, triage_config: Path) -> None:
    answer = await walk(triage_config, *ISSUES)
    assert [(result["issue"], result["outcome"]) for result in answer["results"]] == [(issue, "clear") for issue in ISSUES]
    assert exit_code(answer) == 0


@pytest.mark.parametrize("issue", ISSUES)
async def test_a_walk_whose_source_is_cut_is_unknown(issue: str, lab: Lab, triage_config: Path, tmp_path: Path) -> None:
    text = triage_config.read_text(encoding="utf-8")
    # An engine and a database that accept connections and never answer, as frozen ones do.
    silent = await asyncio.start_server(lambda _reader, _writer: asyncio.sleep(3600), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    cut = text.replace("[systems.sms.engine]", f'[systems.sms.engine]\nhost = "tcp://127.0.0.1:{port}"').replace(
        "@127.0.0.1:5432/student", f"@127.0.0.1:{port}/student"
    )
    path = tmp_path / "cut.toml"
    path.write_text(cut, encoding="utf-8")
    answer = await walk(path, issue)
    (result,) = answer["results"]
    assert result["outcome"] == "unknown", result["summary"]
    assert exit_code(answer) == 4
    silent.close()
