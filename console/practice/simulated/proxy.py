"""The simulated containers that need no model of their own: the proxy in front, the backups, Prometheus, the load."""

import random
import time
from dataclasses import dataclass

from console.practice.simulated.backend import Outcome
from console.practice.simulated.container import Exit, Load, Probe
from console.practice.simulated.log import Log
from console.practice.simulated.traffic import Endpoint


@dataclass(slots=True)
class Bystander:
    """A process that only runs, logs a line at its start, and uses little."""

    log: Log
    greeting: str
    usage: Load
    up: bool = False

    def start(self, now: float) -> None:
        self.up = True
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
        self._access(min(outcome.at, now), outcome.endpoint, outcome.status, outcome.elapsed_s, chance.randint(180, 2_400))

    def bad_gateway(self, at: float, endpoint: Endpoint) -> None:
        """Log a request that nobody behind the proxy accepted."""
        reason = "connect() failed (111: Connection refused) while connecting to upstream"
        self._error(at, endpoint, reason)
        self._access(at, endpoint, 502, 0.001, 150)

    def gateway_timeout(self, at: float, endpoint: Endpoint) -> None:
        """Log a request that was accepted and not answered for 15 seconds."""
        self._error(at, endpoint, "upstream timed out (110: Connection timed out) while reading response header from upstream")
        self._access(at, endpoint, 504, 15.0, 160)

    def _access(self, at: float, endpoint: Endpoint, status: int, elapsed_s: float, size: int) -> None:
        when = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(at))
        request = f"{endpoint.method} {endpoint.path} HTTP/1.1"
        self.log.out(at, f'172.18.0.1 - - [{when}] "{request}" {status} {size} {elapsed_s:.3f}')

    def _error(self, at: float, endpoint: Endpoint, reason: str) -> None:
        when = time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime(at))
        request = f'request: "{endpoint.method} {endpoint.path} HTTP/1.1", upstream: "http://172.18.0.5:8000{endpoint.path}"'
        self.log.err(at, f"{when} [error] 22#22: {reason}, client: 172.18.0.1, server: , {request}")
