"""Prometheus of a simulated stack: the world's scrapes, read by the histogram rules of the live source."""

import dataclasses
import math

from console.config_sources import PrometheusConfig
from console.practice.simulated.world import Scrape, World
from console.reading import FailureKind, SourceError
from console.sources.metrics.window import HISTORY_S, STEP_S
from console.sources.protocols.metrics import Alert, AnswerRate, Latency, Origin, Point, Quality, Target

SLOW_S = 0.5
FAILING_PERCENT = 5.0
PENDING_S = 15.0


class SimulatedMetrics:
    """Implements `console.sources.protocols.metrics.Metrics` on a world."""

    def __init__(self, world: World, config: PrometheusConfig) -> None:
        self._world = world
        self._config = config

    async def open(self) -> None:
        """Nothing to prepare."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def latency(self) -> Latency:
        await self._reach()
        world, now = self._world, self._world.now
        scrapes = world.scrapes
        newest_up = max((scrape.at for scrape in scrapes if scrape.up), default=-math.inf)
        latency = world.window.latency()
        history = tuple(point for point in latency.history if point.at > now - HISTORY_S)
        if now - newest_up >= self._config.window:
            latency = Latency(Origin.PROMETHEUS, self._config.window, Quality.NO_SERIES, None, None, None)
        silent_steps = int((now - max(newest_up, now - HISTORY_S)) / STEP_S)
        history += tuple(Point(now - STEP_S * (silent_steps - 1 - step), None, None, None) for step in range(silent_steps))
        if not self._config.url:
            return dataclasses.replace(latency, origin=Origin.SCRAPE, history=history)
        return dataclasses.replace(
            latency,
            origin=Origin.PROMETHEUS,
            history=history,
            targets=(self._target(scrapes[-1]),) if scrapes else (),
            alerts=tuple(alert for alert in self._alerts(history) if alert is not None),
        )

    async def answer_rates(self) -> tuple[AnswerRate, ...]:
        await self._reach()
        newest_up = max((scrape.at for scrape in self._world.scrapes if scrape.up), default=-math.inf)
        # Counters of a window that lies behind tell nothing of now.
        return self._world.window.answer_rates() if self._world.now - newest_up < self._config.window else ()

    async def version(self) -> str:
        await self._reach()
        return "2.42.0"

    async def query(self, promql: str) -> tuple[tuple[dict[str, str], float], ...]:
        await self._reach()
        scrapes = self._world.scrapes
        if promql.strip() == "up" and scrapes:
            return (({"__name__": "up", "job": "backend", "instance": "backend:8000"}, float(scrapes[-1].up)),)
        raise SourceError(FailureKind.UNSUPPORTED, "The simulated Prometheus answers only `up`.", "Practise this on the lab.")

    async def _reach(self) -> None:
        await self._world.settle()
        if not self._config.url:
            self._reach_service()
        elif not self._world.machine.engine_up:
            message = f"Prometheus at {self._config.url} refused the connection: nothing listens there."
            raise SourceError(FailureKind.REFUSED, message, "Is it running?")

    def _reach_service(self) -> None:
        """Without a Prometheus the service itself is read."""
        world = self._world
        if not world.reachable():
            message = f"{self._config.scrape} refused the connection: nothing listens there."
            raise SourceError(FailureKind.REFUSED, message, "Is the service running?")
        if world.backend.frozen:
            raise SourceError(
                FailureKind.TIMEOUT, f"{self._config.scrape} has not answered within 4.0 s.", "It may be overloaded."
            )

    def _target(self, newest: Scrape) -> Target:
        error = "" if newest.up else 'Get "http://backend:8000/metrics": dial tcp 172.18.0.5:8000: connect: connection refused'
        return Target("backend", "backend:8000", newest.up, error, newest.at)

    def _alerts(self, history: tuple[Point, ...]) -> tuple[Alert | None, ...]:
        scrapes, now = self._world.scrapes, self._world.now
        down_since = _since([(scrape.at, not scrape.up) for scrape in scrapes])
        failing_since = _since([(scrape.at, _failing(scrapes, number)) for number, scrape in enumerate(scrapes)])
        slow_since = _since([(point.at, point.p95_s is not None and point.p95_s > SLOW_S) for point in history])
        return (
            _alert("BackendDown", "critical", "Prometheus cannot scrape the backend", down_since, now),
            _alert("HighErrorRate", "high", "More than 5 % of the requests fail", failing_since, now),
            _alert("SlowResponses", "medium", "The p95 is above 500 ms", slow_since, now),
        )


def _failing(scrapes: list[Scrape], number: int) -> bool:
    """Whether more than 5 % of the requests of the last minute failed, as seen at the scrape of that number."""
    now = scrapes[number]
    before = next((item for item in scrapes[max(0, number - 12) : number] if item.up and item.requests <= now.requests), None)
    if before is None or not now.up or now.requests == before.requests:
        return False
    return 100 * (now.errors - before.errors) / (now.requests - before.requests) > FAILING_PERCENT


def _since(states: list[tuple[float, bool]]) -> float | None:
    """Since when the condition has held without a break up to the last state; None when it does not hold."""
    since = None
    for at, holds in reversed(states):
        if not holds:
            break
        since = at
    return since


def _alert(name: str, severity: str, summary: str, since: float | None, now: float) -> Alert | None:
    if since is None:
        return None
    return Alert(name, "firing" if now - since >= PENDING_S else "pending", severity, since, summary)
