"""Every cause that containers can show: with its fault in the lab the walk names it and no other; a healthy lab is clear.

This takes many minutes. `TRIAGE_LAB_CAUSES=FILE pytest tests/live/test_every_cause_on_lab.py` makes it, and writes to the file
which causes were named and how long each walk took; `-k sovd` limits it to one guide.
"""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from console.config import load_config, shipped_config
from console.guides.check import check
from console.guides.issue import Issue
from console.guides.loader import load_issues
from console.practice.lab.faults import FAULTS
from console.practice.lab.injection import Injection
from console.practice.lab.stack import Lab
from console.system import live_system

TABLE = os.environ.get("TRIAGE_LAB_CAUSES", "")
pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not TABLE, reason="takes many minutes: TRIAGE_LAB_CAUSES=FILE makes it and names where its table goes"),
]
CONFIG = load_config(shipped_config()).config
SYSTEM_OF = {guide: name for name, system in CONFIG.systems.items() for guide in system.guides}
ISSUES: dict[str, Issue] = {issue.id: issue for guide in SYSTEM_OF for issue in load_issues((guide,))}
SHOWN = [
    fault
    for fault in FAULTS
    if fault.rpartition(".")[0] in ISSUES and fault.rpartition(".")[2] in ISSUES[fault.rpartition(".")[0]].causes
]
OF_COMPOSE = ("planner.k3",)
"""Issues about a program that the lab does without."""
FELT_WITHIN_S = 60.0
"""Until an effect shows: health checks, logs, a minute that counts."""


def has_compose() -> bool:
    """Whether this machine can run `docker compose` or `docker-compose`."""
    tools = (("docker", "compose", "version"), ("docker-compose", "version"))
    return any(shutil.which(tool[0]) and subprocess.run(tool, capture_output=True).returncode == 0 for tool in tools)


class Rows:
    """What the table holds: a line a walk."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, fault: str, answer: Mapping[str, Any], made_s: float, felt_s: float) -> None:
        found = answer["cause"] or answer["outcome"]
        self.lines.append(f"| {fault} | {found} | {answer['elapsed_ms']:.0f} ms | {made_s:.0f} s | {felt_s:.0f} s |")


@pytest.fixture(scope="module")
def rows() -> Iterator[Rows]:
    found = Rows()
    yield found
    head = ("| fault | the walk says | walk | until made | until named |", "|---|---|---|---|---|")
    Path(TABLE).write_text("\n".join((*head, *found.lines)) + "\n", encoding="utf-8")


async def walk(lab: Lab, issue: str, told: Mapping[str, str], tmp_path: Path) -> dict[str, Any]:
    text = shipped_config().read_text(encoding="utf-8").replace("$TRIAGE_STATE/lab", str(lab.folder.parent))
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    system = live_system(load_config(tmp_path / "config.toml").config.system(SYSTEM_OF[ISSUES[issue].guide]))
    await system.open()
    try:
        answer = await check(system, (issue,), timeout_s=15, inputs={}, told=told)
    finally:
        await system.aclose()
    result: dict[str, Any] = answer["results"][0]
    return result


@pytest.mark.parametrize("issue", sorted({fault.rpartition(".")[0] for fault in SHOWN}))
async def test_on_the_healthy_lab_the_walk_is_clear(issue: str, lab_of: Callable[[str], Lab], tmp_path: Path) -> None:
    if issue in OF_COMPOSE and not has_compose():
        pytest.skip("this machine has no Docker Compose, and that is what the walk says")
    lab = lab_of(SYSTEM_OF[ISSUES[issue].guide])
    answers, inputs = Injection(lab, print).replies(None)
    result = await walk(lab, issue, {**answers, **inputs}, tmp_path)
    assert result["outcome"] == "clear", result["summary"]


@pytest.mark.parametrize("fault", SHOWN)
async def test_the_walk_names_the_cause_of_its_fault(
    fault: str, lab_of: Callable[[str], Lab], rows: Rows, tmp_path: Path
) -> None:
    issue, _, cause = fault.rpartition(".")
    lab = lab_of(SYSTEM_OF[ISSUES[issue].guide])
    injection, began = Injection(lab, print), time.monotonic()
    await asyncio.to_thread(injection.inject, FAULTS[fault])
    made = time.monotonic()
    answers, inputs = injection.replies(FAULTS[fault])
    while True:
        result = await walk(lab, issue, {**answers, **inputs}, tmp_path)
        felt_s = time.monotonic() - made
        if result["cause"] == cause or felt_s > FELT_WITHIN_S:
            break
        await asyncio.sleep(0.5)
    rows.add(fault, result, made - began, felt_s)
    assert (result["outcome"], result["cause"]) == ("cause", cause), result["summary"]
    await asyncio.to_thread(injection.undo, fault)
    await asyncio.to_thread(injection.healed)


def test_which_causes_the_lab_does_not_show(capsys: pytest.CaptureFixture[str]) -> None:
    causes = [f"{issue.id}.{cause}" for issue in ISSUES.values() for cause in issue.causes]
    missing = [cause for cause in causes if cause not in SHOWN]
    issues = {fault.rpartition(".")[0] for fault in SHOWN}
    with capsys.disabled():
        print(f"\nThe lab shows {len(SHOWN)} of {len(causes)} causes, in {len(issues)} of {len(ISSUES)} issues.")
        print(f"Not: {', '.join(missing)}")
    assert SHOWN
