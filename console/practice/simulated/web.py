"""The service's own HTTP answers to a client on this machine, as raw as a server sends them."""

import base64
import hashlib
import hmac
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from console.practice.simulated.behaviour import Complaint
from console.practice.simulated.limits import RateLimits

if TYPE_CHECKING:
    from console.practice.simulated.world import World

JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the service gets it. Names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, str] = field(default_factory=dict)
    client: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: dict(JSON))
    elapsed_s: float = 0.011


Route = Callable[["World", Request], Response]


def answer(status: int, body: object, elapsed_s: float = 0.011, **headers: str) -> Response:
    """A JSON answer; `retry_after="12"` becomes the header `retry-after`."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, json.dumps(body).encode(), {**JSON, **more}, elapsed_s)


def serve(world: "World", request: Request) -> Response:
    """What the service answers; one that does not serve answers nothing, and is not asked."""
    backend, now = world.backend, world.now
    endpoint = world.traffic.named(request.path, request.method)
    if endpoint is not None and endpoint.limit and not backend.limits.allows(request.client, endpoint.limit, now):
        limit, wait_s = backend.limits.per_min[endpoint.limit], RateLimits.retry_after_s(now)
        error = {"code": "RATE_LIMIT_EXCEEDED", "correlation_id": f"{world.ticks:032x}"}
        body = {"detail": f"Rate limit exceeded: {limit} per 1 minute", "error": error}
        return answer(429, body, 0.001, retry_after=str(wait_s))
    route = world.blueprint.routes.get((request.method, request.path))
    behaviour = backend.behaviours.get(request.path)
    if route is not None and (behaviour is None or behaviour.fail_share < 0.5):
        return route(world, request)
    if route is not None and behaviour is not None:
        complaint = behaviour.complaint or Complaint("Unhandled exception")
        backend.say(now, complaint.level, complaint.logger, f"{complaint.text} while answering {request.method} {request.path}")
        return answer(behaviour.status, {"detail": "Internal Server Error"})
    if endpoint is None:
        return answer(404, {"detail": "Not Found"}, 0.002)
    refused = _unauthorized(world, request)
    if refused is not None:
        return refused
    error_text = backend.connection_error(now)
    if error_text is not None:
        backend.say(now, "ERROR", "api", f"Database connection error while answering {request.method} {request.path}")
        return answer(500, {"detail": "Database connection error"})
    extra_s = behaviour.extra_s if behaviour is not None else 0.0
    if behaviour is not None and behaviour.fail_share >= 0.5:
        return answer(behaviour.status, {"detail": "Internal Server Error"}, endpoint.median_s + extra_s)
    return answer(200, [], endpoint.median_s + extra_s)


def _unauthorized(world: "World", request: Request) -> Response | None:
    """401 where the service asks for tokens and this request has none that it takes."""
    service, now = world.backend.service, world.now
    if not service.secret_name:
        return None
    _, _, token = request.headers.get("authorization", "").partition(" ")
    clock = now + world.machine.clock_ahead_s
    secret = world.backend.environment.get(service.secret_name, "")
    trouble = token_error(token, secret, clock) if token else "No token"
    if trouble is None:
        return None
    world.backend.say(now, "WARNING", "auth", f"Authentication failed: {trouble} {service.trace(world.ticks)}")
    return answer(401, {"detail": "Unauthorized", "error": {"code": "UNAUTHORIZED", "correlation_id": f"{world.ticks:032x}"}})


def hash_password(password: str) -> str:
    """How the services keep a password."""
    return "sha256$" + hashlib.sha256(password.encode()).hexdigest()


def login(find: str, key: str) -> Route:
    """A login route. `find`: the SELECT (of `password_hash`, and `refused`: why the account may not, or NULL) by `%(name)s`;
    `key`: the field of the body that names the user."""

    def route(world: "World", request: Request) -> Response:
        backend, now = world.backend, world.now
        name, password = request.json.get(key, ""), request.json.get("password", "")
        trouble = backend.connection_error(now)
        if trouble is not None:
            backend.say(now, "ERROR", "api", f"Database connection error while answering POST {request.path}")
            return answer(500, {"detail": "Database connection error"})
        rows = world.database.tables.run(find, {"name": name})
        hashed = hash_password(password)
        if not rows:
            reason = "no such user"
        elif rows[0]["refused"]:
            reason = str(rows[0]["refused"])
        else:
            reason = "" if rows[0]["password_hash"] == hashed else "password hash mismatch"
        secret = backend.environment.get(backend.service.secret_name, "")
        if reason:
            told = f"Login failed for {name}: {reason} client={request.client} {backend.service.trace(world.ticks)}"
            backend.say(now, "WARNING", "auth", told)
            return answer(401, {"detail": "Invalid email or password"}, 0.05)
        if backend.service.secret_name and not secret:
            return answer(500, {"detail": "Internal server error"}, 0.05)
        at = int(now + world.machine.clock_ahead_s)
        token = make_token(secret, {"sub": name, "iat": at, "exp": at + 1_800})
        return answer(200, {"access_token": token, "token_type": "bearer"}, 0.05)

    return route


def alive(_world: "World", _request: Request) -> Response:
    return answer(200, {"status": "alive"}, 0.002)


def metrics(world: "World", _request: Request) -> Response:
    return Response(200, world.histogram.exposition().encode(), {"content-type": "text/plain; version=0.0.4"}, 0.004)


def checked_health(world: "World", _request: Request) -> Response:
    """{"status": …, "checks": {"database": …, "redis": …}} with the reasons."""
    trouble, cache = _troubles(world)
    database: dict[str, object] = (
        {"status": "healthy", "latency_ms": 1.4} if trouble is None else {"status": "unhealthy", "error": trouble}
    )
    redis: dict[str, object] = (
        {"status": "healthy", "latency_ms": 0.4} if cache is None else {"status": "unhealthy", "error": cache}
    )
    healthy = trouble is None and cache is None
    body = {"status": "healthy" if healthy else "unhealthy", "checks": {"database": database, "redis": redis}}
    return answer(200 if healthy else 503, body, 0.011 if healthy else 2.01)


def ready(world: "World", _request: Request) -> Response:
    """{"status": …, "database": "connected", "redis": "connected"}"""
    trouble, cache = _troubles(world)
    healthy = trouble is None and cache is None
    body = {
        "status": "healthy" if healthy else "unhealthy",
        "database": "connected" if trouble is None else "disconnected",
        "redis": "connected" if cache is None else "disconnected",
    }
    return answer(200 if healthy else 503, body, 0.011 if healthy else 2.01)


def websocket(world: "World", request: Request) -> Response:
    """The handshake (RFC 6455): 101, 403 for a foreign origin, 500 when its messages would not come through Redis."""
    if request.headers.get("upgrade", "").lower() != "websocket":
        return answer(426, {"detail": "Upgrade Required"}, upgrade="websocket")
    allowed = [item.strip() for item in world.backend.environment.get("CORS_ORIGINS", "*").split(",")]
    origin = request.headers.get("origin", "")
    if origin and "*" not in allowed and origin not in allowed:
        world.backend.say(world.now, "WARNING", "websocket", f"WebSocket connection rejected: origin {origin} is not allowed")
        return answer(403, {"detail": "Origin not allowed"})
    trouble = world.backend.cache_error()
    if trouble is not None:
        world.backend.say(world.now, "ERROR", "websocket", f"WebSocket connection failed: {trouble}")
        return answer(500, {"detail": "Internal Server Error"})
    key = request.headers.get("sec-websocket-key", "")
    accept = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()  # noqa: S324 - the protocol's
    return Response(101, b"", {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-accept": accept}, 0.004)


def _troubles(world: "World") -> tuple[str | None, str | None]:
    backend = world.backend
    trouble = backend.connection_error(world.now)
    if trouble is None and not backend.pool:
        trouble = "QueuePool limit of size 8 overflow 32 reached, connection timed out, timeout 2.00"
    return trouble, backend.cache_error()


# Tokens -----------------------------------------------------------------------------------------------------------------


def make_token(secret: str, claims: Mapping[str, Any], algorithm: str = "HS256") -> str:
    """A JWT (RFC 7519), signed with HMAC-SHA256."""
    parts = [_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in ({"alg": algorithm, "typ": "JWT"}, claims)]
    return ".".join([*parts, _encoded(hmac.new(secret.encode(), ".".join(parts).encode(), hashlib.sha256).digest())])


def token_error(token: str, secret: str, now: float) -> str | None:
    """Why the service refuses a token, in its log's words; None when it takes it."""
    try:
        head, claims, signature = token.split(".")
        wanted = _encoded(hmac.new(secret.encode(), f"{head}.{claims}".encode(), hashlib.sha256).digest())
        content = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except ValueError:
        return "Not enough segments"
    if not hmac.compare_digest(wanted, signature):
        return "Invalid token signature"
    if float(content.get("exp", math.inf)) < now:
        return "Token has expired"
    if float(content.get("iat", 0)) > now + 1 or float(content.get("nbf", 0)) > now + 1:
        return "The token is not yet valid (iat)"
    return None


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
