"""Who asks for what, how long it takes, and the histogram in which the backend counts it."""

import math
import random
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route of the service: its share of the traffic, its usual time, the statement it runs."""

    method: str
    path: str
    share: int
    median_s: float
    query: str


ENDPOINTS = (
    Endpoint("GET", "/api/v1/grades", 40, 0.014, "SELECT c.code, g.assessment_name, g.score, g.grade_date FROM grade g WHERE …"),
    Endpoint("GET", "/api/v1/attendance", 25, 0.022, "SELECT attendance_date, status FROM attendance WHERE student_id = $1 …"),
    Endpoint("GET", "/api/v1/students", 20, 0.018, "SELECT s.id, s.student_number, u.full_name FROM student s JOIN …"),
    Endpoint("GET", "/api/v1/courses", 10, 0.031, "SELECT c.code, c.title, count(e.id) AS students FROM course c LEFT JOIN …"),
    Endpoint("POST", "/api/v1/auth/login", 5, 0.070, "INSERT INTO login_event (email, accepted) VALUES ($1, $2)"),
)
LOGIN = ENDPOINTS[-1]
_UP_TO = tuple(accumulate(item.share for item in ENDPOINTS))


def requests_per_s(elapsed_s: float) -> float:
    """How many requests arrive: slow waves around eight a second."""
    return 8.0 * (1 + 0.22 * math.sin(elapsed_s / 71) + 0.10 * math.sin(elapsed_s / 17))


def slowness(elapsed_s: float) -> float:
    """By how much everything is slower than usual: waves of some minutes."""
    return 1 + 0.35 * math.sin(elapsed_s / 131) + 0.15 * math.sin(elapsed_s / 29)


def choose(chance: random.Random) -> Endpoint:
    """The endpoint of the next request."""
    return ENDPOINTS[bisect_right(_UP_TO, chance.random() * _UP_TO[-1])]


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
