"""Foreign text is made safe before anything stores it."""

import time
import unicodedata

import pytest

from console.text import HIDDEN, Secrets, block, clean, printable

HOSTILE = [
    "\x1b]0;pwned\x07",
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1b]52;c;unterminated",
    "\x1b[2J\x1b[H",
    "\x1b[31mred\x1b[0m",
    "\x9b2J",
    "\x9d0;title\x9c",
    "\x1bP+q544e\x1b\\",
    "\x1b_payload\x1b\\",
    "\x1bc",
    "\x1b(0",
    "\x1b[" + "1;" * 500 + "m",
    "\x1b",
    "a\x00b\x07c\x08d\x7f",
    "secret\rfake",
    "two\nlines",
    "\u202eevil\u2066x",
    "zero\u200bwidth\ufeff",
    "\U000e0041tag",
    "\ud800 lone",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_control_character_survives(text: str) -> None:
    shown = clean(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")], repr(shown)


def test_sequences_go_with_their_payload_but_the_text_around_them_stays() -> None:
    assert clean("x \x1b]0;pwned\x07 y \x1b[2J z \x9b2J w") == "x  y  z  w"


def test_a_truncated_sequence_does_not_swallow_the_rest() -> None:
    assert clean("before \x1b]0;title and the evidence") == "before ␛]0;title and the evidence"


def test_a_carriage_return_cannot_hide_what_stood_before_it() -> None:
    assert clean("evidence\rok") == "evidence␍ok"


def test_markup_is_only_text() -> None:
    assert clean("error [/var/log/x] [@click=app.quit]q[/]") == "error [/var/log/x] [@click=app.quit]q[/]"


def test_broken_utf8_is_marked() -> None:
    assert clean(b"ok \xff\xfe end") == "ok \ufffd\ufffd end"


def test_long_text_is_cut_and_says_so() -> None:
    shown = clean("a" * 5_000, limit=100)
    assert shown == "a" * 100 + "… (+4,900)"


def test_a_megabyte_costs_no_more_than_what_is_kept() -> None:
    started = time.perf_counter()
    shown = clean(b"\x1b[31m" * 200_000)
    assert len(shown) < 5_000
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("postgresql://sms_user:s3cr3t-pass@db:5432/x", "s3cr3t-pass"),
        ("DATABASE_PASSWORD=s3cr3t-pass next", "s3cr3t-pass"),
        ('{"password": "s3cr3t pass", "user": "x"}', "s3cr3t pass"),
        ("ALTER USER sms_user PASSWORD 's3cr3t pass'", "s3cr3t pass"),
        ("Authorization: Bearer abcdef123456", "abcdef123456"),
        ("token eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
        ("AUTH default s3cr3t-pass", "default"),
        ("SECRET_KEY: hunter2hunter2", "hunter2hunter2"),
        ("key AKIAABCDEFGHIJKLMNOP", "AKIAABCDEFGHIJKLMNOP"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, secret: str) -> None:
    shown = clean(text)
    assert secret not in shown
    assert HIDDEN in shown


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM grade WHERE id = 1",
        "GET /api/v1/auth/login 200",
        "password authentication failed for user",
        "Can't locate revision identified by '0004_grade_weights'",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert clean(text) == text


def test_a_known_secret_is_hidden_wherever_it_turns_up() -> None:
    secrets = Secrets()
    secrets.add("tiger-lily")
    secrets.add("ab")
    assert secrets.hide("it was tiger-lily, ab") == f"it was {HIDDEN}, ab"


def test_a_block_is_cleaned_line_by_line_and_counts_what_it_drops() -> None:
    assert block("a\n\x1b[2Jb\nc\nd\n", lines=2) == ("a", "b", "… (+3 lines)")


def test_printable_keeps_what_the_operator_typed() -> None:
    assert printable("password=abc") == "password=abc"
