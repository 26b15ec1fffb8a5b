"""The service's traffic: how slow, how much, and with which answers."""

import asyncio
import shlex
from collections.abc import Iterable
from statistics import fmean, median, quantiles

from console.config import SystemConfig
from console.config_sources import PrometheusConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.commands import joined
from console.guides.checks.containers import NoParameters
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.metrics import AnswerRate, EndpointLatency, Latency, Point, Quality
from console.text import clean

SURGE = 2.0
"""So many times the usual rate of requests is a surge."""
SETTLED_S = 120.0
"""The newest points are left out of what is usual: they are what is compared with it."""
FEWEST_POINTS = 4
SLOW_S = 0.5
FAILING_PERCENT = 5.0
"""A minute with a higher p95, or more errors, is none by which the usual rate is told."""
RISING_PERCENT = 1.0
"""Below this, twice the errors are still none to speak of."""
FEWEST_SHARE = 0.01
"""An endpoint with a smaller share of the requests is not called the slowest: its p95 is one request or two."""
_SHOWN = 8
_NAMED = ("403", "404", "422", "429")


async def _latency(readings: Readings, _parameters: NoParameters) -> Findings:
    found = await _read(readings)
    slowest = slowest_endpoint(found.endpoints)
    rates = [item.requests_per_s for item in found.endpoints]
    facts: Facts = {
        "quality": found.quality.value,
        "p95_ms": _ms(found.p95_s) if found.quality is Quality.GOOD else None,
        "p99_ms": _ms(found.p99_s) if found.quality is Quality.GOOD else None,
        "requests_per_s": _rounded(found.requests_per_s),
        "error_percent": _rounded(found.error_percent),
        "slowest": slowest.endpoint if slowest else None,
        "slowest_p95_ms": _ms(slowest.p95_s) if slowest else None,
        "slowest_share_percent": _rounded(100 * slowest.requests_per_s / sum(rates)) if slowest else None,
        "surge": is_surge(found.requests_per_s, _usual(found)),
    }
    return Findings(facts, _latency_headline(found, slowest), _latency_evidence(found), _unread(found, facts))


async def _read(readings: Readings) -> Latency:
    metrics = readings.system.need_metrics()
    return await readings.share("latency", metrics.latency)


def slowest_endpoint(endpoints: Iterable[EndpointLatency]) -> EndpointLatency | None:
    """The endpoint with the highest p95 among those that are asked often enough for it to mean something."""
    known = [item for item in endpoints if item.p95_s is not None]
    total = sum(item.requests_per_s for item in known)
    often = [item for item in known if item.requests_per_s >= FEWEST_SHARE * total]
    return max(often, key=lambda item: (item.p95_s or 0.0, item.requests_per_s), default=None)


def is_surge(requests_per_s: float | None, usual: float | None) -> bool | None:
    """Whether far more requests come than usual in the last quarter of an hour; None when the usual rate is not known."""
    if requests_per_s is None or usual is None:
        return None
    return requests_per_s > SURGE * usual and requests_per_s - usual >= 1.0


def usual_rate(history: tuple[Point, ...], p95_s: float | None = None) -> float | None:
    """The upper quartile of the rates before the last two minutes, while the service was well; `p95_s` is the p95 of now.

    While it fails, hangs or starts, fewer come than want to, and its recovery would be a surge. When it was unwell nearly
    all the time, what is usual is the most that came.
    """
    slow_s = max(SLOW_S, 2 * (p95_s or 0.0))
    newest = max((point.at for point in history), default=0.0)
    before = [point for point in history if point.at <= newest - SETTLED_S and point.requests_per_s is not None]
    well = [point for point in before if (point.p95_s or 0.0) <= slow_s and (point.error_percent or 0.0) <= FAILING_PERCENT]
    if len(well) >= FEWEST_POINTS:
        return quantiles(_rates(well), n=4, method="inclusive")[2]
    return max(_rates(before)) if len(before) >= FEWEST_POINTS else None


def _rates(points: Iterable[Point]) -> list[float]:
    return [point.requests_per_s for point in points if point.requests_per_s is not None]


def _usual(found: Latency) -> float | None:
    return usual_rate(found.history, found.p95_s)


def is_rising(history: tuple[Point, ...]) -> bool | None:
    """Whether the share of failed requests is over twice what it was before the last two minutes."""
    known = [(point.at, point.error_percent) for point in history if point.error_percent is not None]
    newest = max((at for at, _ in known), default=0.0)
    before = [percent for at, percent in known if at <= newest - SETTLED_S]
    since = [percent for at, percent in known if at > newest - SETTLED_S]
    if len(before) < FEWEST_POINTS or not since:
        return None
    return fmean(since) >= RISING_PERCENT and fmean(since) > 2 * median(before)


def _latency_headline(found: Latency, slowest: EndpointLatency | None) -> str:
    if found.quality is not Quality.GOOD or found.p95_s is None:
        return _why(found)
    least = "at least " if found.saturated_s is not None else ""
    words = [f"p95 is {least}{found.p95_s * 1000:.0f} ms"]
    if found.requests_per_s is not None:
        words.append(f"{found.requests_per_s:.1f} requests a second")
    if slowest is not None and slowest.p95_s is not None:
        words.append(f"slowest is {slowest.endpoint} with {slowest.p95_s * 1000:.0f} ms")
    return clean(f"{', '.join(words)}.", 300)


def _why(found: Latency) -> str:
    words = {
        Quality.GOOD: "The p95 is not known.",
        Quality.NO_TRAFFIC: "No request came within the window, so there is no p95.",
        Quality.NO_SERIES: "There are no figures of the service.",
        Quality.BAD_HISTOGRAM: "The service counts requests but not how long they took.",
    }
    return clean(" ".join((words[found.quality], *found.notes[:1])), 300)


def _latency_evidence(found: Latency) -> tuple[str, ...]:
    usual = _usual(found)
    lines = [f"usual: {usual:.1f} requests a second"] if usual is not None else []
    for item in sorted(found.endpoints, key=lambda item: -(item.p95_s or 0.0))[:_SHOWN]:
        p95 = f"p95 {item.p95_s * 1000:.0f} ms" if item.p95_s is not None else "p95 unknown"
        lines.append(f"{item.endpoint}: {p95}, {item.requests_per_s:.2f} a second")
    return tuple(clean(line, 200) for line in (*lines, *found.notes))


def _unread(found: Latency, facts: Facts) -> tuple[Failure, ...]:
    failures = [] if facts["p95_ms"] is not None else [Failure(FailureKind.MISSING, _why(found))]
    if facts["surge"] is None:
        failures.append(Failure(FailureKind.MISSING, "How many requests are usual is not known yet: the history is too short."))
    return tuple(failures)


async def _errors(readings: Readings, _parameters: NoParameters) -> Findings:
    metrics = readings.system.need_metrics()
    found, rates = await asyncio.gather(_read(readings), readings.share("answer_rates", metrics.answer_rates))
    if not rates and found.quality is Quality.NO_SERIES:
        raise SourceError(FailureKind.MISSING, _why(found), "Check `duration` and `status_label` in config.toml.")
    total = sum(rate.per_s for rate in rates)
    failed = [rate for rate in rates if rate.status.startswith("5")]
    top, share = top_failing(failed)
    facts: Facts = {
        "error_percent": _share(failed, total),
        "client_error_percent": _share([rate for rate in rates if rate.status.startswith("4")], total),
        "s5xx": _per_s(failed),
        "s4xx": _per_s(rate for rate in rates if rate.status.startswith("4")),
        **{f"s{status}": _exactly(rates, status) for status in _NAMED},
        "top": top,
        "top_share_percent": share,
        "rising": is_rising(found.history),
    }
    short = Failure(FailureKind.MISSING, "The history of errors is too short for a trend.")
    unread = () if facts["rising"] is not None else (short,)
    if not total:
        nobody = "No request was answered within the window."
        return Findings(facts, nobody, found.notes, (Failure(FailureKind.MISSING, nobody), *unread))
    headline = f"{facts['error_percent']:.1f} % of the answers are 5xx, {facts['client_error_percent']:.1f} % are 4xx"
    headline += f"; most 5xx on {top} ({share:.0f} %)." if top else "."
    return Findings(facts, clean(headline, 300), _errors_evidence(rates), unread)


def top_failing(failed: list[AnswerRate]) -> tuple[str, float]:
    """The endpoint with most of the failures, and its percentage of them; empty and 0 when nothing fails."""
    by_endpoint: dict[str, float] = {}
    for rate in failed:
        by_endpoint[rate.endpoint] = by_endpoint.get(rate.endpoint, 0.0) + rate.per_s
    if not by_endpoint:
        return "", 0.0
    top = max(by_endpoint, key=lambda name: (by_endpoint[name], name))
    return clean(top, 200), round(100 * by_endpoint[top] / sum(by_endpoint.values()), 1)


def _exactly(rates: tuple[AnswerRate, ...], status: str) -> float | None:
    """The rate of one status; None where the service counts in classes such as `4xx` only."""
    grouped = any(not rate.status.isdecimal() for rate in rates)
    return None if grouped else _per_s(rate for rate in rates if rate.status == status)


def _per_s(rates: Iterable[AnswerRate]) -> float:
    return round(sum(rate.per_s for rate in rates), 3)


def _share(rates: list[AnswerRate], total: float) -> float | None:
    return round(100 * sum(rate.per_s for rate in rates) / total, 2) if total else None


def _errors_evidence(rates: tuple[AnswerRate, ...]) -> tuple[str, ...]:
    bad = [rate for rate in rates if rate.status[:1] in ("4", "5")]
    bad.sort(key=lambda rate: (rate.status[:1] != "5", -rate.per_s))
    return tuple(clean(f"{rate.status}  {rate.per_s:.2f} a second  {rate.endpoint}", 200) for rate in bad[:_SHOWN])


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _ask(config: PrometheusConfig, promql: str) -> str:
    return clean(f"curl -sG {shlex.quote(config.url)}/api/v1/query --data-urlencode {shlex.quote(f'query={promql}')}")


def _latency_command(config: SystemConfig, _parameters: NoParameters) -> str:
    metrics = config.prometheus
    if metrics is None:
        return f"# set [systems.{config.name}.prometheus]"
    if not metrics.url:
        return f"curl -s {shlex.quote(metrics.scrape)}"
    by_endpoint = f"sum by (le, {metrics.endpoint_label}) (rate({metrics.duration}_bucket[{metrics.window}s]))"
    everything = f"sum by (le) (rate({metrics.duration}_bucket[{metrics.window}s]))"
    return joined([_ask(metrics, f"histogram_quantile(0.95, {part})") for part in (everything, by_endpoint)])


def _errors_command(config: SystemConfig, _parameters: NoParameters) -> str:
    metrics = config.prometheus
    if metrics is None:
        return f"# set [systems.{config.name}.prometheus]"
    if not metrics.url:
        return f"curl -s {shlex.quote(metrics.scrape)}"
    labels = f"{metrics.endpoint_label}, {metrics.status_label}"
    return _ask(metrics, f"sum by ({labels}) (rate({metrics.duration}_count[{metrics.window}s]))")


CHECKS = (
    Check(
        name="traffic.latency",
        title="How slow is the service, where, and how much is it asked?",
        parameters=NoParameters,
        facts=(
            Fact("quality", FactType.TEXT, "what the figures stand for", choices=tuple(item.value for item in Quality)),
            Fact("p95_ms", FactType.NUMBER, "95 of 100 requests are answered within this time", "ms"),
            Fact("p99_ms", FactType.NUMBER, "99 of 100 requests are answered within this time", "ms"),
            Fact("requests_per_s", FactType.NUMBER, "requests a second"),
            Fact("error_percent", FactType.NUMBER, "answered with a status of 500 or more", "%"),
            Fact("slowest", FactType.TEXT, "the endpoint with the highest p95"),
            Fact("slowest_p95_ms", FactType.NUMBER, "its p95", "ms"),
            Fact("slowest_share_percent", FactType.NUMBER, "its share of the requests", "%"),
            Fact("surge", FactType.BOOL, "over twice as many requests come as in the quarter of an hour before"),
        ),
        command=_latency_command,
        make=_latency,
    ),
    Check(
        name="traffic.errors",
        title="How many answers are errors, of which kind, and where?",
        parameters=NoParameters,
        facts=(
            Fact("error_percent", FactType.NUMBER, "of the answers are 5xx", "%"),
            Fact("client_error_percent", FactType.NUMBER, "of the answers are 4xx", "%"),
            Fact("s5xx", FactType.NUMBER, "answers with 5xx a second"),
            Fact("s4xx", FactType.NUMBER, "answers with 4xx a second"),
            *(Fact(f"s{status}", FactType.NUMBER, f"answers with {status} a second") for status in _NAMED),
            Fact("top", FactType.TEXT, "the endpoint with most of the 5xx, empty when there are none"),
            Fact("top_share_percent", FactType.NUMBER, "its share of all 5xx", "%"),
            Fact("rising", FactType.BOOL, "the share of 5xx is over twice what it was before the last two minutes"),
        ),
        command=_errors_command,
        make=_errors,
    ),
)
