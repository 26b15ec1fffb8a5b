"""The service's own /metrics, scraped by us."""

import asyncio
import time
from collections.abc import Callable

from console.config_sources import PrometheusConfig
from console.reading import FailureKind, SourceError
from console.sources.http_client import HttpClient
from console.sources.http_get import build_client, fetch, shown
from console.sources.metrics.window import ScrapeWindow
from console.sources.private_thread import PrivateThread
from console.sources.protocols.metrics import AnswerRate, Latency

EVERY_S = 2.0
FIRST_PAUSE_S = 1.0
"""Between the first two scrapes: a rate needs two, and somebody is waiting."""
LARGEST_BYTES = 16 * 1024 * 1024
READ_TEXT_S = 3.0
TEXT_FORMAT = "text/plain;version=0.0.4"


class Scraper:
    """Scrapes when it is asked, at most every two seconds, and keeps the window."""

    def __init__(self, config: PrometheusConfig, clock: Callable[[], float] = time.time) -> None:
        self._config = config
        self._clock = clock
        self._window = ScrapeWindow(config)
        self._scraped_at = 0.0
        self._client = HttpClient(build_client)
        self._thread = PrivateThread("scrape")
        self._turn = asyncio.Lock()

    async def latency(self) -> Latency:
        """Percentiles of the window as far as we have scraped; the first answer takes a second more than the others."""
        async with self._turn:
            await self._renew()
            return self._window.latency()

    async def answer_rates(self) -> tuple[AnswerRate, ...]:
        """Answers a second by endpoint and status, over the window as far as we have scraped."""
        async with self._turn:
            await self._renew()
            return self._window.answer_rates()

    async def scrape(self) -> None:
        """One scrape. Raises SourceError when there is no answer, or none in the text format."""
        name = shown(self._config.scrape)
        fetched = await fetch(await self._client.ready(), self._config.scrape, limit_bytes=LARGEST_BYTES, accept=TEXT_FORMAT)
        at = self._clock()
        if fetched.status != 200:
            kinds = {401: FailureKind.LOGIN, 403: FailureKind.FORBIDDEN, 404: FailureKind.MISSING, 503: FailureKind.STARTING}
            kind = kinds.get(fetched.status, FailureKind.LOST)
            raise SourceError(kind, f"{name} answered HTTP {fetched.status}.", "Check `scrape` in config.toml.")
        if fetched.cut:
            raise SourceError(FailureKind.GARBAGE, f"{name} is longer than {LARGEST_BYTES >> 20} MiB.", "Expose fewer series.")
        try:
            # A large text takes a while to read: not on the event loop.
            await self._thread.run(lambda: self._window.add(fetched.body.decode("utf-8", "replace"), at), timeout_s=READ_TEXT_S)
        except TimeoutError:
            raise SourceError(
                FailureKind.TIMEOUT, f"{name} is too long to be read in {READ_TEXT_S:g} s.", "Expose fewer series."
            ) from None
        except ValueError as error:
            raise SourceError(
                FailureKind.GARBAGE, f"{name} could not be read: {error}.", "Check `scrape` in config.toml."
            ) from None
        self._scraped_at = at

    async def _renew(self) -> None:
        if not 0 <= self._clock() - self._scraped_at < EVERY_S:
            await self.scrape()
        if self._window.scrapes == 1:
            await asyncio.sleep(FIRST_PAUSE_S)
            await self.scrape()

    async def aclose(self) -> None:
        self._thread.stop()
        await self._client.aclose()
