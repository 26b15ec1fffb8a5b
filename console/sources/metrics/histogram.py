"""Quantiles of a classic histogram, computed as Prometheus computes them.

Source of every rule here: `histogram_quantile()` in prometheus.io/docs/prometheus/latest/querying/functions and its
implementation `bucketQuantile` in promql/quantile.go.
"""

import math
from collections.abc import Iterable, Mapping

Buckets = Mapping[float, float]
"""Upper bound in seconds → observations at or below it (cumulative), over some time. The last bound is infinity."""


def total(buckets: Buckets) -> float | None:
    """Observations in all; None when the +Inf bucket, which holds them, is missing."""
    return buckets.get(math.inf)


def usable(buckets: Buckets) -> bool:
    """Whether a quantile can be computed at all: it takes +Inf and at least one finite bound."""
    return math.inf in buckets and len(buckets) >= 2


def quantile(q: float, buckets: Buckets) -> float | None:
    """The `q`-quantile (0 < q < 1) in seconds; None where `histogram_quantile` gives NaN.

    Within a bucket the observations are taken as evenly spread, from 0 in the lowest one. Above the largest finite bound
    nothing is known, so that bound is returned: see `saturation`.
    """
    counted = _monotonic(buckets)
    if not usable(buckets) or counted[-1][1] <= 0:
        return None
    rank = q * counted[-1][1]
    index = next(i for i, (_, count) in enumerate(counted) if count >= rank)
    if index == len(counted) - 1:
        return counted[-2][0]
    upper, count = counted[index]
    if index == 0:
        return upper if upper <= 0 else upper * (rank / count)
    lower, below = counted[index - 1]
    return lower + (upper - lower) * (rank - below) / (count - below)


def saturation(q: float, buckets: Buckets) -> float | None:
    """The largest finite bound when the `q`-quantile lies above it: the truth is then "at least this"; else None."""
    counted = _monotonic(buckets)
    if not usable(buckets) or counted[-1][1] <= 0:
        return None
    bound, count = counted[-2]
    return bound if count < q * counted[-1][1] else None


def added(many: Iterable[Buckets]) -> dict[float, float]:
    """Several histograms as one: `sum by (le)`."""
    result: dict[float, float] = {}
    for buckets in many:
        for bound, count in buckets.items():
            result[bound] = result.get(bound, 0.0) + count
    return result


def _monotonic(buckets: Buckets) -> list[tuple[float, float]]:
    """In the order of the bounds, each count at least the one before: a scrape is not atomic (`ensureMonotonic`)."""
    result: list[tuple[float, float]] = []
    highest = 0.0
    for bound in sorted(buckets):
        highest = max(highest, buckets[bound])
        result.append((bound, highest))
    return result
