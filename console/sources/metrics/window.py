"""The p95 from scrapes of a service's own /metrics: what Prometheus does, for one histogram and one window.

Pure: the caller brings text and time. The live source scrapes when there is no Prometheus; the simulated stack feeds the
text that it makes up.
"""

import re
from collections import deque
from dataclasses import dataclass

from console.config_sources import PrometheusConfig
from console.sources.metrics.exposition import Labels, read_histogram
from console.sources.metrics.histogram import Buckets, added, quantile, saturation, total, usable
from console.sources.protocols.metrics import AnswerRate, EndpointLatency, Latency, Origin, Point, Quality

HISTORY_S = 15 * 60
STEP_S = 15.0
"""Between two points of the history."""
TOP_ENDPOINTS = 12
SNAPSHOTS = 60
"""A window is seen at this many moments at most, so that fast scraping costs no memory."""

_SERVER_ERROR = re.compile(r"5..")
_Group = tuple[str, str]
"""Endpoint and status."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    at: float
    groups: dict[_Group, dict[float, float]]
    """Counters that never fall: what a restart took away is added again."""


@dataclass(slots=True)
class _Counter:
    seen: dict[float, float]
    before_resets: dict[float, float]

    def advance(self, now: dict[float, float]) -> dict[float, float]:
        """A counter that fell began anew at 0 (`rate()` treats it so)."""
        if any(now.get(bound, 0.0) < count for bound, count in self.seen.items()):
            self.before_resets = added((self.before_resets, self.seen))
        self.seen = now
        return added((self.before_resets, now))


class ScrapeWindow:
    """Scrapes of one service, the newest 15 minutes of them as history."""

    def __init__(self, config: PrometheusConfig) -> None:
        self._config = config
        self._counters: dict[Labels, _Counter] = {}
        self._snapshots: deque[_Snapshot] = deque()
        self._history: deque[Point] = deque(maxlen=int(HISTORY_S / STEP_S))
        self._declared = False
        self._broken_lines = 0

    @property
    def scrapes(self) -> int:
        """How many moments are known; a rate needs two."""
        return len(self._snapshots)

    def add(self, text: str, at: float) -> None:
        """Take in one scrape made at `at` (Unix seconds). Raises ValueError when the text is no exposition.

        A time that is not after the last one (the clock was set), or long after it, begins a new window.
        """
        exposed = read_histogram(text, self._config.duration)
        pause_s = at - self._snapshots[-1].at if self._snapshots else 0.0
        if self._snapshots and not 0 < pause_s <= 2 * self._config.window:
            self._snapshots.clear()
            self._counters.clear()
            if pause_s <= 0:
                self._history.clear()
        self._declared = exposed.declared
        self._broken_lines = exposed.broken_lines
        for labels in exposed.series:
            self._counters.setdefault(labels, _Counter({}, {}))
        groups: dict[_Group, dict[float, float]] = {}
        for labels, counter in self._counters.items():
            group = self._group(labels)
            groups[group] = added((groups.get(group, {}), counter.advance(exposed.series.get(labels, {}))))
        self._keep(_Snapshot(at, groups))
        self._extend_history(at)

    def latency(self, window_s: float | None = None) -> Latency:
        """Percentiles over the last `window_s` seconds (default: the configured window), as far as scrapes reach back.

        `window_s` of the answer is the time that they really span.
        """
        window_s = window_s or self._config.window
        notes = (f"{self._broken_lines} lines of {self._config.duration} could not be read.",) if self._broken_lines else ()
        if not self._declared and not self._counters:
            return self._empty(Quality.NO_SERIES, window_s, (f"The service exposes no {self._config.duration}.", *notes))
        if len(self._snapshots) < 2:
            return self._empty(Quality.NO_SERIES, window_s, ("Only one scrape so far: a rate needs two.", *notes))
        span_s, groups = self._increase(window_s)
        everything = added(groups.values())
        requests = total(everything)
        if everything and not usable(everything):
            return self._empty(Quality.BAD_HISTOGRAM, span_s, notes)
        return Latency(
            origin=Origin.SCRAPE,
            window_s=span_s,
            quality=Quality.GOOD if requests else Quality.NO_TRAFFIC,
            p50_s=quantile(0.50, everything),
            p95_s=quantile(0.95, everything),
            p99_s=quantile(0.99, everything),
            saturated_s=saturation(0.95, everything),
            requests_per_s=(requests or 0.0) / span_s,
            error_percent=_error_percent(groups),
            endpoints=_endpoints(groups, span_s),
            history=tuple(self._history),
            notes=notes,
        )

    def answer_rates(self) -> tuple[AnswerRate, ...]:
        """Answers a second by endpoint and status over the window, the most frequent first; none before the second scrape."""
        if len(self._snapshots) < 2:
            return ()
        span_s, groups = self._increase(self._config.window)
        rates = ((group, (total(counts) or 0.0) / span_s) for group, counts in groups.items())
        rows = [AnswerRate(endpoint, status, rate) for (endpoint, status), rate in rates if rate > 0 and status]
        return tuple(sorted(rows, key=lambda row: (-row.per_s, row.endpoint, row.status)))

    def _group(self, labels: Labels) -> _Group:
        by_name = dict(labels)
        return by_name.get(self._config.endpoint_label, ""), by_name.get(self._config.status_label, "")

    def _keep(self, snapshot: _Snapshot) -> None:
        spacing_s = self._config.window / SNAPSHOTS
        if len(self._snapshots) >= 2 and self._snapshots[-1].at - self._snapshots[-2].at < spacing_s:
            self._snapshots.pop()
        self._snapshots.append(snapshot)
        while len(self._snapshots) > 2 and self._snapshots[1].at <= snapshot.at - self._config.window:
            self._snapshots.popleft()

    def _increase(self, window_s: float) -> tuple[float, dict[_Group, Buckets]]:
        newest = self._snapshots[-1]
        inside = (item for item in self._snapshots if item is not newest and item.at >= newest.at - window_s)
        oldest = next(inside, self._snapshots[-2])
        groups: dict[_Group, Buckets] = {
            group: {bound: count - oldest.groups.get(group, {}).get(bound, 0.0) for bound, count in counts.items()}
            for group, counts in newest.groups.items()
        }
        return newest.at - oldest.at, groups

    def _extend_history(self, at: float) -> None:
        if len(self._snapshots) < 2:
            return
        if self._history and at - self._history[-1].at < STEP_S:
            return
        if self._history and at - self._history[-1].at > 3 * STEP_S:
            self._history.append(Point(at - STEP_S, None, None, None))
        span_s, groups = self._increase(self._config.window)
        everything = added(groups.values())
        percentiles = (quantile(0.50, everything), quantile(0.95, everything), quantile(0.99, everything))
        self._history.append(Point(at, *percentiles, (total(everything) or 0.0) / span_s, _error_percent(groups)))
        while self._history[0].at < at - HISTORY_S:
            self._history.popleft()

    def _empty(self, quality: Quality, window_s: float, notes: tuple[str, ...]) -> Latency:
        history = tuple(self._history)
        return Latency(Origin.SCRAPE, window_s, quality, None, None, None, history=history, notes=notes)


def _error_percent(groups: dict[_Group, Buckets]) -> float | None:
    """Answers with a status of 500 or more; None without traffic, or when no series carries a status."""
    if not any(status for _, status in groups):
        return None
    requests = total(added(groups.values()))
    failed = total(added(buckets for (_, status), buckets in groups.items() if _SERVER_ERROR.fullmatch(status)))
    return 100 * (failed or 0.0) / requests if requests else None


def _endpoints(groups: dict[_Group, Buckets], span_s: float) -> tuple[EndpointLatency, ...]:
    by_endpoint: dict[str, dict[_Group, Buckets]] = {}
    for group, buckets in groups.items():
        if group[0]:
            by_endpoint.setdefault(group[0], {})[group] = buckets
    rows = []
    for endpoint, own in by_endpoint.items():
        everything = added(own.values())
        rate = (total(everything) or 0.0) / span_s
        rows.append(EndpointLatency(endpoint, rate, quantile(0.95, everything), _error_percent(own)))
    return tuple(sorted(rows, key=lambda row: (-row.requests_per_s, row.endpoint))[:TOP_ENDPOINTS])
