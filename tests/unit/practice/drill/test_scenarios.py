"""Scenarios and truths: read strictly, told by line and column, and never saying what is wrong."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from console.cli import run
from console.practice.drill.editor_schema import TARGETS, scenario_schema, truth_schema
from console.practice.drill.errands import Errands
from console.practice.drill.scenario import Errand, StackKind
from console.practice.drill.scenario_rules import gives_away, response_s, scenario_files, scenario_problems, stack_kinds
from console.practice.drill.scenarios import load_scenario, scenario_ids
from console.practice.drill.truths import load_truth
from console.practice.lab.faults import FAULTS
from console.problem import Problems

IDS = scenario_ids()
SCENARIO = """\
id: sms-school-fete
title: Saturday, everybody is on the lawn
system: sms
stack: either
severity: critical
respond: 5m
brief: The page for the raffle does not open.
faults: [{fault: sms.c1.container-down, at: 0s}]
noise: [{noise: old-errors, at: 5s}]
reports:
  - {at: 5s, who: a parent, text: "It does not open."}
  - {at: 9s, who: a teacher, text: "For me neither."}
hints: [Look at the parts., The proxy is well., One of them does not run.]
"""
TRUTH = """\
id: sms-school-fete
causes: [sms.c1.container-down]
accepted: {smsops.a1.backend-down: sms.c1.container-down}
probes:
  - {id: runs, title: All run, check: containers.services, holds: down == 0}
keep: {tables: [users]}
mending: [smsops.a1.start-backend]
debrief: It was down.
"""

Told = Callable[[str, str, str], list[str]]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """What lint says when one text of the scenario or of its truth is another: `line:column message`."""

    def change(old: str, new: str, of: str = "scenario") -> list[str]:
        folder = tmp_path / "scenarios"
        (folder / "truth").mkdir(parents=True, exist_ok=True)
        assert old in (SCENARIO if of == "scenario" else TRUTH)
        scenario = SCENARIO.replace(old, new) if of == "scenario" else SCENARIO
        truth = TRUTH.replace(old, new) if of == "truth" else TRUTH
        (folder / "sms-school-fete.yaml").write_text(scenario, encoding="utf-8")
        (folder / "truth" / "sms-school-fete.yaml").write_text(truth, encoding="utf-8")
        return [f"{item.line}:{item.column} {item.message}" for item in scenario_problems((folder,))]

    return change


def test_the_shipped_scenarios_have_nothing_to_mend() -> None:
    assert scenario_problems() == []


def test_there_are_enough_of_every_sort() -> None:
    scenarios = [load_scenario(name) for name in IDS]
    truths = [load_truth(name) for name in IDS]
    assert len(scenarios) >= 30
    by_system = {system: sum(item.system == system for item in scenarios) for system in ("sms", "planner", "dotmac", "sovd")}
    assert min(by_system.values()) >= 5, by_system
    on_lab = [item for item in scenarios if StackKind.LAB in stack_kinds(item.stack)]
    assert len(on_lab) >= 15
    assert all(fault.fault in FAULTS for item in on_lab for fault in item.faults)
    assert sum(len(truth.causes) == 2 for truth in truths) >= 3
    (nothing,) = [item for item, truth in zip(scenarios, truths, strict=True) if not truth.causes]
    assert len(nothing.noise) >= 3
    assert len(nothing.reports) >= 3
    assert any(fault.at_s for item in scenarios for fault in item.faults)
    assert any(item.hide_steps for item in scenarios)


def test_a_truth_is_told_apart_from_its_scenario() -> None:
    """Nothing of a scenario's own file names a cause but its faults, which no screen shows."""
    for name in IDS:
        scenario = load_scenario(name)
        shown = " ".join(
            (scenario.id, scenario.title, scenario.brief, *scenario.hints, *(item.text for item in scenario.reports))
        )
        assert not re.search(r"\b(sms|smsops|planner|dotmac|sovd)\.[a-z]\d", shown), name


def test_a_sound_scenario_has_nothing_to_mend(told: Told) -> None:
    assert told("lawn", "grass", "scenario") == []


@pytest.mark.parametrize(
    ("of", "old", "new", "expected"),
    [
        ("scenario", "sms.c1.container-down", "sms.c1.container-gone", "8:18 the simulated stack of sms has no fault"),
        ("scenario", "stack: either", "stak: either", "4:1 stak: there is no such key"),
        ("scenario", "respond: 5m", "respond: soon", "6:10 respond: must be a duration"),
        ("scenario", "severity: critical", "severity: high", "5:11 severity and respond are high and 5m"),
        ("scenario", "respond: 5m", "respond: 15m", "5:11 severity and respond are critical and 15m"),
        ("scenario", "at: 0s}", "at: 20s}", "8:45 the first fault is not there when the round begins"),
        ("scenario", "at: 9s", "at: 4s", "12:10 reports.1 comes before reports.0"),
        ("scenario", "The proxy is well.", "Look at the parts.", "13:8 the hints are not three different ones"),
        ("scenario", ", The proxy is well.", "", "13:8 hints: tuple should have at least 3 items"),
        ("scenario", "The proxy is well.", "Restart all of it.", "13:29 this hint names the fix restart-all"),
        ("scenario", "old-errors", "old-news", "9:17 the simulated stack has no noise 'old-news'"),
        (
            "scenario",
            "Saturday, everybody is on the lawn",
            "A container is down",
            "2:8 this gives the cause sms.c1.container-down",
        ),
        ("scenario", "does not open.\nf", "is sms.c1.container-down.\nf", "7:8 this gives the cause sms.c1.container-down away"),
        ("scenario", "id: sms-school-fete", "id: sms-school-feast", "1:5 the file of sms-school-feast must be called"),
        ("scenario", "system: sms", "system: sms\nsystem: sms", "4:1 the key 'system' is there twice"),
        (
            "truth",
            "causes: [sms.c1.container-down]",
            "causes: [sms.c1.container-down, sms.c1.gone]",
            "2:33 the guides of sms have no cause 'sms.c1.gone'",
        ),
        ("truth", "causes: [sms.c1.container-down]", "causes: []", "3:36 there is no cause in `causes`"),
        ("truth", "smsops.a1.backend-down:", "smsops.a1.backend-away:", "3:36 the guides of sms have no cause"),
        ("truth", "smsops.a1.start-backend", "smsops.a1.start-it", "7:11 the guides of sms have no fix 'smsops.a1.start-it'"),
        ("truth", "containers.services", "containers.servces", "5:39 there is no check 'containers.servces'"),
        ("truth", "holds: down == 0", "holds: gone == 0", "5:67 probes.0.holds: unknown name 'gone'"),
        ("truth", "holds: down == 0", "holds: down == 'no'", "5:67 probes.0.holds: down is a number"),
        (
            "truth",
            "check: containers.services",
            "check: disk.data, with: {path: /}",
            "5:57 probes.0.with.path: there is no such key",
        ),
        ("truth", "debrief: It was down.", "", "1:1 debrief: is missing"),
        (
            "truth",
            "keep:",
            "  - {id: runs, title: Again, check: containers.engine, holds: answers}\nkeep:",
            "6:10 there are two probes 'runs'",
        ),
        (
            "truth",
            "debrief:",
            "errands: [{fault: sms.c1.container-down, who: others, after: 1m, says: Done.}]\ndebrief:",
            "8:19 nobody else mends sms.c1.container-down on the simulated stack",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(told: Told, of: str, old: str, new: str, expected: str) -> None:
    found = told(old, new, of)
    assert any(line.startswith(expected) for line in found), found


def test_a_kind_of_fault_on_the_lab_stands_for_the_cause_that_it_shows(told: Told) -> None:
    on_lab = SCENARIO.replace("stack: either", "stack: lab").partition("stack:")[2].partition("hints:")[0]
    usual = SCENARIO.partition("stack:")[2].partition("hints:")[0]
    assert told(usual, on_lab.replace("sms.c1.container-down", "sms.c1.killed"), "scenario") == []
    assert told("sms.c1.container-down", "sms.c1.killed", "scenario") != []  # The simulated stack has no such fault.


def test_a_scenario_without_truth_and_a_truth_without_scenario_are_told(told: Told, tmp_path: Path) -> None:
    told("lawn", "grass", "scenario")
    folder = tmp_path / "scenarios"
    (folder / "truth" / "sms-school-fete.yaml").rename(folder / "truth" / "sms-other.yaml")
    messages = sorted(item.message for item in scenario_problems((folder,)))
    assert "the scenario has no truth" in messages
    assert "the truth has no scenario" in messages


def test_an_id_that_two_folders_have_is_told(told: Told, tmp_path: Path) -> None:
    told("lawn", "grass", "scenario")
    other = tmp_path / "more"
    (tmp_path / "scenarios").rename(other)
    told("lawn", "green", "scenario")
    messages = [item.message for item in scenario_problems((other, tmp_path / "scenarios"))]
    assert [message for message in messages if message.startswith("sms-school-fete is also the id of")]


def test_lint_of_the_command_line_covers_scenarios(told: Told, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told("old-errors", "old-news", "scenario")
    assert run(["lint", str(tmp_path / "scenarios")]) == 2
    assert "sms-school-fete.yaml:9:17: the simulated stack has no noise 'old-news'" in capsys.readouterr().out
    told("lawn", "grass", "scenario")
    assert run(["lint", str(tmp_path / "scenarios" / "sms-school-fete.yaml")]) == 0


def test_a_scenario_that_there_is_not_is_told_with_a_near_one() -> None:
    with pytest.raises(Problems, match="Did you mean sms-monday-morning"):
        load_scenario("sms-monday-mornings")


@pytest.mark.parametrize(
    ("text", "cause", "expected"),
    [
        ("The account is locked", "dotmac.u1.locked", True),
        ("Somebody cannot get in", "dotmac.u1.locked", False),
        ("The cache is stale", "sms.h2.stale-cache", True),
        ("The cache is full", "sms.h2.stale-cache", False),
        ("The leaks of connections", "sovd.s7.leak", True),
        ("A dnsmasq is no name of a cause", "planner.n1.dns", False),
    ],
)
def test_what_gives_a_cause_away(text: str, cause: str, expected: bool) -> None:
    assert gives_away(text, cause) is expected


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("at once", 300),
        ("at once, within 5 minutes (P0)", 300),
        ("within 15 minutes", 900),
        ("within an hour", 3600),
        ("within one hour", 3600),
        ("within 4 hours", 14_400),
        ("within a day", 86_400),
    ],
)
def test_the_words_of_a_guide_are_seconds(words: str, seconds: float) -> None:
    assert response_s(words) == seconds


def test_the_schemas_for_editors_are_those_of_the_code() -> None:
    # To renew them: python -m console.practice.drill.editor_schema
    for name, made in (("scenario", scenario_schema()), ("truth", truth_schema())):
        assert json.loads(TARGETS[name].read_text(encoding="utf-8")) == json.loads(json.dumps(made))
    for path in scenario_files():
        assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=schema.json\n"), path


def test_an_errand_is_done_so_long_after_its_cause_was_first_named() -> None:
    errands = Errands(
        (Errand("sms.l3.smtp-unreachable", "the mail team", 30.0, "It is up."),), {"sms.l3.smtp-unset": "sms.l3.smtp-unreachable"}
    )
    errands.heard(["sms.c1.container-down"], 5.0)
    assert errands.due(100.0) == ()
    errands.heard(["sms.l3.smtp-unset"], 110.0)
    errands.heard([], 120.0)
    assert errands.due(139.9) == ()
    assert [item.who for item in errands.due(140.0)] == ["the mail team"]
    assert errands.due(150.0) == ()
