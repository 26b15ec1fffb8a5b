"""The latency of a service as Prometheus computes it, asked in a thread of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from console.config_sources import PrometheusConfig
from console.reading import FailureKind, SourceError
from console.sources.http_get import shown
from console.sources.metrics import answers
from console.sources.metrics.connection import Connection
from console.sources.metrics.queries import build
from console.sources.metrics.window import HISTORY_S, STEP_S
from console.sources.private_thread import PrivateThread
from console.sources.protocols.metrics import Alert, AnswerRate, EndpointLatency, Latency, Origin, Point, Quality, Target
from console.text import clean

T = TypeVar("T")

BUDGET_S = 3.0
"""For all HTTP of one reading."""
WAIT_S = 3.4
"""For a reading, waiting for the thread included."""
DETAILS_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class _Details:
    """What changes slowly. A part that could not be read is empty and has its reason in `notes`."""

    read_at: float
    bound_s: float | None = None
    endpoints: tuple[EndpointLatency, ...] = ()
    targets: tuple[Target, ...] = ()
    alerts: tuple[Alert, ...] = ()
    notes: tuple[str, ...] = ()


class Prometheus:
    """One Prometheus and one service's histogram in it.

    The percentiles are read on every call; endpoints, targets and alerts every five seconds; of the history only the new
    end, every fifteen.
    """

    def __init__(self, config: PrometheusConfig, clock: Callable[[], float] = time.time) -> None:
        self._config = config
        self._clock = clock
        self._queries = build(config)
        self._thread = PrivateThread("prometheus")
        self._connection: Connection | None = None
        self._details: _Details | None = None
        self._history: list[Point] = []

    async def latency(self) -> Latency:
        return await self._ask(self._latency)

    async def version(self) -> str:
        def ask(connection: Connection) -> str:
            data = connection.get("status/buildinfo")
            return clean(str(data.get("version", "")), 40) if isinstance(data, dict) else ""

        return await self._ask(ask)

    async def query(self, promql: str) -> answers.Series:
        return await self._ask(lambda connection: answers.series(connection.query(promql)))

    async def answer_rates(self) -> tuple[AnswerRate, ...]:
        found = await self.query(self._queries.answer_rates)
        return answers.answer_rates(found, self._config.endpoint_label, self._config.status_label)

    async def aclose(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._thread.stop()

    async def _ask(self, question: Callable[[Connection], T]) -> T:
        def ask() -> T:
            if self._connection is None:
                self._connection = Connection(self._config.url)
            self._connection.begin(BUDGET_S)
            return question(self._connection)

        name = f"Prometheus at {shown(self._config.url)}"
        try:
            return await self._thread.run(ask, timeout_s=WAIT_S)
        except TimeoutError:
            advice = "It may be frozen or overloaded; asking goes on."
            raise SourceError(FailureKind.TIMEOUT, f"{name} has not answered within {WAIT_S:g} s.", advice) from None
        except ValueError as error:
            message = f"What {name} answered could not be read: {clean(str(error), 200)}."
            raise SourceError(FailureKind.GARBAGE, message, "Is this a Prometheus?") from None

    def _latency(self, connection: Connection) -> Latency:
        figures = answers.figures(connection.query(self._queries.figures))
        now = self._clock()
        if self._details is None or now - self._details.read_at >= DETAILS_EVERY_S:
            self._details = self._read_details(connection, now)
        notes = [*self._details.notes, *self._extend_history(connection, figures.at or now), *connection.warnings]
        if figures.quality is Quality.NO_SERIES:
            notes.insert(0, self._why_no_series(self._details))
        return Latency(
            origin=Origin.PROMETHEUS,
            window_s=float(self._config.window),
            quality=figures.quality,
            p50_s=figures.p50_s,
            p95_s=figures.p95_s,
            p99_s=figures.p99_s,
            saturated_s=answers.saturated(figures.p95_s, self._details.bound_s),
            requests_per_s=figures.requests_per_s,
            error_percent=figures.error_percent,
            endpoints=self._details.endpoints,
            history=tuple(self._history),
            targets=self._details.targets,
            alerts=self._details.alerts,
            notes=tuple(dict.fromkeys(notes)),
        )

    def _read_details(self, connection: Connection, now: float) -> _Details:
        notes: list[str] = []

        def part(what: str, question: Callable[[], T], otherwise: T) -> T:
            try:
                return question()
            except SourceError as error:
                notes.append(f"{what}: unknown. {error.failure.message}")
            except ValueError as error:
                notes.append(f"{what}: unknown, the answer could not be read ({clean(str(error), 100)}).")
            return otherwise

        def endpoints() -> tuple[EndpointLatency, ...]:
            queries = (self._queries.endpoint_rates, self._queries.endpoint_p95s, self._queries.endpoint_errors)
            rates, p95s, errors = (answers.series(connection.query(query)) for query in queries)
            return answers.endpoints(rates, p95s, errors, self._config.endpoint_label)

        return _Details(
            read_at=now,
            bound_s=part("Largest bucket", lambda: answers.largest_bound(connection.query(self._queries.bounds)), None),
            endpoints=part("Endpoints", endpoints, ()),
            targets=part("Targets", lambda: answers.targets(connection.get("targets?state=active")), ()),
            alerts=part("Alerts", lambda: answers.alerts(connection.get("alerts")), ()),
            notes=tuple(notes),
        )

    def _extend_history(self, connection: Connection, server_now: float) -> tuple[str, ...]:
        """Ask for the steps that are not there yet. Steps lie on whole multiples, so that old ones never change."""
        end = server_now // STEP_S * STEP_S
        start = end - HISTORY_S + STEP_S
        if self._history and self._history[-1].at > end:
            self._history.clear()  # the server's clock was set back
        if self._history:
            start = max(start, self._history[-1].at + STEP_S)
        if start > end:
            return ()
        try:
            found = answers.history(connection.query_range(self._queries.history, start, end, STEP_S))
        except SourceError as error:
            return (f"History: unknown. {error.failure.message}",)
        steps = [start + STEP_S * index for index in range(int((end - start) / STEP_S) + 1)]
        self._history.extend(found.get(at, Point(at, None, None, None)) for at in steps)
        del self._history[: -int(HISTORY_S / STEP_S)]
        return ()

    def _why_no_series(self, details: _Details) -> str:
        duration = self._config.duration
        down = next((target for target in details.targets if not target.up), None)
        if down is not None:
            return f"Prometheus has no recent samples of {duration}; its target {down.job} {down.instance} is down: {down.error}"
        if details.bound_s is None:
            return f"Prometheus has no series {duration}_bucket: is the service a target of it, and is `duration` right?"
        return f"Prometheus has too few samples of {duration} in {self._config.window} s: `window` must span 4 scrapes."
