"""The table of baselines: seven metrics against their two limits, as the configuration has them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.config import SystemConfig
from console.config_tables import Limits
from console.daily.figures import Figures, Use
from console.daily.judged import Judged
from console.daily.report import LeftOut, Section
from console.reading import Failure, FailureKind
from console.severity import Severity, above, below
from console.sources.protocols.metrics import Latency, Quality

_STEP_3 = ("p95", "errors", "cpu", "memory")
_QUALITY = {
    Quality.NO_TRAFFIC: "There were no requests in the window that is looked at, so nothing was measured.",
    Quality.NO_SERIES: "The metrics have no histogram of that name: check `duration` under prometheus in config.toml.",
    Quality.BAD_HISTOGRAM: "The histogram cannot be read: its buckets contradict each other.",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One row. `failure` says why there is no value."""

    id: str
    title: str
    unit: str
    limits: Limits | None
    value: float | None = None
    of: str = ""
    failure: Failure | None = None
    low_is_bad: bool = False

    @property
    def severity(self) -> Severity:
        if self.low_is_bad:
            return below(self.value, self.limits)
        return above(self.value, self.limits) if self.limits else Severity.UNKNOWN

    @property
    def actual(self) -> str:
        return "" if self.value is None else f"{figure(self.value)} {self.unit}{f' ({self.of})' if self.of else ''}"

    @property
    def expected(self) -> str:
        if self.limits is None:
            return "no limit"
        return f"{'>' if self.low_is_bad else '<'} {figure(self.limits.alert)} {self.unit}"


def figure(value: float) -> str:
    """`350`, `1.3`, `30.2`."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


def metrics(figures: Figures, config: SystemConfig) -> tuple[Metric, ...]:
    """The seven of them, in the order of the table."""
    limits, latency = config.thresholds, figures.latency
    p95 = latency.p95_s if isinstance(latency, Latency) else None
    p99 = latency.p99_s if isinstance(latency, Latency) else None
    good = isinstance(latency, Latency) and latency.quality is Quality.GOOD
    failure = _no_latency(latency)
    rate = latency.requests_per_s if isinstance(latency, Latency) else None
    errors = latency.error_percent if isinstance(latency, Latency) else None
    return (
        Metric("p95", "Response time (p95)", "ms", limits.p95_ms, _ms(p95) if good else None, failure=failure),
        Metric("p99", "Response time (p99)", "ms", limits.p99_ms, _ms(p99) if good else None, failure=failure),
        Metric("throughput", "Throughput", "req/s", limits.requests_per_s, rate, failure=failure, low_is_bad=True),
        Metric("errors", "Error rate", "%", limits.error_percent, errors, failure=failure),
        *_use(figures.use, config),
        _disk(figures, config),
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _no_latency(latency: Latency | Failure) -> Failure | None:
    if isinstance(latency, Failure):
        return latency
    reason = _QUALITY.get(latency.quality, "The metrics do not tell it.")
    return Failure(FailureKind.MISSING, reason)


def _use(use: Use | Failure, config: SystemConfig) -> tuple[Metric, Metric]:
    cpu, memory = config.thresholds.cpu_percent, config.thresholds.memory_percent
    if isinstance(use, Failure):
        return (
            Metric("cpu", "CPU usage", "%", cpu, failure=use),
            Metric("memory", "Memory usage", "%", memory, failure=use),
        )
    failure = Failure(FailureKind.MISSING, use.reason or "It could not be measured.")
    return (
        Metric("cpu", "CPU usage", "%", cpu, use.cpu_percent, use.cpu_of, failure),
        Metric("memory", "Memory usage", "%", memory, use.memory_percent, use.memory_of, failure),
    )


def _disk(figures: Figures, config: SystemConfig) -> Metric:
    """The fullest disk. When one cannot be read and the others are well, it is not known whether all are."""
    known = [(used, path) for path, used in figures.disks.items() if not isinstance(used, Failure)]
    failures = [used for used in figures.disks.values() if isinstance(used, Failure)]
    limits = config.thresholds.disk_percent
    value, path = max(known, default=(None, ""))
    if not figures.disks:
        return Metric("disk", "Disk usage", "%", limits, failure=Failure(FailureKind.NOT_CONFIGURED, "No disks are configured."))
    if failures and above(value, limits) < Severity.ALERT:
        return Metric("disk", "Disk usage", "%", limits, failure=failures[0])
    return Metric("disk", "Disk usage", "%", limits, value, path)


def line(metric: Metric) -> Judged | LeftOut:
    """A metric's own line, with both limits."""
    if metric.value is None and metric.failure is not None and metric.failure.kind is FailureKind.NOT_CONFIGURED:
        return LeftOut(metric.title, str(metric.failure))
    if metric.limits is None:
        words = f"it is {metric.actual}, " if metric.actual else ""
        return LeftOut(metric.title, f"{words}and no limit is configured: set it under thresholds in config.toml.")
    sign = "<" if metric.low_is_bad else ">"
    critical = f"critical {sign} {figure(metric.limits.critical)} {metric.unit}"
    reason = str(metric.failure) if metric.value is None and metric.failure else ""
    expected = f"{metric.expected}, {critical}"
    return Judged(metric.id, Section.BASELINE, metric.title, expected, metric.actual, metric.severity, reason)


def together(found: Sequence[Metric]) -> Judged | LeftOut:
    """Step 3: four of the metrics in one line, as bad as the worst of them."""
    wanted = [metric for metric in found if metric.id in _STEP_3]
    there = [
        metric
        for metric in wanted
        if metric.value is not None or metric.failure is None or metric.failure.kind is not FailureKind.NOT_CONFIGURED
    ]
    title = "3. Performance"
    if not there:
        return LeftOut(title, "Neither metrics nor an engine are configured.")
    expected = ", ".join(f"{metric.id} {metric.expected}" for metric in there)
    actual = ", ".join(f"{metric.id} {metric.actual or '?'}" for metric in there)
    worst = max(metric.severity for metric in there)
    reasons = dict.fromkeys(str(metric.failure) for metric in there if metric.value is None)
    return Judged("performance", Section.MORNING, title, expected, actual, worst, " ".join(reasons))
