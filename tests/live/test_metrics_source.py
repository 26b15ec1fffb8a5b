"""Prometheus, the backend's own /metrics, the proxy and the doctor, on the lab."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from console.config import load_config
from console.config_sources import PrometheusConfig
from console.doctor import Status, examine, exit_code
from console.practice.lab.stack import Lab
from console.reading import FailureKind, SourceError
from console.sources.endpoint import HttpEndpoints
from console.sources.metrics import ServiceMetrics
from console.sources.metrics.histogram import quantile
from console.sources.protocols.metrics import Latency, Origin, Quality
from console.system import live_system

pytestmark = pytest.mark.engine

PROMETHEUS = "sms-prometheus"


@pytest.fixture
def config(triage_config: Path) -> PrometheusConfig:
    configured = load_config(triage_config).config.systems["sms"].prometheus
    assert configured is not None
    return configured


@pytest.fixture
async def metrics(config: PrometheusConfig) -> AsyncIterator[ServiceMetrics]:
    made = ServiceMetrics(config)
    await made.open()
    yield made
    await made.aclose()


@pytest.fixture
def frozen_prometheus(lab: Lab) -> Iterator[None]:
    lab.client.containers.get(PROMETHEUS).pause()
    yield
    _thaw(lab)


def _thaw(lab: Lab) -> None:
    container = lab.client.containers.get(PROMETHEUS)
    if container.status == "paused":
        container.unpause()


async def good(metrics: ServiceMetrics, within_s: float = 60.0) -> Latency:
    """The first reading with figures: a lab that has just come up has been scraped too little."""
    deadline = time.monotonic() + within_s
    while (told := await metrics.latency()).quality is not Quality.GOOD:
        assert time.monotonic() < deadline, told
        await asyncio.sleep(0.5)
    return told


async def test_the_lab_is_read_from_prometheus(metrics: ServiceMetrics) -> None:
    told = await good(metrics)
    assert told.origin is Origin.PROMETHEUS
    assert told.p50_s is not None
    assert told.p95_s is not None
    assert told.p99_s is not None
    assert 0 < told.p50_s <= told.p95_s <= told.p99_s
    assert told.requests_per_s is not None
    assert told.requests_per_s > 0
    assert told.error_percent is not None
    assert told.endpoints
    assert [target.job for target in told.targets if target.up] == ["backend"]
    assert told.history[-1].at - told.history[0].at == 59 * 15
    assert (await metrics.version())[0].isdigit()


async def test_our_quantile_is_the_one_that_prometheus_computes(metrics: ServiceMetrics, config: PrometheusConfig) -> None:
    await good(metrics)
    rates = f"sum by (le) (rate({config.duration}_bucket[{config.window}s]))"
    told = await metrics.query(f'{rates} or label_replace(histogram_quantile(0.95, {rates}), "figure", "p95", "", "")')
    theirs = next(value for labels, value in told if labels.get("figure") == "p95")
    buckets = {float(labels["le"]): value for labels, value in told if "le" in labels}
    assert quantile(0.95, buckets) == pytest.approx(theirs, rel=1e-9)


async def test_without_prometheus_the_backend_itself_is_scraped(config: PrometheusConfig, metrics: ServiceMetrics) -> None:
    await good(metrics)
    alone = ServiceMetrics(config.model_copy(update={"url": ""}))
    told = await good(alone)
    assert told.origin is Origin.SCRAPE
    assert told.p95_s is not None
    assert math.isfinite(told.p95_s)
    assert told.endpoints
    await alone.aclose()


async def test_a_frozen_prometheus_is_a_timeout_in_time(frozen_prometheus: None, config: PrometheusConfig) -> None:
    only = ServiceMetrics(config.model_copy(update={"scrape": ""}))
    started = time.monotonic()
    with pytest.raises(SourceError) as caught:
        await only.latency()
    assert caught.value.failure.kind is FailureKind.TIMEOUT
    assert time.monotonic() - started <= 3.5
    await only.aclose()


async def test_while_prometheus_is_frozen_the_p95_is_scraped_and_it_goes_back_by_itself(
    lab: Lab, frozen_prometheus: None, metrics: ServiceMetrics
) -> None:
    told = await good(metrics)
    assert told.origin is Origin.SCRAPE
    assert told.notes[0].startswith("Scraped from the service itself: ")
    started = time.monotonic()
    await metrics.latency()
    assert time.monotonic() - started < 2.0
    _thaw(lab)
    deadline = time.monotonic() + 5
    while (await metrics.latency()).origin is not Origin.PROMETHEUS:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)


async def test_the_proxy_answers_for_the_backend(triage_config: Path, lab: Lab) -> None:
    endpoints = HttpEndpoints(load_config(triage_config).config.systems["sms"].endpoints)
    answer = await endpoints.get("health")
    assert answer.status == 200
    assert '"healthy"' in answer.body
    await endpoints.aclose()


async def test_the_doctor_finds_the_lab_in_order_and_then_prometheus_frozen(lab: Lab, triage_config: Path) -> None:
    system = live_system(load_config(triage_config).config.systems["sms"])
    await system.open()
    try:
        findings = await examine(system)
        assert [item.status for item in findings if item.source != "Prometheus"] == [Status.OK] * 5, findings
        assert exit_code(findings) == 0
        lab.client.containers.get(PROMETHEUS).pause()
        started = time.monotonic()
        findings = await examine(system)
        assert time.monotonic() - started < 5.5
        assert [item.source for item in findings if item.status is Status.FAILED] == ["Prometheus"]
        assert exit_code(findings) == 4
    finally:
        _thaw(lab)
        await system.aclose()
