"""The metrics of one service: from Prometheus, and from the service's own /metrics while that cannot tell."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import replace

from console.config_sources import PrometheusConfig
from console.reading import FailureKind, SourceError
from console.sources.metrics.answers import Series
from console.sources.metrics.prometheus import Prometheus
from console.sources.metrics.scrape import Scraper
from console.sources.metrics.window import HISTORY_S
from console.sources.protocols.metrics import AnswerRate, Latency, Point, Quality

PATIENCE_S = 0.5
"""Prometheus has so long before the service is scraped as well, in case that it is needed."""
RATES_PATIENCE_S = 1.2
"""The same for the rates of answers, which nobody asks for every second: scraping takes another second, a check has three."""


class ServiceMetrics:
    """Prometheus first, and again as soon as it is back; a note says why when figures do not come from it."""

    def __init__(self, config: PrometheusConfig, clock: Callable[[], float] = time.time) -> None:
        self._prometheus = Prometheus(config, clock) if config.url else None
        self._scraper = Scraper(config, clock) if config.scrape else None
        self._attempt: asyncio.Task[Latency] | None = None
        self._away = False
        self._history: tuple[Point, ...] = ()

    async def open(self) -> None:
        """Nothing is imported or connected before the first question."""

    async def aclose(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
        for source in (self._prometheus, self._scraper):
            if source is not None:
                await source.aclose()

    async def latency(self) -> Latency:
        """The service's figures; raises SourceError, when both ways fail one that names both reasons."""
        if self._prometheus is None:
            return _explained(await self._need_scraper().latency(), "no Prometheus is configured.")
        if self._scraper is None:
            return await self._prometheus.latency()
        attempt = self._ask(self._prometheus)
        await asyncio.wait({attempt}, timeout=PATIENCE_S)
        if _told(attempt):
            return self._from_prometheus(attempt.result())
        scrape = asyncio.create_task(self._scraper.latency())
        scrape.add_done_callback(_fetched)
        try:
            waiting: set[asyncio.Task[Latency]] = {attempt, scrape}
            while waiting and not _told(attempt) and not (_answered(scrape) and (self._away or attempt.done())):
                _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if _told(attempt):
                return self._from_prometheus(attempt.result())
            if _answered(scrape):
                return self._from_scrape(scrape.result(), attempt)
            return self._neither(attempt, scrape)
        finally:
            scrape.cancel()

    async def answer_rates(self) -> tuple[AnswerRate, ...]:
        """How often each endpoint answers with each status; scraped when Prometheus fails or knows no such answers."""
        if self._prometheus is None:
            return await self._need_scraper().answer_rates()
        if self._scraper is None:
            return await self._prometheus.answer_rates()
        try:
            async with asyncio.timeout(RATES_PATIENCE_S):
                found = await self._prometheus.answer_rates()
        except (SourceError, TimeoutError):
            return await self._scraper.answer_rates()
        if found:
            return found
        try:
            return await self._scraper.answer_rates()
        except SourceError:
            return found

    async def version(self) -> str:
        """The version of Prometheus; without one, word that the service's own /metrics can be read."""
        if self._prometheus is not None:
            return await self._prometheus.version()
        await self._need_scraper().scrape()
        return "own /metrics"

    async def query(self, promql: str) -> Series:
        """An instant query to Prometheus; raises NOT_CONFIGURED without one: a scrape answers no queries."""
        if self._prometheus is None:
            raise SourceError(FailureKind.NOT_CONFIGURED, "No Prometheus is configured to query.", "Set `url` in its table.")
        return await self._prometheus.query(promql)

    def _need_scraper(self) -> Scraper:
        if self._scraper is None:
            message = "Neither a Prometheus nor the service's own /metrics is configured."
            raise SourceError(FailureKind.NOT_CONFIGURED, message, "Set `url` or `scrape` in its table in config.toml.")
        return self._scraper

    def _ask(self, prometheus: Prometheus) -> "asyncio.Task[Latency]":
        """One question at a time: a server that hangs is not asked again before it answered the last one."""
        if self._attempt is None or self._attempt.done():
            self._attempt = asyncio.create_task(prometheus.latency())
            self._attempt.add_done_callback(self._ended)
        return self._attempt

    def _ended(self, attempt: "asyncio.Task[Latency]") -> None:
        _fetched(attempt)
        self._away = not _answered(attempt)

    def _from_prometheus(self, answer: Latency) -> Latency:
        self._history = answer.history
        return answer

    def _from_scrape(self, scraped: Latency, attempt: "asyncio.Task[Latency]") -> Latency:
        """The scraped figures, with what Prometheus still tells and its history before the scrapes began."""
        told = attempt.result() if _answered(attempt) else None
        if told is not None and scraped.quality is Quality.NO_SERIES:
            return replace(told, notes=(*told.notes, *scraped.notes))
        began = scraped.history[0].at if scraped.history else float("inf")
        newest = scraped.history[-1].at if scraped.history else 0.0
        history = tuple(point for point in self._history if newest - HISTORY_S <= point.at < began) + scraped.history
        if told is None:
            return _explained(replace(scraped, history=history), _reason(attempt))
        return _explained(
            replace(scraped, history=history, targets=told.targets, alerts=told.alerts), told.notes[0], *told.notes[1:]
        )

    def _neither(self, attempt: "asyncio.Task[Latency]", scrape: "asyncio.Task[Latency]") -> Latency:
        failed = scrape.exception()
        if not isinstance(failed, SourceError):
            return scrape.result()
        if _answered(attempt):
            told = attempt.result()
            return replace(told, notes=(*told.notes, f"The service's own /metrics cannot tell either: {failed.failure.message}"))
        error = attempt.exception()
        if not isinstance(error, SourceError):
            return attempt.result()
        message = f"{error.failure.message} The service's own /metrics: {failed.failure.message}"
        raise SourceError(error.failure.kind, message, failed.failure.advice)


def _answered(task: "asyncio.Task[Latency]") -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _told(attempt: "asyncio.Task[Latency]") -> bool:
    """Whether Prometheus answered, and knows the service."""
    return _answered(attempt) and attempt.result().quality is not Quality.NO_SERIES


def _reason(attempt: "asyncio.Task[Latency]") -> str:
    if not attempt.done():
        return "Prometheus has not answered yet."
    error = attempt.exception()
    return error.failure.message if isinstance(error, SourceError) else f"Prometheus failed: {type(error).__name__}."


def _explained(scraped: Latency, reason: str, *notes: str) -> Latency:
    return replace(scraped, notes=(f"Scraped from the service itself: {reason}", *notes, *scraped.notes))


def _fetched(attempt: "asyncio.Task[Latency]") -> None:
    """Look at the late exception of an attempt for which nobody waits any more."""
    with contextlib.suppress(asyncio.CancelledError):
        attempt.exception()
