"""The pure parts of the lab's faults, and the journal that outlives the process."""

import ast
import json
import re
from datetime import date
from pathlib import Path

import pytest

from console.practice.lab.errors import LabError
from console.practice.lab.fault_journal import FaultJournal, OpenFault
from console.practice.lab.faults import BY_SYSTEM, FAULTS
from console.practice.lab.faults_backend import with_bad_semester, with_missing_module
from console.practice.lab.faults_database import damaged
from console.practice.lab.image_build import context_files
from console.practice.lab.old_backups import old_backups
from console.practice.lab.spec import MIB

TODAY = date(2026, 11, 22)


def test_every_fault_is_named_by_an_issue_and_a_cause_of_its_system() -> None:
    for system, faults in BY_SYSTEM.items():
        guides = {"sms": ("sms", "smsops")}.get(system, (system,))
        for fault in faults:
            assert re.fullmatch(rf"({'|'.join(guides)})\.[a-z]\d\.[a-z0-9-]+", fault.id), fault.id
            assert fault.title
    assert len(FAULTS) == sum(map(len, BY_SYSTEM.values()))


def test_old_backups_fill_exactly_what_is_missing() -> None:
    files = old_backups(320 * MIB, 270 * MIB, 95, TODAY)
    assert sum(item.size_bytes for item in files) == 270 * MIB - 320 * MIB * 5 // 100
    assert len({item.name for item in files}) == len(files)


def test_old_backups_are_older_than_any_real_one_and_named_as_the_guide_names_them() -> None:
    first = old_backups(320 * MIB, 270 * MIB, 100, TODAY)[0]
    assert first.made_on == date(2026, 10, 13)
    assert first.name == "student_management_20261013_020000.sql.gz"


@pytest.mark.parametrize("free_mib", [0, 5, 16])
def test_a_volume_that_is_full_enough_gets_no_more(free_mib: int) -> None:
    assert old_backups(320 * MIB, free_mib * MIB, 95, TODAY) == ()


def test_damaging_a_page_keeps_its_size_and_header_and_damaging_it_twice_mends_it() -> None:
    page = bytes(range(256)) * 32
    bad = damaged(page)
    assert bad != page
    assert len(bad) == 8192
    assert bad[:64] == page[:64]
    assert damaged(bad) == page


def test_the_release_with_a_missing_module_is_valid_python_that_imports_it() -> None:
    source = context_files()["app/backend/api.py"]
    changed = with_missing_module(source)
    assert changed != source
    imported = [name.name for node in ast.walk(ast.parse(changed)) if isinstance(node, ast.Import) for name in node.names]
    assert "openpyxl" in imported


def test_the_bad_semester_is_still_json() -> None:
    source = context_files()["app/config/semester.json"]
    assert json.loads(with_bad_semester(source))["length_days"] == "150 days"


def test_the_journal_gives_back_what_was_written_to_a_new_process(tmp_path: Path) -> None:
    first = OpenFault("sms.c1.container-down", "2026-11-22T10:00:00+00:00", {})
    second = OpenFault("sms.c2.corrupted", "2026-11-22T10:01:00+00:00", {"path": "/x", "page": "AA=="})
    FaultJournal(tmp_path / "faults.json").add(first)
    FaultJournal(tmp_path / "faults.json").add(second)
    assert FaultJournal(tmp_path / "faults.json").read() == (first, second)
    FaultJournal(tmp_path / "faults.json").remove(first.fault_id)
    assert FaultJournal(tmp_path / "faults.json").read() == (second,)


def test_a_journal_that_is_not_there_holds_no_fault(tmp_path: Path) -> None:
    assert FaultJournal(tmp_path / "faults.json").read() == ()


def test_a_broken_journal_says_where_it_is_and_how_to_begin_anew(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_text('[{"fault_id": 1')
    with pytest.raises(LabError, match=r"faults\.json, cannot be read.*triage lab down"):
        FaultJournal(path).read()
