"""Columns, cursor, filter, figures: the rules below every table."""

import pytest

from widgets import figures
from widgets.cursor import Cursor
from widgets.grid import Column, heading, laid_out, row
from widgets.line import Span
from widgets.matching import matcher

COLUMNS = (Column("name", "NAME", 4, grow=1, most=10), Column("cpu", "CPU", 5, right=True), Column("image", "IMAGE", 6, rank=1))


def test_the_least_important_column_is_left_out_when_there_is_no_room() -> None:
    assert [column.id for column, _ in laid_out(COLUMNS, 12)] == ["name", "cpu"]
    assert [column.id for column, _ in laid_out(COLUMNS, 17)] == ["name", "cpu", "image"]


def test_a_growing_column_takes_the_rest_up_to_its_most() -> None:
    assert [width for _, width in laid_out(COLUMNS, 20)] == [7, 5, 6]
    assert [width for _, width in laid_out(COLUMNS, 100)] == [10, 5, 6]


def test_rows_and_heading_stand_in_the_same_columns() -> None:
    layout = laid_out(COLUMNS, 17)
    assert heading(layout, "cpu", descending=True).text == "NAME  CPU↓ IMAGE "
    assert row(layout, {"name": Span("backend"), "cpu": Span("3%")}).text == "bac…    3%       "


def test_the_cursor_stays_on_its_item_when_the_order_changes() -> None:
    cursor = Cursor()
    cursor.place(["a", "b", "c"], 3)
    cursor.move(["a", "b", "c"], 1)
    cursor.place(["c", "a", "b"], 3)
    assert cursor.key == "b"


def test_the_cursor_takes_the_place_of_an_item_that_is_gone() -> None:
    cursor = Cursor()
    cursor.place(["a", "b", "c"], 3)
    cursor.move(["a", "b", "c"], 2)
    cursor.place(["a", "b"], 3)
    assert cursor.key == "b"
    cursor.place([], 3)
    assert cursor.key is None


def test_the_window_follows_the_cursor() -> None:
    cursor = Cursor()
    keys = [str(number) for number in range(10)]
    assert cursor.place(keys, 4) == range(4)
    cursor.move(keys, 5)
    assert cursor.place(keys, 4) == range(2, 6)
    cursor.move(keys, -100)
    assert cursor.place(keys, 4) == range(4)
    cursor.move(keys, 100)
    assert cursor.place(keys, 4) == range(6, 10)


@pytest.mark.parametrize(
    ("wanted", "text", "found"),
    [
        ("", "x", True),
        ("BACK", "sms-backend", True),
        ("^sms", "x-sms", False),
        ("red|post", "sms-redis", True),
        ("a[", "ba[c", True),
    ],
)
def test_a_filter_is_a_pattern_and_if_it_is_none_the_text_itself(wanted: str, text: str, found: bool) -> None:
    assert matcher(wanted)(text) is found


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (figures.size(0), "0 B"),
        (figures.size(1023), "1.0 KiB"),
        (figures.size(812 * 1024**2), "812 MiB"),
        (figures.short_size(1.4 * 1024**3), "1.4G"),
        (figures.size(None), "?"),
        (figures.percent(3.14), "3.1%"),
        (figures.percent(9.96), "10%"),
        (figures.percent(None), "?"),
        (figures.seconds(0.0008), "0.8 ms"),
        (figures.seconds(0.123), "123 ms"),
        (figures.seconds(0.9996), "1.00 s"),
        (figures.seconds(12.51), "12.5 s"),
        (figures.duration(59.9), "59s"),
        (figures.duration(61), "1m01"),
        (figures.duration(3 * 3600 + 20 * 60), "3h20"),
        (figures.duration(412 * 86400), "412d"),
        (figures.uptime(44), "40s"),
        (figures.age(None), "never"),
        (figures.rate(0.04), "0.0"),
        (figures.rate(12_400), "12.4k"),
        (figures.count(12_345), "12,345"),
        (figures.count(None), "?"),
    ],
)
def test_figures_are_short_and_what_is_not_known_is_a_question_mark(shown: str, expected: str) -> None:
    assert shown == expected
