from collections.abc import Mapping
from itertools import pairwise

import pytest

from console.config_sources import PrometheusConfig
from console.sources.metrics import ScrapeWindow
from console.sources.protocols.metrics import AnswerRate, Origin, Quality

NAME = "http_request_duration_seconds"
START = 1_000_000.0
CONFIG = PrometheusConfig(window=60)


def exposition(groups: Mapping[tuple[str, str], tuple[float, float, float]]) -> str:
    """(endpoint, status) → counters up to 0.1 s, up to 1 s, in all."""
    lines = [f"# TYPE {NAME} histogram"]
    for (endpoint, status), counts in groups.items():
        for bound, count in zip(("0.1", "1.0", "+Inf"), counts, strict=True):
            lines.append(f'{NAME}_bucket{{endpoint="{endpoint}",status="{status}",le="{bound}"}} {count}')
    return "\n".join(lines)


def fed(*scrapes: tuple[float, Mapping[tuple[str, str], tuple[float, float, float]]]) -> ScrapeWindow:
    window = ScrapeWindow(CONFIG)
    for after_s, groups in scrapes:
        window.add(exposition(groups), START + after_s)
    return window


def test_two_scrapes_give_percentiles_rate_and_errors_of_the_time_between() -> None:
    answer = fed(
        (0, {("/a", "200"): (1000, 1000, 1000), ("/a", "500"): (0, 0, 0)}),
        (10, {("/a", "200"): (1050, 1090, 1090), ("/a", "500"): (0, 10, 10)}),
    ).latency()
    assert (answer.origin, answer.quality, answer.window_s) == (Origin.SCRAPE, Quality.GOOD, 10.0)
    assert answer.p95_s == pytest.approx(0.91)
    assert answer.requests_per_s == pytest.approx(10.0)
    assert answer.error_percent == pytest.approx(10.0)
    assert answer.saturated_s is None


def test_answers_are_counted_a_second_by_endpoint_and_status() -> None:
    window = fed(
        (0, {("/a", "200"): (0, 0, 1000), ("/a", "500"): (0, 0, 0), ("/b", "404"): (0, 0, 7)}),
        (10, {("/a", "200"): (0, 0, 1090), ("/a", "500"): (0, 0, 10), ("/b", "404"): (0, 0, 7)}),
    )
    assert window.answer_rates() == (AnswerRate("/a", "200", 9.0), AnswerRate("/a", "500", 1.0))


def test_one_scrape_has_no_rate_of_answers() -> None:
    assert fed((0, {("/a", "200"): (5, 5, 5)})).answer_rates() == ()


def test_one_scrape_is_no_data_and_says_why() -> None:
    answer = fed((0, {("/a", "200"): (5, 5, 5)})).latency()
    assert answer.quality is Quality.NO_SERIES
    assert answer.p95_s is None
    assert answer.requests_per_s is None
    assert answer.notes == ("Only one scrape so far: a rate needs two.",)


def test_no_request_between_the_scrapes_is_no_traffic_and_no_error_rate() -> None:
    answer = fed((0, {("/a", "200"): (5, 5, 5)}), (10, {("/a", "200"): (5, 5, 5)})).latency()
    assert (answer.quality, answer.p95_s, answer.requests_per_s, answer.error_percent) == (Quality.NO_TRAFFIC, None, 0.0, None)


def test_a_restart_loses_no_requests() -> None:
    answer = fed(
        (0, {("/a", "200"): (1000, 1000, 1000)}),
        (10, {("/a", "200"): (1020, 1020, 1020)}),
        (20, {("/a", "200"): (30, 30, 30)}),
    ).latency()
    assert answer.requests_per_s == pytest.approx(50 / 20)


def test_a_series_that_vanishes_with_a_restart_and_comes_back_begins_anew() -> None:
    answer = fed(
        (0, {("/a", "200"): (1000, 1000, 1000)}),
        (10, {}),
        (20, {("/a", "200"): (1005, 1005, 1005)}),
    ).latency()
    assert answer.requests_per_s == pytest.approx(1005 / 20)


def test_a_series_that_appears_counts_from_zero() -> None:
    answer = fed(
        (0, {("/a", "200"): (10, 10, 10)}),
        (10, {("/a", "200"): (10, 10, 10), ("/b", "500"): (0, 20, 20)}),
    ).latency()
    assert answer.requests_per_s == pytest.approx(2.0)
    assert answer.error_percent == pytest.approx(100.0)
    assert [row.endpoint for row in answer.endpoints] == ["/b", "/a"]


def test_only_the_window_counts_and_older_scrapes_are_forgotten() -> None:
    window = ScrapeWindow(CONFIG)
    for second in range(0, 301, 5):
        slow = 0 if second <= 200 else second - 200
        window.add(exposition({("/a", "200"): (second * 10 - slow, second * 10, second * 10)}), START + second)
    answer = window.latency()
    assert answer.window_s == 60.0
    assert answer.requests_per_s == pytest.approx(10.0)
    assert answer.p95_s == pytest.approx(0.1 + 0.9 * 0.5)
    assert window.scrapes <= 14


def test_fast_scrapes_keep_no_more_snapshots_than_a_window_needs() -> None:
    window = ScrapeWindow(CONFIG)
    for tick in range(2000):
        window.add(exposition({("/a", "200"): (tick, tick, tick)}), START + tick / 10)
    assert window.scrapes <= 64
    assert window.latency().requests_per_s == pytest.approx(10.0)


def test_the_history_covers_fifteen_minutes_in_steps() -> None:
    window = ScrapeWindow(CONFIG)
    for second in range(0, 2000, 5):
        window.add(exposition({("/a", "200"): (second, second, second)}), START + second)
    history = window.latency().history
    assert 58 <= len(history) <= 60
    assert {round(late.at - early.at) for early, late in pairwise(history)} == {15}
    assert all(point.p95_s is not None for point in history)


def test_the_history_tells_rate_and_errors_too() -> None:
    window = fed(
        (0, {("/a", "200"): (0, 0, 0), ("/a", "500"): (0, 0, 0)}),
        (15, {("/a", "200"): (0, 0, 90), ("/a", "500"): (0, 0, 30)}),
    )
    (point,) = window.latency().history
    assert (point.requests_per_s, point.error_percent) == (pytest.approx(8.0), pytest.approx(25.0))


def test_a_pause_leaves_a_gap_and_begins_a_new_window() -> None:
    window = fed((0, {("/a", "200"): (5, 5, 5)}), (20, {("/a", "200"): (50, 50, 50)}))
    for after_s in (500, 505, 520):
        window.add(exposition({("/a", "200"): (9000 + after_s, 9000 + after_s, 9000 + after_s)}), START + after_s)
    answer = window.latency()
    assert answer.requests_per_s == pytest.approx(1.0)
    assert [point.p95_s is None for point in answer.history] == [False, True, False, False]


def test_a_clock_that_was_set_back_begins_anew() -> None:
    window = fed((0, {("/a", "200"): (5, 5, 5)}), (10, {("/a", "200"): (50, 50, 50)}), (-100, {("/a", "200"): (60, 60, 60)}))
    assert window.scrapes == 1
    assert window.latency().history == ()


def test_a_service_without_the_histogram_is_no_series() -> None:
    window = ScrapeWindow(CONFIG)
    window.add("up 1\n", START)
    window.add("up 1\n", START + 5)
    answer = window.latency()
    assert answer.quality is Quality.NO_SERIES
    assert answer.notes == (f"The service exposes no {NAME}.",)


def test_a_fresh_process_without_any_request_is_no_traffic() -> None:
    window = ScrapeWindow(CONFIG)
    window.add(f"# TYPE {NAME} histogram\n", START)
    window.add(f"# TYPE {NAME} histogram\n", START + 5)
    assert window.latency().quality is Quality.NO_TRAFFIC


def test_a_histogram_without_its_last_bucket_is_bad() -> None:
    window = ScrapeWindow(CONFIG)
    window.add(f'{NAME}_bucket{{le="1"}} 1\n', START)
    window.add(f'{NAME}_bucket{{le="1"}} 2\n', START + 5)
    assert window.latency().quality is Quality.BAD_HISTOGRAM


def test_series_without_a_status_have_no_error_rate() -> None:
    window = ScrapeWindow(CONFIG)
    for after_s, count in ((0, 1), (5, 2)):
        window.add(f'{NAME}_bucket{{le="1"}} {count}\n{NAME}_bucket{{le="+Inf"}} {count}\n', START + after_s)
    answer = window.latency()
    assert answer.quality is Quality.GOOD
    assert answer.error_percent is None
    assert answer.endpoints == ()


def test_a_slow_service_saturates_the_histogram() -> None:
    answer = fed((0, {("/a", "200"): (0, 0, 0)}), (10, {("/a", "200"): (0, 5, 100)})).latency()
    assert (answer.p95_s, answer.saturated_s) == (1.0, 1.0)


def test_at_most_a_dozen_endpoints_are_shown_the_busiest_first() -> None:
    before = {(f"/{n}", "200"): (0.0, 0.0, 0.0) for n in range(30)}
    after = {(f"/{n}", "200"): (float(n), float(n), float(n)) for n in range(30)}
    rows = fed((0, before), (10, after)).latency().endpoints
    assert [row.endpoint for row in rows] == [f"/{n}" for n in range(29, 17, -1)]
