"""Every fault and noise of the lab, on an engine that only writes down: undone once, twice, and from half-way on."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.config import load_config, shipped_config
from console.config_sources import EngineConfig
from console.practice.lab import engine as engine_module
from console.practice.lab.errors import LabError, NotInLab
from console.practice.lab.fault import LabFault
from console.practice.lab.faults import BY_SYSTEM, UNDOABLE
from console.practice.lab.injection import Injection
from console.practice.lab.noises import NOISES
from console.practice.lab.plan import lab_plan
from console.practice.lab.spec import Service
from console.practice.lab.stack import Lab
from console.practice.lab.target import Target
from tests.unit.practice.recorded_engine import RecordedEngine, client

HELD = {"sms.c1.port-conflict", "smsops.r1.port-conflict", "sovd.s6.port-held"}
"""They start a process on this machine: tested with the real lab alone."""
RESTARTS = {"sms.c2.corrupted", "smsops.r1.volume-permission", "planner.d2.index-corrupt", "planner.d2.data-corrupt"}
"""They break PostgreSQL while it is stopped, and start it."""
EVERY = [
    pytest.param(system, fault, id=f"{system}-{fault.id}")
    for system, faults in BY_SYSTEM.items()
    for fault in (*faults, *NOISES.values())
    if fault.id not in HELD
]


CONFIG = load_config(shipped_config()).config


class Stopped(KeyboardInterrupt):
    """Somebody pressed Ctrl+C."""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One state folder for all: keys and certificates are made once."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def engine(state: Path, monkeypatch: pytest.MonkeyPatch) -> RecordedEngine:
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    monkeypatch.setattr(Target, "ask", lambda *_words, **_options: 0)
    made = RecordedEngine()
    monkeypatch.setattr(engine_module, "connect", lambda _config: client(made))
    return made


@pytest.fixture(autouse=True)
def _without_journal(state: Path) -> Iterator[None]:
    yield
    for path in state.rglob("faults.json"):
        path.unlink()


def lab_of(system: str, engine: RecordedEngine) -> Lab:
    """A lab whose containers all run."""
    lab = Lab(lab_plan(system, CONFIG.systems[system]), EngineConfig(), lambda _line: None)
    engine.found.clear()
    engine.pages.clear()
    engine.make(lab)
    return lab


def state_of(lab: Lab, engine: RecordedEngine) -> dict[str, object]:
    """Containers and the project's files on this machine."""
    project = lab.folder / "project"
    files = {path.name: path.stat().st_size for path in project.iterdir()} if project.is_dir() else {}
    return {**engine.state(), "project": files}


@pytest.mark.parametrize(("system", "fault"), EVERY)
def test_undoing_twice_is_as_undoing_once(system: str, fault: LabFault, engine: RecordedEngine) -> None:
    lab = lab_of(system, engine)
    target, well = Target(lab), state_of(lab, engine)
    notes = {"at": "0", **fault.prepare(target)}
    assert state_of(lab, engine) == well  # It only looked.
    fault.inject(target, notes)
    for _ in range(2):
        fault.undo(target, notes)
        assert state_of(lab, engine) == well


@pytest.mark.parametrize(("system", "fault"), EVERY)
def test_undoing_what_was_never_made_changes_nothing(system: str, fault: LabFault, engine: RecordedEngine) -> None:
    lab = lab_of(system, engine)
    target, well = Target(lab), state_of(lab, engine)
    notes = {"at": "0", **fault.prepare(target)}
    fault.undo(target, notes)
    assert state_of(lab, engine) == well


@pytest.mark.parametrize(("system", "fault"), EVERY)
def test_interrupted_at_any_change_it_is_undone_at_once(
    system: str, fault: LabFault, engine: RecordedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = lab_of(system, engine)
    target = Target(lab)
    notes = {"at": "0", **fault.prepare(target)}
    looked = len(engine.changes)
    fault.inject(target, notes)
    for stop_at in range(looked, len(engine.changes)):
        lab = lab_of(system, engine)
        well = state_of(lab, engine)
        monkeypatch.setattr(engine, "after", _stop_once(stop_at))
        with pytest.raises(Stopped):
            Injection(lab, lambda _line: None).inject(fault)
        assert state_of(lab, engine) == well, f"stopped after {stop_at}"
        assert Injection(lab, lambda _line: None).open() == ()


@pytest.mark.parametrize(("system", "fault"), EVERY)
def test_a_way_back_that_was_interrupted_can_be_gone_again(
    system: str, fault: LabFault, engine: RecordedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = lab_of(system, engine)
    target = Target(lab)
    notes = {"at": "0", **fault.prepare(target)}
    fault.inject(target, notes)
    begun = len(engine.changes)
    fault.undo(target, notes)
    for stop_at in range(begun, len(engine.changes)):
        lab = lab_of(system, engine)
        target, well = Target(lab), state_of(lab, engine)
        notes = {"at": "0", **fault.prepare(target)}
        fault.inject(target, notes)
        monkeypatch.setattr(engine, "after", _stop_once(stop_at))
        with pytest.raises(Stopped):
            fault.undo(target, notes)
        fault.undo(target, notes)
        target.start_all()
        assert state_of(lab, engine) == well, f"stopped after {stop_at}"


@pytest.mark.parametrize(("system", "fault"), EVERY)
def test_containers_of_the_same_names_without_the_label_are_left_alone(
    system: str, fault: LabFault, engine: RecordedEngine
) -> None:
    lab = lab_of(system, engine)
    target = Target(lab)
    notes = {"at": "0", **fault.prepare(target)}
    lab = lab_of(system, engine)
    engine.disown()
    for act in (Injection(lab, lambda _line: None).inject, lambda item: item.undo(Target(lab), notes)):
        with contextlib.suppress(LabError):
            act(fault)
        assert engine.changes == []


def test_a_foreign_container_is_refused_by_name(engine: RecordedEngine) -> None:
    lab = lab_of("sms", engine)
    engine.disown("sms-backend")
    with pytest.raises(LabError, match="There is a container sms-backend that is not the lab's; it was left as it is"):
        Injection(lab, lambda _line: None).inject(UNDOABLE["sms.c1.killed"])
    assert engine.changes == []
    assert Injection(lab, lambda _line: None).open() == ()


@pytest.mark.parametrize("noise", sorted(NOISES))
def test_a_noise_is_made_also_where_nothing_of_the_system_runs(noise: str, engine: RecordedEngine) -> None:
    lab = lab_of("sms", engine)
    for item in engine.found.values():
        item["State"]["Running"] = False
    well = state_of(lab, engine)
    NOISES[noise].inject(Target(lab), {})
    NOISES[noise].undo(Target(lab), {})
    assert state_of(lab, engine) == well


def test_one_half_of_a_fault_is_undone_although_the_container_of_the_other_is_gone(engine: RecordedEngine) -> None:
    lab = lab_of("sms", engine)
    fault = UNDOABLE["sms.m2.lock-contention"]
    notes = {"at": "0", **fault.prepare(Target(lab))}
    fault.inject(Target(lab), notes)
    engine.found.pop("sms-load")
    with pytest.raises(NotInLab):
        fault.undo(Target(lab), notes)
    assert any("RESET lock_timeout" in change for change in engine.changes)


def test_all_that_a_journal_may_name_is_known() -> None:
    named = {fault.id for faults in BY_SYSTEM.values() for fault in faults} | {f"noise.{name}" for name in NOISES}
    assert set(UNDOABLE) == named


def _stop_once(at: int) -> Callable[[int], None]:
    stopped: list[int] = []

    def stop(number: int) -> None:
        if number == at and not stopped:
            stopped.append(number)
            raise Stopped

    return stop


@pytest.mark.parametrize(("system", "fault"), EVERY)
def test_making_a_fault_starts_no_database_that_another_one_stopped(system: str, fault: LabFault, engine: RecordedEngine) -> None:
    lab = lab_of(system, engine)
    target = Target(lab)
    notes = {"at": "0", **fault.prepare(target)}
    target.stop(Service.DATABASE)
    with contextlib.suppress(LabError):
        fault.inject(target, notes)
    assert fault.id in RESTARTS or not target.running(Service.DATABASE)
