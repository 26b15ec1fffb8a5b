"""The Redis cache and the users' sessions in it; a cache that is down slows the backend but never stops it."""

import json
import logging
import secrets

import redis

from backend import settings

log = logging.getLogger("backend.cache")
client = redis.Redis.from_url(
    settings.redis_url(), socket_connect_timeout=1, socket_timeout=1, client_name=f"{settings.SYSTEM}-backend"
)


def read(key):
    """The cached value of this key, or None."""
    try:
        raw = client.get(key)
    except redis.RedisError as error:
        log.warning("Cache read of %s failed: %s", key, error)
        return None
    return None if raw is None else json.loads(raw)


def write(key, value, ttl_s=settings.CACHE_TTL_S):
    """Cache this value."""
    try:
        client.set(key, json.dumps(value), ex=ttl_s)
    except redis.RedisError as error:
        log.warning("Cache write of %s failed: %s", key, error)


def cached(key, make):
    """The cached value of a key, or what `make` gives, cached from now on."""
    found = read(key)
    if found is None:
        found = make()
        write(key, found)
    return found


def open_session(email):
    """Start a session of this user and return its token."""
    token = secrets.token_hex(8)
    try:
        client.set(f"session:{token}", email, ex=settings.SESSION_TTL_S)
    except redis.RedisError as error:
        log.warning("Session of %s could not be kept: %s", email, error)
    return token
