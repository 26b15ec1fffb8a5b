"""The review after a round: everything is found by paging down, at any size, and the report is kept as a file."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from console.practice.drill.closing import close_books
from console.practice.drill.looking_back import review_of
from console.practice.drill.review import Review
from console.practice.drill.rounds import Round
from screens.review import ReviewScreen
from tests.ui.opened import app_of, console, press, settled, until
from tests.ui.opened import text as sheet_text
from tests.unit.practice.drill.played import POOL, Played, full_round, issues
from widgets.review_chart import AXIS, chart_marks, charts
from widgets.review_lines import review_lines
from widgets.scrolled import Scrolled

SIZES = [(80, 24), (200, 50)]


def written(played: Played, folder: Path) -> Round:
    """The folder as the referee leaves it."""
    end = played.public.pop()
    round_ = played.written(folder)
    close_books(round_, end["how"], end["reason"], end["at"], played.truth, played.scenario, issues())
    return round_


async def opened(pilot: Pilot[None], round_: Round) -> ReviewScreen:
    screen = ReviewScreen(round_)
    app_of(pilot).push_screen(screen)
    await until(lambda: screen.review is not None)
    await settled(pilot)
    return screen


async def whole_text(pilot: Pilot[None]) -> str:
    """What is seen while paging down to the end."""
    sheet = pilot.app.screen.query_one("#review", Scrolled)
    seen = [sheet_text(sheet)]
    while sheet.border_subtitle:
        await press(pilot, "pagedown")
        seen.append(sheet_text(sheet))
    return "\n".join(seen)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_everything_is_found_by_paging_down(size: tuple[int, int], tmp_path: Path) -> None:
    round_ = written(full_round(), tmp_path)
    async with console(size=size) as pilot:
        await opened(pilot, round_)
        text = await whole_text(pilot)
    for words in (
        "C, passed",
        "Grade",
        "Symptoms",
        "p95",
        "connections",
        "Timeline",
        "Where the time went",
        "Debrief",
        "Second.",
    ):
        assert words in text
    for words in (
        f"{POOL} bites",
        "Diagnoses:",
        "Shortest (2)",
        "Taken (2)",
        "sms.c1.restart-all",
        "until mitigated",
        "1 mark",
        "Second.",
    ):
        assert words in text
    assert "hunter2" not in text


def review(folder: Path) -> Review:
    return review_of(written(full_round(), folder), issues())


def test_a_symptom_that_was_never_read_is_not_drawn(tmp_path: Path) -> None:
    heads = [line.text for line in charts(review(tmp_path), 100, 5) if line.spans and line.spans[0].style == "head"]
    assert [head.split()[0] for head in heads] == ["p95", "connections"]


def test_marks_stand_below_the_moment_that_they_mark(tmp_path: Path) -> None:
    marks = chart_marks(review(tmp_path), 221).text[AXIS:]
    assert {letter: marks.index(letter) for letter in "FAHCxM"} == {"F": 0, "A": 20, "H": 60, "C": 100, "x": 150, "M": 220}


@pytest.mark.parametrize("width", [40, 78, 110, 198])
def test_no_line_is_wider_than_the_screen(width: int, tmp_path: Path) -> None:
    assert [line.text for line in review_lines(review(tmp_path), width) if len(line.text) > width] == []


async def test_the_report_is_saved_in_the_rounds_folder_and_copied(tmp_path: Path) -> None:
    round_ = written(full_round(), tmp_path)
    async with console() as pilot:
        await opened(pilot, round_)
        await press(pilot, "s", "y")
        path = round_.folder / "report.md"
        assert "**Root Cause**" in path.read_text()
        assert path.stat().st_mode & 0o077 == 0
        assert pilot.app.clipboard == path.read_text()
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, ReviewScreen)


async def test_a_report_that_cannot_be_saved_is_told(tmp_path: Path) -> None:
    round_ = written(full_round(), tmp_path)
    async with console() as pilot:
        await opened(pilot, round_)
        (round_.folder / "report.md").mkdir()
        await press(pilot, "s")
        assert any("could not be saved" in note.message for note in pilot.app._notifications)


async def test_a_round_that_was_broken_off_shows_what_there_is(tmp_path: Path) -> None:
    played = full_round()
    played.public[-1].update(how="broken_off", reason="The referee was stopped.")
    played.referee = [entry for entry in played.referee if entry["kind"] != "sample"]
    round_ = written(played, tmp_path)
    async with console(size=(80, 24)) as pilot:
        await opened(pilot, round_)
        text = await whole_text(pilot)
    assert "not graded: broken off" in text
    assert "No symptom was read." in text
