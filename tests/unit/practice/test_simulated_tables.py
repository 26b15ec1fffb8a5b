"""The tables of the practice stacks: PostgreSQL's dialect, clock, errors and refusals, on an embedded engine."""

import subprocess
import sys

import pytest
from turned_clock import NOON

from console.practice.simulated.catalogue import catalogue
from console.practice.simulated.dialect import PostgresError
from console.practice.simulated.tables import Tables

SYSTEMS = ("sms", "planner", "dotmac", "sovd")


def tables(system: str = "sms", now: float = NOON) -> Tables:
    made = Tables(catalogue(system))
    made.tell_time(now)
    return made


@pytest.fixture(scope="module")
def sms() -> Tables:
    return tables()


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_has_its_tables_and_rows(system: str) -> None:
    schema = catalogue(system)
    counts = tables(system).count()
    assert set(counts) == set(schema.tables)
    assert sum(counts.values()) > 1_000
    assert {index.table for index in schema.fresh_indexes().values()} <= set(counts)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_same_time_gives_the_same_rows(system: str) -> None:
    first, second = tables(system), tables(system)
    for name, columns in catalogue(system).tables.items():
        query = f'SELECT * FROM "{name}" ORDER BY {columns[0]}'
        assert first.run(query) == second.run(query)


def test_ids_that_the_server_makes_up_are_the_same_in_every_world() -> None:
    made = [tables("planner").run("SELECT gen_random_uuid() AS id")[0]["id"] for _ in range(2)]
    assert made[0] == made[1]


def test_time_is_the_worlds(sms: Tables) -> None:
    row = sms.read("SELECT extract(epoch FROM now()) AS now, current_date AS today, current_timestamp AS at", limit=1)[0]
    assert (row["now"], str(row["today"])) == (NOON, "2026-11-26")
    assert row["at"].timestamp() == NOON


def test_values_are_bound_and_never_read_as_sql(sms: Tables) -> None:
    query = 'SELECT count(*) AS n FROM "user" WHERE email = %(email)s'
    assert sms.read(query, {"email": "student1@studentmanagement.local"}, limit=1) == [{"n": 1}]
    assert sms.read(query, {"email": "x' OR '1' = '1"}, limit=1) == [{"n": 0}]


def test_a_percent_sign_is_written_twice_where_values_are_given(sms: Tables) -> None:
    assert sms.read("SELECT 7 %% %(by)s AS rest", {"by": 4}, limit=1) == [{"rest": 3}]
    assert sms.read("SELECT 7 % 4 AS rest", limit=1) == [{"rest": 3}]


def test_whole_numbers_are_divided_as_postgresql_does(sms: Tables) -> None:
    assert sms.read("SELECT 7 / 2 AS whole, 7 / 2.0 AS real", limit=1) == [{"whole": 3, "real": 3.5}]


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("INSERT INTO role (name) VALUES ('x')", "cannot execute INSERT in a read-only transaction"),
        ("DROP TABLE grade", "cannot execute DROP TABLE in a read-only transaction"),
        ("WITH gone AS (DELETE FROM grade RETURNING id) SELECT * FROM gone", "cannot execute DELETE in a read-only transaction"),
        ("SELECT nextval('grade_id_seq')", "cannot execute nextval() in a read-only transaction"),
        ("COPY grade TO '/tmp/grades'", "cannot execute COPY in a read-only transaction"),
    ],
)
def test_a_question_may_not_write(sms: Tables, statement: str, refusal: str) -> None:
    with pytest.raises(PostgresError, match=r"read-only") as error:
        sms.read(statement, limit=1)
    assert (error.value.sqlstate, str(error.value)) == ("25006", refusal)
    assert sms.count()["grade"] == 6_000


@pytest.mark.parametrize(
    ("statement", "sqlstate", "words"),
    [
        ("SELECT * FROM nothere", "42P01", 'relation "nothere" does not exist'),
        ("SELECT nope FROM grade", "42703", 'column "nope" does not exist'),
        ("SELECT g.nope FROM grade g", "42703", "column g.nope does not exist"),
        ("SELECT nothing(1)", "42883", "function nothing() does not exist"),
        ("SELEC 1", "42601", 'syntax error at or near "SELEC"'),
        ("SELECT 1; DELETE FROM grade", "42601", "cannot insert multiple commands into a prepared statement"),
        ("SELECT 'x'::integer", "22P02", 'invalid input syntax: "x"'),
        ("SELECT id, count(*) FROM grade", "42803", 'column "id" must appear in the GROUP BY clause'),
        ("SELECT * FROM read_csv('/etc/passwd')", "42501", "permission denied"),
    ],
)
def test_errors_are_worded_as_postgresql_does(sms: Tables, statement: str, sqlstate: str, words: str) -> None:
    with pytest.raises(PostgresError) as error:
        sms.read(statement, limit=1)
    assert (error.value.sqlstate, str(error.value)) == (sqlstate, words)
    assert sms.read("SELECT 1 AS one", limit=1) == [{"one": 1}]


def test_a_change_of_too_many_rows_is_rolled_back() -> None:
    made = tables()
    statement = "UPDATE grade SET score = 100 WHERE id <= %(last)s"
    assert made.change(statement, {"last": 5}, most_rows=3) == 5
    assert made.read("SELECT count(*) AS n FROM grade WHERE score = 100 AND id <= 5", limit=1) == [{"n": 0}]
    assert made.change(statement, {"last": 3}, most_rows=3) == 3
    assert made.read("SELECT count(*) AS n FROM grade WHERE score = 100 AND id <= 5", limit=1) == [{"n": 3}]


def test_a_change_that_fails_leaves_everything_as_it_was() -> None:
    made = tables()
    with pytest.raises(PostgresError, match="duplicate key"):
        made.change("INSERT INTO role (name) VALUES ('tutor'), ('student')", None, most_rows=5)
    assert made.run("SELECT count(*) AS n FROM role") == [{"n": 3}]


def test_what_is_written_before_the_first_question_is_kept_with_its_time() -> None:
    made = tables()
    made.tell_time(NOON + 60)
    made.run("INSERT INTO login_event (email, accepted) VALUES (%(email)s, true)", {"email": "early@local"})
    made.tell_time(NOON + 120)
    found = made.run("SELECT email, extract(epoch FROM logged_at) AS at FROM login_event")
    assert found == [{"email": "early@local", "at": NOON + 60}]


def test_an_empty_database_gets_its_tables_from_the_services_script() -> None:
    made = tables("sovd")
    made.empty()
    with pytest.raises(PostgresError, match='relation "users" does not exist'):
        made.run("SELECT * FROM users")
    made.restore()
    assert made.run("SELECT role FROM users WHERE username = 'john_doe'") == [{"role": "engineer"}]


def test_the_engine_is_imported_by_the_first_question_only_and_leaves_in_silence() -> None:
    code = (
        "import sys; from console.practice.simulated.tables import Tables\n"
        "from console.practice.simulated.catalogue import catalogue\n"
        "made = Tables(catalogue('sms')); made.tell_time(1.0); made.run('DELETE FROM grade')\n"
        "assert 'duckdb' not in sys.modules\n"
        "print(made.run('SELECT count(*) AS n FROM grade'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("[{'n': 0}]\n", "")
