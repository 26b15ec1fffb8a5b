"""The keys of a walk and of a change in small terminals."""

from widgets.fix_lines import key_lines

WORDS = "enter checks, a all, o override, n note, ! escalates, esc leaves, I inputs"
KEYS = [(key, words) for key, words in (item.split() for item in WORDS.split(", "))]


def test_keys_that_fit_stand_in_one_line() -> None:
    assert [row.text.rstrip() for row in key_lines(KEYS[:3], 40)] == ["enter checks   a all   o override"]


def test_keys_that_do_not_fit_go_on_in_a_second_line() -> None:
    rows = [row.text.rstrip() for row in key_lines(KEYS, 50)]
    assert rows == ["enter checks   a all   o override   n note", "! escalates   esc leaves   I inputs"]


def test_the_way_out_is_never_left_out() -> None:
    rows = [row.text.rstrip() for row in key_lines(KEYS, 30)]
    assert rows == ["enter checks   a all", "o override   esc leaves"]
    assert [row.text.rstrip() for row in key_lines(KEYS, 30, most=1)] == ["enter checks   esc leaves"]
