"""A grade judges what was done for the people behind the stack, tells each reason, and stays bounded whatever the logs hold."""

import random
from dataclasses import replace
from typing import Any

import pytest
from played import BEGAN, POOL, TRUTH, Played, played_well

from console.practice.drill.grade import MARKS, NOT_GRADED, Grade, Reason, grade

DOWN = "sms.c2.database-down"
DISK = "sms.c2.disk-full"


def reason(graded: Grade, kind: str) -> Reason:
    (found,) = [item for item in graded.reasons if item.kind == kind]
    return found


def test_a_round_with_everything_right_and_in_time_is_an_a() -> None:
    graded = played_well().grade()
    assert (graded.mark, graded.passed) == ("A", True)
    assert (graded.times.detect_s, graded.times.diagnose_s, graded.times.mitigate_s) == (30, 90, 150)
    assert graded.evidence_looked_at == ("sms.c2 accepts", "sms.c2 holders")
    assert all(item.met and item.value and item.expected for item in graded.reasons)


# -- each lesson from the scoring of other ranges -----------------------------------------------------------------------


def test_probes_that_hold_are_not_enough_when_a_part_of_the_stack_is_gone() -> None:
    """Deleting the broken service made "everything that is there runs" true."""
    graded = played_well().knew("lost", 140, what="container sms-backend").grade()
    assert (graded.mark, graded.passed) == ("F", False)
    assert reason(graded, "lost").value == "container sms-backend"


def test_lost_rows_fail_whatever_the_time() -> None:
    graded = played_well().knew("lost", 140, what=["grades: 500 rows, 0 left"]).grade()
    assert (graded.mark, graded.lost) == ("F", ("grades: 500 rows, 0 left",))


def test_lost_data_is_not_escaped_by_leaving() -> None:
    played = Played().begins().knew("lost", 50, what="table users")
    assert played.ends(60, "broken_off").grade().mark == "F"


def test_a_running_stack_whose_own_probe_fails_is_not_mended() -> None:
    """A general "nothing crashed" passes faults that crash nothing."""
    played = Played().begins().acknowledges(30).diagnoses(60, POOL).probed(200, False, 96.0).ends(1200, "timed_out")
    graded = played.grade()
    assert (graded.mark, graded.passed, graded.times.mitigate_s) == ("E", False, None)
    failed = reason(graded, "probe")
    assert (failed.text, failed.value, failed.expected) == (
        "A user can log in to the database",
        "used_percent 96.0",
        "used_percent < 80",
    )


def test_a_diagnosis_is_graded_by_the_cause_that_was_picked_also_by_one_that_stands_for_it() -> None:
    """Correct diagnoses failed, because a rubric matched their wording."""
    played = Played().begins().acknowledges(10).diagnoses(20, "sms.c1.database-down").mends(60).ends(61)
    assert (played.grade().mark, played.grade().wrong_causes) == ("A", ())


def test_another_part_that_is_unwell_all_along_does_not_fail_the_fix() -> None:
    """A correct fix failed, because the whole namespace was looked at."""
    played = played_well()
    played.knew("sample", 149, p95_ms=2_400, errors_per_s=3.0, connections=12, connections_max=100, health_ok=False)
    assert played.grade().mark == "A"


@pytest.mark.parametrize("how", ["gave_up", "timed_out"])
def test_every_fail_carries_the_check_the_value_and_what_was_expected(how: str) -> None:
    graded = Played().begins().probed(10, False).diagnoses(40, DISK).ends(700, how).grade()
    failed = [item for item in graded.reasons if not item.met]
    assert {"ended", "diagnosis", "probe", "wrong_cause", "detect_s", "diagnose_s", "mitigate_s"} == {
        item.kind for item in failed
    }
    assert all(item.text and item.value and item.expected for item in failed)


def test_a_momentary_success_is_none() -> None:
    played = Played().begins().acknowledges(10).diagnoses(20, POOL)
    played.probed(100, True, 60.0).probed(102, False, 91.0).ends(1200, "timed_out")
    assert played.grade().times.mitigate_s is None
    assert reason(played.grade(), "probe").value == "used_percent 91.0"


def test_what_breaks_again_before_the_end_was_not_mended() -> None:
    graded = played_well().probed(150.5, False, 99.0).grade()
    assert (graded.mark, graded.times.mitigate_s) == ("E", None)


def test_a_probe_that_cannot_be_read_any_more_does_not_hold() -> None:
    assert played_well().probed(150.5, None).grade().mark == "E"


def test_a_fault_that_never_bit_voids_the_round_instead_of_passing_it() -> None:
    """Stale state of the run before was taken for a resolved incident."""
    played = (
        Played().told("round", -20, round="r", title="…", system="sms").ends(40, "void", "sms.c2.pool-exhausted does not bite")
    )
    graded = played.grade()
    assert (graded.mark, graded.passed, graded.graded) == (NOT_GRADED, False, False)
    assert "does not bite" in reason(graded, "ended").value


def test_on_a_healthy_stack_only_nothing_is_wrong_is_right() -> None:
    """Signals that a healthy run shows as well prove nothing."""
    nothing = replace(TRUTH, causes=(), accepted={})
    right = Played(truth=nothing).begins().probed(0, True, 10.0).acknowledges(20).diagnoses(200).probed(205, True, 10.0).ends(206)
    assert (right.grade().mark, right.grade().times.mitigate_s) == ("A", None)
    wrong = Played(truth=nothing).begins().probed(0, True, 10.0).acknowledges(20).diagnoses(200, POOL).ends(900, "timed_out")
    assert (wrong.grade().mark, wrong.grade().wrong_causes) == ("F", (POOL,))
    assert reason(wrong.grade(), "diagnosis").expected == "nothing is wrong"


def test_two_probes_of_one_name_cannot_hide_each_other_and_the_last_word_counts() -> None:
    played = played_well().probed(149, False, 99.0).probed(149.5, True, 11.0)
    assert played.grade().mark == "A"


# -- the diagnosis ------------------------------------------------------------------------------------------------------


def test_a_diagnosis_may_be_changed_and_both_are_kept() -> None:
    played = Played().begins().acknowledges(10).diagnoses(40, DISK).diagnoses(100, POOL).mends(120).ends(130)
    graded = played.grade()
    assert (graded.mark, graded.wrong_causes, graded.times.diagnose_s) == ("B", (DISK,), 100)


def test_a_right_diagnosis_that_was_taken_back_is_not_right() -> None:
    graded = Played().begins().acknowledges(10).diagnoses(40, POOL).diagnoses(100, DISK).mends(120).ends(130).grade()
    assert (graded.mark, graded.times.diagnose_s) == ("E", None)


def test_of_two_causes_one_alone_is_half_the_truth() -> None:
    both = replace(TRUTH, causes=(POOL, "sms.l3.smtp-down"))
    played = Played(truth=both).begins().acknowledges(10).diagnoses(40, POOL).mends(120)
    assert reason(played.ends(130).grade(), "diagnosis").text == "The diagnosis is not whole"
    played.public.pop()
    assert played.diagnoses(125, POOL, "sms.l3.smtp-down").ends(130).grade().mark == "A"


def test_the_right_cause_among_wrong_ones_is_no_diagnosis() -> None:
    graded = Played().begins().acknowledges(10).diagnoses(40, POOL, DISK, DOWN).mends(120).ends(130).grade()
    assert (graded.mark, graded.wrong_causes) == ("E", (DISK, DOWN))


# -- changes ------------------------------------------------------------------------------------------------------------


def test_a_needless_restart_costs_a_mark() -> None:
    played = played_well().fixes(100, "sms.c1.restart-all", action="containers.restart_in_order", risk="R3")
    assert (played.grade().mark, played.grade().needless_fixes) == ("B", ("sms.c1.restart-all",))


def test_a_change_that_loses_data_and_serves_nothing_is_not_passed_even_when_nothing_was_lost() -> None:
    graded = played_well().fixes(100, "sms.h2.flush-cache", action="cache.flush", risk="R4").grade()
    assert (graded.mark, graded.passed, graded.destructive_fixes) == ("E", False, ("sms.h2.flush-cache",))


def test_what_can_be_taken_back_and_what_was_refused_costs_nothing() -> None:
    played = played_well().fixes(70, "sms.h2.delete-key", action="cache.delete_key", risk="R1")
    assert played.fixes(80, "sms.c2.start-database", risk="R3", done=False).grade().mark == "A"


def test_a_fix_from_a_pane_that_does_the_same_as_the_guides_is_not_needless() -> None:
    played = played_well().knew("truth", 0, roles={"sms-backend": "backend", "sms-postgres": "database"})
    played.fixes(100, "restart-sms-backend", action="containers.restart_one", targets=("sms-backend",))
    played.fixes(105, "terminate-4711", action="postgres.terminate_one", risk="R3", targets=("4711",))
    assert played.grade().needless_fixes == ()
    played.fixes(110, "restart-sms-postgres", action="containers.restart_one", risk="R3", targets=("sms-postgres",))
    assert played.grade().needless_fixes == ("restart-sms-postgres",)


def test_a_unit_of_the_machine_restarted_from_its_pane_is_taken_for_its_role() -> None:
    played = played_well().knew("truth", 0, roles={"sms.service": "backend", "postgresql": "database"})
    played.fixes(100, "restart-sms.service", action="service.restart", targets=("sms.service",))
    assert played.grade().needless_fixes == ()
    played.fixes(110, "restart-postgresql", action="service.restart", risk="R3", targets=("postgresql",))
    assert played.grade().needless_fixes == ("restart-postgresql",)


def test_the_fixes_that_the_truth_calls_mending_are_not_needless() -> None:
    assert played_well().fixes(110, "sms.c2.restart-backend", action="containers.restart").grade().needless_fixes == ()


def test_a_pane_is_evidence_and_the_way_to_a_tree_is_not() -> None:
    played = Played().begins()
    for what in ("issue picker", "issue sms.c2", "pane postgres", "tool errors", "container sms-backend", "pane postgres"):
        played.did("opened", 30, what=what)
    assert played.ends(60).grade().evidence_looked_at == ("pane postgres", "tool errors", "container sms-backend")


# -- times and hints ----------------------------------------------------------------------------------------------------


def test_each_phase_is_measured_against_the_response_time() -> None:
    """Response within five minutes, the cause within ten, mended within a quarter of an hour."""
    graded = Played().begins().acknowledges(301).diagnoses(590, POOL).mends(899).ends(900).grade()
    assert (graded.mark, reason(graded, "detect_s").value, reason(graded, "detect_s").expected) == ("B", "5:01", "within 5:00")
    assert Played().begins().acknowledges(301).diagnoses(601, POOL).mends(901).ends(902).grade().mark == "D"


def test_the_clock_stands_while_the_round_is_frozen() -> None:
    played = Played().begins().told("frozen", 20).told("thawed", 620).acknowledges(640).diagnoses(700, POOL).mends(720).ends(725)
    assert (played.grade().mark, played.grade().times.detect_s, played.grade().times.mitigate_s) == ("A", 40, 120)


def test_each_hint_costs_a_mark_and_asking_twice_costs_once() -> None:
    played = played_well().takes_hint(40, 1).takes_hint(41, 1).takes_hint(50, 2)
    assert (played.grade().mark, played.grade().hints_taken) == ("C", 2)


def test_nothing_done_at_all_is_an_f_and_giving_up_is_told() -> None:
    graded = Played().begins().probed(0, False).ends(300, "gave_up").grade()
    assert (graded.mark, reason(graded, "ended").text) == ("F", "Given up")


@pytest.mark.parametrize("how", ["void", "aborted", "broken_off"])
def test_a_round_that_somebody_else_ended_is_not_graded(how: str) -> None:
    played = played_well()
    played.public.pop()
    assert played.ends(160, how).grade().mark == NOT_GRADED


def test_a_round_without_an_end_is_not_graded() -> None:
    played = played_well()
    played.public.pop()
    assert played.grade().mark == NOT_GRADED


# -- whatever the logs hold ---------------------------------------------------------------------------------------------

_ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    3.5,
    float("nan"),
    float("inf"),
    10**30,
    "",
    "sms.c2",
    POOL,
    [],
    [POOL, None],
    {"a": []},
    [[1]],
)
_KEYS = (
    "causes",
    "level",
    "phase",
    "what",
    "fix",
    "issue",
    "done",
    "risk",
    "action",
    "targets",
    "id",
    "holds",
    "facts",
    "how",
    "at",
)
_KINDS = (
    "began",
    "ended",
    "phase",
    "hint",
    "frozen",
    "thawed",
    "diagnosed",
    "fix_begins",
    "fix_ends",
    "step",
    "opened",
    "probe",
    "lost",
    "truth",
)


def random_entries(dice: random.Random) -> list[dict[str, Any]]:
    def entry() -> dict[str, Any]:
        made = {"at": BEGAN + dice.uniform(-100, 2000), "kind": dice.choice(_KINDS)}
        likely = {
            "phase": dice.choice(["detected", "diagnosed", "mitigated"]),
            "how": dice.choice(["done", "gave_up", "void", "aborted", "timed_out"]),
            "causes": dice.sample([POOL, DISK, DOWN], dice.randint(0, 3)),
            "level": dice.randint(0, 4),
            "fix": dice.choice(["end-idle", "start-database", "x"]),
            "issue": "sms.c2",
            "risk": dice.choice(["R1", "R2", "R3", "R4"]),
            "id": "logs-in",
            "holds": dice.choice([True, False, None]),
        }
        made.update(dice.sample(sorted(likely.items(), key=lambda item: item[0]), dice.randint(0, len(likely))))
        for key in dice.sample(_KEYS, dice.randint(0, 3)):
            made[key] = dice.choice(_ODD)
        return made

    return [entry() for _ in range(dice.randint(0, 40))]


@pytest.mark.parametrize("seed", range(300))
def test_any_logs_give_a_bounded_grade_with_reasons(seed: int) -> None:
    dice = random.Random(seed)
    played = Played(random_entries(dice), random_entries(dice), random_entries(dice))
    graded = played.grade()
    assert graded.mark in (*MARKS, NOT_GRADED)
    assert graded.passed == (graded.mark in "ABCD")
    assert 0 <= graded.hints_taken <= 3
    assert all(
        value is None or 0 <= value < 1e12 for value in (graded.times.detect_s, graded.times.diagnose_s, graded.times.mitigate_s)
    )
    assert all(item.text and item.value and item.expected and 0 <= item.cost <= 5 for item in graded.reasons)
    assert graded.mark in ("A", NOT_GRADED) or any(not item.met for item in graded.reasons)
    assert graded == played.grade()


@pytest.mark.parametrize("seed", range(60))
def test_doing_worse_never_makes_the_mark_better(seed: int) -> None:
    dice = random.Random(seed)
    played = Played().begins().acknowledges(dice.uniform(0, 500)).diagnoses(dice.uniform(0, 800), dice.choice([POOL, DISK]))
    if dice.random() < 0.7:
        played.mends(dice.uniform(100, 1000))
    played.ends(1100, dice.choice(["done", "timed_out", "gave_up"]))
    before = MARKS.index(played.grade().mark)
    worse = (
        lambda: played.takes_hint(30, dice.randint(1, 3)),
        lambda: played.fixes(40, "sms.c1.restart-all", risk="R3"),
        lambda: played.fixes(40, "sms.h2.flush-cache", action="cache.flush", risk="R4"),
        lambda: played.knew("lost", 50, what="table grades"),
        lambda: played.probed(1099, False),
        lambda: played.diagnoses(1098, DOWN),
    )
    dice.choice(worse)()
    assert MARKS.index(played.grade().mark) >= before


def test_without_the_causes_guide_no_change_is_called_needless() -> None:
    played = played_well().fixes(100, "sms.c1.restart-all", risk="R3")
    graded = grade(played.public, played.trainee, played.referee, played.truth, played.scenario)
    assert (graded.mark, graded.needless_fixes) == ("A", ())
