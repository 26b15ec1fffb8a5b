"""How slow the service is, how much it is asked, and which answers fail."""

from dataclasses import dataclass, replace

from guide_stack import NOW, Stack, clock

from console.guides.checks import Outcome, find_check, run_check
from console.guides.checks.traffic import is_rising, is_surge, slowest_endpoint, usual_rate
from console.guides.issue import CheckCall
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.sources.protocols.metrics import AnswerRate, EndpointLatency, Latency, Origin, Point, Quality
from console.system import System


def points(rates: list[float | None], errors: list[float | None] | None = None) -> tuple[Point, ...]:
    """A point a minute, the last one now."""
    errors = errors or [0.0] * len(rates)
    count = len(rates)
    return tuple(
        Point(NOW - 60 * (count - 1 - index), 0.01, 0.05, 0.1, rate, error)
        for index, (rate, error) in enumerate(zip(rates, errors, strict=True))
    )


GOOD = Latency(
    Origin.PROMETHEUS,
    60.0,
    Quality.GOOD,
    0.02,
    0.62,
    1.4,
    requests_per_s=8.0,
    error_percent=0.5,
    endpoints=(
        EndpointLatency("/a", 6.0, 0.05, 0.0),
        EndpointLatency("/b", 1.99, 0.9, 0.0),
        EndpointLatency("/c", 0.01, 9.0, 0.0),
    ),
    history=points([8.0] * 12),
)


@dataclass
class FakeMetrics:
    found: Latency = GOOD
    rates: tuple[AnswerRate, ...] = ()

    async def open(self) -> None: ...

    async def aclose(self) -> None: ...

    async def latency(self) -> Latency:
        return self.found

    async def answer_rates(self) -> tuple[AnswerRate, ...]:
        return self.rates

    async def version(self) -> str:
        return "2.42.0"

    async def query(self, promql: str) -> tuple[tuple[dict[str, str], float], ...]:
        raise SourceError(FailureKind.UNSUPPORTED, f"{promql} is not known here.")


async def checked(name: str, metrics: FakeMetrics | None) -> Outcome:
    check = find_check(name)
    assert check is not None
    stack = Stack()
    readings = Readings(System(stack.config, host=stack.host, metrics=metrics), wall=clock)
    outcome = await run_check(CheckCall(name, check.parameters.model_validate({})), readings)
    readings.close()
    return outcome


async def test_the_slowest_endpoint_is_one_that_is_asked_often_enough() -> None:
    outcome = await checked("traffic.latency", FakeMetrics())
    assert outcome.facts == {
        "quality": "good",
        "p95_ms": 620.0,
        "p99_ms": 1400.0,
        "requests_per_s": 8.0,
        "error_percent": 0.5,
        "slowest": "/b",
        "slowest_p95_ms": 900.0,
        "slowest_share_percent": 24.88,
        "surge": False,
    }
    assert outcome.headline == "p95 is 620 ms, 8.0 requests a second, slowest is /b with 900 ms."
    assert slowest_endpoint(()) is None


async def test_no_traffic_is_no_p95_and_never_a_good_one() -> None:
    quiet = replace(GOOD, quality=Quality.NO_TRAFFIC, p95_s=None, p99_s=None, requests_per_s=0.0, endpoints=())
    outcome = await checked("traffic.latency", FakeMetrics(quiet))
    assert (outcome.facts["p95_ms"], outcome.facts["requests_per_s"], outcome.facts["slowest"]) == (None, 0.0, None)
    assert "No request came" in outcome.unread[0].message


def test_a_surge_is_twice_the_usual_rate_and_needs_a_history() -> None:
    assert is_surge(20.0, usual_rate(points([8.0] * 12))) is True
    assert is_surge(15.0, usual_rate(points([8.0] * 12))) is False
    assert is_surge(0.9, usual_rate(points([0.2] * 12))) is False
    assert is_surge(20.0, usual_rate(points([8.0] * 3))) is None
    assert is_surge(20.0, usual_rate(points([None] * 12))) is None
    # What is usual is told by what was before, not by the surge itself.
    assert is_surge(20.0, usual_rate(points([8.0] * 8 + [20.0, 20.0]))) is True


def test_what_comes_again_after_an_outage_is_no_surge() -> None:
    minutes = points([8.0] * 5 + [0.9] * 12)
    hung = tuple(replace(point, p95_s=4.0) for point in minutes[5:])
    assert usual_rate(minutes[4:5] + hung, 0.05) == 8.0
    assert usual_rate((*minutes[:5], *hung), 0.05) == 8.0
    assert usual_rate(points([8.0] * 5 + [1.0] * 12, [0.0] * 5 + [60.0] * 12), 0.05) == 8.0
    # Just after a start few have come; they are outnumbered by a quarter of ordinary minutes.
    assert is_surge(8.0, usual_rate(points([8.0] * 6 + [1.0] * 10))) is False
    # A service that is always slow knows what is usual all the same.
    assert usual_rate(tuple(replace(point, p95_s=0.9) for point in points([3.0] * 12)), 0.8) == 3.0


def test_errors_rise_when_their_share_is_over_twice_what_it_was() -> None:
    rates: list[float | None] = [8.0] * 12
    assert is_rising(points(rates, [0.5] * 10 + [4.0, 5.0])) is True
    assert is_rising(points(rates, [4.0] * 10 + [4.0, 5.0])) is False
    assert is_rising(points(rates, [0.0] * 10 + [0.5, 0.5])) is False
    assert is_rising(points(rates, [None] * 12)) is None


async def test_errors_are_told_by_kind_and_place() -> None:
    rates = (
        AnswerRate("/a", "200", 7.0),
        AnswerRate("/b", "500", 0.6),
        AnswerRate("/b", "503", 0.2),
        AnswerRate("/a", "502", 0.2),
        AnswerRate("/a", "404", 1.0),
        AnswerRate("/c", "429", 1.0),
    )
    outcome = await checked("traffic.errors", FakeMetrics(rates=rates))
    assert outcome.facts == {
        "error_percent": 10.0,
        "client_error_percent": 20.0,
        "s5xx": 1.0,
        "s4xx": 2.0,
        "s403": 0.0,
        "s404": 1.0,
        "s422": 0.0,
        "s429": 1.0,
        "top": "/b",
        "top_share_percent": 80.0,
        "rising": False,
    }
    assert outcome.evidence[0] == "500  0.60 a second  /b"


async def test_a_service_that_counts_in_classes_tells_no_single_status() -> None:
    rates = (AnswerRate("/a", "2xx", 9.0), AnswerRate("/a", "5xx", 1.0))
    outcome = await checked("traffic.errors", FakeMetrics(rates=rates))
    assert (outcome.facts["error_percent"], outcome.facts["s404"]) == (10.0, None)


async def test_no_answer_at_all_is_no_error_rate() -> None:
    quiet = replace(GOOD, quality=Quality.NO_TRAFFIC, history=())
    outcome = await checked("traffic.errors", FakeMetrics(quiet))
    assert outcome.facts["error_percent"] is None
    assert outcome.unread
    none = replace(GOOD, quality=Quality.NO_SERIES, notes=("The target backend:8000 is down.",))
    outcome = await checked("traffic.errors", FakeMetrics(none))
    assert outcome.failure is not None
    assert "backend:8000 is down" in outcome.failure.message


async def test_without_metrics_it_is_a_matter_of_configuration() -> None:
    outcome = await checked("traffic.latency", None)
    assert outcome.failure is not None
    assert "No Prometheus is configured" in outcome.failure.message
