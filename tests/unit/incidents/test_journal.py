"""The journal: appended, on the disk, private, without secrets; and it says when it cannot."""

import json
import os
import stat
from pathlib import Path

import pytest

from console.incidents.journal import Journal, journals, last_walks, read_entries
from console.text import Secrets

NOW = 1_795_000_000.0


def journal(folder: Path, secrets: Secrets | None = None) -> Journal:
    return Journal("sms", "production", secrets=secrets, clock=lambda: NOW, folder=folder)


async def test_entries_are_appended_to_one_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    made = journal(tmp_path / "incidents")
    await made.record("note", {"text": "phoned"})
    await made.record("step", {"issue": "sms.c2", "facts": {"used": 5, "ok": True, "none": None}})

    assert made.path is not None
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.path.parent.stat().st_mode) == 0o700
    assert list(read_entries(made.path)) == [
        {"at": NOW, "kind": "incident", "system": "sms", "environment": "production"},
        {"at": NOW, "kind": "note", "text": "phoned"},
        {"at": NOW, "kind": "step", "issue": "sms.c2", "facts": {"used": 5, "ok": True, "none": None}},
    ]


async def test_no_file_is_made_before_there_is_anything_to_write(tmp_path: Path) -> None:
    assert journal(tmp_path).path is None
    assert journals(tmp_path) == []


async def test_two_incidents_of_one_second_have_files_of_their_own(tmp_path: Path) -> None:
    first, second = journal(tmp_path), journal(tmp_path)
    await first.record("note", {})
    await second.record("note", {})

    assert first.path != second.path


async def test_secrets_and_control_sequences_are_not_written(tmp_path: Path) -> None:
    secrets = Secrets()
    secrets.add("correct-horse")
    made = journal(tmp_path, secrets)

    await made.record(
        "step", {"lines": ["correct-horse \x1b[31mred", "postgresql://u:hunter2@h/d"], "deep": {"x": ["correct-horse"]}}
    )

    assert made.path is not None
    text = made.path.read_text(encoding="utf-8")
    assert "correct-horse" not in text
    assert "hunter2" not in text
    assert "u001b" not in text


async def test_figures_that_are_no_numbers_are_written_as_unknown(tmp_path: Path) -> None:
    made = journal(tmp_path)
    await made.record("step", {"p95_s": float("nan"), "most": float("inf")})

    assert made.path is not None
    assert list(read_entries(made.path))[1] == {"at": NOW, "kind": "step", "p95_s": None, "most": None}


async def test_a_line_that_was_cut_short_spoils_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = journal(tmp_path)
    await made.record("note", {"text": "one"})
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: write(handle, data[: len(data) // 2]))
        with pytest.raises(OSError, match="only a part"):
            await made.record("note", {"text": "cut"})
    await made.record("note", {"text": "two"})

    assert made.path is not None
    assert [entry.get("text") for entry in read_entries(made.path)] == [None, "one", "two"]


async def test_a_journal_that_cannot_be_written_raises(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="file"):
        await journal(tmp_path / "file").record("note", {})


async def test_when_each_issue_was_last_walked_is_found_in_one_pass(tmp_path: Path) -> None:
    def write(name: str, *entries: dict[str, object]) -> None:
        (tmp_path / name).write_text("".join(f"{json.dumps(entry)}\n" for entry in entries) + "{cut short")

    write(
        "20261101T000000Z-sms-1.jsonl",
        {"at": 100.0, "kind": "step", "issue": "sms.c1"},
        {"at": 90.0, "kind": "step", "issue": "sms.c2"},
    )
    write(
        "20261102T000000Z-sms-1.jsonl",
        {"at": 200.0, "kind": "step", "issue": "sms.c1"},
        {"at": 300.0, "kind": "note", "issue": "sms.c2"},
    )

    (tmp_path / "20261103T000000Z-sms-1.jsonl").mkdir()  # cannot be read

    assert last_walks(tmp_path) == {"sms.c1": 200.0, "sms.c2": 90.0}


def test_only_the_newest_of_long_journals_is_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(name: str, *steps: tuple[str, float]) -> None:
        lines = (json.dumps({"at": at, "kind": "step", "issue": issue}) for issue, at in steps)
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))

    write("20261101T000000Z-sms-1.jsonl", ("sms.c1", 100.0))
    write("20261102T000000Z-sms-1.jsonl", ("sms.c2", 200.0), ("sms.c3", 300.0))
    monkeypatch.setattr("console.incidents.journal.MOST_READ_BYTES", 60)

    assert last_walks(tmp_path) == {"sms.c3": 300.0}
