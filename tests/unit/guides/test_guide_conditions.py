"""Conditions: what they mean, what stays unknown, and what is refused where."""

import pytest

from console.guides.conditions import ConditionError, evaluate, parse

FACTS = {"used": 95, "share": 0.5, "ok": True, "state": "exited", "gone": None}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("used >= 90", True),
        ("used < 90%", False),
        ("used != 95", False),
        ("share <= 0.5", True),
        ("ok", True),
        ("not ok", False),
        ("ok == true", True),
        ("state == 'exited'", True),
        ('state == "running"', False),
        ("state in ('exited', 'dead')", True),
        ("state not in ('exited', 'dead')", False),
        ("used > 1m and ok", True),
        ("used > 2min", False),
        ("used < 1KiB", True),
        ("ok and used > 100 or state == 'exited'", True),
        ("ok and (used > 100 or state == 'dead')", False),
        ("not (used > 100 or state == 'dead')", True),
        ("used > -5", True),
    ],
)
def test_a_condition_holds_or_not(text: str, value: bool) -> None:
    assert evaluate(parse(text), FACTS) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("gone", None),
        ("not gone", None),
        ("gone > 5", None),
        ("gone == 'x'", None),
        ("gone != 'x'", None),
        ("gone in (1, 2)", None),
        ("gone not in (1, 2)", None),
        ("never_declared > 5", None),
        ("gone and ok", None),
        ("gone and not ok", False),
        ("gone or ok", True),
        ("gone or not ok", None),
        ("state > 5", None),
    ],
)
def test_missing_data_is_unknown_unless_the_rest_decides(text: str, value: bool | None) -> None:
    assert evaluate(parse(text), FACTS) is value


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("", 0, "the condition ends"),
        ("> 50", 0, "'>' stands"),
        ("used >", 6, "the condition ends where a value"),
        ("used > 50 state", 10, "'state' is not expected here"),
        ("used > 50 60", 10, "60 is not expected"),
        ("used = 50", 5, "'=' is not understood"),
        ("used > 5x", 8, "'x' is not a unit"),
        ("used > 50 and", 13, "the condition ends"),
        ("(used > 50", 10, "')' is missing"),
        ("used in 50", 8, "'(' is missing"),
        ("used not 50", 9, "`not` is followed by `in`"),
        ("__import__('os')", 10, "'(' is not expected"),
        ("used.real > 5", 4, "'.' is not understood"),
        ("{{ used }} > 5", 0, "'{' is not understood"),
        ("not " * 30 + "ok", 80, "nested too deeply"),
        ("used > " + "9" * 600, 0, "at most 500 characters"),
    ],
)
def test_what_is_no_condition_is_refused_where_it_goes_wrong(text: str, at: int, words: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert words in caught.value.message
    assert caught.value.at == at


def test_the_facts_that_a_condition_reads_are_known() -> None:
    assert parse("used > 5 and not (ok or used < 3)").names == ("used", "ok")
