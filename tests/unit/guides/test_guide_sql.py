"""SQL of guides: what is a table, what is a value, what is neither, and what is refused with its line."""

import pytest
from guide_stack import sms_config

from console.config import SystemConfig
from console.guides.sql import SqlError, check_values, literal, read_sql
from console.sources.protocols.database import Value


def config() -> SystemConfig:
    return sms_config().model_copy(update={"tables": {"users": "user", "grades": "app.grade"}})


def bound(text: str, **values: Value) -> tuple[str, dict[str, Value] | None]:
    return read_sql(text).bound(config(), values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1 FROM {users}", 'SELECT 1 FROM "user"'),
        ("SELECT 1 FROM {grades} g", 'SELECT 1 FROM "app"."grade" g'),
        ("SELECT 1 FROM {students}", 'SELECT 1 FROM "students"'),
        ("SELECT '{users} :no %s'", "SELECT '{users} :no %s'"),
        ("SELECT 'it''s {users}'", "SELECT 'it''s {users}'"),
        (r"SELECT E'\'{users}'", r"SELECT E'\'{users}'"),
        ("SELECT e'\\\\' || '{users}'", "SELECT e'\\\\' || '{users}'"),
        ('SELECT "{users}" FROM x', 'SELECT "{users}" FROM x'),
        ('SELECT "a""{users}"', 'SELECT "a""{users}"'),
        ("SELECT $$ {users}; :no $$", "SELECT $$ {users}; :no $$"),
        ("SELECT $q$ $$ {users} $q$", "SELECT $q$ $$ {users} $q$"),
        ("SELECT now()::date -- {users} ; :no", "SELECT now()::date -- {users} ; :no"),
        ("SELECT /* ; /* {users} */ :no */ 1", "SELECT /* ; /* {users} */ :no */ 1"),
        ("SELECT a[1:2], 7 % 2", "SELECT a[1:2], 7 % 2"),
    ],
)
def test_tables_are_named_and_everything_in_quotes_and_comments_is_left_alone(text: str, expected: str) -> None:
    assert bound(text) == (expected, None)


def test_values_are_bound_and_a_percent_sign_is_doubled_only_then() -> None:
    text, values = bound(
        "SELECT 1 FROM {users} WHERE email LIKE :mail AND n % 2 = :n::int AND x LIKE '%a'", mail="x%", n=1, more=2
    )
    assert text == "SELECT 1 FROM \"user\" WHERE email LIKE %(mail)s AND n %% 2 = %(n)s::int AND x LIKE '%%a'"
    assert values == {"mail": "x%", "n": 1}


def test_the_command_has_its_values_written_out_on_one_line() -> None:
    sql = read_sql("""SELECT  count(*) -- all of them
      FROM {users} /* people */
      WHERE email = :mail AND note = 'a  b'""")
    assert sql.typed(config(), {"mail": "o'hara@x.test"}) == (
        "SELECT count(*) FROM \"user\" WHERE email = 'o''hara@x.test' AND note = 'a  b'"
    )


@pytest.mark.parametrize(
    ("value", "text"), [(None, "NULL"), (True, "true"), (False, "false"), (3, "3"), (2.5, "2.5"), ("'; --", "'''; --'")]
)
def test_literals(value: Value, text: str) -> None:
    assert literal(value) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("  -- nothing", "is empty"),
        ("UPDATE {users} SET a = 1 WHERE true", "must be one SELECT or WITH, and begins with 'UPDATE' (line 1"),
        ("-- first\n\nEXPLAIN SELECT 1", "begins with 'EXPLAIN' (line 3"),
        ("SELECT 1\n;", "without a ';' (line 2"),
        ("SELECT 1; DROP TABLE x", "without a ';' (line 1"),
        ("WITH gone AS (\n DELETE FROM {users} RETURNING 1) SELECT 1", "may not write, and holds DELETE (line 2"),
        ("SELECT 1 INTO other", "may not write, and holds INTO"),
        ("SELECT 1 FROM x FOR UPDATE", "may not write, and holds UPDATE"),
        ("SELECT 1 FROM {us ers}", "'{us ers}' is not the name of a table"),
        ("SELECT 1 FROM {}", "'{}' is not the name of a table"),
        ("SELECT 'open", "' opens what is never closed"),
        ('SELECT "open', '" opens what is never closed'),
        ("SELECT $$ open", "$ opens what is never closed"),
        ("SELECT 1 /* /* open */", "a comment is never closed"),
        ("SELECT " + "1," * 5000, "is longer than"),
    ],
)
def test_what_is_no_question_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(SqlError) as caught:
        read_sql(text)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SELECT 1", "must be one INSERT or UPDATE or DELETE"),
        ("DELETE FROM {users}", "DELETE without WHERE would hit every row"),
        ("UPDATE {users} SET note = 'where'", "UPDATE without WHERE would hit every row"),
        ("TRUNCATE {users}", "must be one INSERT"),
        ("DELETE FROM {users} WHERE id = :id; COMMIT", "without a ';'"),
    ],
)
def test_what_is_no_change_is_refused(text: str, why: str) -> None:
    with pytest.raises(SqlError) as caught:
        read_sql(text, "change")
    assert why in str(caught.value)


def test_a_value_that_is_missing_or_unused_is_told() -> None:
    sql = read_sql("SELECT 1\nWHERE a = :a AND b = ':b'")
    check_values((sql,), {"a": 1})
    with pytest.raises(SqlError, match=r"uses :a, which `values` does not give \(line 2"):
        check_values((sql,), {})
    with pytest.raises(SqlError, match="'b' is given but not used"):
        check_values((sql,), {"a": 1, "b": 2})


@pytest.mark.parametrize("noise", ["'" * 7001, "/*" * 3500, "$a$" * 2001, "{" * 7000, "\x00 :\x1b", '"' * 7001])
def test_hostile_text_is_refused_in_few_words(noise: str) -> None:
    with pytest.raises(SqlError) as caught:
        read_sql(f"SELECT {noise}")
    assert len(str(caught.value)) < 200
