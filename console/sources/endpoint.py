"""The configured HTTP endpoints of a system, asked with httpx."""

from collections.abc import Mapping

from console.reading import FailureKind, SourceError
from console.sources.http_client import HttpClient
from console.sources.http_get import build_client, fetch, shown
from console.sources.protocols.endpoint import Answer
from console.text import block, clean

BODY_BYTES = 64 * 1024
BODY_LINES = 2_000


class HttpEndpoints:
    """GETs by name. A redirect is an answer like any other: what a load balancer is sent to is worth seeing."""

    def __init__(self, endpoints: Mapping[str, str]) -> None:
        self._urls = dict(endpoints)
        self._client = HttpClient(build_client)

    async def open(self) -> None:
        """Nothing is imported before the first question."""

    async def aclose(self) -> None:
        await self._client.aclose()

    def names(self) -> tuple[str, ...]:
        return tuple(self._urls)

    async def get(self, name: str) -> Answer:
        """GET the endpoint `name`, at most 4 s; the body up to 64 KiB, each line cleaned.

        Raises NOT_CONFIGURED, REFUSED, TIMEOUT, MISSING (its host name does not resolve), UNSUPPORTED (no TLS could be
        agreed on), GARBAGE (not HTTP) and LOST.
        """
        if name not in self._urls:
            known = ", ".join(self._urls) or "none"
            raise SourceError(
                FailureKind.NOT_CONFIGURED,
                f"No endpoint {name!r} is configured; there is {known}.",
                f'Set {name} = "http://…" in the endpoints table of the system in config.toml.',
            )
        url = self._urls[name]
        fetched = await fetch(await self._client.ready(), url, limit_bytes=BODY_BYTES)
        headers = {clean(key, 200).lower(): clean(value, 1_000) for key, value in fetched.headers}
        body = "\n".join(block(fetched.body, lines=BODY_LINES, limit=BODY_BYTES))
        return Answer(shown(url), fetched.status, fetched.elapsed_s, headers, body)
