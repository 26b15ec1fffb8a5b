"""Requests, answers and the WSGI application over a table of routes, the same for every system."""

import json
import logging
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from backend import defects, settings

access = logging.getLogger("backend.api")

DURATION = Histogram(
    "http_request_duration_seconds",
    "Time to answer a request",
    ["method", "endpoint", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0),
)
REQUESTS = Counter("http_requests_total", "Requests answered", ["method", "endpoint", "status"])
REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}
UNCOUNTED = {"/health", "/health/live", "/health/ready"}
CORRELATED = settings.SYSTEM != "sms"
"""The sms backend calls a request's id request_id, the others correlation_id, and they tell who asked."""


class Refused(Exception):
    """A request that is answered with an error on purpose."""

    def __init__(self, status, detail, code="", headers=None):
        super().__init__(detail)
        self.status, self.detail, self.code, self.headers = status, detail, code, headers or {}


@dataclass(slots=True)
class Request:
    """One request; `user` and `role` are filled in by the handler that found them out."""

    method: str
    path: str
    query: dict
    body: dict
    headers: dict
    client: str
    id: str
    user: str = ""
    role: str = ""
    answer_headers: dict = field(default_factory=dict)


def read_request(environ):
    """The request of a WSGI environment; raises ValueError for a body that is no JSON object."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = json.loads(environ["wsgi.input"].read(length)) if length else {}
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    identity = headers.get("x-correlation-id") or headers.get("x-request-id")
    return Request(
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"],
        dict(parse_qsl(environ.get("QUERY_STRING", ""))),
        body if isinstance(body, dict) else {},
        headers,
        headers.get("x-real-ip") or environ.get("REMOTE_ADDR", ""),
        identity or (str(uuid.uuid4()) if CORRELATED else uuid.uuid4().hex[:12]),
    )


def failure(request, status, detail, code):
    """The body of an answer that is an error."""
    if not CORRELATED:
        return status, {"detail": detail}
    return status, {"detail": detail, "error": {"code": code, "correlation_id": request.id}}


def answer(routes, request):
    """The status and JSON value for one request; an exception becomes a logged 500."""
    handler = routes.get((request.method, request.path))
    if handler is None:
        return failure(request, 404, "Not Found", "NOT_FOUND")
    where = f"{request.method} {request.path}" + (f" correlation_id={request.id}" if CORRELATED else "")
    internal = (request, 500, "Internal server error" if CORRELATED else "Internal Server Error", "INTERNAL_SERVER_ERROR")
    try:
        refused = defects.answer(request.path)
        return failure(request, refused, REASONS[refused], "REFUSED") if refused else handler(request)
    except Refused as error:
        request.answer_headers.update(error.headers)
        return failure(request, error.status, error.detail, error.code)
    except ValueError as error:
        return failure(request, 400, str(error), "BAD_REQUEST")
    except PoolTimeoutError:
        access.exception("Connection pool exhausted while answering %s", where)
        return failure(request, 500, "Database connection error", "INTERNAL_SERVER_ERROR")
    except (OperationalError, InterfaceError) as error:
        if "statement timeout" in str(error) or "lock timeout" in str(error):
            access.exception("Database timeout while answering %s", where)
        else:
            access.exception("Database connection error while answering %s", where)
        return failure(request, 500, "Database connection error", "INTERNAL_SERVER_ERROR")
    except SQLAlchemyError:
        access.exception("Database error while answering %s", where)
        return failure(*internal)
    except Exception:
        access.exception("Unhandled exception while answering %s", where)
        return failure(*internal)


def note(request, status, elapsed_s, known):
    """Count a request and write its line of the log."""
    DURATION.labels(request.method, request.path if known else "other", str(status)).observe(elapsed_s)
    REQUESTS.labels(request.method, request.path if known else "other", str(status)).inc()
    level = logging.ERROR if status >= 500 else logging.INFO
    line = "%s %s %d %dms"
    values = [request.method, request.path, status, elapsed_s * 1000]
    if CORRELATED:
        line += " client=%s user=%s role=%s correlation_id=%s"
        values += [request.client or "-", request.user or "-", request.role or "-", request.id]
    else:
        line += " request_id=%s"
        values.append(request.id)
    access.log(level, line, *values)
    if CORRELATED and elapsed_s > 1:
        access.warning("Request took %.1fs to complete Endpoint: %s correlation_id=%s", elapsed_s, request.path, request.id)


def application(routes):
    """The WSGI application over these routes."""

    def handle(environ, start_response):
        if environ["PATH_INFO"] == "/metrics":
            start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
            return [generate_latest()]
        started = time.perf_counter()
        try:
            request = read_request(environ)
        except ValueError as error:
            status, value, request = 400, {"detail": str(error)}, None
        else:
            status, value = answer(routes, request)
        if request is not None and request.path not in UNCOUNTED:
            note(request, status, time.perf_counter() - started, (request.method, request.path) in routes)
        body = json.dumps(value).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        if request is not None:
            headers += request.answer_headers.items()
            if CORRELATED:
                headers.append(("X-Correlation-ID", request.id))
        start_response(f"{status} {REASONS.get(status, 'Unknown')}", headers)
        return [body]

    return handle
