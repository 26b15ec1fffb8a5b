"""The JSON of Prometheus' HTTP API → figures. Source: prometheus.io/docs/prometheus/latest/querying/api.

Pure functions. Each raises ValueError when the answer has another shape than the API promises.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.sources.protocols.metrics import Alert, AnswerRate, EndpointLatency, Point, Quality, Target
from console.text import clean

Series = tuple[tuple[dict[str, str], float], ...]
"""Labels and value of each series, cleaned; NaN and infinities stay what they are."""

MOST_TARGETS = 200
MOST_ALERTS = 100
MOST_SERIES = 1_000


@dataclass(frozen=True, slots=True)
class Figures:
    """What the `figures` query told. None: absent, or NaN (the server's word for "no data")."""

    at: float | None
    """The server's clock, Unix seconds."""
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    requests_per_s: float | None
    error_percent: float | None

    @property
    def quality(self) -> Quality:
        if self.requests_per_s is None:
            return Quality.NO_SERIES
        if self.requests_per_s == 0:
            return Quality.NO_TRAFFIC
        return Quality.BAD_HISTOGRAM if self.p95_s is None else Quality.GOOD


def series(result: object) -> Series:
    """The `result` of an instant query: a vector, or a scalar as one series without labels."""
    if _is_sample(result):
        return (({}, _sample(result)[1]),)
    rows = _list(result)[:MOST_SERIES]
    return tuple((_labels(_table(row).get("metric")), _sample(_table(row).get("value"))[1]) for row in rows)


def figures(result: object) -> Figures:
    """The answer to `Queries.figures`."""
    by_name: dict[str, float] = {}
    at: float | None = None
    for row in _list(result):
        at, value = _sample(_table(row).get("value"))
        by_name[_labels(_table(row).get("metric")).get("figure", "")] = value
    known = {name: _known(by_name.get(name)) for name in ("p50", "p95", "p99", "rate", "errors")}
    return Figures(at, known["p50"], known["p95"], known["p99"], known["rate"], known["errors"])


def history(result: object) -> dict[float, Point]:
    """The answer to `Queries.history` for a range: points by their time. Steps without data are not in it."""
    found: dict[float, dict[str, float | None]] = {}
    for row in _list(result):
        name = _labels(_table(row).get("metric")).get("figure", "")
        for item in _list(_table(row).get("values")):
            at, value = _sample(item)
            found.setdefault(at, {})[name] = _known(value)
    names = ("p50", "p95", "p99", "rate", "errors")
    return {at: Point(at, *(values.get(name) for name in names)) for at, values in found.items()}


def largest_bound(result: object) -> float | None:
    """The answer to `Queries.bounds`: the largest finite bucket in seconds, None when there is no such histogram."""
    bounds = [_number(labels.get("le", "NaN")) for labels, _ in series(result)]
    return max((bound for bound in bounds if math.isfinite(bound)), default=None)


def saturated(p95_s: float | None, bound: float | None) -> float | None:
    """The bound when the p95 lies at it: `histogram_quantile` answers the largest finite bound for all that is above."""
    return bound if p95_s is not None and bound is not None and math.isclose(p95_s, bound) else None


def endpoints(rates: Series, p95s: Series, errors: Series, label: str) -> tuple[EndpointLatency, ...]:
    """The three endpoint queries as one table, the busiest first."""
    p95_by = {labels.get(label, ""): _known(value) for labels, value in p95s}
    errors_by = {labels.get(label, ""): _known(value) for labels, value in errors}
    rows = [
        EndpointLatency(name, value, p95_by.get(name), errors_by.get(name))
        for name, value in ((labels.get(label, ""), value) for labels, value in rates)
        if name and math.isfinite(value)
    ]
    return tuple(sorted(rows, key=lambda row: (-row.requests_per_s, row.endpoint)))


def answer_rates(rates: Series, endpoint_label: str, status_label: str) -> tuple[AnswerRate, ...]:
    """The answer to `Queries.answer_rates`, the most frequent first; what was not asked for in the window is left out."""
    rows = [
        AnswerRate(labels.get(endpoint_label, ""), labels.get(status_label, ""), value)
        for labels, value in rates
        if math.isfinite(value) and value > 0
    ]
    return tuple(sorted(rows, key=lambda row: (-row.per_s, row.endpoint, row.status)))


def targets(data: object) -> tuple[Target, ...]:
    """The `data` of /api/v1/targets, those that are down first."""
    found = []
    for row in _list(_table(data).get("activeTargets")):
        target = _table(row)
        labels = _labels(target.get("labels"))
        up = target.get("health") == "up"
        error = clean(str(target.get("lastError") or ""), 300) or ("" if up else "It has not been scraped yet.")
        last = _time(target.get("lastScrape"))
        found.append(Target(labels.get("job", ""), labels.get("instance", ""), up, error, last))
    return tuple(sorted(found, key=lambda target: (target.up, target.job, target.instance))[:MOST_TARGETS])


def alerts(data: object) -> tuple[Alert, ...]:
    """The `data` of /api/v1/alerts, the firing ones first, then by age."""
    found = []
    for row in _list(_table(data).get("alerts")):
        alert = _table(row)
        labels = _labels(alert.get("labels"))
        texts = _labels(alert.get("annotations"))
        summary = texts.get("summary") or texts.get("description") or texts.get("message") or ""
        state = clean(str(alert.get("state", "")), 20)
        since = _time(alert.get("activeAt"))
        found.append(Alert(labels.get("alertname", ""), state, labels.get("severity", ""), since, summary))
    return tuple(sorted(found, key=lambda alert: (alert.state != "firing", alert.since or 0.0))[:MOST_ALERTS])


def warnings(body: object) -> tuple[str, ...]:
    """What the server adds to an answer: partial data, broken histograms, functions used on the wrong kind of metric."""
    if not isinstance(body, Mapping):
        return ()
    texts: Iterable[object] = [*(body.get("warnings") or ()), *(body.get("infos") or ())]
    return tuple(dict.fromkeys(clean(str(text), 300) for text in texts))[:5]


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _number(text: object) -> float:
    """Values are strings, so that NaN, +Inf and -Inf can be told."""
    if isinstance(text, str | int | float) and not isinstance(text, bool):
        return float(text)
    raise ValueError(f"a number was expected, not {type(text).__name__}")


def _is_sample(item: object) -> bool:
    return isinstance(item, list) and len(item) == 2 and isinstance(item[0], int | float)


def _sample(item: object) -> tuple[float, float]:
    if not _is_sample(item):
        raise ValueError("a time and a value were expected")
    pair = _list(item)
    return float(pair[0]), _number(pair[1])


def _list(item: object) -> list[Any]:
    if not isinstance(item, list):
        raise ValueError(f"a list was expected, not {type(item).__name__}")
    return item


def _table(item: object) -> Mapping[str, Any]:
    if not isinstance(item, Mapping):
        raise ValueError(f"a table was expected, not {type(item).__name__}")
    return item


def _labels(item: object) -> dict[str, str]:
    return {clean(str(key), 200): clean(str(value), 300) for key, value in _table(item or {}).items()}


def _time(text: object) -> float | None:
    """RFC 3339 → Unix seconds; None for Go's zero time, which means never."""
    try:
        moment = datetime.fromisoformat(str(text))
        return moment.timestamp() if moment.year > 1 else None
    except (ValueError, OverflowError):
        return None
