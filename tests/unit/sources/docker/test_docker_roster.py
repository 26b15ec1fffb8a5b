"""Which containers are a system's, and which are inspected again."""

from typing import Any

import pytest
from fake_docker import RECORDED

from console.sources.docker.roster import FULL_ROUND_S, REPAIRS_A_ROUND, Roster, belongs

HEALTHY = RECORDED["rec-healthy"]["listed"]
CRASH = RECORDED["rec-crash"]["listed"]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def settled(clock: Clock, *listed: dict[str, Any]) -> Roster:
    roster = Roster({"label": "triage.test"}, (), clock)
    by_id = {item["inspected"]["Id"]: item["inspected"] for item in RECORDED.values()}
    roster.settle(listed, {item["Id"]: by_id[item["Id"]] for item in listed})
    return roster


@pytest.mark.parametrize(
    ("select", "names", "expected"),
    [
        ({"label": "triage.test=record"}, (), True),
        ({"label": "triage.test"}, (), True),
        ({"label": "triage.test=other"}, (), False),
        ({"label": "absent"}, (), False),
        ({"name": "healthy"}, (), True),
        ({"label": "triage.test", "name": "other"}, (), False),
        ({"label": "absent"}, ("rec-healthy",), True),
        ({}, ("rec-healthy",), True),
        ({}, ("rec",), False),
        ({}, (), False),
    ],
)
def test_a_container_belongs_by_selection_or_by_the_name_of_a_role(
    select: dict[str, str], names: tuple[str, ...], expected: bool
) -> None:
    assert belongs(HEALTHY, select, frozenset(names)) is expected


def test_a_container_that_did_not_change_is_not_inspected_again() -> None:
    assert settled(Clock(), HEALTHY).due([HEALTHY], frozenset()) == []


def test_a_new_one_a_changed_one_and_one_that_an_event_named_are_inspected() -> None:
    roster = settled(Clock(), HEALTHY)
    restarted = HEALTHY | {"Status": "Up Less than a second"}
    assert roster.due([HEALTHY, CRASH], frozenset()) == [CRASH["Id"]]
    assert roster.due([restarted], frozenset()) == [HEALTHY["Id"]]
    assert roster.due([HEALTHY], frozenset({HEALTHY["Id"]})) == [HEALTHY["Id"]]


@pytest.mark.parametrize(
    ("before", "now", "inspected"),
    [
        ("Up 4 seconds", "Up 6 seconds", False),
        ("Up 59 seconds (healthy)", "Up About a minute (healthy)", False),
        ("Up 59 minutes", "Up About an hour", False),
        ("Up 6 days", "Up 2 weeks", False),
        ("Exited (1) 5 seconds ago", "Exited (1) 7 seconds ago", False),
        ("Up 3 minutes", "Up 2 seconds", True),
        ("Up 2 seconds", "Up Less than a second", True),
        ("Up 3 minutes", "Up 3 minutes (unhealthy)", True),
        ("Exited (1) 5 minutes ago", "Exited (137) 5 minutes ago", True),
        ("Restarting (1) 30 seconds ago", "Restarting (1) 2 seconds ago", True),
    ],
)
def test_growing_older_is_no_change_but_being_younger_is(before: str, now: str, inspected: bool) -> None:
    roster = settled(Clock(), HEALTHY | {"Status": before})
    assert (roster.due([HEALTHY | {"Status": now}], frozenset()) == [HEALTHY["Id"]]) is inspected


def test_now_and_then_all_are_inspected_a_few_at_a_time() -> None:
    clock = Clock()
    listed = [item["listed"] for item in RECORDED.values()]
    roster = settled(clock, *listed)
    clock.now += FULL_ROUND_S + 1
    assert len(listed) > REPAIRS_A_ROUND
    assert len(roster.due(listed, frozenset())) == REPAIRS_A_ROUND


def test_one_that_went_away_between_list_and_inspection_is_left_out() -> None:
    roster = settled(Clock(), HEALTHY)
    names = [item.name for item in roster.settle([HEALTHY, CRASH], {CRASH["Id"]: None})]
    assert names == ["rec-healthy"]


def test_one_whose_inspection_failed_is_shown_as_far_as_it_is_known_and_stays_due() -> None:
    roster = settled(Clock(), HEALTHY)
    shown = {item.name: item.restart_count for item in roster.settle([HEALTHY, CRASH], {})}
    assert shown == {"rec-healthy": 0, "rec-crash": None}
    assert roster.due([HEALTHY, CRASH], frozenset()) == [CRASH["Id"]]


def test_containers_are_ordered_by_name() -> None:
    roster = Roster({}, ())
    names = [item.name for item in roster.settle([item["listed"] for item in RECORDED.values()], {})]
    assert names == sorted(names)


def test_whom_an_event_named_is_told_once() -> None:
    roster = Roster({}, ())
    roster.touch("a")
    assert (roster.take_touched(), roster.take_touched()) == (frozenset({"a"}), frozenset())
