"""What a health endpoint's answer says of the service's parts."""

import json
from collections.abc import Iterator

from console.text import clean

WELL = ("healthy", "ok", "up", "ready", "alive", "connected", "pass", "passing", "passed", "running")
"""What a service says of itself or of a part when that is well. Other words under these names are trouble."""
NAMES = ("status", "state", "health", "healthy", "database", "db", "redis", "cache", "ok", "ready")
_DEEPEST = 4


def parts_that_fail(body: str) -> tuple[str, ...]:
    """`name: word` for each part of a JSON answer that is not well. An answer that is no JSON object tells of no part."""
    try:
        found = json.loads(body)
    except ValueError:
        return ()
    return tuple(_failing(found, "", _DEEPEST)) if isinstance(found, dict) else ()


def _failing(value: dict[str, object], path: str, left: int) -> Iterator[str]:
    for key, item in value.items():
        name = f"{path}.{key}" if path else key
        if isinstance(item, dict) and left:
            yield from _failing(item, name, left - 1)
        elif key.lower() in NAMES or path.endswith("checks"):
            word = str(item).lower() if isinstance(item, str) else item
            if (isinstance(word, str) and word not in WELL) or word is False:
                yield f"{clean(name, 60)}: {clean(str(item), 60)}"
