"""On real containers without a fault: walks are clear, nothing fires at a quick look, and what is cut is unknown."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.config import load_config, shipped_config
from console.guides.check import check, exit_code
from console.practice.lab.stack import Lab
from console.system import live_system

pytestmark = pytest.mark.engine

# What follows from a fault without being it: the engine itself cannot be stopped in a lab that runs on it.
ISSUES = ("sms.c1", "sms.c2", "sms.c3")
CANNOT_BE_KNOWN = {"planner.k3"}
"""Asks for the version of Docker Compose, which a machine with an engine need not have."""


async def walk(config_file: Path, *issues: str) -> dict[str, Any]:
    system = live_system(load_config(config_file).config.system("sms"))
    await system.open()
    try:
        return await check(system, issues, timeout_s=10, inputs={})
    finally:
        await system.aclose()


async def test_every_walk_is_clear_on_the_healthy_lab(lab: Lab, triage_config: Path) -> None:
    answer = await walk(triage_config, *ISSUES)
    assert [(result["issue"], result["outcome"]) for result in answer["results"]] == [(issue, "clear") for issue in ISSUES]
    assert exit_code(answer) == 0


@pytest.mark.parametrize("name", ["sms", "planner", "dotmac", "sovd"])
async def test_at_a_quick_look_at_every_issue_nothing_fires_on_a_healthy_lab(
    name: str, lab_of: Callable[[str], Lab], tmp_path: Path
) -> None:
    lab = lab_of(name)
    text = shipped_config().read_text(encoding="utf-8").replace("$TRIAGE_STATE/lab", str(lab.folder.parent))
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    system = live_system(load_config(tmp_path / "config.toml").config.system(name))
    await system.open()
    try:
        answer = await check(system, timeout_s=15)
    finally:
        await system.aclose()
    assert [(item["issue"], item["summary"]) for item in answer["results"] if item["cause"]] == []
    undecided = {item["issue"] for item in answer["results"] if not item["left"] and item["outcome"] != "clear"}
    assert undecided <= CANNOT_BE_KNOWN, [(item["issue"], item["summary"]) for item in answer["results"] if not item["left"]]


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
