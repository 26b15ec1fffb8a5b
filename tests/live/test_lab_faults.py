"""Every fault of the lab is felt when it is made, and leaves nothing behind when it is unmade, once or twice."""

from collections.abc import Iterator

import pytest

from console.practice.lab.errors import LabError
from console.practice.lab.fault import LabFault
from console.practice.lab.faults import FAULTS
from console.practice.lab.injection import Injection
from console.practice.lab.spec import Service
from console.practice.lab.stack import Lab
from console.practice.lab.target import Target

pytestmark = pytest.mark.engine


@pytest.fixture
def injection(lab: Lab) -> Iterator[Injection]:
    injection = Injection(lab, print)
    yield injection
    injection.undo_all()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_bites_and_is_undone(fault: LabFault, lab: Lab, injection: Injection) -> None:
    target = Target(lab)
    notes = fault.prepare(target)
    injection.inject(fault)
    assert [item.fault_id for item in Injection(lab, print).open()] == [fault.id]
    Injection(lab, print).undo(fault.id)  # Another one, as a later process would.
    injection.healed()
    assert injection.open() == ()
    fault.undo(target, notes)
    injection.healed()
    assert lab.status().up
    assert target.as_user("SELECT count(*) FROM course").exit_code == 0


def test_the_journal_is_written_before_the_fault_is_made(lab: Lab, injection: Injection) -> None:
    seen = []
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
    target.wait(lambda: target.as_user("SELECT 1").exit_code == 0, "sms_user can log in", timeout_s=10)
    target.wait(
        lambda: target.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'grade-export'") == "0",
        "the leaked sessions are gone",
        timeout_s=10,
    )
