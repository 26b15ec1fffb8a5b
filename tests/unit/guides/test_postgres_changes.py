"""Fixes that set and change something in PostgreSQL, and issues that ask its data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from answering_database import Answering, Rows, fix, keep, system

from console.guides.checks.postgres_select import table
from console.guides.compiling import compile_issue
from console.guides.fixes import Applied, apply_fix, preview_fix
from console.problem import Problems
from console.reading import FailureKind
from console.sources.protocols.database import Accepts, Value

# -- server ---------------------------------------------------------------------------------------------------------------


def setting_row(**changes: Any) -> dict[str, Value]:
    row: dict[str, Value] = {"name": "work_mem", "setting": "4096", "unit": "kB", "context": "user"}
    return row | {"source": "default", "pending_restart": False, "boot_val": "4096"} | changes


async def test_a_value_with_a_quote_in_it_stays_a_value() -> None:
    database = Answering(answers={"setting": [setting_row()]})
    wanted = {"name": "work_mem", "value": "8MB'; DROP TABLE x; --"}
    preview = await preview_fix(system(database), fix("postgres.set_setting", wanted))
    await apply_fix(system(database), fix("postgres.set_setting", wanted), preview, keep)
    assert database.executed == [
        ("ALTER SYSTEM SET work_mem = '8MB''; DROP TABLE x; --'", True),
        ("SELECT pg_reload_conf()", True),
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (setting_row(context="postmaster"), "next restart"),
        (setting_row(), "at once"),
    ],
)
async def test_it_is_told_when_a_setting_takes_effect(row: Mapping[str, Value], told: str) -> None:
    preview = await preview_fix(
        system(Answering(answers={"setting": [row]})), fix("postgres.set_setting", {"name": "work_mem", "value": "8MB"})
    )
    assert told in preview.effect


@pytest.mark.parametrize("name", ["work_mem; x", "Work", "a b", "", "a.b.c"])
def test_what_is_no_name_of_a_setting_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        fix("postgres.set_setting", {"name": name, "value": "1"})


async def test_a_password_is_in_no_text_of_its_fix() -> None:
    secret = "very-secret-77"
    database = Answering()
    wanted = fix("postgres.set_password", {"password": secret})
    written: list[str] = []

    async def record(kind: str, details: Mapping[str, object]) -> None:
        written.append(f"{kind} {details}")

    stack = system(database)
    preview = await preview_fix(stack, wanted)
    applied = await apply_fix(stack, wanted, preview, record)
    assert database.changed == [("sms_user", {"password": secret}, 0)]
    for text in (repr(preview), repr(applied), repr(wanted), *written):
        assert secret not in text


async def test_a_database_is_created_only_while_it_is_missing() -> None:
    database = Answering(answer=Accepts(False, "database_missing", 'database "x" does not exist'))
    stack = system(database)
    preview = await preview_fix(stack, fix("postgres.create_database"))
    assert preview.can_apply
    database.answer = Accepts(True)
    late = await apply_fix(stack, fix("postgres.create_database"), preview, keep)
    assert (late.done, database.executed) == (False, [])
    database.answer = Accepts(False, "timeout", "no answer")
    assert "cannot be told" in (await preview_fix(stack, fix("postgres.create_database"))).empty


# -- change ---------------------------------------------------------------------------------------------------------------

CHANGE = {
    "sql": "UPDATE {users} SET locked_until = NULL WHERE email = :email",
    "preview": "SELECT id, locked_until FROM {users} WHERE email = :email",
    "values": {"email": "a@b.test"},
}


async def changed(rows_before: Rows, rows_now: Rows) -> tuple[Applied, Answering]:
    database = Answering(answers={"SELECT id": rows_before})
    stack = system(database, tables={"users": "user"})
    preview = await preview_fix(stack, fix("postgres.change", CHANGE))
    database.answers = {"SELECT id": rows_now}
    return await apply_fix(stack, fix("postgres.change", CHANGE), preview, keep), database


async def test_a_change_is_bound_and_limited() -> None:
    applied, database = await changed([{"id": 7, "locked_until": "2026-11-22"}], [{"id": 7, "locked_until": "2026-11-22"}])
    assert applied.lines == ("Changed 1 row.",)
    assert database.changed == [('UPDATE "user" SET locked_until = NULL WHERE email = %(email)s', {"email": "a@b.test"}, 1)]


async def test_a_hash_is_neither_shown_nor_written_down_and_still_known_again() -> None:
    row = {"id": 7, "password_hash": "bcrypt$quite-secret"}
    database = Answering(answers={"SELECT id": [row]})
    stack, written = system(database), list[str]()

    async def record(kind: str, details: Mapping[str, object]) -> None:
        written.append(f"{kind} {details}")

    preview = await preview_fix(stack, fix("postgres.change", CHANGE))
    database.answers = {"SELECT id": [row | {"password_hash": "another"}]}
    applied = await apply_fix(stack, fix("postgres.change", CHANGE), preview, record)
    assert applied.failed is not None
    assert "•••" in preview.lines[1]
    assert not any("quite-secret" in text for text in (repr(preview), repr(applied), *written))


@pytest.mark.parametrize("now", [[], [{"id": 8, "locked_until": "2026-11-22"}], [{"id": 7, "locked_until": None}]])
async def test_a_change_is_not_made_when_its_rows_are_others_by_now(now: Rows) -> None:
    applied, database = await changed([{"id": 7, "locked_until": "2026-11-22"}], now)
    assert applied.failed is not None
    assert applied.failed.kind is FailureKind.DECLINED
    assert database.changed == []


@pytest.mark.parametrize("rows", [[], [{"id": 1}, {"id": 2}]])
async def test_a_change_of_no_row_or_too_many_cannot_be_confirmed(rows: Rows) -> None:
    preview = await preview_fix(system(Answering(answers={"SELECT id": rows})), fix("postgres.change", CHANGE))
    assert not preview.can_apply


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        (CHANGE | {"sql": "SELECT 1"}, "must be one INSERT or UPDATE or DELETE"),
        (CHANGE | {"preview": "DELETE FROM {users} WHERE true"}, "must be one SELECT or WITH"),
        (CHANGE | {"values": {}}, "uses :email"),
        (CHANGE | {"most_rows": 0}, "greater than or equal to 1"),
    ],
)
def test_a_change_that_could_not_work_is_refused_when_it_is_loaded(parameters: Mapping[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match="error") as caught:
        fix("postgres.change", parameters)
    assert why in str(caught.value)


def test_rows_are_told_as_a_table_and_what_is_beyond_is_told() -> None:
    rows = [{"id": number, "name": f"n\x1b[31m{number}", "gone": None} for number in range(3)]
    assert table(rows, most=2) == ("id  name  gone", "0   n0", "1   n1", "… and more")
    assert table([]) == ("no rows",)


# -- in a guide's file ----------------------------------------------------------------------------------------------------

ISSUE = """\
id: demo.u1
title: A user cannot log in
severity: high
escalate: {after: 10m, to: somebody}
inputs:
  email: {kind: email, title: "E-mail of the user"}
start: known
steps:
  known:
    title: Is the user there?
    check: postgres.select
    with:
      sql: |
        SELECT count(*) > 0 AS known
        FROM {users}
        WHERE email = :email
      values: {email: $email}
      facts: {known: bool}
    branches:
      - {when: not known, cause: missing}
      - {else: clear}
causes:
  missing: {summary: There is no such user., fixes: [unlock]}
fixes:
  unlock:
    title: Unlock the user
    action: postgres.change
    with:
      sql: "UPDATE {users} SET locked = false WHERE email = :email"
      preview: "SELECT id FROM {users} WHERE email = :email"
      values: {email: $email}
    verify: {step: known, holds: known, for: 1s, within: 10s}
"""


def lint(text: str) -> list[tuple[int, str]]:
    try:
        compile_issue(text, Path("demo") / "u1-demo.yaml", "demo")
    except Problems as error:
        return [(item.line, item.message) for item in error.items]
    return []


def test_an_issue_may_ask_the_data_with_what_a_person_gave() -> None:
    issue = compile_issue(ISSUE, Path("demo") / "u1-demo.yaml", "demo")
    call = issue.steps["known"].check.bound({"email": "a@b.test'; --"})
    assert call.parameters.model_dump()["values"] == {"email": "a@b.test'; --"}
    assert issue.fixes["unlock"].bound({"email": "a@b.test"}).parameters.model_dump()["most_rows"] == 1


@pytest.mark.parametrize(
    ("before", "after", "line", "why"),
    [
        (
            "SELECT count(*) > 0 AS known",
            "UPDATE x SET known = 1",
            13,
            "and begins with 'UPDATE' (line 1",
        ),
        ("        WHERE email = :email\n", "        WHERE email = :email;\n", 13, "without a ';' (line 3 of the statement)"),
        ("        WHERE email = :email\n", "        WHERE email = :mail\n", 13, "uses :mail"),
        ("        WHERE email = :email\n", "        WHERE email = '${email}'\n", 13, "sql takes no input"),
        ("      values: {email: $email}\n      facts", "      facts", 13, "uses :email, which `values` does not give"),
        ("facts: {known: bool}", "facts: {knows: bool}", 13, "the fact 'knows' is no column"),
        ("when: not known", "when: known > 3", 20, "known"),
        ("SET locked = false WHERE email = :email", "SET locked = :email", 29, "without WHERE would hit every row"),
    ],
)
def test_lint_tells_what_is_wrong_with_a_statement_and_where(before: str, after: str, line: int, why: str) -> None:
    assert before in ISSUE
    found = lint(ISSUE.replace(before, after, 1))
    assert any(at == line and why in message for at, message in found), found
