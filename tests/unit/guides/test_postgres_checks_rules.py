"""Rules of the checks and fixes of PostgreSQL, on rows and sessions made by hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from guide_stack import NOW, FakeDatabase, Stack, session, sms_config, timed_out

from console.config import SystemConfig
from console.config_tables import IndexConfig
from console.guides.checks.check import Outcome, run_check
from console.guides.checks.postgres_select import table
from console.guides.checks.postgres_server import damage_lines, named_indexes
from console.guides.checks.postgres_statements import call_rates, deadlocks_grew, rows_per_call
from console.guides.checks.postgres_tables import TableCounts, missing_indexes, read_index
from console.guides.checks.registry import _ELSEWHERE, checks_of, find_check
from console.guides.compiling import compile_issue
from console.guides.fixes import Applied, apply_fix, preview_fix
from console.guides.fixes.action import action, actions_of, find_action
from console.guides.issue import CheckCall, Fix
from console.guides.readings import Readings
from console.problem import Problems
from console.reading import FailureKind, SourceError
from console.sources.postgres.statistics import STATEMENTS_LISTED
from console.sources.protocols.database import Accepts, Activity, Session, Value, Waiter
from console.sources.protocols.engine import LogLine, Stream
from console.system import System

Rows = Sequence[Mapping[str, Value]]


@dataclass
class Answering(FakeDatabase):
    """A database whose answers are chosen by the tag of the question, and which keeps what it was told to do."""

    answers: dict[str, Rows | SourceError] = field(default_factory=dict)
    roots: tuple[Waiter, ...] = ()
    deadlocks: int | None = 0
    executed: list[tuple[str, bool]] = field(default_factory=list)
    changed: list[tuple[str, Mapping[str, Value] | None, int]] = field(default_factory=list)
    on_execute: Callable[[str], None] = lambda _statement: None

    async def activity(self) -> Activity:
        return replace(await super().activity(), roots=self.roots, deadlocks=self.deadlocks)

    async def select(
        self, query: str, parameters: Mapping[str, Value] | None = None, *, limit: int = 500, timeout_s: float = 5.0
    ) -> Rows:
        del parameters, timeout_s
        answer = next((rows for tag, rows in self.answers.items() if f"triage: {tag} " in query or tag in query), ())
        if isinstance(answer, SourceError):
            raise answer
        return answer[:limit]

    async def execute(self, statement: str, *, timeout_s: float = 60.0, administer: bool = False) -> None:
        assert timeout_s > 0
        self.on_execute(statement)
        self.executed.append((statement, administer))

    async def change(self, statement: str, parameters: Mapping[str, Value] | None = None, *, most_rows: int) -> int:
        self.changed.append((statement, parameters, most_rows))
        return 1

    async def set_password(self, user: str, password: str) -> None:
        self.changed.append((user, {"password": password}, 0))


def system(database: FakeDatabase, **changes: Any) -> System:
    stack = Stack(config=sms_config().model_copy(update=changes))
    stack.database = database
    return stack.system


async def made(database: FakeDatabase, name: str, parameters: Mapping[str, Any] | None = None, **changes: Any) -> Outcome:
    check = find_check(name)
    assert check is not None
    readings = Readings(system(database, **changes))
    return await run_check(CheckCall(name, check.parameters.model_validate(parameters or {})), readings)


def fix(name: str, parameters: Mapping[str, Any] | None = None) -> Fix:
    kind = action(name)
    return Fix("it", "Mend it", kind.risk, name, kind.parameters.model_validate(parameters or {}))


async def keep(kind: str, details: Mapping[str, object]) -> None:
    del kind, details


# -- what is registered ---------------------------------------------------------------------------------------------------


def test_every_check_and_fix_is_found_by_its_name_in_the_file_that_is_registered() -> None:
    assert {check.name for check in checks_of("postgres") if find_check(check.name) is not check} == set()
    assert {kind.name for kind in actions_of("postgres") if find_action(kind.name) is not kind} == set()
    assert all(find_check(name) for name in _ELSEWHERE)


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"sql": "SELECT 1 AS n", "facts": {}}, "at least 1"),
        ({"sql": "SELECT 1 AS n", "facts": {"m": "number"}}, "the fact 'm' is no column"),
        ({"sql": "SELECT 1 AS n", "facts": {"n": "date"}}, "'bool', 'number' or 'text'"),
        ({"sql": "SELECT 1 AS n", "facts": {"N": "number"}}, "match pattern"),
        ({"sql": 'SELECT 1 AS "in"', "facts": {"in": "number"}}, "conditions use that word"),
        ({"sql": "SELECT 1 AS n", "facts": {"n": "number"}, "values": {"a": 1}}, "given but not used"),
        ({"sql": "SELECT 1 AS n", "facts": {"n": "number"}, "rows": "DELETE FROM x"}, "must be one SELECT"),
        ({"sql": "SELECT 1 AS n", "facts": {"n": "number"}, "about": "{m} rows"}, "{m} is none of the facts"),
        ({"sql": "SELECT 1 AS n", "facts": {"n": "number"}, "about": "{n.__class__} rows"}, "only {fact} may stand"),
        ({"sql": "SELECT 1 AS n", "facts": {"n": "number"}, "about": "{n!r:>9}"}, "only {fact} may stand"),
        ({"sql": "SELECT 1 AS n", "facts": {"n": "number"}, "about": "{n"}, "about:"),
    ],
)
def test_a_question_that_could_not_work_is_refused_when_it_is_loaded(parameters: Mapping[str, Any], why: str) -> None:
    check = find_check("postgres.select")
    assert check is not None
    with pytest.raises(ValueError, match="error") as caught:
        check.parameters.model_validate(parameters)
    assert why in str(caught.value)


async def test_a_source_that_is_cut_leaves_every_fact_unknown() -> None:
    asked = {
        "postgres.select": {"sql": "SELECT 1 AS n", "facts": {"n": "number"}},
        "postgres.explain": {"sql": "SELECT 1 AS n"},
        "postgres.exists": {"tables": ("users",)},
        "postgres.setting": {"name": "work_mem"},
    }
    for check in checks_of("postgres"):
        database = Answering(failure=timed_out("PostgreSQL"), accepts_failure=timed_out("PostgreSQL"))
        database.answers = {"": timed_out("PostgreSQL")}
        found = await made(database, check.name, asked.get(check.name))
        assert {name: value for name, value in found.facts.items() if value not in (None, False)} == {}, check.name
        assert found.failure or found.unread, check.name


# -- statements and locks -------------------------------------------------------------------------------------------------


async def test_a_statement_that_waits_for_a_lock_is_blocked_and_not_long() -> None:
    database = Answering(
        sessions=[
            session(1, "active", 30.0),
            session(2, "active", 60.0, wait_type="Lock"),
            session(3, "idle in transaction (aborted)"),
            session(4, "active", 90.0, backend_type="walsender"),
        ]
    )
    found = await made(database, "postgres.statements", {"over": "5s"})
    assert found.facts == {
        "active": 2,
        "long": 1,
        "longest_s": 60.0,
        "blocked": 1,
        "idle_in_transaction": 1,
        "longest_pid": 1,
    }


def waiter(pid: int, *below: Waiter, owner: Session | None = None, waited_s: float | None = 3.0, more: int = 0) -> Waiter:
    return Waiter(owner or session(pid, "active"), pid, "ShareLock", "grade", waited_s, below, more)


async def test_the_head_of_the_longest_chain_is_told() -> None:
    head = waiter(10, waiter(11, waiter(12, waited_s=8.0)), more=5, owner=session(10, "idle in transaction", 700))
    found = await made(Answering(roots=(head, waiter(20, waiter(21)))), "postgres.locks")
    assert found.facts["waiting"] == 8
    assert found.facts["longest_wait_s"] == 8.0
    assert (found.facts["head_pid"], found.facts["head_state"]) == (10, "idle in transaction")
    assert found.evidence[1].startswith("  pid 11")


@pytest.mark.parametrize(
    ("root", "why"),
    [
        (Waiter(None, 0, waiters=(waiter(5),)), "prepared transaction"),
        (Waiter(None, 77, waiters=(waiter(5),)), "not to be seen any more"),
        (waiter(6, waiter(5), owner=session(6, "active", backend_type="autovacuum worker")), "autovacuum worker"),
    ],
)
async def test_what_holds_a_lock_and_is_no_clients_session_is_told_and_not_ended(root: Waiter, why: str) -> None:
    preview = await preview_fix(system(Answering(roots=(root,))), fix("postgres.end_blocker"))
    assert why in preview.empty
    assert preview.targets == ()


async def test_a_blocker_that_does_not_block_any_more_is_left_alone() -> None:
    database = Answering(sessions=[session(10)], roots=(waiter(10, waiter(11), owner=session(10)),))
    stack = system(database)
    preview = await preview_fix(stack, fix("postgres.end_blocker"))
    database.roots = ()
    applied = await apply_fix(stack, fix("postgres.end_blocker"), preview, keep)
    assert (applied.done, database.ended) == (False, [])


def test_deadlocks_are_recent_against_the_first_look_of_the_last_quarter_of_an_hour() -> None:
    now = [0.0]
    watched = System(sms_config(), host=Stack().host, clock=lambda: now[0])
    told = []
    for at, count in ((0, 3), (60, 3), (120, 4), (1000, 4), (2000, 4), (2001, 0), (2002, 1)):
        now[0] = at
        told.append(deadlocks_grew(watched, count))
    assert told == [None, False, True, False, None, None, True], "statistics that were reset begin anew"
    assert deadlocks_grew(watched, None) is None


def test_calls_a_second_are_counted_by_the_servers_clock() -> None:
    first = [{"query": "a", "calls": 10, "now": 100.0}, {"query": "b", "calls": 5, "now": 100.0}]
    second = [{"query": "a", "calls": 30, "now": 100.5}, {"query": "c", "calls": 2, "now": 100.5}]
    assert call_rates(first, second) == [40.0, 4.0]
    assert call_rates(first, first) == []
    assert call_rates([], second) == []


def test_calls_of_a_statement_that_several_roles_make_are_taken_together() -> None:
    first = [{"query": "a", "calls": 500, "now": 100.0}, {"query": "a", "calls": 10, "now": 100.0}]
    second = [{"query": "a", "calls": 12, "now": 102.0}, {"query": "a", "calls": 500, "now": 102.0}]
    assert call_rates(first, second) == [1.0]


def test_what_only_now_came_among_those_called_most_was_called_before() -> None:
    first = [{"query": f"q{number}", "calls": 9, "now": 100.0} for number in range(STATEMENTS_LISTED)]
    second = [{"query": "late", "calls": 10, "now": 101.0}, *({**row, "now": 101.0} for row in first[1:])]
    assert call_rates(first, second)[0] == 1.0, "at most as often as the least of those listed before, and more now"


@pytest.mark.parametrize(
    ("query", "calls", "rows"),
    [
        ("SELECT id FROM customers", 6, 12_000.0),
        ("with c as (select 1) select * from c", 5, 14_400.0),
        ("SELECT id FROM customers", 4, 0.0),
        ("COPY public.customers TO stdout", 30, 0.0),
        ("INSERT INTO customers SELECT 1", 9, 0.0),
    ],
)
def test_only_questions_that_are_asked_again_and_again_give_rows(query: str, calls: int, rows: float) -> None:
    assert rows_per_call({"query": query, "calls": calls, "rows": 72_000}) == rows


# -- tables and indexes ---------------------------------------------------------------------------------------------------


def counted(**changes: Any) -> TableCounts:
    return replace(TableCounts("public", "grade", 80_000, 0, 0, 10, 90, 60.0), **changes)


def test_a_table_is_bloated_by_share_and_by_number() -> None:
    assert not counted().bloated
    assert counted(dead=30_000).bloated
    assert not counted(dead=15_000).bloated, "16 %"
    assert not counted(live=10, dead=5_000).bloated, "few rows"
    assert not counted(live=0, dead=0).bloated
    assert counted(seq_scans=75, index_scans=25).seq_percent == 75
    assert counted(changed=8_050).stale
    assert not counted(changed=8_049).stale


def index_row(definition: str, **changes: Any) -> dict[str, Value]:
    row: dict[str, Value] = {
        "id": 1,
        "schemaname": "public",
        "relname": "grade",
        "indexrelname": "i",
        "scans": 5,
        "valid": True,
        "uniq": False,
        "definition": f"CREATE INDEX i ON public.grade USING {definition}",
    }
    return row | changes


@pytest.mark.parametrize(
    ("definition", "columns"),
    [
        ("btree (enrollment_id)", ("enrollment_id",)),
        ("btree (enrollment_id, grade_date DESC NULLS LAST)", ("enrollment_id", "grade_date")),
        ('btree ("when", "A ""b""" text_pattern_ops, c COLLATE "C") INCLUDE (d)', ("when", 'A "b"', "c")),
        ("btree (lower(name), a)", ()),
        ("btree (a, ((b + 1)))", ("a",)),
        ("gin (words)", ("words",)),
    ],
)
def test_the_columns_of_an_index_are_read_from_its_definition(definition: str, columns: tuple[str, ...]) -> None:
    assert read_index(index_row(definition)).columns == columns


def config_with_index() -> SystemConfig:
    return sms_config().model_copy(
        update={
            "tables": {"grades": "public.grade"},
            "indexes": {"by_enrollment": IndexConfig(table="grades", columns=("enrollment_id", "grade_date"))},
        }
    )


@pytest.mark.parametrize(
    ("row", "covers"),
    [
        (index_row("btree (enrollment_id, grade_date, score)"), True),
        (index_row("btree (enrollment_id, grade_date DESC)"), True),
        (index_row("btree (enrollment_id)"), False),
        (index_row("btree (grade_date, enrollment_id)"), False),
        (index_row("btree (enrollment_id, grade_date) WHERE (score > 5)"), False),
        (index_row("btree (enrollment_id, grade_date)", valid=False), False),
        (index_row("btree (enrollment_id, grade_date)", relname="grade_old"), False),
        (index_row("btree (enrollment_id, grade_date)", schemaname="archive"), False),
    ],
)
def test_an_index_covers_when_it_begins_with_the_columns_and_is_whole(row: Mapping[str, Value], covers: bool) -> None:
    missing = missing_indexes(config_with_index(), [read_index(row)])
    assert missing == (() if covers else ("by_enrollment",))


async def test_without_configured_indexes_it_is_not_known_whether_one_is_missing() -> None:
    found = await made(Answering(answers={"indexes": [index_row("btree (a)", valid=False)]}), "postgres.indexes", indexes={})
    assert (found.facts["missing"], found.facts["first_missing"], found.facts["invalid"]) == (None, None, 1)
    assert found.unread[0].kind is FailureKind.NOT_CONFIGURED


async def test_an_index_whose_leftover_changed_since_the_preview_is_left_alone() -> None:
    config = config_with_index()
    row = index_row("btree (x)", indexrelname="by_enrollment", valid=False)
    database = Answering(answers={"indexes": [row]})
    stack = system(database, tables=config.tables, indexes=config.indexes)
    preview = await preview_fix(stack, fix("postgres.create_index", {"missing": True}))
    database.answers["indexes"] = [row | {"id": 2}]
    applied = await apply_fix(stack, fix("postgres.create_index", {"missing": True}), preview, keep)
    assert applied.failed is not None
    assert applied.failed.kind is FailureKind.DECLINED
    assert database.executed == []


async def test_an_unfinished_index_that_cannot_be_dropped_is_told() -> None:
    config = config_with_index()
    database = Answering(answers={"indexes": []})

    def fail(statement: str) -> None:
        if statement.startswith("CREATE"):
            database.answers["indexes"] = [index_row("btree (x)", indexrelname="by_enrollment", valid=False)]
        raise timed_out("PostgreSQL")

    database.on_execute = fail
    stack = system(database, tables=config.tables, indexes=config.indexes)
    preview = await preview_fix(stack, fix("postgres.create_index", {"index": "by_enrollment"}))
    applied = await apply_fix(stack, fix("postgres.create_index", {"index": "by_enrollment"}), preview, keep)
    assert not applied.done
    assert "could not be dropped" in applied.lines[0]


@pytest.mark.parametrize("parameters", [{}, {"index": "a", "missing": True}])
def test_creating_an_index_needs_a_name_or_all_that_are_missing(parameters: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs either index or missing"):
        fix("postgres.create_index", parameters)


# -- damage ---------------------------------------------------------------------------------------------------------------


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
