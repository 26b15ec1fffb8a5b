"""Questions to the statistics: which columns a version has, and that each names the program."""

import pytest

from console.sources.postgres import statistics
from console.sources.postgres.answers import JSON_LENGTH, value

QUESTIONS = [
    text for name, text in vars(statistics).items() if name.isupper() and "SELECT" in str(text) and not name.startswith("_")
]


@pytest.mark.parametrize(
    ("version", "column"), [("1.6", "mean_time"), ("1.7", "mean_time"), ("1.8", "mean_exec_time"), ("1.10", "mean_exec_time")]
)
def test_the_columns_of_pg_stat_statements_go_by_the_version_of_the_extension(version: str, column: str) -> None:
    text = statistics.statements(version)
    assert f"s.{column} AS mean_ms" in text
    assert f"ORDER BY s.{column} DESC" in text
    assert "ORDER BY s.calls DESC" in statistics.statements(version, by_calls=True)


def test_an_extension_in_another_schema_is_named_with_it() -> None:
    assert 'FROM "my ext".pg_stat_statements s' in statistics.statements("1.10", "my ext")
    assert '"x".bt_index_check(indexrelid)' in statistics.index_check("x")


@pytest.mark.parametrize("text", [*QUESTIONS, statistics.statements("1.10"), statistics.index_check(), statistics.present(2)])
def test_every_question_names_the_program_and_holds_nothing_that_the_practice_stack_cannot_answer(text: str) -> None:
    assert "/* triage: " in text
    assert ";" not in text
    assert not any(word in text for word in ("::", "regclass)", "pg_size_pretty", "unnest", "ARRAY"))


@pytest.mark.parametrize(("name", "expected"), [("users", '"users"'), ("public.users", '"public"."users"'), ('a"b', '"a""b"')])
def test_names_are_quoted(name: str, expected: str) -> None:
    assert statistics.quoted(name) == expected


def test_json_stays_json_and_its_texts_are_made_safe() -> None:
    assert value([{"Plan": {"Filter": "a\x1b[31m = 'x'", "rows": 3, "none": None}}]) == (
        '[{"Plan": {"Filter": "a = \'x\'", "rows": 3, "none": null}}]'
    )
    assert len(str(value(["x" * 4000] * 100))) < JSON_LENGTH
