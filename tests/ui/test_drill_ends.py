"""A drill on a pseudo-terminal: however the program ends, the round is mended and closed, or left for `triage drill heal`."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.cli import run
from console.practice.drill.rounds import Round, all_rounds
from tests.ui.test_terminal import Terminal, restored

DRILL = "from console.cli import run; sys.exit(run(['drill', 'start', 'sms-grade-export', '--person', 'a test']))"
LONG_S = 20.0


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    found = Terminal(before=DRILL)
    found.read_until(b"The round has begun", within_s=60)
    yield found
    found.close()


def the_round() -> Round:
    (found,) = all_rounds()
    return found


def kinds(entries: list[dict[str, object]]) -> list[object]:
    return [entry["kind"] for entry in entries]


def types(keys: bytes) -> Callable[[Terminal], None]:
    return lambda terminal: os.write(terminal.file, keys) and None


def sends(number: signal.Signals) -> Callable[[Terminal], None]:
    return lambda terminal: os.kill(terminal.pid, number)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        pytest.param(types(b"q"), 0, id="q"),
        pytest.param(types(b"\x03"), 0, id="ctrl+c"),
        pytest.param(sends(signal.SIGTERM), 128 + signal.SIGTERM, id="TERM"),
        pytest.param(sends(signal.SIGHUP), 128 + signal.SIGHUP, id="HUP"),
        pytest.param(Terminal.hang_up, 128 + signal.SIGHUP, id="hang up"),
    ],
)
def test_however_the_program_ends_the_round_is_mended_and_closed(
    end: Callable[[Terminal], None], code: int, terminal: Terminal
) -> None:
    end(terminal)
    assert terminal.ended(LONG_S) == code
    if terminal.file >= 0:
        assert restored(terminal)
    left = the_round()
    ended = next(entry for entry in left.public().entries() if entry["kind"] == "ended")
    assert ended["how"] == "broken_off"
    assert "healed" in kinds(left.referee().entries())
    assert (left.folder / "review.md").exists()


def test_what_is_killed_is_closed_by_heal_from_a_fresh_process(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    os.kill(terminal.pid, signal.SIGKILL)
    assert terminal.ended(LONG_S) == -signal.SIGKILL
    left = the_round()
    assert not left.ended
    assert run(["drill", "heal"]) == 0
    assert left.ended
    assert run(["drill", "heal"]) == 0
    assert capsys.readouterr().out.endswith("There is nothing to heal.\n")
