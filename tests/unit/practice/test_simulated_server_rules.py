"""Rules of the practice PostgreSQL that need no world: plans, settings, what a schema makes, what a statement reads."""

import random
from typing import Any

import pytest

from console.practice.simulated.administration import execute
from console.practice.simulated.catalogue import Index, catalogue
from console.practice.simulated.dialect import PostgresError
from console.practice.simulated.explain import inner, plan
from console.practice.simulated.log import Log
from console.practice.simulated.postgres import PostgresServer
from console.practice.simulated.server_settings import ServerSettings, usual_settings
from console.practice.simulated.volume import Volume
from console.practice.simulated.workload import SEQ_SCAN_FACTOR, Workload, tables_of

ROWS = {"attendance": 18_000, "student": 400, "grade": 6_000, "role": 3}


def nodes(node: dict[str, Any]) -> list[str]:
    """Each scan of a plan: its kind, and its index or table."""
    if "Relation Name" in node:
        return [f"{node['Node Type']} {node.get('Index Name', node['Relation Name'])}"]
    return [scan for child in node.get("Plans", ()) for scan in nodes(child)]


@pytest.mark.parametrize(
    ("sql", "scans"),
    [
        ("SELECT * FROM attendance WHERE student_id = 3", ["Index Scan idx_attendance_student_date"]),
        ("SELECT * FROM attendance WHERE status = 'late'", ["Seq Scan attendance"]),
        (
            "SELECT a.status FROM student s JOIN attendance a ON a.student_id = s.id WHERE s.id = 4",
            ["Index Scan student_pkey", "Index Scan idx_attendance_student_date"],
        ),
        ("SELECT count(*) FROM grade", ["Seq Scan grade"]),
        ('SELECT * FROM "grade" AS g WHERE g.id IN (7, 8) ORDER BY g.id LIMIT 1', ["Index Scan grade_pkey"]),
        ("SELECT * FROM role WHERE id = 1", ["Seq Scan role"]),
        ("SELECT 1", []),
    ],
)
def test_a_plan_reads_by_an_index_only_where_one_begins_with_what_is_asked(sql: str, scans: list[str]) -> None:
    assert nodes(plan(sql, catalogue("sms").fresh_indexes(), ROWS)[0]["Plan"]) == scans


def test_an_index_that_is_not_valid_is_in_no_plan() -> None:
    indexes = {"half_made": Index("grade", ("score",), valid=False)}
    assert nodes(plan("SELECT * FROM grade WHERE score > 5", indexes, ROWS)[0]["Plan"]) == ["Seq Scan grade"]


def test_an_explain_is_told_from_a_question() -> None:
    assert inner("/* triage: select */ EXPLAIN (FORMAT JSON) SELECT 1") == "SELECT 1"
    assert inner("SELECT 'EXPLAIN'") is None


@pytest.mark.parametrize(
    ("name", "value", "setting"),
    [
        ("log_min_duration_statement", "250ms", "250"),
        ("log_min_duration_statement", "1s", "1000"),
        ("log_min_duration_statement", "-1", "-1"),
        ("work_mem", "64MB", "65536"),
        ("shared_buffers", "1GB", "131072"),
        ("autovacuum", "no", "off"),
    ],
)
def test_settings_are_kept_in_their_unit(name: str, value: str, setting: str) -> None:
    settings = ServerSettings(usual_settings(40, 3, "15.8"))
    settings.alter(name, value)
    settings.reload(restart=True)
    assert settings[name].value == setting


@pytest.mark.parametrize(
    ("name", "value", "sqlstate"),
    [
        ("nonsense", "1", "42704"),
        ("log_min_duration_statement", "soon", "22023"),
        ("log_min_duration_statement", "3 bananas", "22023"),
        ("autovacuum", "perhaps", "22023"),
        ("server_version", "99", "55P02"),
    ],
)
def test_settings_that_cannot_be_are_refused(name: str, value: str, sqlstate: str) -> None:
    settings = ServerSettings(usual_settings(40, 3, "15.8"))
    with pytest.raises(PostgresError) as error:
        settings.alter(name, value)
    assert error.value.sqlstate == sqlstate


def test_a_schema_tells_its_indexes_with_those_of_its_keys() -> None:
    indexes = catalogue("sms").fresh_indexes()
    assert indexes["user_email_key"] == Index("user", ("email",), unique=True)
    assert indexes["user_permission_pkey"] == Index("user_permission", ("user_id", "permission_name"), unique=True, primary=True)
    assert indexes["idx_attendance_student_date"] == Index("attendance", ("student_id", "attendance_date"))
    assert catalogue("nowhere").tables == {}


def test_the_tables_of_a_statement_are_found_however_they_are_written() -> None:
    assert tables_of('SELECT * FROM "user" u LEFT JOIN public.grade g ON true') == ("user", "grade")
    assert tables_of("INSERT INTO login_event (email) VALUES ($1)") == ("login_event",)
    assert tables_of('UPDATE "public"."users" SET role = $1') == ("users",)


def test_a_statement_is_slow_only_while_no_index_serves_it() -> None:
    work = Workload(catalogue("sms"))
    asked = "SELECT status FROM attendance WHERE student_id = $1"
    assert work.factor(asked) == 1
    del work.indexes["idx_attendance_student_date"]
    work.tick(1.0)
    assert (work.factor(asked), work.factor("SELECT title FROM course")) == (SEQ_SCAN_FACTOR, 1)
    work.indexes["another_name"] = Index("attendance", ("student_id", "attendance_date", "status"))
    work.tick(2.0)
    assert work.factor(asked) == 1


def test_a_full_disk_leaves_an_index_that_is_not_valid() -> None:
    volume = Volume("/data", "/data/backups")
    volume.add("huge.sql.gz", volume.free_bytes, 0.0)
    server = PostgresServer(volume, Log(), random.Random(1))
    with pytest.raises(PostgresError, match="No space left on device"):
        execute(server, "CREATE INDEX CONCURRENTLY idx_score ON grade (score)", 1.0)
    assert not server.indexes["idx_score"].valid
