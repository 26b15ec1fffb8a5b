"""The PromQL behind every figure, built from the configured names.

Sources: prometheus.io/docs/prometheus/latest/querying/functions (`histogram_quantile`, `rate`, `label_replace`) and
prometheus.io/docs/practices/histograms. Rate first, then sum, then the quantile: percentiles cannot be averaged, and
counters since the start of the process would give the p95 of its whole life. Classic histograms, Prometheus 2 and 3.
"""

from dataclasses import dataclass

from console.config_sources import PrometheusConfig
from console.sources.metrics.window import TOP_ENDPOINTS

QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
SERVER_ERRORS = "5.."
"""Statuses that count as errors; PromQL anchors a pattern at both ends. It holds for "503" and for a grouped "5xx"."""


@dataclass(frozen=True, slots=True)
class Queries:
    figures: str
    """One instant query for everything that changes each second: series labelled `figure` = p50, p95, p99, rate, errors."""
    history: str
    """The same for a range."""
    bounds: str
    """A series for each bucket, by `le`: the largest finite one is where percentiles saturate."""
    endpoint_rates: str
    endpoint_p95s: str
    endpoint_errors: str
    answer_rates: str
    """Answers a second by endpoint and status."""


def build(config: PrometheusConfig) -> Queries:
    """The queries for one service. Names were validated with the config, so nothing here needs escaping."""
    buckets = f"{config.duration}_bucket"
    window = f"[{config.window}s]"
    endpoint = config.endpoint_label
    all_requests = f"rate({config.duration}_count{window})"
    with_status = f'rate({config.duration}_count{{{config.status_label}!=""}}{window})'
    failed = f'rate({config.duration}_count{{{config.status_label}=~"{SERVER_ERRORS}"}}{window})'
    quantiles = [_named(f"histogram_quantile({q}, sum by (le) (rate({buckets}{window})))", name) for name, q in QUANTILES.items()]
    # No series with such a status yet is 0 errors, but only where requests carry a status at all: else it is unknown.
    errors = f"100 * (sum({failed}) or 0 * sum({with_status})) / sum({with_status})"
    busiest = f'topk({TOP_ENDPOINTS}, sum by ({endpoint}) (rate({config.duration}_count{{{endpoint}!=""}}{window})))'
    errors_by_endpoint = (
        f"100 * (sum by ({endpoint}) ({failed}) or 0 * sum by ({endpoint}) ({with_status})) / sum by ({endpoint}) ({with_status})"
    )
    p95_by_endpoint = f"histogram_quantile({QUANTILES['p95']}, sum by (le, {endpoint}) (rate({buckets}{window})))"
    figures = " or ".join([*quantiles, _named(f"sum({all_requests})", "rate"), _named(errors, "errors")])
    return Queries(
        figures=figures,
        history=figures,
        bounds=f"count by (le) ({buckets})",
        endpoint_rates=busiest,
        endpoint_p95s=f"{p95_by_endpoint} and on ({endpoint}) {busiest}",
        endpoint_errors=f"({errors_by_endpoint}) and on ({endpoint}) {busiest}",
        answer_rates=f"sum by ({endpoint}, {config.status_label}) ({with_status})",
    )


def _named(expression: str, figure: str) -> str:
    return f'label_replace({expression}, "figure", "{figure}", "", "")'
