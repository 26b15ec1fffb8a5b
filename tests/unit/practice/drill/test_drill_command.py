"""`triage drill` from the command line: what it prints, and its exit codes."""

import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from console.cli import run
from console.practice.drill.heal import offer, unhealed
from console.practice.drill.rounds import Round, new_round, rounds_dir
from console.practice.drill.scenarios import scenario_ids
from console.practice.drill.truths import load_truth


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def left_over(stack: str = "simulated", *, system: str = "sms", scenario: str = "sms-grade-export") -> Round:
    """A round whose referee is gone, before it had broken anything."""
    made = new_round(system)
    made.public().add("round", 100.0, system=system, stack=stack, person="Ada", title="Export", respond_s=300)
    made.referee().add("truth", 100.0, scenario=scenario, causes=["sms.c2.pool-exhausted"])
    made.trainee().add("acknowledged", 160.0)
    return made


def test_the_list_names_every_scenario_and_no_cause(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", "list"]) == 0
    out = capsys.readouterr().out
    for name in scenario_ids():
        assert name in out
        for cause in load_truth(name).causes:
            assert cause not in out
            assert cause.rpartition(".")[2] not in out


def test_the_list_of_a_system_has_its_scenarios_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", "list", "--system", "planner"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines
    assert all(line.startswith("planner-") for line in lines)


@pytest.mark.parametrize("action", ["start", "join", "replay"])
def test_what_needs_a_terminal_says_so(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", action]) == 2
    assert "needs a terminal" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["sms-nowhere"], "there is no scenario 'sms-nowhere'"),
        (["--severity", "low", "--system", "planner", "--family", "z"], "no scenario is like that"),
        (["sms-grade-export", "--system", "planner"], "sms-grade-export is not made for planner"),
        (["--system", "gremlins"], "there is no system 'gremlins'"),
        (["sms-grade-export", "--facilitate", "--stack", "simulated"], "only a lab can be looked at from two terminals"),
    ],
)
def test_what_cannot_be_started_says_why(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.cli._has_terminal", lambda: True)
    assert run(["drill", "start", *options]) == 2
    assert told in capsys.readouterr().err


def test_no_round_begins_on_a_lab_that_is_not_healed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.cli._has_terminal", lambda: True)
    left = left_over("lab")
    assert run(["drill", "start", "sms-grade-export", "--stack", "lab"]) == 1
    assert capsys.readouterr().err == "The last round on the lab of sms is not healed. `triage drill heal` mends it.\n"
    assert [path.name for path in left.folder.parent.iterdir()] == [left.id]


def test_there_is_nothing_to_heal_or_to_join_at_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.cli._has_terminal", lambda: True)
    assert run(["drill", "heal"]) == 0
    assert run(["drill", "status"]) == 0
    assert run(["drill", "join"]) == 1
    told = capsys.readouterr()
    assert told.out == "There is nothing to heal.\nNo round is being played.\n"
    assert "triage drill start --facilitate" in told.err


def test_a_round_that_was_broken_off_is_closed_by_heal_once_and_for_all(capsys: pytest.CaptureFixture[str]) -> None:
    left = left_over()
    assert run(["drill", "status"]) == 1
    assert f"{left.id}: broken off, on the simulated stack of sms, by Ada; triage drill heal" in capsys.readouterr().out
    assert run(["drill", "heal"]) == 0
    assert capsys.readouterr().out == f"{left.id} is healed and closed.\n"
    (ended,) = [entry for entry in left.public().entries() if entry["kind"] == "ended"]
    assert (ended["how"], ended["at"]) == ("broken_off", 160.0)
    assert json.loads((left.folder / "result.json").read_text(encoding="utf-8"))["mark"] == "-"
    assert run(["drill", "heal"]) == 0
    assert capsys.readouterr().out == "There is nothing to heal.\n"


def test_a_round_that_was_killed_before_it_wrote_anything_is_closed_too() -> None:
    left = new_round("sms")
    assert run(["drill", "heal"]) == 0
    assert left.ended


def test_a_round_whose_scenario_is_not_there_any_more_is_closed_too() -> None:
    left = left_over(scenario="sms-of-last-year")
    assert run(["drill", "heal"]) == 0
    assert left.ended


def test_a_round_on_the_lab_that_broke_nothing_touches_no_engine_when_it_is_healed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise AssertionError("The engine was asked.")

    monkeypatch.setattr("console.practice.lab.engine.connect", refuses)
    left = left_over("lab")
    assert run(["drill", "heal"]) == 0
    assert left.ended


def test_a_system_that_the_configuration_does_not_know_leaves_the_round_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    left = left_over("lab", system="elsewhere")
    left.referee().add("inject_begins", 101.0, fault="sms.c2.pool-exhausted")
    assert run(["drill", "heal"]) == 1
    assert "The configuration has no system elsewhere" in capsys.readouterr().err
    assert unhealed() == (left,)


def test_every_start_offers_to_heal_what_was_left_on_a_lab(capsys: pytest.CaptureFixture[str]) -> None:
    left_over("simulated")
    assert offer() == ""
    left = left_over("lab")
    assert run(["issues"]) == 0
    told = capsys.readouterr()
    assert told.err == "A drill on the lab of sms was broken off, and its faults are still in place: triage drill heal\n"
    assert run(["drill", "heal"]) == 0
    assert left.ended
    assert offer() == ""


def test_a_start_without_any_round_makes_no_folder_for_them(home: Path) -> None:
    assert offer() == ""
    assert list(home.iterdir()) == []


def _hold(folder: Path, held: Callable[[], object], go: Callable[[], object]) -> None:
    with Round(folder).hold():
        held()
        go()


def test_a_round_that_a_referee_has_is_left_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    left = left_over("lab")
    context = multiprocessing.get_context("spawn")
    held, go = context.Event(), context.Event()
    referee = context.Process(target=_hold, args=(left.folder, held.set, go.wait))
    referee.start()
    try:
        assert held.wait(20)
        assert offer() == ""
        assert run(["drill", "heal"]) == 0
        assert not left.ended
        assert run(["drill", "status"]) == 0
        assert f"{left.id}: being played" in capsys.readouterr().out
    finally:
        go.set()
        referee.join(20)
    assert unhealed() == (left,)
    assert rounds_dir() == left.folder.parent
