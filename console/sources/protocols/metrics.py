"""The service's latency, rate, errors, targets and alerts, from Prometheus or from the service's own /metrics."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Origin(StrEnum):
    PROMETHEUS = "prometheus"
    SCRAPE = "scrape"
    """Two scrapes of the service's own /metrics, because there is no Prometheus or it is down."""


class Quality(StrEnum):
    """What a figure stands for. Only GOOD may be compared with a threshold."""

    GOOD = "good"
    NO_TRAFFIC = "no_traffic"
    NO_SERIES = "no_series"
    BAD_HISTOGRAM = "bad_histogram"


@dataclass(frozen=True, slots=True)
class Point:
    at: float
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    requests_per_s: float | None = None
    error_percent: float | None = None


@dataclass(frozen=True, slots=True)
class EndpointLatency:
    """One endpoint of the service over the window."""

    endpoint: str
    requests_per_s: float
    p95_s: float | None
    error_percent: float | None


@dataclass(frozen=True, slots=True)
class Target:
    job: str
    instance: str
    up: bool
    error: str = ""
    last_scrape_at: float | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    name: str
    state: str
    """`firing` or `pending`."""
    severity: str = ""
    since: float | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles over the last `window_s` seconds. None is "no data", for the reason in `quality`."""

    origin: Origin
    window_s: float
    quality: Quality
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    saturated_s: float | None = None
    """The largest finite bucket when p95 fell above it: then the truth is "at least this"."""
    requests_per_s: float | None = None
    error_percent: float | None = None
    endpoints: tuple[EndpointLatency, ...] = ()
    history: tuple[Point, ...] = ()
    """Up to 15 minutes, oldest first; gaps are points of None."""
    targets: tuple[Target, ...] = ()
    alerts: tuple[Alert, ...] = ()
    notes: tuple[str, ...] = ()
    """Warnings of the server, and why the origin is not Prometheus."""


@dataclass(frozen=True, slots=True)
class AnswerRate:
    """Answers with one status on one endpoint, a second, over the window."""

    endpoint: str
    status: str
    per_s: float


class Metrics(Protocol):
    async def open(self) -> None: ...
    async def aclose(self) -> None: ...
    async def latency(self) -> Latency: ...
    async def answer_rates(self) -> tuple[AnswerRate, ...]:
        """How often each endpoint answers with each status, over the configured window; empty without traffic."""
        ...

    async def version(self) -> str: ...
    async def query(self, promql: str) -> tuple[tuple[dict[str, str], float], ...]:
        """An instant query: labels and value of each series (NaN stays NaN)."""
        ...
