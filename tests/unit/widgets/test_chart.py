"""The curve of the latency pane, and bars."""

import pytest

from widgets.latency_pane import WINDOW_S, bucketed
from widgets.line import Span
from widgets.meter import Mark, ceiling, chart, meter


def test_a_bar_is_filled_in_eighths_and_its_rest_is_dotted() -> None:
    assert meter(0.0, 4) == "····"
    assert meter(0.53, 4) == "██▏·"
    assert meter(1.7, 4) == "████"


def test_columns_rise_and_a_gap_stays_empty() -> None:
    lines = chart([0.0, None, 1.0, 2.0], 2, 2.0)
    assert [item.text for item in lines] == ["   █", "▁ ██"]


def test_the_line_of_a_limit_is_drawn_where_no_column_covers_it_and_columns_over_it_are_coloured() -> None:
    lines = chart([0.2, 1.6], 2, 2.0, [Mark(1.0, "warn")])
    assert lines[0].spans == (Span("╌▅", "warn"),)
    assert lines[1].spans == (Span("▂", "good"), Span("█", "warn"))


def test_a_second_curve_is_dotted_above_the_columns() -> None:
    assert [item.text for item in chart([0.5, 0.5], 2, 2.0, dots=[1.5, None])] == ["• ", "▄▄"]


def test_the_scale_always_shows_the_alert_line_and_stays_where_it_is() -> None:
    marks = [Mark(0.5, "warn"), Mark(1.0, "bad")]
    assert ceiling(0.02, marks) == ceiling(0.03, marks) == pytest.approx(0.6)
    assert ceiling(0.9, marks) == 1.25
    assert ceiling(3.0, marks) == 4.0
    assert ceiling(0.0, []) == 1.0


def test_points_fall_into_parts_that_begin_at_fixed_times() -> None:
    step_s = WINDOW_S / 10
    now = 100 * step_s
    points = [(now - step_s, 1.0), (now - step_s + 1, 3.0), (now, 2.0)]
    assert bucketed(points, 10, now)[-2:] == [3.0, 2.0]
    assert bucketed(points, 10, now + step_s - 1)[-2:] == [3.0, 2.0]
    assert bucketed(points, 10, now + step_s)[-3:-1] == [3.0, 2.0]


def test_points_further_apart_than_columns_leave_no_holes_and_gaps_stay_gaps() -> None:
    now = 9000.0
    points = [(now - 60, 1.0), (now - 45, 2.0), (now - 30, None), (now - 15, 3.0)]
    found = bucketed(points, 180, now)
    assert found[180 - 13 : 180 - 9] == [1.0, 1.0, 1.0, 2.0]
    assert found[180 - 7 : 180 - 4] == [None, None, None]
