import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from fake_prometheus import FakePrometheus
from web_server import WebServer, reply

from console.config_sources import PrometheusConfig
from console.reading import FailureKind, SourceError
from console.sources.metrics import prometheus as prometheus_module
from console.sources.metrics.prometheus import Prometheus
from console.sources.protocols.metrics import EndpointLatency, Origin, Quality


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def source(web: WebServer, prometheus: FakePrometheus, clock: Clock) -> AsyncIterator[Prometheus]:
    made = Prometheus(PrometheusConfig(url=web.url, window=60), clock)
    yield made
    await made.aclose()


async def failure(source: Prometheus) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await source.latency()
    return caught.value


async def test_a_reading_holds_figures_endpoints_history_targets_and_alerts(source: Prometheus) -> None:
    told = await source.latency()
    assert (told.origin, told.quality, told.window_s) == (Origin.PROMETHEUS, Quality.GOOD, 60.0)
    assert (told.p50_s, told.p95_s, told.p99_s, told.requests_per_s, told.error_percent) == (0.05, 0.4, 1.2, 12.5, 1.5)
    assert told.endpoints == (EndpointLatency("/grades", 2.0, 2.0, 2.0),)
    assert [target.job for target in told.targets] == ["backend"]
    assert [alert.name for alert in told.alerts] == ["Slow"]
    assert len(told.history) == 60
    assert told.history[-1].p95_s == 0.4
    assert told.notes == ()


async def test_only_the_figures_are_asked_each_time(source: Prometheus, web: WebServer, clock: Clock) -> None:
    await source.latency()
    first = len(web.targets)
    clock.now += 1
    await source.latency()
    assert len(web.targets) - first == 1
    clock.now += 5
    await source.latency()
    assert len(web.targets) - first == 1 + 7


async def test_of_the_history_only_the_new_end_is_asked(source: Prometheus, prometheus: FakePrometheus) -> None:
    await source.latency()
    prometheus.now += 31
    told = await source.latency()
    (old_start, old_end), (start, end) = prometheus.ranges
    assert (old_end - old_start, start - old_end, end - start) == (59 * 15, 15, 15)
    assert [point.at for point in told.history] == [end - 15 * step for step in range(59, -1, -1)]


async def test_steps_without_data_are_gaps(source: Prometheus, prometheus: FakePrometheus) -> None:
    prometheus.broken["query_range"] = reply({"status": "success", "data": {"result": []}})
    told = await source.latency()
    assert len(told.history) == 60
    assert {point.p95_s for point in told.history} == {None}


async def test_no_series_says_what_to_look_at(source: Prometheus, prometheus: FakePrometheus) -> None:
    prometheus.figures.clear()
    prometheus.broken["query_range"] = reply({"status": "success", "data": {"result": []}})
    told = await source.latency()
    assert told.quality is Quality.NO_SERIES
    assert told.p95_s is None
    assert told.notes[0].startswith("Prometheus has no series http_request_duration_seconds_bucket")


async def test_no_series_names_the_target_that_is_down(source: Prometheus, prometheus: FakePrometheus) -> None:
    prometheus.figures.clear()
    down = {"labels": {"job": "backend", "instance": "backend:8000"}, "health": "down", "lastError": "connection refused"}
    prometheus.broken["targets"] = reply({"status": "success", "data": {"activeTargets": [down]}})
    told = await source.latency()
    assert told.notes[0].endswith("its target backend backend:8000 is down: connection refused")


async def test_warnings_of_the_server_are_notes(source: Prometheus, prometheus: FakePrometheus) -> None:
    prometheus.warnings.append("some \x1b[31mpartial data")
    assert (await source.latency()).notes == ("some partial data",)


async def test_a_part_that_cannot_be_read_is_unknown_and_the_rest_is_there(
    source: Prometheus, prometheus: FakePrometheus
) -> None:
    prometheus.broken = {"targets": reply("404 page not found", 404), "alerts": reply({"status": "success", "data": []})}
    told = await source.latency()
    assert told.p95_s == 0.4
    assert (told.targets, told.alerts) == ((), ())
    assert [note.partition(":")[0] for note in told.notes] == ["Targets", "Alerts"]


async def test_a_p95_in_the_last_bucket_is_saturated(source: Prometheus, prometheus: FakePrometheus) -> None:
    prometheus.figures["p95"] = "10"
    assert (await source.latency()).saturated_s == 10.0


async def test_version_and_query(source: Prometheus) -> None:
    assert await source.version() == "2.42.0"
    assert ({"figure": "rate"}, 12.5) in await source.query("up")


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (reply("<html>Log in</html>"), FailureKind.GARBAGE),
        (reply("{"), FailureKind.GARBAGE),
        (reply([1, 2]), FailureKind.GARBAGE),
        (reply({"status": "success", "data": {}}), FailureKind.GARBAGE),
        (reply({"status": "success", "data": {"result": [{"metric": 3}]}}), FailureKind.GARBAGE),
        (b"\x16\x03\x01garbage\r\n\r\n", FailureKind.GARBAGE),
        (b"", FailureKind.LOST),
        (reply({"status": "error", "errorType": "bad_data", "error": "parse error"}, 400), FailureKind.UNSUPPORTED),
        (reply({"status": "error", "errorType": "execution", "error": "too many"}, 422), FailureKind.UNSUPPORTED),
        (reply({"status": "error", "errorType": "timeout", "error": "query timed out"}, 503), FailureKind.TIMEOUT),
        (reply("Service Unavailable", 503), FailureKind.STARTING),
        (reply("no", 401), FailureKind.LOGIN),
        (reply("no", 403), FailureKind.FORBIDDEN),
        (reply("no", 404), FailureKind.MISSING),
        (reply("oops", 500), FailureKind.LOST),
    ],
)
async def test_each_failure_has_its_kind_and_the_server_is_asked_once(
    source: Prometheus, web: WebServer, prometheus: FakePrometheus, raw: bytes, kind: FailureKind
) -> None:
    prometheus.broken["query"] = raw
    error = await failure(source)
    assert error.failure.kind is kind, str(error)
    assert "127.0.0.1" in error.failure.message
    assert len(web.targets) == 1


async def test_the_reason_of_the_server_is_told_clean(source: Prometheus, prometheus: FakePrometheus) -> None:
    prometheus.broken["query"] = reply({"status": "error", "errorType": "timeout", "error": "query \x1b[2Jtimed out"}, 503)
    assert "HTTP 503: query timed out." in str(await failure(source))


async def test_a_refused_port_is_told_at_once(free_port: int) -> None:
    source = Prometheus(PrometheusConfig(url=f"http://me:geheim@127.0.0.1:{free_port}"))
    started = time.monotonic()
    error = await failure(source)
    assert error.failure.kind is FailureKind.REFUSED
    assert "geheim" not in str(error)
    assert time.monotonic() - started < 2
    await source.aclose()


async def test_a_frozen_server_is_a_timeout_in_time_and_comes_back(source: Prometheus, prometheus: FakePrometheus) -> None:
    prometheus.broken["query"] = None
    started = time.monotonic()
    assert (await failure(source)).failure.kind is FailureKind.TIMEOUT
    assert time.monotonic() - started <= 3.5
    prometheus.broken.clear()
    assert (await source.latency()).p95_s == 0.4


async def test_a_server_that_drips_is_a_timeout_in_time(
    source: Prometheus, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus_module, "WAIT_S", 0.8)
    web.drip_s = 0.05
    started = time.monotonic()
    assert (await failure(source)).failure.kind is FailureKind.TIMEOUT
    assert time.monotonic() - started <= 1.2


async def test_the_loop_runs_on_while_the_server_is_frozen(
    source: Prometheus, prometheus: FakePrometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus_module, "BUDGET_S", 0.6)
    prometheus.broken["query"] = None
    asking = asyncio.create_task(source.latency())
    longest = 0.0
    while not asking.done():
        before = time.monotonic()
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - before)
    assert isinstance(asking.exception(), SourceError)
    assert longest < 0.5
