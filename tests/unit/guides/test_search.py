from dataclasses import replace

import pytest

from console.guides.chord import ChordReader
from console.guides.issue import Escalate, Issue, Severity
from console.guides.search import search

OUTAGE = Issue(
    id="sms.c1",
    guide="sms",
    chord="c1",
    title="Complete outage",
    severity=Severity.CRITICAL,
    symptoms=("Nobody can log in",),
    errors=("Connection refused",),
    escalate=Escalate(900, "infrastructure"),
    start="a",
    steps={},
    causes={},
    fixes={},
)
DATABASE = replace(
    OUTAGE, id="sms.c2", chord="c2", title="Database connection failures", symptoms=("Pages hang",), errors=("too many clients",)
)
ISSUES = (OUTAGE, DATABASE)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", ["sms.c1", "sms.c2"]),
        ("OUTAGE", ["sms.c1"]),
        ("c2", ["sms.c2"]),
        ("log nobody", ["sms.c1"]),
        ("clients many", ["sms.c2"]),
        ("connection", ["sms.c2", "sms.c1"]),
        ("FATAL:  sorry, too many clients already", ["sms.c2"]),
        ("weather", []),
    ],
)
def test_issues_are_found_by_title_then_symptom_then_error_text(words: str, found: list[str]) -> None:
    assert [item.issue.id for item in search(ISSUES, words)] == found


def test_it_says_in_which_text_the_words_were_found() -> None:
    assert search(ISSUES, "clients")[0].where == "too many clients"


@pytest.mark.parametrize(
    ("keys", "opened"),
    [
        ("c2", ["c2"]),
        ("xc2", ["c2"]),
        ("cc2", ["c2"]),
        ("cxc2", ["c2"]),
        ("c", []),
        ("2", []),
        ("c1c2", ["c1", "c2"]),
        ("c10", ["c1"]),
    ],
)
def test_a_chord_is_read_key_by_key(keys: str, opened: list[str]) -> None:
    reader = ChordReader(("c1", "c2", "h1"))
    assert [chord for chord in map(reader.take, keys) if chord] == opened
