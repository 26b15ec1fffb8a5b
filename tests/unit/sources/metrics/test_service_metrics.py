import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
from fake_prometheus import FakePrometheus
from web_server import WebServer, reply

from console.config_sources import PrometheusConfig
from console.reading import FailureKind, SourceError
from console.sources.metrics import ServiceMetrics, scrape
from console.sources.metrics import prometheus as prometheus_module
from console.sources.metrics import service as service_module
from console.sources.protocols.metrics import Origin, Quality

Expose = Callable[[int], str]


class Service:
    """Prometheus and the service itself on one fake web server: /api is the one, /metrics the other."""

    def __init__(self, prometheus: FakePrometheus, expose: Expose) -> None:
        self.prometheus = prometheus
        self.metrics: Callable[[], bytes | None] = lambda: reply(expose(self.requests))
        self.prometheus_is: bytes | str | None = "up"
        self._expose = expose
        self._requests = 0

    @property
    def requests(self) -> int:
        self._requests += 10
        return self._requests

    def respond(self, target: str) -> bytes | None:
        if target.startswith("/metrics"):
            return self.metrics()
        if self.prometheus_is == "up":
            return self.prometheus.respond(target)
        assert not isinstance(self.prometheus_is, str)
        return self.prometheus_is


@pytest.fixture
def service(web: WebServer, prometheus: FakePrometheus, exposition: Expose, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(scrape, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(prometheus_module, "BUDGET_S", 1.5)
    made = Service(prometheus, exposition)
    web.respond = made.respond
    return made


@pytest.fixture
async def metrics(web: WebServer, service: Service) -> AsyncIterator[ServiceMetrics]:
    made = ServiceMetrics(PrometheusConfig(url=web.url, scrape=f"{web.url}/metrics", window=60))
    await made.open()
    yield made
    await made.aclose()


async def test_prometheus_is_asked_first_and_the_service_left_alone(metrics: ServiceMetrics, web: WebServer) -> None:
    told = await metrics.latency()
    assert (told.origin, told.p95_s, told.notes) == (Origin.PROMETHEUS, 0.4, ())
    assert "/metrics" not in web.targets


async def test_when_prometheus_is_down_the_service_is_scraped_and_the_note_says_why(
    metrics: ServiceMetrics, service: Service
) -> None:
    service.prometheus_is = reply("Service Unavailable", 503)
    told = await metrics.latency()
    assert (told.origin, told.quality) == (Origin.SCRAPE, Quality.GOOD)
    assert told.p95_s == pytest.approx(0.095)
    assert told.notes[0].startswith("Scraped from the service itself: Prometheus at http://127.0.0.1")
    assert "503" in told.notes[0]


async def test_it_goes_back_to_prometheus_by_itself_and_keeps_the_history(metrics: ServiceMetrics, service: Service) -> None:
    await metrics.latency()
    service.prometheus_is = reply("Service Unavailable", 503)
    away = await metrics.latency()
    assert away.origin is Origin.SCRAPE
    assert len(away.history) >= 1
    service.prometheus_is = "up"
    assert (await metrics.latency()).origin is Origin.PROMETHEUS


async def test_a_frozen_prometheus_delays_only_the_first_reading(metrics: ServiceMetrics, service: Service) -> None:
    service.prometheus_is = None
    started = time.monotonic()
    first = await metrics.latency()
    assert first.origin is Origin.SCRAPE
    assert time.monotonic() - started <= 2.2
    started = time.monotonic()
    assert (await metrics.latency()).origin is Origin.SCRAPE
    assert time.monotonic() - started < 1.2
    service.prometheus_is = "up"
    started = time.monotonic()
    while (await metrics.latency()).origin is not Origin.PROMETHEUS:
        await asyncio.sleep(0.1)
        assert time.monotonic() - started < 5


async def test_an_impatient_caller_still_gets_the_scrape_the_next_time(metrics: ServiceMetrics, service: Service) -> None:
    service.prometheus_is = None
    for _ in range(2):
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                answer = await metrics.latency()
    assert answer.origin is Origin.SCRAPE


async def test_when_prometheus_lacks_the_series_the_service_is_scraped_and_targets_stay(
    metrics: ServiceMetrics, service: Service
) -> None:
    service.prometheus.figures.clear()
    service.prometheus.broken["query_range"] = reply({"status": "success", "data": {"result": []}})
    told = await metrics.latency()
    assert (told.origin, told.quality) == (Origin.SCRAPE, Quality.GOOD)
    assert [target.job for target in told.targets] == ["backend"]
    assert "has no series" in told.notes[0]


async def test_when_neither_has_the_series_prometheus_says_so(metrics: ServiceMetrics, service: Service) -> None:
    service.prometheus.figures.clear()
    service.prometheus.broken["query_range"] = reply({"status": "success", "data": {"result": []}})
    service.metrics = lambda: reply("up 1\n")
    told = await metrics.latency()
    assert (told.origin, told.quality) == (Origin.PROMETHEUS, Quality.NO_SERIES)
    assert any("exposes no" in note for note in told.notes)


@pytest.mark.parametrize("answer", [reply("<html>Log in</html>"), reply("no", 404), b""])
async def test_when_both_fail_both_reasons_are_named(metrics: ServiceMetrics, service: Service, answer: bytes) -> None:
    service.prometheus_is = reply("Service Unavailable", 503)
    service.metrics = lambda: answer
    with pytest.raises(SourceError) as caught:
        await metrics.latency()
    assert caught.value.failure.kind is FailureKind.STARTING
    assert "HTTP 503" in str(caught.value)
    assert "own /metrics: " in str(caught.value)


async def test_without_a_prometheus_the_service_is_scraped_and_queries_are_refused(web: WebServer, service: Service) -> None:
    metrics = ServiceMetrics(PrometheusConfig(scrape=f"{web.url}/metrics", window=60))
    told = await metrics.latency()
    assert (told.origin, told.notes) == (Origin.SCRAPE, ("Scraped from the service itself: no Prometheus is configured.",))
    assert await metrics.version() == "own /metrics"
    with pytest.raises(SourceError) as caught:
        await metrics.query("up")
    assert caught.value.failure.kind is FailureKind.NOT_CONFIGURED
    await metrics.aclose()


async def test_nothing_configured_says_what_to_set() -> None:
    with pytest.raises(SourceError) as caught:
        await ServiceMetrics(PrometheusConfig()).latency()
    assert caught.value.failure.kind is FailureKind.NOT_CONFIGURED


async def test_asking_at_once_scrapes_once(metrics: ServiceMetrics, service: Service, web: WebServer) -> None:
    service.prometheus_is = reply("Service Unavailable", 503)
    await asyncio.gather(*(metrics.latency() for _ in range(5)))
    assert web.targets.count("/metrics") == 2


async def test_closing_is_quick_while_everything_hangs(metrics: ServiceMetrics, service: Service) -> None:
    service.prometheus_is = None
    asking = asyncio.create_task(metrics.latency())
    await asyncio.sleep(0)
    started = time.monotonic()
    await metrics.aclose()
    asking.cancel()
    with suppress(asyncio.CancelledError, SourceError):
        await asking
    assert time.monotonic() - started < 1


async def test_rates_of_answers_come_from_the_service_while_prometheus_is_away(metrics: ServiceMetrics, service: Service) -> None:
    service.prometheus_is = reply("no", status=503)
    found = await metrics.answer_rates()
    assert found
    assert {rate.status for rate in found} == {"200"}


async def test_a_frozen_prometheus_does_not_keep_the_rates_of_answers(
    metrics: ServiceMetrics, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "RATES_PATIENCE_S", 0.1)
    service.prometheus_is = None
    assert await metrics.answer_rates()
