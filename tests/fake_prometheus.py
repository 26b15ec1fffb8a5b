"""A Prometheus that answers as it is told, on the fake web server."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from web_server import reply


@dataclass
class FakePrometheus:
    """Answers the console's own queries with canned figures; `respond` is given to a web server."""

    now: float = 1_700_000_000.0
    figures: dict[str, str] = field(
        default_factory=lambda: {"p50": "0.05", "p95": "0.4", "p99": "1.2", "rate": "12.5", "errors": "1.5"}
    )
    broken: dict[str, bytes | None] = field(default_factory=dict)
    """Raw answers (None: silence) by the end of the path."""
    warnings: list[str] = field(default_factory=list)
    ranges: list[tuple[float, float]] = field(default_factory=list)

    def respond(self, target: str) -> bytes | None:
        parts = urlsplit(target)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
        last = parts.path.rpartition("/")[2]
        if last in self.broken:
            return self.broken[last]
        return reply({"status": "success", "data": self._data(last, asked), "warnings": self.warnings})

    def _data(self, last: str, asked: dict[str, str]) -> object:
        match last:
            case "query":
                return {"resultType": "vector", "result": self._vector(asked["query"])}
            case "query_range":
                self.ranges.append((float(asked["start"]), float(asked["end"])))
                steps = range(int(asked["start"]), int(asked["end"]) + 1, 15)
                values = [[step, self.figures["p95"]] for step in steps]
                return {
                    "resultType": "matrix",
                    "result": [{"metric": {"figure": "p95"}, "values": values}] if self.figures else [],
                }
            case "targets":
                return {"activeTargets": [{"labels": {"job": "backend", "instance": "backend:8000"}, "health": "up"}]}
            case "alerts":
                return {"alerts": [{"labels": {"alertname": "Slow"}, "state": "firing"}]}
            case "buildinfo":
                return {"version": "2.42.0"}
        raise AssertionError(last)

    def _vector(self, query: str) -> list[object]:
        if query.startswith("count by (le)"):
            bounds = ("0.1", "10.0", "+Inf") if self.figures else ()
            return [{"metric": {"le": bound}, "value": [self.now, "1"]} for bound in bounds]
        if "endpoint" in query:
            return [{"metric": {"endpoint": "/grades"}, "value": [self.now, "2"]}]
        return [{"metric": {"figure": name}, "value": [self.now, value]} for name, value in self.figures.items()]
