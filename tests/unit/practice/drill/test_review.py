"""A review is made from a round's folder alone, and shows what happened, what was done, and the way that would have led there."""

import dataclasses
import io
import json
import time
from pathlib import Path

import pytest
from played import BEGAN, POOL, Played, full_round, issues

from console.config import Config, load_config, shipped_config
from console.practice.drill.closing import close_books
from console.practice.drill.curves import columns_of, spark
from console.practice.drill.looking_back import review_of, review_of_logs
from console.practice.drill.report import incident_report
from console.practice.drill.review import Curve, Lane, Review, Spent
from console.practice.drill.review_command import review_command
from console.practice.drill.review_text import as_markdown, verdict
from console.practice.drill.ways import shortest_way
from console.problem import Problems


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(shipped_config()).config


def review(played: Played) -> Review:
    made = played.grade()
    told = [*played.referee, {"at": BEGAN + 221, "kind": "grade", **json.loads(json.dumps(dataclasses.asdict(made)))}]
    return review_of_logs("20261122T172300Z-sms-1", played.public, played.trainee, told, issues())


def test_a_review_holds_the_grade_that_the_referee_gave() -> None:
    played = full_round()
    found = review(played)
    assert found.grade == played.grade()
    assert found.grade is not None
    assert (found.grade.mark, found.grade.needless_fixes, found.grade.hints_taken) == ("C", ("sms.c1.restart-all",), 1)
    assert verdict(found) == "C, passed: played to the end"


def test_the_timeline_tells_faults_symptoms_and_what_the_trainee_did_in_their_order() -> None:
    told = [(moment.at_s, moment.lane, moment.text) for moment in review(full_round()).timeline]
    assert told == sorted(told, key=lambda item: item[0])
    assert (-2, Lane.FAULT, f"{POOL} bites") in told
    assert [at for at, lane, _ in told if lane is Lane.PROBE] == [0, 220]  # only where it turned
    assert (25, Lane.TRAINEE, "Opens pane PostgreSQL") in told
    assert (100, Lane.TRAINEE, f"Diagnoses: {POOL}") in told
    assert (160, Lane.TRAINEE, "sms.c2.end-idle holds") in told


def test_the_way_taken_stands_beside_the_shortest_one() -> None:
    (way,) = review(full_round()).ways
    assert [step.step for step in way.shortest] == ["accepts", "sessions"]
    assert [(step.step, step.branch) for step in way.taken] == [
        ("accepts", "accepting → sessions"),
        ("sessions", "used_percent >= 90 → pool-exhausted"),
    ]
    assert way.began_s == 80


@pytest.mark.parametrize("issue", issues(), ids=lambda issue: issue.id)
def test_every_cause_has_a_shortest_way_that_follows_the_tree(issue: object) -> None:
    from console.guides.issue import Issue

    assert isinstance(issue, Issue)
    for cause in issue.causes:
        way = shortest_way(issue, cause)
        at = issue.start
        for step in way:
            assert step.step == at
            (arm,) = [arm for arm in issue.steps[at].arms if str(arm) == step.branch][:1]
            at = arm.goal.id
        assert at == cause


def test_the_time_is_split_at_the_phases_and_by_what_was_open() -> None:
    found = review(full_round())
    assert found.phases == (
        Spent("until detected", 20),
        Spent("until diagnosed", 80),
        Spent("until mitigated", 120),
        Spent("until the end", 1),
    )
    spent = {part.what: part.took_s for part in found.spent}
    assert sum(spent.values()) == 221
    assert spent["pane PostgreSQL"] == 15
    assert spent["walking sms.c1"] == 20


def test_the_walks_are_listed_with_where_they_led() -> None:
    assert [(walk.issue, walk.steps, walk.ended) for walk in review(full_round()).walked] == [
        ("sms.c1", 1, "clear"),
        ("sms.c2", 2, "pool-exhausted"),
    ]


def test_symptoms_are_columns_and_what_was_not_read_is_no_zero() -> None:
    p95, errors, connections = review(full_round()).curves
    columns = columns_of(p95, 20, 221.0)
    assert columns[0] == 2000.0
    assert columns[-1] == 90.0
    assert {value for _, value in errors.points} == {None}
    assert spark(columns_of(errors, 5, 221.0)) == "     "
    assert connections.limit == 100


def test_a_gap_between_samples_is_filled_and_one_that_could_not_be_read_is_not() -> None:
    curve = Curve("p95", "ms", ((0.0, 5.0), (50.0, None), (99.0, 1.0)))
    assert columns_of(curve, 10, 100.0) == [5.0, 5.0, 5.0, 5.0, 5.0, None, None, None, None, 1.0]


def test_secrets_control_sequences_and_markup_do_not_reach_the_page() -> None:
    page = as_markdown(review(full_round()))
    assert "hunter2" not in page
    assert "\x1b" not in page
    assert "[help](http" not in page
    assert "I can't get in" in page
    for heading in ("## Grade", "## Symptoms", "## Timeline", f"## The way to {POOL}", "## Where the time went", "## Debrief"):
        assert heading in page
    assert "Second." in page


@pytest.mark.parametrize(
    ("system", "wanted"),
    [
        ("sms", ("[Critical] [OURS]", "Issue first reported", "**Root Cause**", "**Preventions**", "Incident Lead: Alex")),
        ("sovd", ("**Subject**: [SOVD]", "P1-Critical", "**Steps Taken**", "**Current Status**", "**Logs/Screenshots**")),
        ("planner", ("**Log files**", "**Steps to reproduce**", "**Recent changes**", "**System information**")),
        ("dotmac", ("Severity 1 (Service Down)", "**Diagnosis**", "**Solutions**", "Platform Team Lead")),
    ],
)
def test_the_report_has_the_form_of_the_systems_own_guide(system: str, wanted: tuple[str, ...]) -> None:
    report = incident_report(dataclasses.replace(review(full_round()), system="ours", scenario=f"{system}-monday"))
    for words in wanted:
        assert words in report
    assert "Sessions fill the server up to its limit." in report


def test_the_report_tells_what_was_not_reached_instead_of_leaving_it_out() -> None:
    report = incident_report(review(Played().begins().ends(300, "gave_up")))
    assert "--:--: Resolved: not reached in the round" in report
    assert "Nothing was wrong." in report or "to be filled in" in report


def test_the_report_tells_the_time_of_day_although_the_clock_stood() -> None:
    played = Played().begins().told("frozen", 10).told("thawed", 3610).acknowledges(3630).ends(3700, "gave_up")
    began = review(played).clock.began_at
    assert began is not None
    assert f"- {time.strftime('%H:%M', time.gmtime(began + 3630))}: Investigation started" in incident_report(review(played))


def test_a_round_on_a_healthy_stack_is_reported_as_such() -> None:
    played = full_round()
    played.truth = dataclasses.replace(played.truth, causes=(), accepted={})
    played.referee[0]["causes"] = []
    assert "Nothing was wrong." in incident_report(review(played))


# -- from the folder ----------------------------------------------------------------------------------------------------


def closed(played: Played, folder: Path) -> str:
    end = played.public.pop()
    round_ = played.written(folder)
    close_books(round_, end["how"], end["reason"], end["at"], played.truth, played.scenario, issues())
    return round_.id


def test_the_referee_leaves_a_page_and_the_command_needs_only_the_folder(tmp_path: Path, config: Config) -> None:
    name = closed(full_round(), tmp_path)
    out = io.StringIO()
    assert review_command(config, None, as_json=False, out=out, folder=tmp_path) == 0
    assert (tmp_path / name / "review.md").read_text() == out.getvalue()
    assert (tmp_path / name / "review.md").stat().st_mode & 0o077 == 0
    out = io.StringIO()
    review_command(config, "sms-1", as_json=True, out=out, folder=tmp_path)
    told = json.loads(out.getvalue())
    assert (told["grade"]["mark"], told["causes"], told["person"]) == ("C", [POOL], "Alex")


def test_a_round_that_is_still_played_is_not_reviewed(tmp_path: Path, config: Config) -> None:
    played = full_round()
    played.public.pop()
    played.written(tmp_path)
    with pytest.raises(Problems, match="has not ended"):
        review_command(config, "sms-1", as_json=False, out=io.StringIO(), folder=tmp_path)


def test_without_a_round_the_command_says_how_to_play_one(tmp_path: Path, config: Config) -> None:
    with pytest.raises(Problems, match="triage drill start"):
        review_command(config, None, as_json=False, out=io.StringIO(), folder=tmp_path)


def test_a_torn_log_still_makes_a_review(tmp_path: Path) -> None:
    round_ = full_round().written(tmp_path)
    with (round_.folder / "trainee.jsonl").open("ab") as file:
        file.write(b'{"at": 1, "kind": "st\xff')
    found = review_of(round_, issues())
    assert (found.grade, found.how) == (None, "done")
    assert as_markdown(found)
