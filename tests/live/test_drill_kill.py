"""A referee that is killed in any phase leaves a state that `triage drill heal` repairs from a fresh process, and again."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from drill_child import PHASES

from console.config import SystemConfig, load_config, shipped_config
from console.practice.drill.lab_stack import LabStack
from console.practice.drill.stack import Baseline
from console.practice.drill.truths import load_truth
from console.practice.drill.watching import lost_since
from console.practice.lab.fault_journal import FaultJournal
from console.practice.lab.stack import Lab

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[2]
EVERY = "TRIAGE_ALL_FAULTS"
"""Set to 1, every phase of ten scenarios; otherwise the sample."""
SCENARIOS = (
    "sms-grade-export",
    "sms-parents-evening",
    "sms-term-papers",
    "sms-new-class",
    "sms-now-and-then",
    "sms-slow-afternoon",
    "sms-release-night",
    "planner-two-doors",
    "sovd-two-ways-out",
    "dotmac-first-of-month",
)
SAMPLE = {("sms-grade-export", "injecting"), ("sms-release-night", "healing")}
KILLED = [
    pytest.param(scenario, phase, id=f"{scenario}-{phase}")
    for scenario in SCENARIOS
    for phase in PHASES
    if os.environ.get(EVERY) == "1" or (scenario, phase) in SAMPLE
]
REACHED_S = 150


class Drill:
    """`triage drill` as a person on this lab types it, in processes of its own."""

    def __init__(self, lab: Lab, tmp_path: Path) -> None:
        self.lab = lab
        self.system = lab.plan.system
        self.config = tmp_path / "config.toml"
        self.config.write_text(shipped_config().read_text(encoding="utf-8"), encoding="utf-8")
        state = lab.folder.parents[2]  # The children find the lab's secrets and its journal where this test does.
        self.environment = {**os.environ, "XDG_STATE_HOME": str(state), "PYTHONPATH": f"{ROOT}:{ROOT / 'tests/live'}"}
        self.rounds = state / "triage" / "drills"
        self.made: list[str] = []

    def kill_at(self, scenario: str, phase: str) -> str:
        """Let a round be played by a process that is killed at a phase; the round's id."""
        command = (sys.executable, str(ROOT / "tests/live/drill_child.py"), str(self.config), self.system, scenario, phase)
        child = subprocess.Popen(command, stdout=subprocess.PIPE, env=self.environment, text=True, cwd=ROOT)
        said: list[str] = []
        late = threading.Timer(REACHED_S, child.kill)
        try:
            assert child.stdout is not None
            late.start()
            for line in child.stdout:
                said.append(line.strip())
                if line.startswith("round "):
                    self.made.append(line.split()[1])
                if line.startswith("reached "):
                    break
        finally:
            late.cancel()
            child.send_signal(signal.SIGKILL)
            child.wait(10)
            if child.stdout is not None:
                child.stdout.close()
        assert said[-1] == f"reached {phase}", said
        return self.made[-1]

    def triage(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = (sys.executable, "-m", "console", *words, "--config", str(self.config))
        return subprocess.run(command, capture_output=True, text=True, timeout=240, env=self.environment, cwd=ROOT, check=False)

    def baseline(self, tables: tuple[str, ...]) -> Baseline:
        """What exists, counted from this process."""

        async def look(config: SystemConfig) -> Baseline:
            stack = LabStack(config)
            try:
                return await stack.baseline(tables)
            finally:
                await stack.aclose()

        return asyncio.run(look(load_config(self.config).config.system(self.system)))

    def forget(self) -> None:
        """Remove the test's rounds from among this user's own."""
        for name in self.made:
            shutil.rmtree(self.rounds / name, ignore_errors=True)


@pytest.fixture
def drill_on(lab_of: Callable[[str], Lab], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Drill]]:
    made: list[Drill] = []

    def on(name: str) -> Drill:
        lab = lab_of(name)
        monkeypatch.setenv("XDG_STATE_HOME", str(lab.folder.parents[2]))
        made.append(Drill(lab, tmp_path))
        return made[-1]

    yield on
    for drill in made:
        drill.forget()


@pytest.mark.parametrize(("scenario", "phase"), KILLED)
def test_a_killed_referee_leaves_what_heal_repairs_twice(scenario: str, phase: str, drill_on: Callable[[str], Drill]) -> None:
    drill = drill_on(scenario.partition("-")[0])
    tables = load_truth(scenario).keep_tables
    before = drill.baseline(tables)
    name = drill.kill_at(scenario, phase)

    offered = drill.triage("issues")
    assert f"A drill on the lab of {drill.system} was broken off" in offered.stderr
    assert name in drill.triage("drill", "status").stdout

    healed = drill.triage("drill", "heal")
    assert healed.returncode == 0, healed.stdout + healed.stderr
    assert f"{name} is healed and closed." in healed.stdout
    after = drill.baseline(tables)
    assert (lost_since(before, after), after.parts - before.parts) == ((), frozenset())
    assert FaultJournal(drill.lab.folder / "faults.json").read() == ()
    assert drill.lab.status().up

    again = drill.triage("drill", "heal")
    assert (again.returncode, again.stdout, again.stderr) == (0, "There is nothing to heal.\n", "")
    assert lost_since(after, drill.baseline(tables)) == ()
    assert drill.triage("issues").stderr == ""
