"""A service and its Prometheus, both on the fake web server."""

from collections.abc import Callable

import pytest
from fake_prometheus import FakePrometheus
from web_server import WebServer


@pytest.fixture
def prometheus(web: WebServer) -> FakePrometheus:
    fake = FakePrometheus()
    web.respond = fake.respond
    return fake


@pytest.fixture
def exposition() -> Callable[[int], str]:
    """The service's own /metrics after so many requests, each of 50 ms."""

    def text(requests: int) -> str:
        name = "http_request_duration_seconds"
        lines = [f'{name}_bucket{{endpoint="/a",status="200",le="{le}"}} {requests}' for le in ("0.1", "1.0", "+Inf")]
        return "\n".join([f"# TYPE {name} histogram", *lines])

    return text
