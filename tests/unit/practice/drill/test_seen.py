"""What a trainee knows of a round, from entries as they come: whole, twice, out of order, or spoiled."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from console.practice.drill.attending import Attending
from console.practice.drill.rounds import EventLog, new_round
from console.practice.drill.seen import Ending, Seen, seen_of

ROUND = {"at": 0, "kind": "round", "round": "r-1", "title": "T", "system": "sms", "respond_s": 300, "hints": 3}
BEGAN = {"at": 100, "kind": "began"}


def seen(*entries: dict[str, Any]) -> Seen:
    return seen_of([ROUND, BEGAN, *entries])


def test_the_clock_runs_from_the_beginning_to_the_end() -> None:
    assert seen_of([ROUND]).clock_s(500) is None
    assert seen().clock_s(160) == 60
    assert seen({"at": 130, "kind": "ended", "how": "done"}).clock_s(500) == 30


def test_frozen_time_does_not_count_neither_for_phases_nor_for_what_is_said() -> None:
    frozen, thawed = {"at": 110, "kind": "frozen"}, {"at": 140, "kind": "thawed"}
    later = [{"at": 150, "kind": "phase", "phase": "detected"}, {"at": 160, "kind": "report", "who": "x", "text": "y"}]
    assert seen(frozen).clock_s(135) == 10
    found = seen(frozen, frozen, thawed, thawed, *later)
    assert not found.frozen
    assert found.clock_s(170) == 40
    assert found.phases == {"detected": 20}
    assert found.reports[0].after_s == 30


def test_a_round_that_ends_while_it_is_frozen_stands_where_it_was_frozen() -> None:
    found = seen({"at": 110, "kind": "frozen"}, {"at": 140, "kind": "ended", "how": "aborted"})
    assert found.clock_s(500) == 10
    assert not found.frozen


def test_what_comes_twice_or_late_changes_nothing() -> None:
    once: list[dict[str, Any]] = [
        {"at": 110, "kind": "phase", "phase": "detected"},
        {"at": 111, "kind": "acknowledged"},
        {"at": 112, "kind": "hint_wanted", "level": 1},
        {"at": 113, "kind": "hint", "level": 1, "text": "look"},
        {"at": 120, "kind": "ended", "how": "done"},
    ]
    again = [{**entry, "at": entry["at"] + 50} for entry in once]
    assert seen(*once, *again, {"at": 400, "kind": "began"}) == seen(*once)


def test_the_next_hint_waits_until_the_one_before_has_come() -> None:
    wanted, came = {"at": 110, "kind": "hint_wanted", "level": 1}, {"at": 111, "kind": "hint", "level": 1, "text": "look"}
    assert seen().next_hint == 1
    assert seen(wanted).next_hint is None
    assert seen(wanted, came).next_hint == 2
    assert seen(*({"at": 111, "kind": "hint", "level": level, "text": "look"} for level in (1, 2, 3))).next_hint is None


def test_every_diagnosis_is_kept_the_last_one_last() -> None:
    found = seen({"at": 110, "kind": "diagnosed", "causes": ["sms.c2.x"]}, {"at": 120, "kind": "diagnosed", "causes": []})
    assert found.diagnoses == (("sms.c2.x",), ())


@pytest.mark.parametrize(
    "spoiled",
    [
        {"at": 110, "kind": "phase"},
        {"at": 110, "kind": "phase", "phase": "promoted"},
        {"at": "noon", "kind": "report", "who": "x", "text": "y"},
        {"at": 110, "kind": "hint", "level": "one", "text": "x"},
        {"at": 110, "kind": "probes", "holding": None, "of": 2, "held_s": 0},
        {"at": 110, "kind": "ended", "how": "struck by lightning"},
        {"at": 110, "kind": "never heard of"},
        {"at": 110},
    ],
    ids=str,
)
def test_an_entry_that_cannot_be_understood_changes_nothing(spoiled: dict[str, Any]) -> None:
    assert seen(spoiled) == seen()


def test_control_characters_never_enter() -> None:
    found = seen({"at": 110, "kind": "report", "who": "a\x1b]0;x", "text": "no\x1b[2Jbody"})
    assert "\x1b" not in found.reports[0].who + found.reports[0].text


@pytest.mark.parametrize("seed", range(30))
def test_whatever_order_entries_come_in_the_clock_is_never_negative_and_the_end_stays(seed: int) -> None:
    chance = random.Random(seed)
    kinds = ["began", "frozen", "thawed", "ended", "phase", "report", "hint", "acknowledged", "round"]
    found, how = Seen(), None
    for _ in range(60):
        entry = {
            **ROUND,
            "at": chance.uniform(0, 1000),
            "kind": chance.choice(kinds),
            "text": "x",
            "who": "y",
            "phase": "detected",
        }
        found = seen_of([{**entry, "level": chance.randint(0, 5), "how": chance.choice(list(Ending)).value}], found)
        clock_s = found.clock_s(chance.uniform(0, 1000))
        assert clock_s is None or clock_s >= 0
        assert how is None or found.how is how
        how = found.how
        assert found.next_hint in (None, 1, 2, 3)


async def test_entries_keep_the_order_in_which_they_were_made_and_never_name_their_own_time(tmp_path: Path) -> None:
    attending = Attending(new_round("sms", tmp_path), lambda: 5.0)
    await asyncio.gather(*(attending.write("opened", {"what": f"pane {number}", "at": 99, "kind": "x"}) for number in range(20)))
    entries = attending.round.trainee().entries()
    assert [entry["what"] for entry in entries] == [f"pane {number}" for number in range(20)]
    assert {(entry["at"], entry["kind"]) for entry in entries} == {(5.0, "opened")}


async def test_a_full_disk_is_trouble_until_the_next_entry_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_details: object) -> None:
        raise OSError(28, "No space left on device")

    attending = Attending(new_round("sms", tmp_path), lambda: 5.0)
    with monkeypatch.context() as patched:
        patched.setattr(EventLog, "add", full)
        assert not await attending.write("acknowledged")
    assert "No space left on device" in attending.trouble
    assert attending.seen.acknowledged_at is None
    assert await attending.write("acknowledged")
    assert not attending.trouble
