"""Procedures: which there are, how a step becomes well, and the clock of a recovery."""

from collections.abc import Mapping
from typing import Any

import pytest

from console.config import load_config, shipped_config
from console.guides.checks.registry import find_check
from console.guides.fixes import Applied
from console.guides.risk import Risk
from console.procedures.library import procedures
from console.procedures.procedure import Mark, Procedure, Progress, Run
from console.reading import Failure, FailureKind
from tests.unit.guides.guide_stack import NOW, Stack

CONFIG = load_config(shipped_config()).config


class Written:
    def __init__(self) -> None:
        self.entries: list[tuple[str, Mapping[str, Any]]] = []
        self.broken = False

    async def __call__(self, kind: str, details: Mapping[str, object]) -> None:
        if self.broken:
            raise OSError(28, "no space left")
        self.entries.append((kind, details))


def of(name: str) -> Procedure:
    return next(item for item in procedures(CONFIG.system("sms")) if item.id == name)


@pytest.mark.parametrize("system", CONFIG.systems)
def test_every_condition_reads_facts_that_its_check_has(system: str) -> None:
    for procedure in procedures(CONFIG.systems[system]):
        for step in procedure.steps:
            if step.check is not None and step.holds is not None:
                check = find_check(step.check.name)
                assert check is not None
                assert set(step.holds.names) <= set(check.declared(step.check.parameters)), step.title


def test_the_risk_of_a_procedure_is_its_worst_change() -> None:
    assert {item.id: item.risk for item in procedures(CONFIG.system("sms"))} == {
        "backup": Risk.R1,
        "restore": Risk.R4,
        "point-in-time": None,
        "roll-back": Risk.R1,
        "weekly": None,
        "monthly": None,
    }


def test_a_system_without_backups_has_no_procedure_for_them() -> None:
    bare = CONFIG.system("sms").model_copy(update={"backups": None})
    assert {item.id for item in procedures(bare)} == {"roll-back", "weekly", "monthly"}


async def test_a_check_that_holds_makes_its_step_well_and_is_written_down() -> None:
    stack, written = Stack(), Written()
    stack.engine.items["sms-db-backup"] = stack.engine.items["sms-postgres"]
    stack.engine.files = {"student_management_1.sql.gz": (1000, NOW - 60)}
    run = Run(of("backup"), stack.system, written)
    await run.look(0)
    assert run.progress[0].mark is Mark.WELL
    assert run.current == 1
    assert [(kind, details["mark"]) for kind, details in written.entries] == [("procedure_step", "well")]


async def test_what_cannot_be_read_is_unknown_and_not_well() -> None:
    stack = Stack()
    stack.cut()
    run = Run(of("restore"), stack.system, Written())
    await run.look(1)
    assert run.progress[1].mark is Mark.UNKNOWN
    assert run.current == 0


async def test_the_recovery_clock_runs_from_the_first_change_until_the_service_is_back() -> None:
    stack, seconds = Stack(), 100.0
    system = stack.system
    system.elapsed = lambda: seconds
    run = Run(of("restore"), system, Written())
    assert run.elapsed_s() is None
    change = next(number for number, step in enumerate(run.procedure.steps) if step.fix)
    back = next(number for number, step in enumerate(run.procedure.steps) if step.stops_clock)
    run.begin_change()
    seconds = 160.0
    await run.changed(change, Applied(True, ("restored",)))
    assert run.elapsed_s() == 60.0
    seconds = 190.0
    await run.tick(back, "looked at it")
    seconds = 900.0
    assert run.elapsed_s() == 90.0


async def test_a_change_that_failed_or_was_left_is_not_well() -> None:
    run = Run(of("backup"), Stack().system, Written())
    await run.changed(2, None)
    assert run.progress[2] == Progress()
    await run.changed(2, Applied(False, (), Failure(FailureKind.DECLINED, "It failed.")))
    assert run.progress[2].mark is Mark.FAILED
    assert "It failed." in run.progress[2].lines


async def test_a_journal_that_cannot_be_written_is_told() -> None:
    written = Written()
    run = Run(of("weekly"), Stack().system, written)
    written.broken = True
    await run.tick(3, "restored on staging")
    assert "restored on staging" in run.progress[3].lines
    assert any("journal cannot be written" in line for line in run.progress[3].lines)
