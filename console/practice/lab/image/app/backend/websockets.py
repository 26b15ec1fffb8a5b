"""Serves the WSGI application, and WebSockets on some paths beside it, from one port."""

import logging
import uuid

import redis.asyncio
import uvicorn
from prometheus_client import Gauge
from uvicorn.middleware.wsgi import WSGIMiddleware

from backend import settings

log = logging.getLogger("backend.websocket")
ACTIVE = Gauge("websocket_connections_active", "WebSocket connections that are open")


def run(application, channels, host, port):
    """Run until stopped. `channels`: path → (Redis channel, origins that may open it)."""
    plain = WSGIMiddleware(application, workers=12)

    async def handle(scope, receive, send):
        if scope["type"] == "websocket":
            await talk(channels.get(scope["path"]), scope, receive, send)
        elif scope["type"] == "http":
            await plain(scope, receive, send)

    uvicorn.run(handle, host=host, port=port, log_config=None, access_log=False, lifespan="off", ws="websockets")


async def talk(channel, scope, receive, send):
    """One WebSocket: subscribe, accept, pass on what is published until the client goes."""
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
    identity = headers.get("x-correlation-id") or str(uuid.uuid4())
    await receive()
    if channel is None:
        await send({"type": "websocket.close", "code": 4404})
        return
    name, origins = channel
    origin = headers.get("origin", "")
    if origin and origin not in origins:
        log.warning("WebSocket connection rejected: origin %s is not allowed correlation_id=%s", origin, identity)
        await send({"type": "websocket.close", "code": 4403})
        return
    try:
        async with redis.asyncio.Redis.from_url(settings.redis_url(), socket_connect_timeout=2) as client:
            async with client.pubsub() as published:
                await published.subscribe(name)
                await _pass_on(published, receive, send, scope["path"], identity)
    except redis.RedisError as error:
        # Answered with 500 by the server, as nothing was accepted yet.
        log.error("WebSocket connection failed: Error connecting to Redis: %s correlation_id=%s", error, identity)
        raise RuntimeError("Redis pub/sub is not reachable") from None


async def _pass_on(published, receive, send, path, identity):
    import asyncio

    await send({"type": "websocket.accept"})
    ACTIVE.inc()
    log.info("WebSocket %s accepted correlation_id=%s", path, identity)
    leaving = asyncio.ensure_future(_until_gone(receive))
    try:
        while not leaving.done():
            message = await published.get_message(ignore_subscribe_messages=True, timeout=1.0)
            if message is not None:
                await send({"type": "websocket.send", "text": message["data"].decode("utf-8", "replace")})
    finally:
        leaving.cancel()
        ACTIVE.dec()


async def _until_gone(receive):
    while (await receive())["type"] != "websocket.disconnect":
        pass
