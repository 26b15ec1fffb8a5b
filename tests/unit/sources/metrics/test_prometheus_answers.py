import math

import pytest

from console.config_sources import PrometheusConfig
from console.sources.metrics import answers
from console.sources.metrics.queries import build
from console.sources.protocols.metrics import Alert, AnswerRate, EndpointLatency, Point, Quality, Target


def figure(name: str, value: str) -> dict[str, object]:
    return {"metric": {"figure": name}, "value": [1700000000.5, value]}


def test_the_figures_of_one_query_are_told_apart_by_their_label() -> None:
    result = [figure("p50", "0.05"), figure("p95", "0.4"), figure("p99", "1.2"), figure("rate", "12.5"), figure("errors", "0")]
    told = answers.figures(result)
    assert told == answers.Figures(1700000000.5, 0.05, 0.4, 1.2, 12.5, 0.0)
    assert told.quality is Quality.GOOD


@pytest.mark.parametrize(
    ("result", "quality"),
    [
        ([], Quality.NO_SERIES),
        ([figure("p95", "NaN"), figure("rate", "0"), figure("errors", "NaN")], Quality.NO_TRAFFIC),
        ([figure("p95", "NaN"), figure("rate", "3")], Quality.BAD_HISTOGRAM),
        ([figure("rate", "3")], Quality.BAD_HISTOGRAM),
        ([figure("p95", "+Inf"), figure("rate", "3")], Quality.BAD_HISTOGRAM),
        ([figure("p95", "0.2"), figure("rate", "NaN")], Quality.NO_SERIES),
    ],
)
def test_what_is_not_a_number_is_no_data_and_has_a_reason(result: list[object], quality: Quality) -> None:
    told = answers.figures(result)
    assert told.quality is quality
    assert quality is Quality.NO_SERIES or told.p95_s is None


@pytest.mark.parametrize(
    "result", [None, "x", {"a": 1}, [1], [{"metric": {}}], [{"metric": {}, "value": [1]}], [figure("p95", "fast")]]
)
def test_an_answer_of_another_shape_is_an_error(result: object) -> None:
    with pytest.raises(ValueError, match=r"expected|convert"):
        answers.figures(result)


def test_the_history_keeps_nan_as_a_gap() -> None:
    result = [
        {"metric": {"figure": "p50"}, "values": [[15, "0.1"], [30, "NaN"]]},
        {"metric": {"figure": "p95"}, "values": [[15, "0.2"], [30, "NaN"], [45, "0.3"]]},
    ]
    assert answers.history(result) == {
        15.0: Point(15.0, 0.1, 0.2, None),
        30.0: Point(30.0, None, None, None),
        45.0: Point(45.0, None, 0.3, None),
    }


def test_a_p95_at_the_largest_finite_bound_is_saturated() -> None:
    bounds = [{"metric": {"le": le}, "value": [0, "4"]} for le in ("0.5", "10.0", "+Inf")]
    bound = answers.largest_bound(bounds)
    assert bound == 10.0
    assert answers.saturated(10.0, bound) == 10.0
    assert answers.saturated(9.9, bound) is None
    assert answers.saturated(None, bound) is None
    assert answers.saturated(10.0, answers.largest_bound([])) is None


def test_endpoints_are_joined_the_busiest_first_and_nan_is_unknown() -> None:
    rates = (({"endpoint": "/a"}, 1.0), ({"endpoint": "/b"}, 5.0), ({}, 9.0))
    p95s = (({"endpoint": "/a"}, math.nan), ({"endpoint": "/b"}, 0.3))
    assert answers.endpoints(rates, p95s, (({"endpoint": "/b"}, 2.5),), "endpoint") == (
        EndpointLatency("/b", 5.0, 0.3, 2.5),
        EndpointLatency("/a", 1.0, None, None),
    )


def test_answers_a_second_come_most_frequent_first_and_what_nobody_asked_for_is_left_out() -> None:
    rates = (
        ({"endpoint": "/a", "status": "500"}, 0.5),
        ({"endpoint": "/a", "status": "200"}, 9.5),
        ({"endpoint": "/b", "status": "200"}, 0.0),
        ({"endpoint": "/c", "status": "200"}, math.nan),
    )
    assert answers.answer_rates(rates, "endpoint", "status") == (AnswerRate("/a", "200", 9.5), AnswerRate("/a", "500", 0.5))


def test_an_instant_query_may_answer_a_scalar_or_nan() -> None:
    assert answers.series([1700000000, "3"]) == (({}, 3.0),)
    ((labels, value),) = answers.series([{"metric": {"job": "\x1b[31mx"}, "value": [0, "NaN"]}])
    assert labels == {"job": "x"}
    assert math.isnan(value)


def test_targets_that_are_down_come_first_with_their_reason() -> None:
    data = {
        "activeTargets": [
            {
                "labels": {"job": "b", "instance": "b:1"},
                "health": "up",
                "lastError": "",
                "lastScrape": "2026-11-22T10:00:00.123456789Z",
            },
            {"labels": {"job": "a", "instance": "a:1"}, "health": "down", "lastError": "connection \x1b[2Jrefused"},
            {"labels": {"job": "c", "instance": "c:1"}, "health": "unknown", "lastScrape": "0001-01-01T00:00:00Z"},
        ]
    }
    assert answers.targets(data) == (
        Target("a", "a:1", False, "connection refused"),
        Target("c", "c:1", False, "It has not been scraped yet."),
        Target("b", "b:1", True, "", pytest.approx(1795341600.123456)),
    )


def test_alerts_that_fire_come_first() -> None:
    data = {
        "alerts": [
            {"labels": {"alertname": "Slow"}, "state": "pending", "activeAt": "2026-11-22T10:00:00Z"},
            {
                "labels": {"alertname": "Down", "severity": "critical"},
                "state": "firing",
                "activeAt": "2026-11-22T10:05:00Z",
                "annotations": {"summary": "It is down"},
            },
        ]
    }
    assert answers.alerts(data) == (
        Alert("Down", "firing", "critical", 1795341900.0, "It is down"),
        Alert("Slow", "pending", "", 1795341600.0, ""),
    )


def test_warnings_and_infos_are_kept_once() -> None:
    assert answers.warnings({"warnings": ["partial\x1b[1m", "partial\x1b[1m"], "infos": ["not a counter"]}) == (
        "partial",
        "not a counter",
    )
    assert answers.warnings({"data": {}}) == answers.warnings(None) == ()


def test_the_queries_rate_first_then_sum_then_take_the_quantile() -> None:
    queries = build(PrometheusConfig(duration="req_seconds", endpoint_label="path", status_label="code", window=120))
    assert "histogram_quantile(0.95, sum by (le) (rate(req_seconds_bucket[120s])))" in queries.figures
    assert 'sum(rate(req_seconds_count{code=~"5.."}[120s]))' in queries.figures
    assert queries.endpoint_rates == 'topk(12, sum by (path) (rate(req_seconds_count{path!=""}[120s])))'
    assert queries.endpoint_p95s.startswith("histogram_quantile(0.95, sum by (le, path) (rate(req_seconds_bucket[120s])))")
