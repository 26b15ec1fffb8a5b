"""The part of YAML that guides use: values, places, and what is refused."""

import random

import pytest

from console.guides.yaml_lines import Refused, read


def test_only_true_false_null_and_numbers_are_not_text() -> None:
    text = "a: no\nb: on\nc: 012\nd: 22:22\ne: 2026-11-22\nf: true\ng: 1.5\nh: -3\ni:\nj: '7'\nk: 1_000\nl: [1, two]\nm: .5\n"

    assert read(text, "x").value == {
        "a": "no",
        "b": "on",
        "c": "012",
        "d": "22:22",
        "e": "2026-11-22",
        "f": True,
        "g": 1.5,
        "h": -3,
        "i": None,
        "j": "7",
        "k": "1_000",
        "l": (1, "two"),
        "m": ".5",
    }


def test_every_key_and_value_has_its_place() -> None:
    document = read("a:\n  - x\n  - {b: 5}\n", "f.yaml")

    assert str(document.problem(("a", 1, "b"), "wrong")) == "f.yaml:3:9: wrong"
    assert str(document.problem(("a", 1, "b"), "wrong", key=True)) == "f.yaml:3:6: wrong"
    assert str(document.problem(("a", 1, "missing", "deep"), "wrong")) == "f.yaml:3:5: wrong"


def test_a_duplicate_key_is_a_problem_that_names_the_first() -> None:
    document = read("a: 1\nb: 2\na: 3\n", "f.yaml")

    assert [str(item) for item in document.problems] == ["f.yaml:3:1: the key 'a' is there twice, first in line 1. Remove one."]
    assert document.value == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("a: &x 1\n", "1:4", "is an anchor"),
        ("a: *x\n", "1:4", "is an alias"),
        ("a: !!int 5\n", "1:4", "is a tag"),
        ("a: !x 5\n", "1:4", "is a tag"),
        ("<<: {a: 1}\n", "1:1", "merge keys"),
        ("a: 1\n---\nb: 2\n", "2:1", "more than one document"),
        ("", "1:1", "is empty"),
        ("# nothing\n", "1:1", "is empty"),
        ("a: b: c\n", "1:5", "not valid YAML"),
        ("a: {{ n }} > 3\n", "1:5", ""),
        ("a: [1\n", "2:1", "not valid YAML"),
        ("a: \x07\n", "1:1", "does not allow"),
        ("{[1]: 2}\n", "1:2", "a key must be plain text"),
        ("[" * 40, "1:22", "nested deeper"),
    ],
)
def test_what_hides_something_from_the_reader_is_refused(text: str, where: str, words: str) -> None:
    with pytest.raises(Refused) as caught:
        read(text, "f")
    assert words in caught.value.problem.message
    assert str(caught.value).startswith(f"f:{where}:")


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(Refused, match=r"f:2:1: is not UTF-8"):
        read(b"a: 1\n\xff\xfe", "f")


def test_a_huge_file_is_refused() -> None:
    with pytest.raises(Refused, match="larger than"):
        read("a" * 300_000, "f")


def test_random_bytes_are_read_or_refused_and_nothing_else() -> None:
    chance = random.Random(7)
    for _ in range(300):
        data = bytes(chance.choice(b"ab:-[]{}'\"\\&*!|>%@`#,? \n\t0\xff\x00\xc3") for _ in range(chance.randint(0, 40)))
        try:
            read(data, "f")
        except Refused:
            continue
