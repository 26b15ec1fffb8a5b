"""Rules of the checks and fixes of PostgreSQL, on rows and sessions made by hand."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from answering_database import Answering, fix, keep, made, system
from guide_stack import Stack, session, sms_config, timed_out

from console.config import SystemConfig
from console.config_tables import IndexConfig
from console.guides.checks.postgres_statements import call_rates, deadlocks_grew, rows_per_call
from console.guides.checks.postgres_tables import TableCounts, missing_indexes, read_index
from console.guides.checks.registry import _ELSEWHERE, checks_of, find_check
from console.guides.fixes import apply_fix, preview_fix
from console.guides.fixes.action import actions_of, find_action
from console.reading import FailureKind
from console.sources.postgres.statistics import STATEMENTS_LISTED
from console.sources.protocols.database import Session, Value, Waiter
from console.system import System

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
