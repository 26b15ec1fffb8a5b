"""Whether the data is whole: what the log tells, and what of it still holds."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from answering_database import Answering, Rows
from guide_stack import NOW, Stack, timed_out

from console.guides.checks.check import FactValue, Outcome, run_check
from console.guides.checks.postgres_damage import Place, by_place, damage_lines, named_indexes, place_of
from console.guides.checks.registry import find_check
from console.guides.issue import CheckCall
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.sources.protocols.database import Value
from console.sources.protocols.engine import LogLine, Stream


def log(*texts: str) -> tuple[LogLine, ...]:
    return tuple(LogLine("sms-postgres", Stream.STDERR, NOW + number, text) for number, text in enumerate(texts))


def test_lines_of_the_log_tell_damaged_indexes_from_damaged_pages() -> None:
    lines = log(
        '2026-11-22 10:00 ERROR:  item order invariant violated for index "idx_grades"',
        'ERROR:  index "idx_users" contains unexpected zero page at block 7',
        "ERROR:  invalid page in block 12 of relation base/16384/16397",
        "WARNING:  page verification failed, calculated checksum 1 but expected 2",
        'ERROR:  could not read block 3 in file "base/1/2": read only 0 of 8192 bytes',
        "LOG:  statement: SELECT 'index \"x\" contains'",
    )
    damaged, pages = damage_lines(lines)
    assert [line.at - NOW for line in damaged] == [0, 1]
    assert [line.at - NOW for line in pages] == [2, 3, 4]
    assert named_indexes(damaged) == ("idx_grades", "idx_users")


def test_the_page_that_a_line_names_is_read_from_it() -> None:
    places = {
        "ERROR:  invalid page in block 12 of relation base/16384/16397": Place(1663, 16384, 16397, "", 12),
        'ERROR:  invalid page in block 12 of relation "base/16384/16397"': Place(1663, 16384, 16397, "", 12),
        "WARNING:  invalid page in block 0 of relation base/5/7_vm; zeroing out page": Place(1663, 5, 7, "_vm", 0),
        "ERROR:  invalid page in block 3 of relation global/1262": Place(1664, 0, 1262, "", 3),
        "ERROR:  invalid page in block 3 of relation pg_tblspc/400/PG_15_202209061/5/7": Place(400, 5, 7, "", 3),
        'ERROR:  could not read block 131072 in file "base/5/7.1": read only 0 of 8192 bytes': Place(1663, 5, 7, "", 131072),
        "ERROR:  invalid page in block 3 of relation base/5/t3_7": None,
        "ERROR:  missing chunk number 0 for toast value 9 in pg_toast_7": None,
    }
    assert {text: place_of(log(text)[0]) for text in places} == places


def test_a_wrong_checksum_is_of_the_page_that_is_named_next() -> None:
    verified, named, alone = log(WRONG, PAGE, WRONG)
    placed, loose = by_place([verified, replace(named, at=verified.at + 0.5), replace(alone, at=NOW + 60)])
    assert [len(lines) for lines in placed.values()] == [2]
    assert [line.at for line in loose] == [NOW + 60]


# -- looked at again ------------------------------------------------------------------------------------------------------

WRONG = "WARNING:  page verification failed, calculated checksum 1 but expected 2"
PAGE = "ERROR:  invalid page in block 12 of relation base/16384/16397"
TABLE: dict[str, Value] = {"database": 16384, "id": 77, "schemaname": "public", "relname": "grade", "kind": "r"}
INDEX: dict[str, Value] = TABLE | {"relname": "grade_note", "kind": "i"}
GONE: dict[str, Value] = {"database": 16384, "id": None, "schemaname": None, "relname": None, "kind": None}
BTREE: dict[str, Value] = {
    "id": 77,
    "schemaname": "public",
    "relname": "grade",
    "indexrelname": "grade_note",
    "scans": 5,
    "valid": True,
    "uniq": False,
    "definition": "CREATE INDEX grade_note ON public.grade USING btree (note)",
}
DAMAGED = SourceError(FailureKind.GARBAGE, "PostgreSQL holds damaged data: invalid page in block 12.")
FORBIDDEN = SourceError(FailureKind.FORBIDDEN, "PostgreSQL forbids this to sms_user: permission denied for verify_heapam.")


async def integrity(*texts: str, failures: int = 0, **answers: Rows | SourceError) -> Outcome:
    """The check on a log of these lines; `answers` by the tag of the question, `_` for a space."""
    stack = Stack()
    given = {tag.replace("_", " "): rows for tag, rows in answers.items()}
    counted: Rows = [{"checksum_failures": failures}]
    usual: dict[str, Rows | SourceError] = {
        "extension": [{"version": "1.3", "schema": "public"}],
        "database": counted,
        "indexes": [],
        "blocks": [{"blocks": 100}],
        "all tables": [{"tables": 80, "faults": 0}],
        "all trees": [{"trees": 160, "others": 0, "looked_at": 160}],
    }
    stack.database = Answering(answers={f"triage: {tag} */": rows for tag, rows in {**usual, **given}.items()})
    stack.engine.write("database", *texts)
    check = find_check("postgres.integrity")
    assert check is not None
    return await run_check(CheckCall("postgres.integrity", check.parameters()), Readings(stack.system, wall=lambda: NOW))


def counts(found: Outcome) -> tuple[FactValue, FactValue, FactValue]:
    """Damaged pages, damaged indexes, wrong checksums."""
    return tuple(found.facts[name] for name in ("page_errors", "index_errors", "checksum_failures"))  # type: ignore[return-value]


async def test_a_page_of_a_table_that_is_still_damaged_is_damage() -> None:
    found = await integrity(WRONG, PAGE, failures=1, file=[TABLE], heap_check=DAMAGED)
    assert counts(found) == (2, 0, 1)
    assert found.headline == "Pages of the database are damaged."
    assert "block 12 of public.grade is still damaged: PostgreSQL holds damaged data: invalid page in block 12." in found.evidence


async def test_what_amcheck_says_of_the_page_is_damage_too() -> None:
    found = await integrity(PAGE, file=[TABLE], heap_check=[{"said": "line pointer to page offset 9000"}])
    assert counts(found) == (1, 0, 0)


async def test_a_page_that_was_mended_is_of_the_past() -> None:
    found = await integrity(WRONG, PAGE, failures=3, file=[TABLE], heap_check=[])
    assert counts(found) == (0, 0, 0)
    assert found.headline == "No damage is known."
    assert "block 12 of public.grade is whole now: what the log says of it is of the past." in found.evidence
    assert "80 tables and 160 indexes can be read without an error now: what was counted was mended" in found.evidence


@pytest.mark.parametrize("row", [GONE, TABLE | {"database": 5}])
async def test_a_file_that_is_nobodys_any_more_or_of_another_database_is_no_damage_of_this_one(row: Mapping[str, Value]) -> None:
    assert counts(await integrity(WRONG, PAGE, file=[row])) == (0, 0, 0)


async def test_a_page_that_the_table_does_not_have_any_more_is_of_the_past() -> None:
    assert counts(await integrity(PAGE, file=[TABLE], blocks=[{"blocks": 12}], heap_check=FORBIDDEN)) == (0, 0, 0)


async def test_a_page_of_an_index_is_no_damage_of_rows() -> None:
    found = await integrity(WRONG, PAGE, failures=1, file=[INDEX], indexes=[BTREE], index_check=DAMAGED)
    assert counts(found) == (0, 1, 1)
    assert found.headline == "Damaged: index grade_note."


async def test_a_page_of_an_index_that_amcheck_reads_whole_is_of_the_past() -> None:
    assert counts(await integrity(WRONG, PAGE, failures=1, file=[INDEX], indexes=[BTREE])) == (0, 0, 0)


async def test_a_page_of_an_index_that_amcheck_does_not_know_counts_as_told() -> None:
    found = await integrity(WRONG, PAGE, file=[INDEX], indexes=[BTREE | {"definition": "CREATE INDEX x ON g USING gin (note)"}])
    assert counts(found) == (0, 2, 0)
    assert found.headline == "Damaged: index grade_note."


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"file": FORBIDDEN}, "Whose block 12 of file 16397 is, is not known"),
        ({"file": []}, "Whose block 12 of file 16397 is, is not known"),
        ({"file": [TABLE], "heap_check": FORBIDDEN}, "Whether block 12 of public.grade is still damaged could not be looked at"),
        ({"file": [TABLE], "extension": []}, "Whether block 12 of public.grade is still damaged could not be looked at"),
        ({"file": [TABLE], "heap_check": timed_out("PostgreSQL")}, "could not be looked at"),
    ],
)
async def test_what_cannot_be_looked_at_counts_as_damage_and_is_told(answers: Mapping[str, Any], why: str) -> None:
    found = await integrity(PAGE, **answers)
    assert found.facts["page_errors"] == 1
    assert any(why in failure.message for failure in found.unread)


async def test_of_very_many_damaged_pages_only_some_are_looked_at_again() -> None:
    found = await integrity(*(PAGE.replace("12", str(block)) for block in range(30)), file=[TABLE], heap_check=[])
    assert found.facts["page_errors"] == 10
    assert any("30 damaged pages; 20 were looked at again" in failure.message for failure in found.unread)


@pytest.mark.parametrize(
    "answers",
    [
        {"all_tables": DAMAGED},
        {"all_tables": [{"tables": 80, "faults": 2}]},
        {"all_trees": [{"trees": 160, "others": 1, "looked_at": 160}]},
        {"all_trees": timed_out("PostgreSQL")},
    ],
)
async def test_wrong_checksums_count_until_everything_is_read_without_an_error(answers: Mapping[str, Any]) -> None:
    found = await integrity(failures=2, **answers)
    assert counts(found) == (0, 0, 2)
    assert found.headline == "Pages of the database are damaged."
    assert any("could not be looked at" in failure.message for failure in found.unread)
