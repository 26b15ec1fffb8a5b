"""Limits on requests per minute and class of endpoint."""

import logging
import threading
import time

from backend import web

log = logging.getLogger("backend.rates")
WINDOW_S = 60
_counts = {}
_lock = threading.Lock()


def limit(request, kind, most, key):
    """Count a request of this class; raises web.Refused with 429 and Retry-After when it is one too many."""
    now = time.time()
    window = int(now // WINDOW_S)
    with _lock:
        for old in [name for name in _counts if name[2] != window]:
            del _counts[old]
        _counts[(kind, key, window)] = _counts.get((kind, key, window), 0) + 1
        used = _counts[(kind, key, window)]
    if used > most:
        who, role = request.user or request.client, request.role or "none"
        log.info("User %s (role=%s) hit rate limit on %s correlation_id=%s", who, role, request.path, request.id)
        wait = str(int((window + 1) * WINDOW_S - now) + 1)
        raise web.Refused(429, f"Rate limit exceeded: {most} per 1 minute", "RATE_LIMIT_EXCEEDED", {"Retry-After": wait})
