"""The simulated containers that need no model of their own: the proxy in front, the backups, Prometheus, the load."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from console.practice.simulated.behaviour import Outcome
from console.practice.simulated.container import Exit, Load, Probe
from console.practice.simulated.log import Log
from console.practice.simulated.traffic import Arrival, Endpoint


@dataclass(slots=True)
class Bystander:
    """A process that only runs, logs a line at its start, and uses little."""

    log: Log
    greeting: str
    usage: Load
    up: bool = False
    reads: Callable[[], None] = lambda: None
    """What it reads when it starts, and keeps."""

    def start(self, now: float) -> None:
        self.up = True
        self.reads()
        self.log.out(now, self.greeting)

    def tick(self, _now: float) -> Exit | None:
        return None

    def stop(self, _now: float) -> int:
        self.up = False
        return 0

    def killed(self) -> None:
        self.up = False

    def probe(self, _now: float) -> Probe | None:
        return None

    def load(self, _now: float) -> Load:
        return self.usage


@dataclass(slots=True)
class Proxy(Bystander):
    """nginx: an access line for each answer, an error line for each request that the backend did not take."""

    def access(self, outcome: Outcome, now: float, chance: random.Random) -> None:
        """Log an answer of the backend."""
        size = chance.randint(180, 2_400)
        self._access(min(outcome.at, now), outcome.endpoint, outcome.status, outcome.elapsed_s, size, outcome.client)

    def bad_gateway(self, arrival: Arrival) -> None:
        """Log a request that nobody behind the proxy accepted."""
        reason = "connect() failed (111: Connection refused) while connecting to upstream"
        self._error(arrival, reason)
        self._access(arrival.at, arrival.endpoint, 502, 0.001, 150, arrival.client)

    def gateway_timeout(self, arrival: Arrival) -> None:
        """Log a request that was accepted and not answered for 15 seconds."""
        self._error(arrival, "upstream timed out (110: Connection timed out) while reading response header from upstream")
        self._access(arrival.at, arrival.endpoint, 504, 15.0, 160, arrival.client)

    def _access(self, at: float, endpoint: Endpoint, status: int, elapsed_s: float, size: int, client: str) -> None:
        when = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(at))
        request = f"{endpoint.method} {endpoint.path} HTTP/1.1"
        self.log.out(at, f'{client} - - [{when}] "{request}" {status} {size} {elapsed_s:.3f}')

    def _error(self, arrival: Arrival, reason: str) -> None:
        when, endpoint = time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime(arrival.at)), arrival.endpoint
        request = f'request: "{endpoint.method} {endpoint.path} HTTP/1.1", upstream: "http://172.18.0.5:8000{endpoint.path}"'
        self.log.err(arrival.at, f"{when} [error] 22#22: {reason}, client: {arrival.client}, server: , {request}")
