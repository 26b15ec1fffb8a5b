"""Questions to one Prometheus over `prometheus_api_client`, made to end in time. For one thread only.

The package hangs for ever by default, repeats questions to a server that says it is overloaded, and drops warnings
(its 0.7.2: `timeout=None`, `Retry(total=3)`); alerts, build information and limits on targets it lacks.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from console.reading import FailureKind, SourceError
from console.sources.http_get import failure_of, is_loopback, shown
from console.sources.metrics import answers
from console.text import clean

if TYPE_CHECKING:
    import requests

T = TypeVar("T")

CONNECT_S = 2.0
READ_S = 3.0
SERVER_TIMEOUT = "2500ms"
"""The server gives up, too: what it computes for nobody is what drowns it."""
LARGEST_BYTES = 16 * 1024 * 1024


class Connection:
    """One session with one Prometheus. Every method raises SourceError, also when the time of `begin` is over."""

    def __init__(self, url: str) -> None:
        import requests
        from prometheus_api_client import PrometheusConnect
        from urllib3.util.retry import Retry

        self._url = url.rstrip("/")
        self._name = f"Prometheus at {shown(self._url)}"
        self._deadline = 0.0
        self._warnings: list[str] = []
        self._session = requests.Session()
        self._session.trust_env = not is_loopback(url)  # a proxy from the environment cannot know this machine
        self._session.hooks["response"].append(self._receive)
        self._client = PrometheusConnect(self._url, retry=Retry(total=0), timeout=(CONNECT_S, READ_S), session=self._session)

    def begin(self, budget_s: float) -> None:
        """Start a round of questions that have `budget_s` together, and forget earlier warnings."""
        self._deadline = time.monotonic() + budget_s
        self._warnings.clear()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the server remarked on the answers of this round."""
        return tuple(dict.fromkeys(self._warnings))

    def query(self, promql: str) -> object:
        """The `result` of an instant query at the server's time."""
        params = {"timeout": SERVER_TIMEOUT}
        return self._ask(lambda: self._client.custom_query(promql, params=params, timeout=self._limits()))

    def query_range(self, promql: str, start: float, end: float, step_s: float) -> object:
        """The `result` of a range query. `start` and `end` are whole Unix seconds: the package rounds them."""
        moments = (datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))
        params = {"timeout": SERVER_TIMEOUT}
        return self._ask(
            lambda: self._client.custom_query_range(promql, *moments, f"{step_s:g}", params=params, timeout=self._limits())
        )

    def get(self, path: str) -> object:
        """The `data` of another endpoint of the API, such as `alerts` or `targets?state=active`."""
        return self._ask(lambda: self._session.get(f"{self._url}/api/v1/{path}", timeout=self._limits()).json()["data"])

    def close(self) -> None:
        self._client.close()

    def _limits(self) -> tuple[float, float]:
        left_s = self._deadline - time.monotonic()
        if left_s < 0.05:
            raise self._timed_out()
        return min(CONNECT_S, left_s), min(READ_S, left_s)

    def _ask(self, call: Callable[[], T]) -> T:
        import requests
        import urllib3

        try:
            return call()
        except (requests.Timeout, urllib3.exceptions.ReadTimeoutError):
            raise self._timed_out() from None
        except (ValueError, KeyError, TypeError):
            raise self._garbage("it is not the JSON of its API") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise failure_of(self._name, error) from None

    def _receive(self, response: "requests.Response", **_: Any) -> None:
        """Take in the body within time and size, and turn error statuses into failures that name the reason.

        Before the package looks at it: `requests` would read without end, and the package tells the reason as bytes.
        """
        if response.is_redirect:
            return
        body = bytearray()
        while chunk := response.raw.read1(65_536, decode_content=True):
            body += chunk
            if len(body) > LARGEST_BYTES or time.monotonic() > self._deadline:
                response.close()
                too_long = len(body) > LARGEST_BYTES
                raise self._garbage(f"it is longer than {LARGEST_BYTES >> 20} MiB") if too_long else self._timed_out()
        response._content = bytes(body)
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if response.status_code != 200:
            raise self._refusal(response.status_code, answer if isinstance(answer, dict) else {})
        if not isinstance(answer, dict) or answer.get("status") != "success":
            raise self._garbage("it is not the JSON of its API")
        self._warnings.extend(answers.warnings(answer))

    def _refusal(self, status: int, answer: dict[str, Any]) -> SourceError:
        reason = clean(str(answer.get("error") or ""), 300)
        told = f"{self._name} answered HTTP {status}{f': {reason}' if reason else ''}."
        if status in (401, 407):
            return SourceError(FailureKind.LOGIN, told, "Put user and password into the URL, or reach it past the proxy.")
        if status == 403:
            return SourceError(FailureKind.FORBIDDEN, told, "Ask for read access to its HTTP API.")
        if status == 404:
            return SourceError(FailureKind.MISSING, told, "Is this Prometheus, and does its URL need a path prefix?")
        if status == 503 and answer.get("errorType") == "timeout":
            return SourceError(
                FailureKind.TIMEOUT, told, "The query is too heavy for the server now: a shorter window costs less."
            )
        if status == 503:
            return SourceError(FailureKind.STARTING, told, "It may be replaying its log after a start; that can take minutes.")
        if status in (400, 422):
            return SourceError(FailureKind.UNSUPPORTED, told, "Check duration, endpoint_label and status_label in config.toml.")
        return SourceError(FailureKind.LOST, told, "Look at its log.")

    def _timed_out(self) -> SourceError:
        message = f"{self._name} has not answered within {READ_S:g} s."
        return SourceError(FailureKind.TIMEOUT, message, "It may be frozen or overloaded; asking goes on.")

    def _garbage(self, why: str) -> SourceError:
        message = f"What {self._name} answered could not be read: {why}."
        return SourceError(FailureKind.GARBAGE, message, "Check that the URL in config.toml is the Prometheus server itself.")
