"""Lines: cut and filled by cells, and compared so that only what changed is sent."""

import pytest
from rich.cells import cell_len

from widgets.line import Line, Span, changed, fitted, line, trimmed, wrapped


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [("abc", 5, "abc  "), ("abcdef", 4, "abc…"), ("日本語", 5, "日本…"), ("日本語", 4, "日 …"), ("abc", 0, ""), ("é", 2, "é ")],
)
def test_text_fills_exactly_its_cells(text: str, width: int, expected: str) -> None:
    assert fitted(text, width) == expected
    assert cell_len(fitted(text, width)) == width


def test_a_line_is_cut_in_the_span_that_does_not_fit() -> None:
    assert trimmed(line("abc", Span("defgh", "bad"), "ij"), 6) == line("abc", Span("de…", "bad"))


def test_long_text_is_broken_at_spaces_and_its_last_line_is_cut() -> None:
    assert [item.text for item in wrapped("rm /var/lib/postgresql/backup.gz now", 12)] == [
        "rm",
        "/var/lib/pos",
        "tgresql/back",
        "up.gz now",
    ]
    lines = wrapped("one two three four five six", 9, most=2)
    assert [item.text for item in lines] == ["one two", "three fo…"]


def test_equal_lines_send_nothing() -> None:
    assert list(changed(line("cpu ", "3.2%"), line("cpu ", "3.2%"), 20)) == []


def test_a_figure_that_ticks_sends_its_changed_characters_only() -> None:
    assert list(changed(line("cpu ", "13.2%"), line("cpu ", "13.4%"), 20)) == [(7, 1)]


def test_figures_far_apart_are_sent_apart_and_near_ones_together() -> None:
    old = line("a", " " * 10, "b", "  ", "c")
    new = line("x", " " * 10, "y", "  ", "z")
    assert list(changed(old, new, 40)) == [(0, 1), (11, 4)]


def test_a_span_that_grows_sends_the_rest_of_the_line() -> None:
    assert list(changed(line("cpu ", "9%", " ok"), line("cpu ", "10%", " ok"), 20)) == [(4, 16)]


def test_a_cursor_that_moves_sends_the_line() -> None:
    assert list(changed(Line((Span("a"),)), Line((Span("a"),), selected=True), 20)) == [(0, 20)]


def test_wide_characters_are_sent_as_whole_spans() -> None:
    assert list(changed(line("x", "日本"), line("x", "日木"), 20)) == [(1, 4)]


def test_a_colour_that_changes_sends_its_span() -> None:
    assert list(changed(line("ab", Span("cd")), line("ab", Span("cd", "bad")), 20)) == [(2, 2)]
