"""The Redis cache and the users' sessions in it; a cache that is down slows the backend but never stops it."""

import json
import logging
import secrets

import redis

from backend import settings

log = logging.getLogger("backend.cache")
client = redis.Redis(host=settings.REDIS_HOST, socket_connect_timeout=1, socket_timeout=1, client_name="sms-backend")


def read(key):
    """The cached value of this key, or None."""
    try:
        raw = client.get(key)
    except redis.RedisError as error:
        log.warning("Cache read of %s failed: %s", key, error)
        return None
    return None if raw is None else json.loads(raw)


def write(key, value):
    """Cache this value for CACHE_TTL_S seconds."""
    try:
        client.set(key, json.dumps(value), ex=settings.CACHE_TTL_S)
    except redis.RedisError as error:
        log.warning("Cache write of %s failed: %s", key, error)


def open_session(email):
    """Start a session of this user and return its token."""
    token = secrets.token_hex(8)
    try:
        client.set(f"session:{token}", email, ex=settings.SESSION_TTL_S)
    except redis.RedisError as error:
        log.warning("Session of %s could not be kept: %s", email, error)
    return token
