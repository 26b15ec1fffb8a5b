"""A round from its beginning to its end, on the simulated stack, by a clock that referee and trainee share."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from robots import Player, mends
from rounds_played import ISSUES, NOTHING, POOL, SCENARIO, TRUTH, WELL, Game, probe

from console.practice.drill.rounds import Round
from console.practice.drill.scenario import PlannedFault, PlannedNoise
from console.practice.drill.seen import seen_of
from console.practice.drill.stack import Baseline, StackError
from console.practice.drill.watching import Dwell, Probed, lost_since, without

SMTP = "sms.l3.smtp-unreachable"


async def good(game: Game) -> None:
    """Acknowledges after 20 s, diagnoses after 40 s, mends after 60 s."""
    await game.clock.pause(20)
    game.does("acknowledged")
    await game.clock.pause(20)
    game.does("diagnosed", causes=[POOL])
    await game.clock.pause(20)
    await game.mend()


async def test_a_round_is_broken_watched_mended_and_graded(tmp_path: Path) -> None:
    game = Game(tmp_path)
    assert await game.play(good) == "done"
    (ended,), (began,) = game.public("ended"), game.public("began")
    phases = {entry["phase"]: entry["at"] - began["at"] for entry in game.public("phase")}
    assert (round(phases["detected"]), round(phases["diagnosed"])) == (20, 40)
    assert 70 <= phases["mitigated"] <= 75
    assert ended["how"] == "done"
    assert [entry["who"] for entry in game.public("report")] == ["a teacher"]
    (grade,) = game.private("grade")
    assert (grade["mark"], grade["passed"]) == ("A", True), grade["reasons"]
    assert game.private("healed")
    assert await game.stack.why_not_clean() == ()
    assert (game.round.folder / "result.json").exists()
    assert (game.round.folder / "review.md").exists()


async def test_the_public_log_gives_nothing_of_the_truth_away(tmp_path: Path) -> None:
    game = Game(tmp_path)
    await game.play(good)
    text = (game.round.folder / "public.jsonl").read_text(encoding="utf-8")
    for secret in (POOL, "pool", SCENARIO.id, TRUTH.debrief, TRUTH.probes[0].title, SCENARIO.hints[0]):
        assert secret not in text


async def test_a_diagnosis_may_be_changed_and_hints_come_one_by_one_when_wanted(tmp_path: Path) -> None:
    async def unsure(game: Game) -> None:
        game.does("hint_wanted", level=2)
        game.does("hint_wanted", level=1)
        game.does("hint_wanted", level=2)
        game.does("diagnosed", causes=[SMTP])
        await game.clock.pause(30)
        await good(game)

    game = Game(tmp_path)
    assert await game.play(unsure) == "done"
    assert [(entry["level"], entry["text"]) for entry in game.public("hint")] == [(1, SCENARIO.hints[0]), (2, SCENARIO.hints[1])]
    assert [entry["phase"] for entry in game.public("phase")].count("diagnosed") == 2
    (grade,) = game.private("grade")
    assert grade["wrong_causes"] == [SMTP]


async def test_probes_are_told_as_numbers_and_only_to_one_who_has_said_or_done_something(tmp_path: Path) -> None:
    game = Game(tmp_path)
    await game.play(good)
    (began,) = game.public("began")
    told = game.public("probes")
    assert told[0]["at"] >= began["at"] + 40
    assert set(told[0]) == {"at", "kind", "holding", "of", "held_s"}


async def test_a_moment_in_which_all_is_well_mends_nothing(tmp_path: Path) -> None:
    async def only_for_moments(game: Game) -> None:
        game.does("acknowledged")
        game.does("diagnosed", causes=["sms.c2.database-down"])
        engine = game.stack.system.need_engine()
        for _ in range(4):
            await engine.start("sms-postgres")
            await game.clock.pause(9)
            await engine.stop("sms-postgres")
            await game.clock.pause(4)
        game.does("gave_up")

    probes = (probe("log in", "postgres.accepts", "accepting"),)
    game = Game(tmp_path, replace(SCENARIO, faults=(PlannedFault("sms.c2.database-down"),)), replace(TRUTH, probes=probes))
    assert await game.play(only_for_moments) == "gave_up"
    assert any(entry["held_s"] > 0 for entry in game.public("probes"))
    assert "mitigated" not in [entry["phase"] for entry in game.public("phase")]


async def test_who_gives_up_ends_the_round_and_it_is_recorded(tmp_path: Path) -> None:
    async def tired(game: Game) -> None:
        await game.clock.pause(90)
        game.does("gave_up")

    game = Game(tmp_path)
    assert await game.play(tired) == "gave_up"
    (grade,) = game.private("grade")
    assert (grade["mark"], grade["passed"]) == ("F", False)


async def test_a_round_that_nobody_plays_ends_by_itself(tmp_path: Path) -> None:
    game = Game(tmp_path, limit_s=120)
    assert await game.play() == "timed_out"
    (began,), (ended,) = game.public("began"), game.public("ended")
    assert ended["at"] - began["at"] == pytest.approx(120, abs=1)


async def test_a_fault_that_does_not_bite_voids_the_round(tmp_path: Path) -> None:
    blind = replace(TRUTH, probes=(probe("certificate", "postgres.accepts", "accepting"),))
    game = Game(tmp_path, replace(SCENARIO, faults=(PlannedFault(SMTP),)), blind)
    assert await game.play() == "void"
    (ended,) = game.public("ended")
    assert ended["reason"] == "The round does not bite: no probe fails after 60 s."
    assert not game.public("began")
    assert await game.stack.why_not_clean() == ()


async def test_a_fault_that_the_stack_does_not_have_voids_the_round(tmp_path: Path) -> None:
    game = Game(tmp_path, replace(SCENARIO, faults=(PlannedFault("sms.c9.gremlins"),)))
    assert await game.play() == "void"
    assert "There is no fault 'sms.c9.gremlins'" in game.public("ended")[0]["reason"]


async def test_a_stack_that_is_not_clean_is_neither_used_nor_mended(tmp_path: Path) -> None:
    game = Game(tmp_path)
    await game.stack.inject(PlannedFault(SMTP))
    assert await game.play() == "void"
    assert game.public("ended")[0]["reason"] == f"The stack is not clean: {SMTP} is in place."
    assert await game.stack.why_not_clean() == (f"{SMTP} is in place",)
    assert not game.private("heal_begins")


async def test_with_nothing_wrong_the_right_diagnosis_is_nothing(tmp_path: Path) -> None:
    async def calm(game: Game) -> None:
        await game.clock.pause(30)
        assert not game.public("probes"), "that everything holds would be the answer"
        game.does("acknowledged")
        game.does("diagnosed", causes=[])

    game = Game(tmp_path, WELL, NOTHING)
    assert await game.play(calm) == "done"
    assert "mitigated" not in [entry["phase"] for entry in game.public("phase")]
    assert game.private("grade")[0]["passed"]


async def test_a_late_fault_comes_at_its_time_and_must_be_mended_too(tmp_path: Path) -> None:
    async def twice(game: Game) -> None:
        await game.mend()
        game.does("acknowledged")
        game.does("diagnosed", causes=[POOL, "sms.c2.database-down"])
        await game.until(lambda: not game.stack.world.running("database"))
        (began,) = game.public("began")
        assert game.clock.now - began["at"] == pytest.approx(45, abs=1.5)
        assert "mitigated" not in [entry["phase"] for entry in game.public("phase")]
        await game.stack.system.need_engine().start("sms-postgres")

    late = (PlannedFault(POOL), PlannedFault("sms.c2.database-down", 45.0))
    truth = replace(TRUTH, causes=(POOL, "sms.c2.database-down"))
    game = Game(tmp_path, replace(SCENARIO, faults=late), truth)
    assert await game.play(twice) == "done"
    assert [entry["fault"] for entry in game.private("bites")] == [POOL, "sms.c2.database-down"]


async def test_noise_is_made_and_written_down_for_the_review_alone(tmp_path: Path) -> None:
    noisy = replace(SCENARIO, noise=(PlannedNoise("log-noise"), PlannedNoise("old-errors", 12.0)))
    game = Game(tmp_path, noisy)
    assert await game.play(good) == "done"
    assert [entry["noise"] for entry in game.private("noise")] == ["log-noise", "old-errors"]


async def test_frozen_the_clock_stands_and_nothing_new_happens(tmp_path: Path) -> None:
    async def patient(game: Game) -> None:
        game.referee.freeze()
        await game.clock.pause(1000)
        assert game.referee.state.phase == "frozen"
        assert game.referee.state.elapsed_s < 2
        assert not game.public("report")
        game.referee.thaw()
        await good(game)

    game = Game(tmp_path, limit_s=600)
    assert await game.play(patient) == "done"
    assert len(game.public("frozen")) == len(game.public("thawed")) == 1
    assert game.private("grade")[0]["times"]["detect_s"] == pytest.approx(20, abs=3)


async def test_a_facilitator_adds_a_fault_a_report_and_a_word_and_sees_it_all(tmp_path: Path) -> None:
    async def guided(game: Game) -> None:
        await game.referee.add_report("a parent", "The page is white.")
        await game.referee.message("You have all the time you need.")
        await game.referee.add_fault(SMTP)
        with pytest.raises(StackError, match="gremlins"):
            await game.referee.add_fault("sms.c9.gremlins")
        await good(game)
        await game.clock.pause(5)
        state = game.referee.state
        assert state.faults == (POOL, SMTP)
        assert state.probes[0].expected == "used_percent < 80"
        assert [entry["kind"] for entry in state.trainee] == ["acknowledged", "diagnosed"]
        game.referee.abort("The lesson is over.")

    game = Game(tmp_path)
    assert await game.play(guided) == "aborted"
    assert game.public("report")[0]["who"] == "a parent"
    assert game.private("truth")[-1]["causes"] == [POOL, SMTP]
    assert SMTP not in (game.round.folder / "public.jsonl").read_text(encoding="utf-8")


async def test_a_fault_that_a_facilitator_added_must_be_mended_too(tmp_path: Path) -> None:
    added = "sms.h2.permission-missing"

    async def guided(game: Game) -> None:
        await game.referee.add_fault(added)
        game.does("acknowledged")
        game.does("diagnosed", causes=[POOL, added])
        await game.mend()
        await game.until(lambda: game.referee.state.probes[0].holds is True)
        await game.clock.pause(120)
        assert "mitigated" not in game.referee.state.reached
        (_, tree) = game.referee.state.probes
        assert (tree.id, tree.holds, tree.facts) == (added, False, {"found": "permission-missing"})
        await mends(Player(game.referee, ISSUES, game.clock), added)

    game = Game(tmp_path)
    assert await game.play(guided) == "done"
    told = seen_of(game.round.public().entries()).told
    assert set(game.stack.replies((added,))) <= set(told)


async def test_data_that_the_trainee_lost_is_told_and_fails_the_round(tmp_path: Path) -> None:
    async def careless(game: Game) -> None:
        game.stack.world.database.tables.run("DELETE FROM grade")
        await good(game)

    game = Game(tmp_path)
    assert await game.play(careless) == "done"
    assert game.private("lost")[0]["what"].endswith("rows of grade are gone")
    assert game.private("grade")[0]["mark"] == "F"


async def test_a_part_that_was_deleted_is_lost_and_nothing_is_mended_without_it(tmp_path: Path) -> None:
    async def deletes(game: Game) -> None:
        del game.stack.world.containers["sms-help"]
        await good(game)
        await game.clock.pause(60)
        game.does("gave_up")

    game = Game(tmp_path)
    assert await game.play(deletes) == "gave_up"
    assert [entry["what"] for entry in game.private("lost")] == ["sms-help is gone"]
    assert "mitigated" not in [entry["phase"] for entry in game.public("phase")]


@pytest.mark.parametrize("after_s", [0.0, 30.0])
async def test_cancelled_the_referee_mends_writes_the_end_and_says_so(after_s: float, tmp_path: Path) -> None:
    game = Game(tmp_path)
    playing = asyncio.ensure_future(game.referee.run())
    while not (game.public("began") and game.clock.now >= game.public("began")[0]["at"] + after_s):
        await asyncio.sleep(0)
    playing.cancel()
    await asyncio.sleep(0)
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    assert [entry["how"] for entry in game.public("ended")] == ["broken_off"]
    assert game.private("healed")
    assert await game.stack.why_not_clean() == ()
    await game.stack.aclose()


async def test_a_round_has_one_referee(tmp_path: Path) -> None:
    game = Game(tmp_path)
    with Round(game.round.folder).hold(), pytest.raises(OSError):  # noqa: PT011 - whichever the lock gives
        await game.referee.run()
    assert not game.public("round")
    await game.stack.aclose()


async def test_an_entry_from_before_the_round_or_from_the_future_counts_from_its_edge(tmp_path: Path) -> None:
    async def odd(game: Game) -> None:
        (began,) = game.public("began")
        game.trainee.add("acknowledged", began["at"] - 500)
        game.trainee.add("diagnosed", began["at"] + 99_999, causes=[POOL])
        await game.mend()

    game = Game(tmp_path)
    assert await game.play(odd) == "done"
    (began,) = game.public("began")
    times = {entry["phase"]: entry["at"] - began["at"] for entry in game.public("phase")}
    assert times["detected"] == 0
    assert times["diagnosed"] < 5


def _found(*holds: bool | None) -> list[Probed]:
    return [Probed(str(number), "", value, {}, "") for number, value in enumerate(holds)]


def test_a_sample_that_could_not_be_taken_begins_the_dwell_anew() -> None:
    dwell = Dwell()
    dwell.feed(0, _found(True, True))
    dwell.feed(8, _found(True, True))
    assert dwell.held_s == 8
    dwell.feed(9, _found(True, None))
    assert dwell.held_s is None
    dwell.feed(10, _found(True, True))
    assert dwell.held_s == 0


def test_what_is_lost_is_what_was_there_and_a_table_that_cannot_be_counted_is_not_lost() -> None:
    before = Baseline(frozenset({"a", "b"}), {"grade": 100, "user": 5, "role": None})
    now = Baseline(frozenset({"b", "c"}), {"grade": 40, "user": None, "role": 0})
    assert lost_since(before, now) == ("a is gone", "60 of the 100 rows of grade are gone")
    assert lost_since(before, before) == ()


def test_what_a_late_fault_takes_away_nobody_has_lost() -> None:
    after_first = Baseline(frozenset({"a", "b"}), {"grade": 100})
    before, after = Baseline(frozenset({"a", "b"}), {"grade": 120}), Baseline(frozenset({"a"}), {"grade": 20})
    assert without(after_first, before, after) == Baseline(frozenset({"a"}), {"grade": 0})
