import math

import pytest

from console.sources.metrics.histogram import added, quantile, saturation, total, usable

INF = math.inf


def test_a_quantile_is_interpolated_inside_its_bucket_as_prometheus_does() -> None:
    # 100 observations: 50 up to 0.1 s, 40 up to 0.5 s, 10 up to 1 s. Rank 95 is half way through the last of them.
    assert quantile(0.95, {0.1: 50, 0.5: 90, 1.0: 100, INF: 100}) == pytest.approx(0.75)
    assert quantile(0.50, {0.1: 50, 0.5: 90, 1.0: 100, INF: 100}) == pytest.approx(0.1)
    assert quantile(0.25, {0.1: 50, 0.5: 90, 1.0: 100, INF: 100}) == pytest.approx(0.05)


def test_above_the_largest_finite_bound_the_answer_is_at_least_that_bound() -> None:
    slow = {0.1: 10.0, 10.0: 20.0, INF: 100.0}
    assert quantile(0.95, slow) == 10.0
    assert saturation(0.95, slow) == 10.0
    assert saturation(0.05, slow) is None


def test_a_p95_that_reaches_exactly_the_largest_bound_is_not_saturated() -> None:
    assert saturation(0.95, {0.1: 10.0, 10.0: 95.0, INF: 100.0}) is None


@pytest.mark.parametrize(
    "buckets",
    [{}, {INF: 5.0}, {0.1: 5.0, 0.5: 6.0}, {0.1: 0.0, INF: 0.0}],
    ids=["none", "only infinity", "no infinity", "no traffic"],
)
def test_there_is_no_quantile_where_prometheus_gives_nan(buckets: dict[float, float]) -> None:
    assert quantile(0.95, buckets) is None
    assert saturation(0.95, buckets) is None


def test_counts_that_fall_because_a_scrape_is_not_atomic_are_lifted() -> None:
    assert quantile(0.5, {0.1: 50, 0.5: 49, 1.0: 100, INF: 100}) == pytest.approx(0.1)


def test_histograms_add_up_by_bound() -> None:
    both = added(({0.1: 1.0, INF: 2.0}, {0.1: 3.0, 0.5: 1.0, INF: 4.0}))
    assert both == {0.1: 4.0, 0.5: 1.0, INF: 6.0}
    assert total(both) == 6.0
    assert usable(both)
    assert total({0.1: 1.0}) is None
