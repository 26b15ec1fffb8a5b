"""What a recording keeps, and how it plays."""

import json
from pathlib import Path
from typing import Any

import pytest

from console.logs.follower import LogBatch
from console.practice.drill import recording
from console.practice.drill.recording import MOST_LINES, Recorder
from console.practice.drill.rounds import FRAMES, Round
from console.practice.drill.tape import Player, read_tape
from console.reading import Failure, FailureKind, Reading
from console.sources.protocols.engine import Containers, LogLine, Stream
from console.text import Secrets


@pytest.fixture
def round_(tmp_path: Path) -> Round:
    return Round(tmp_path)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def reading(at: float, failure: Failure | None = None) -> Reading[Any]:
    return Reading(at, 0.1, Containers(()), at, failure)


def batch(at: float, *texts: str) -> LogBatch:
    return LogBatch([LogLine("web", Stream.STDOUT, at, text) for text in texts], {}, frozenset({"web"}), at)


def test_what_was_taken_comes_back_as_it_was(round_: Round) -> None:
    clock = Clock()
    recorder = Recorder(round_, Secrets(), clock)
    failed = reading(101.0, Failure(FailureKind.TIMEOUT, "It does not answer.", "Wait."))
    recorder.take("containers", reading(100.0))
    clock.now = 101.0
    recorder.take("containers", failed)
    recorder.take_lines(batch(101.0, "one", "two"))
    recorder.write()
    tape = read_tape(round_)
    assert [frame.shown for frame in tape.frames] == [reading(100.0), failed, batch(101.0, "one", "two")]
    assert (tape.begins_at, tape.ends_at) == (100.0, 101.0)
    assert (round_.folder / FRAMES).stat().st_mode & 0o077 == 0


def test_a_feed_gives_one_frame_a_second_and_a_failure_always_one(round_: Round) -> None:
    clock = Clock()
    recorder = Recorder(round_, Secrets(), clock)
    for passed_s in (0.0, 0.4, 0.8, 1.2):
        clock.now = 100 + passed_s
        recorder.take("containers", reading(clock.now))
    recorder.take("containers", reading(101.3, Failure(FailureKind.LOST, "Gone.")))
    recorder.write()
    assert [frame.shown.asked_at for frame in read_tape(round_).frames if isinstance(frame.shown, Reading)] == [100, 101.2, 101.3]


def test_secrets_are_hidden_and_a_flood_of_lines_is_cut_and_counted(round_: Round) -> None:
    secrets = Secrets()
    secrets.add("hunter2-hunter2")
    recorder = Recorder(round_, secrets, Clock())
    recorder.take_lines(batch(100.0, *["x"] * MOST_LINES, "login with hunter2-hunter2", "the last"))
    recorder.write()
    assert "hunter2" not in (round_.folder / FRAMES).read_text()
    tape = read_tape(round_)
    assert tape.left_out == 2
    assert tape.past(100.0).lines[-1].text == "the last"


def test_a_recording_that_cannot_be_written_or_is_full_ends_and_says_so(round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Recorder(round_, Secrets(), Clock())
    monkeypatch.setattr(recording, "MOST_BYTES", 10)
    full.take("containers", reading(100.0))
    full.write()
    assert "the rest of the round is not in it" in full.trouble
    full.take_lines(batch(100.0, "more"))
    full.write()
    assert len(read_tape(round_).frames) == 1
    lost = Recorder(Round(round_.folder / "not there"), Secrets(), Clock())
    lost.take("containers", reading(100.0))
    lost.write()
    assert "cannot be recorded" in lost.trouble


def test_torn_and_strange_lines_are_left_out(round_: Round) -> None:
    recorder = Recorder(round_, Secrets(), Clock())
    recorder.take("containers", reading(100.0))
    recorder.write()
    with (round_.folder / FRAMES).open("a") as file:
        file.write(json.dumps({"at": 1, "feed": "nothing", "reading": {}}) + "\n")
        file.write(json.dumps({"at": 1, "feed": "redis", "reading": {"asked_at": "x"}}) + "\n[1]\n" + '{"at": 5, "fe')
    assert len(read_tape(round_).frames) == 1
    assert read_tape(Round(round_.folder / "none")).frames == []


def test_a_tape_plays_pauses_goes_faster_and_stops_at_its_end(round_: Round) -> None:
    clock, real = Clock(), Clock()
    recorder = Recorder(round_, Secrets(), clock)
    for at in (100.0, 160.0):
        clock.now = at
        recorder.take("containers", reading(at))
    recorder.write()
    player = Player(read_tape(round_), elapsed=real)
    real.now += 5
    assert player.clock() == 105
    player.pause()
    real.now += 5
    assert player.clock() == 105
    player.pause()
    player.faster(2)
    real.now += 5
    assert (player.speed, player.clock()) == (4, 125)
    player.faster(99)
    assert player.speed == 64
    player.go_to(0)
    assert player.clock() == 100
    real.now += 10
    assert player.at_end
    assert player.clock() == 160
