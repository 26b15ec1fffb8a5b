"""Every fault of the lab is felt when it is made, and leaves nothing behind when it is unmade, once or twice."""

import os
from collections.abc import Callable, Iterator

import pytest

from console.practice.lab.errors import LabError
from console.practice.lab.fault import LabFault
from console.practice.lab.fault_journal import OpenFault
from console.practice.lab.faults import BY_SYSTEM, FAULTS
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


EVERY = "TRIAGE_ALL_FAULTS"
"""Set to 1, all faults are made; otherwise the outages, and of the others one of each kind."""
SAMPLE = {
    "sms.h1.no-users",
    "sms.h2.permission-missing",
    "sms.h2.stale-cache",
    "sms.m2.lock-contention",
    "sms.l2.not-deployed",
    "smsops.a2.connections",
    "smsops.r1.volume-permission",
    "planner.a1.missing-secret",
    "planner.a2.migration-pending",
    "planner.n1.port-not-published",
    "planner.n2.chain-incomplete",
    "dotmac.s1.wrong-password",
    "dotmac.s2.auth-required",
    "dotmac.f1.inodes-exhausted",
    "dotmac.n1.remote-down",
    "sovd.s1.schema-missing",
    "sovd.s2.clock-skew",
    "sovd.s3.blocked",
    "sovd.s4.client-loop",
    "sovd.s7.database-missing",
    "sovd.s8.out-of-memory",
}
MADE = [
    pytest.param(system, fault, id=fault.id)
    for system, faults in BY_SYSTEM.items()
    for fault in faults
    if os.environ.get(EVERY) == "1" or fault.id in SAMPLE or fault.id.startswith("sms.c")
]


@pytest.mark.parametrize(("system", "fault"), MADE)
def test_a_fault_bites_and_is_undone(system: str, fault: LabFault, lab_of: Callable[[str], Lab]) -> None:
    lab = lab_of(system)
    injection, target = Injection(lab, print), Target(lab)
    notes = fault.prepare(target)
    injection.inject(fault)
    answers, inputs = injection.replies(fault)
    assert all(isinstance(value, str) and value for value in (*answers.values(), *inputs.values()))
    assert [item.fault_id for item in Injection(lab, print).open()] == [fault.id]
    Injection(lab, print).undo(fault.id)  # Another one, as a later process would.
    injection.healed()
    assert injection.open() == ()
    fault.undo(target, notes)
    target.start_all()
    injection.healed()
    assert lab.status().up
    assert target.as_user("SELECT 1").exit_code == 0
    lab.up()  # Nothing is left that would have to be made anew.


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
    target.wait(lambda: target.as_user("SELECT 1").exit_code == 0, "sms_user can log in", timeout_s=10)
    target.wait(
        lambda: target.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'grade-export'") == "0",
        "the leaked sessions are gone",
        timeout_s=10,
    )
