"""Starts the backend: migrations first, then the HTTP server."""

import json
import logging
import signal
import sys
import time
import uuid
from urllib.parse import parse_qsl

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from waitress import serve

from backend import log as logs
from backend import settings

logs.set_up()
log = logging.getLogger("backend.main")
access = logging.getLogger("backend.api")

DURATION = Histogram(
    "http_request_duration_seconds",
    "Time to answer a request",
    ["method", "endpoint", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0),
)
REQUESTS = Counter("http_requests_total", "Requests answered", ["method", "endpoint", "status"])
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 500: "Internal Server Error", 503: "Service Unavailable"}
UNCOUNTED = {"/health", "/health/live"}


def answer(routes, method, path, environ):
    """The status and JSON value for one request; an exception becomes a logged 500."""
    handler = routes.get((method, path))
    if handler is None:
        return 404, {"detail": "Not Found"}
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = json.loads(environ["wsgi.input"].read(length)) if length else {}
        return handler(dict(parse_qsl(environ.get("QUERY_STRING", ""))), body)
    except ValueError as error:
        return 400, {"detail": str(error)}
    except PoolTimeoutError:
        access.exception("Connection pool exhausted while answering %s %s", method, path)
        return 500, {"detail": "Database connection error"}
    except (OperationalError, InterfaceError):
        access.exception("Database connection error while answering %s %s", method, path)
        return 500, {"detail": "Database connection error"}
    except SQLAlchemyError:
        access.exception("Database error while answering %s %s", method, path)
        return 500, {"detail": "Internal Server Error"}
    except Exception:
        access.exception("Unhandled exception while answering %s %s", method, path)
        return 500, {"detail": "Internal Server Error"}


def application(routes):
    """The WSGI application over these routes."""

    def handle(environ, start_response):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path == "/metrics":
            start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
            return [generate_latest()]
        started = time.perf_counter()
        status, value = answer(routes, method, path, environ)
        elapsed_s = time.perf_counter() - started
        if path not in UNCOUNTED:
            endpoint = path if (method, path) in routes else "other"
            DURATION.labels(method, endpoint, str(status)).observe(elapsed_s)
            REQUESTS.labels(method, endpoint, str(status)).inc()
            request_id = environ.get("HTTP_X_REQUEST_ID") or uuid.uuid4().hex[:12]
            level = logging.ERROR if status >= 500 else logging.INFO
            access.log(level, "%s %s %d %dms request_id=%s", method, path, status, elapsed_s * 1000, request_id)
        body = json.dumps(value).encode()
        start_response(
            f"{status} {REASONS.get(status, 'Unknown')}",
            [("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
        )
        return [body]

    return handle


def stop(_number, _frame):
    log.info("Shutting down")
    sys.exit(0)


def main():
    """Run until stopped; exits 1 when a migration fails."""
    signal.signal(signal.SIGTERM, stop)
    from backend import api, migrations  # After the logs are set up, so that what goes wrong here is told in their shape.

    log.info("Starting backend 1.17.6, AUTH_MODE=%s, semester %s", settings.AUTH_MODE, api.SEMESTER.name)
    try:
        log.info("Database is at revision %s", migrations.upgrade())
    except (OperationalError, InterfaceError):
        log.exception("Database connection error at start; migrations were not checked")
    except Exception as error:
        log.exception("Alembic migration failed: %s", error)
        sys.exit(1)
    log.info("Listening on port %d", settings.PORT)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    serve(application(api.ROUTES), host="0.0.0.0", port=settings.PORT, threads=12, ident="sms-backend")


if __name__ == "__main__":
    main()
