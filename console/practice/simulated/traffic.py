"""Who asks for what, how long it takes, and the histogram in which the backend counts it."""

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route of the service: its share of the traffic, its usual time, the statement it runs."""

    method: str
    path: str
    share: int
    median_s: float
    query: str
    cached: bool = False
    """Its answer is kept in the cache."""
    writes: bool = False
    """It fails when the database cannot write."""
    rejected: float = 0.0
    """Share of its requests that are answered with 401, as mistyped passwords are."""
    limit: str = ""
    """The class of rate limit that it falls under (`rate_limits` of the config)."""
    stores: str = ""
    """The variable with the folder that it writes a file to."""
    asks: str = ""
    """The variable with the address of a foreign interface that it asks."""


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who uses the service: an address, and the user with a role who is logged in there."""

    address: str
    user: str = ""
    role: str = ""


class Arrival(NamedTuple):
    """One request on its way: when it arrives (Unix seconds), for what, from which address."""

    at: float
    endpoint: Endpoint
    client: str
    trace: str = ""
    """The id by which the client itself names its request; empty: the service gives it one."""


@dataclass(slots=True)
class Loop:
    """A client that asks for one path again and again, on top of the usual traffic. `method`: empty for the path's first."""

    client: str
    path: str
    per_s: float
    method: str = ""
    owed: float = 0.0


class Traffic:
    """The requests that arrive. `factor`: how many times the usual; `clients`: the share of each address; `loops`: clients
    gone wild; `once`: single requests that come next. All may be changed while the world lives."""

    def __init__(self, endpoints: Sequence[Endpoint], clients: Mapping[str, float], *, seed: int) -> None:
        self.endpoints = tuple(endpoints)
        self.factor = 1.0
        self.clients = dict(clients)
        self.loops: list[Loop] = []
        self.once: list[Arrival] = []
        self._known: dict[str, float] = {}
        self._addresses: tuple[str, ...] = ()
        self._shares: tuple[float, ...] = ()
        self._up_to = tuple(accumulate(item.share for item in endpoints))
        # Apart from the world's own chance, so that who asks changes nothing of what happens.
        self._who = random.Random(seed)  # noqa: S311 - a practice world, not a secret

    def choose(self, chance: random.Random) -> Endpoint:
        """The endpoint of the next request."""
        return self.endpoints[bisect_right(self._up_to, chance.random() * self._up_to[-1])]

    def named(self, path: str, method: str = "") -> Endpoint | None:
        """The endpoint of a path; of whatever method when none is named."""
        return next((item for item in self.endpoints if item.path == path and method in ("", item.method)), None)

    def arrivals(self, chance: random.Random, now: float, elapsed_s: float, tick_s: float) -> list[Arrival]:
        """The requests of the step that ends now, in no order of time."""
        count = int(self.factor * requests_per_s(elapsed_s) * tick_s + chance.random())
        times = [now - tick_s + tick_s * (number + chance.random()) / count for number in range(count)]
        found = [Arrival(at, self.choose(chance), self._client()) for at in times]
        for loop in self.loops:
            endpoint = self.named(loop.path, loop.method)
            loop.owed += loop.per_s * tick_s
            if endpoint is not None:
                found += [
                    Arrival(now - tick_s * (number + 1) / (loop.owed + 1), endpoint, loop.client)
                    for number in range(int(loop.owed))
                ]
            loop.owed %= 1
        found += self.once
        self.once = []
        return found

    def _client(self) -> str:
        if len(self.clients) < 2:
            return next(iter(self.clients), "")
        if self._known != self.clients:
            self._known = dict(self.clients)
            self._addresses, self._shares = tuple(self.clients), tuple(accumulate(self.clients.values()))
        return self._addresses[bisect_right(self._shares, self._who.random() * self._shares[-1])]


def requests_per_s(elapsed_s: float) -> float:
    """How many requests arrive: slow waves around eight a second."""
    return 8.0 * (1 + 0.22 * math.sin(elapsed_s / 71) + 0.10 * math.sin(elapsed_s / 17))


def slowness(elapsed_s: float) -> float:
    """By how much everything is slower than usual: waves of some minutes."""
    return 1 + 0.35 * math.sin(elapsed_s / 131) + 0.15 * math.sin(elapsed_s / 29)


class Histogram:
    """http_request_duration_seconds as the service's own /metrics shows it; it begins anew with the process."""

    def __init__(self, name: str, endpoint_label: str, status_label: str) -> None:
        self._name, self._endpoint_label, self._status_label = name, endpoint_label, status_label
        self._series: dict[tuple[str, str, int], list[int]] = {}
        self._sums: dict[tuple[str, str, int], float] = {}

    def clear(self) -> None:
        self._series.clear()
        self._sums.clear()

    def observe(self, endpoint: Endpoint, status: int, elapsed_s: float) -> None:
        """Count one answered request."""
        key = (endpoint.method, endpoint.path, status)
        counts = self._series.setdefault(key, [0] * (len(BOUNDS_S) + 1))
        counts[bisect_left(BOUNDS_S, elapsed_s)] += 1
        self._sums[key] = self._sums.get(key, 0.0) + elapsed_s

    def totals(self) -> tuple[int, int]:
        """Requests, and those answered with 500 or more, since the process started."""
        counted = [(status, sum(counts)) for (_, _, status), counts in self._series.items()]
        return sum(count for _, count in counted), sum(count for status, count in counted if status >= 500)

    def exposition(self) -> str:
        """The text format 0.0.4 of Prometheus."""
        lines = [f"# HELP {self._name} Time to answer a request", f"# TYPE {self._name} histogram"]
        for (method, path, status), counts in self._series.items():
            labels = f'method="{method}",{self._endpoint_label}="{path}",{self._status_label}="{status}"'
            running = 0
            for bound, count in zip((*BOUNDS_S, math.inf), counts, strict=True):
                running += count
                edge = "+Inf" if bound == math.inf else repr(bound)
                lines.append(f'{self._name}_bucket{{{labels},le="{edge}"}} {running}')
            lines.append(f"{self._name}_count{{{labels}}} {running}")
            lines.append(f"{self._name}_sum{{{labels}}} {self._sums[(method, path, status)]:.6f}")
        return "\n".join(lines) + "\n"
