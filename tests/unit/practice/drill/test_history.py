"""A history shows every round, best and median, and what never came up; no mean, and no round that was not solved is left out."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from played import POOL, SCENARIO, TRUTH, Played, issues, played_well

from console.config import Config, load_config, shipped_config
from console.practice.drill.closing import close_books
from console.practice.drill.history import History, history_of, middle, rounds_played
from console.practice.drill.history_text import as_text
from console.practice.drill.review_command import history_command
from console.practice.drill.rounds import all_rounds
from console.problem import Problems


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(shipped_config()).config


def keep(played: Played, folder: Path, person: str = "Alex") -> None:
    played.public[0].update(person=person, stack="simulated")
    (end,) = [entry for entry in played.public if entry["kind"] == "ended"]
    played.public.remove(end)
    close_books(played.written(folder), end["how"], end["reason"], end["at"], played.truth, played.scenario, issues())


def solved_in(seconds: float) -> Played:
    return Played().begins().acknowledges(10).diagnoses(30, POOL).mends(seconds).ends(seconds + 1)


def never_solved() -> Played:
    return Played().begins().probed(0, False).acknowledges(10).ends(1200, "timed_out")


def history(folder: Path, person: str | None = None) -> History:
    return history_of(rounds_played(all_rounds(folder)), lambda _system: issues(), person)


def test_every_round_is_shown_with_its_own_times(tmp_path: Path) -> None:
    for played in (solved_in(100), solved_in(300), never_solved()):
        keep(played, tmp_path)
    (person,) = history(tmp_path).people
    assert sorted((item.mark, item.mitigate_s) for item in person.rounds) == [("A", 100), ("A", 300), ("F", None)]


def test_a_round_that_was_not_solved_counts_as_longer_than_every_other() -> None:
    """A median over the solved ones alone gets better by giving up."""
    assert (middle([100.0, 300.0, None]).best_s, middle([100.0, 300.0, None]).median_s) == (100, 300)
    assert middle([100.0, None, None]).median_s is None
    assert middle([None]).best_s is None
    assert middle([]).median_s is None


def test_figures_are_of_one_scenario_each_and_never_averaged_over_scenarios(tmp_path: Path) -> None:
    keep(solved_in(100), tmp_path)
    other = solved_in(500)
    other.scenario, other.truth = replace(SCENARIO, id="sms-two"), replace(TRUTH, id="sms-two")
    keep(other, tmp_path)
    (person,) = history(tmp_path).people
    assert {item.scenario: item.solve.median_s for item in person.scenarios} == {"sms-monday-morning": 100, "sms-two": 500}
    assert "average" not in as_text(history(tmp_path))
    assert "mean" not in as_text(history(tmp_path))


def test_rounds_that_are_not_graded_are_listed_and_count_for_nothing(tmp_path: Path) -> None:
    keep(solved_in(100), tmp_path)
    keep(Played().begins().ends(5, "aborted"), tmp_path)
    (person,) = history(tmp_path).people
    assert sorted(item.mark for item in person.rounds) == ["-", "A"]
    assert [item.rounds for item in person.scenarios] == [1]


def test_difficulty_comes_from_what_it_took_people(tmp_path: Path) -> None:
    keep(solved_in(100), tmp_path)
    hard = played_well().takes_hint(40, 1).takes_hint(60, 2)
    hard.scenario, hard.truth = replace(SCENARIO, id="sms-hard"), replace(TRUTH, id="sms-hard")
    keep(hard, tmp_path, "Kim")
    stuck = never_solved()
    stuck.scenario, stuck.truth = replace(SCENARIO, id="sms-hardest"), replace(TRUTH, id="sms-hardest")
    keep(stuck, tmp_path, "Kim")
    found = history(tmp_path)
    assert [item.scenario for item in found.scenarios] == ["sms-hardest", "sms-hard", "sms-monday-morning"]
    assert [item.median_hints for item in found.scenarios] == [0, 2, 0]


def test_issues_that_never_came_up_are_named(tmp_path: Path) -> None:
    keep(solved_in(100), tmp_path)
    (person,) = history(tmp_path).people
    never = [name for name, _ in person.never]
    assert "sms.c2" not in never
    assert len(never) == len(issues()) - 1


def test_a_persons_history_is_theirs_alone(tmp_path: Path, config: Config) -> None:
    keep(solved_in(100), tmp_path, "Alex")
    keep(solved_in(200), tmp_path, "Kim")
    assert [person.name for person in history(tmp_path, "Kim").people] == ["Kim"]
    out = io.StringIO()
    assert history_command(config, "Kim", as_json=True, out=out, folder=tmp_path) == 0
    (told,) = json.loads(out.getvalue())["people"]
    assert [item["mitigate_s"] for item in told["rounds"]] == [200]
    with pytest.raises(Problems, match="Known: Alex, Kim"):
        history_command(config, "Sam", as_json=False, out=out, folder=tmp_path)


def test_a_folder_that_cannot_be_understood_takes_no_other_away(tmp_path: Path) -> None:
    keep(solved_in(100), tmp_path)
    torn = solved_in(50).written(tmp_path)
    (torn.folder / "result.json").write_text('{"mark": ')
    assert len(rounds_played(all_rounds(tmp_path))) == 1


def test_nobody_has_played_yet(tmp_path: Path, config: Config) -> None:
    out = io.StringIO()
    assert history_command(config, None, as_json=False, out=out, folder=tmp_path) == 0
    assert out.getvalue() == "No round has been played to its end.\n"
