"""A round from its beginning to its end, on the simulated stack, by a turned clock."""

from pathlib import Path

from rounds_played import POOL, Game


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
    (ended,) = game.public("ended")
    (began,) = game.public("began")
    phases = {entry["phase"]: entry["at"] - began["at"] for entry in game.public("phase")}
    assert (round(phases["detected"]), round(phases["diagnosed"])) == (20, 40)
    assert 70 <= phases["mitigated"] <= 75
    assert ended["how"] == "done"
    assert [entry["who"] for entry in game.public("report")] == ["a teacher"]
    (grade,) = game.private("grade")
    assert (grade["mark"], grade["passed"]) == ("A", True), grade["reasons"]
    assert game.private("healed")
    assert await game.stack.why_not_clean() == ()
