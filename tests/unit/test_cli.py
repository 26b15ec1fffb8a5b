"""The command line: exit codes are a contract, and no traceback reaches a user."""

import json
import logging
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from console.cli import run


def test_help_names_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    for word in ("practice", "check", "issues", "lint", "doctor", "lab", "exit codes"):
        assert word in shown


@pytest.mark.parametrize(
    "argv",
    [
        ["nonsense"],
        ["check", "--timeout", "soon"],
        ["check", "--timeout", "0"],
        ["lab", "explode"],
        ["check", "sms.zz"],
        ["check", "--system", "nope"],
        ["check", "--input", "novalue"],
        ["check", "sms.c2", "--practice", "healthy", "--input", "email=a@b.c'; DROP TABLE users; --"],
        ["check", "sms.c2", "--practice", "healthy", "--input", f"{'x' * 2**20}={'y' * 2**20}"],
        ["check", "--practice", "sms.c9.nothing"],
        ["issues", "--config", "/nonexistent.toml"],
    ],
)
def test_bad_usage_is_2_and_one_clear_text(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == 2
    error = capsys.readouterr().err
    assert error.strip()
    assert len(error) < 2_000
    assert "Traceback" not in error


def test_without_a_terminal_one_sentence_names_triage_check() -> None:
    for arguments in ([], ["practice"]):
        done = subprocess.run(
            [sys.executable, "-m", "console", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
        assert done.returncode == 2
        assert "triage check" in done.stderr
        assert done.stderr.count("\n") == 1
        assert done.stdout == ""


def test_a_broken_config_is_2_with_every_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[systems.x]\ntitle = 1\nenvironment = "?"\n', encoding="utf-8")
    assert run(["check", "--config", str(path)]) == 2
    assert capsys.readouterr().err.count(f"{path}:") == 2


def test_a_crash_is_one_sentence_and_a_private_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def explode(_: object) -> None:
        password = "tiger-lily"
        raise RuntimeError(f"boom password={password}")

    monkeypatch.setattr("console.config.find_config", explode)
    assert run(["issues"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "tiger-lily" not in error
    file = Path(error.rsplit(" ", 1)[1].strip().rstrip("."))
    assert "RuntimeError" in file.read_text(encoding="utf-8")
    assert "tiger-lily" not in file.read_text(encoding="utf-8")


def test_the_issues_of_sms_have_their_chords(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["issues", "--json"]) == 0
    issues = json.loads(capsys.readouterr().out)
    assert [(issue["id"], issue["chord"], issue["guide"]) for issue in issues][:3] == [
        ("sms.c1", "c1", "sms"),
        ("sms.c2", "c2", "sms"),
        ("sms.c3", "c3", "sms"),
    ]
    assert set(issues[0]) >= {"id", "chord", "guide", "title", "severity", "causes"}


def test_lint_is_clean_on_what_is_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lint"]) == 0
    assert capsys.readouterr().out == "Nothing to mend.\n"


def test_a_walk_on_the_simulated_stack_answers_in_the_promised_shape(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "sms.c2", "--json", "--practice", "sms.c2.pool-exhausted"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"system", "environment", "taken_at", "results"}
    assert (answer["system"], answer["environment"]) == ("sms", "simulated")
    (result,) = answer["results"]
    assert set(result) >= {"issue", "title", "severity", "outcome", "cause", "summary", "path", "fixes", "elapsed_ms"}
    assert (result["issue"], result["outcome"], result["cause"]) == ("sms.c2", "cause", "pool-exhausted")
    assert set(result["path"][0]) >= {"step", "check", "status", "facts", "command", "branch", "elapsed_ms", "evidence"}
    assert all(set(fix) >= {"id", "title", "risk", "preview"} for fix in result["fixes"])


def test_a_server_that_hangs_up_does_not_end_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    run(["issues"])
    # Python ignores SIGPIPE, so that a write to a closed socket is an error of that source; it must stay so.
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN


def test_a_reader_that_leaves_early_sees_no_traceback() -> None:
    command = f"{sys.executable} -m console issues --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout == "["
    assert done.stderr == ""


def test_a_library_that_warns_writes_nothing_over_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--help"])
    capsys.readouterr()
    logging.getLogger("a.driver").warning("error ignored in rollback")
    assert capsys.readouterr().err == ""
