"""Lines of a log file → lines with the time that they tell themselves. Pure.

Time stamps that are understood: ISO 8601 (`2026-11-22T10:00:00.123Z`, `2026-11-22 10:00:00,123`, with `UTC` or an offset),
nginx's error log (`2026/11/22 10:00:00`), the common log format (`22/Nov/2026:10:00:00 +0000`), Redis (`22 Nov 2026
10:00:00.123`) and syslog (`Nov 22 10:00:00`, whose year is the one that makes it the past).
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from console.sources.protocols.engine import LogLine, Stream
from console.text import clean

_LOOKED_AT = 300
_ISO = re.compile(
    r"(?<!\d)(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d)?"
)
_COMMON = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})")
_REDIS = re.compile(r"(?<!\d)(\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d)\.(\d{3})")
_SYSLOG = re.compile(r"^([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) ")
_MONTHS = {"JanFebMarAprMayJunJulAugSepOctNovDec"[3 * number : 3 * number + 3]: number + 1 for number in range(12)}


def dated(lines: Sequence[str], *, name: str, modified_at: float, zone_s: int, since: float | None = None) -> tuple[LogLine, ...]:
    """Lines with their times. `zone_s`: the machine's offset from UTC, for stamps without one.

    A line without a stamp belongs to the one before it; what stands before the first stamp has the first; where there is no
    stamp at all the lines are as old as the file.
    """
    stamps = [told_time(line, zone_s, modified_at) for line in lines]
    at = next((stamp for stamp in stamps if stamp is not None), modified_at)
    result = []
    for line, stamp in zip(lines, stamps, strict=True):
        at = at if stamp is None else stamp
        if since is None or at >= since:
            result.append(LogLine(name, Stream.STDOUT, at, clean(line)))
    return tuple(result)


def told_time(line: str, zone_s: int, latest: float) -> float | None:
    """The time that a line tells, Unix seconds; None without. `latest`: no stamp without a year is later than that."""
    head = line[:_LOOKED_AT]
    try:
        return _iso(head, zone_s) or _common(head) or _redis(head, zone_s) or _syslog(head, zone_s, latest)
    except (ValueError, KeyError, OverflowError):
        return None


def _iso(head: str, zone_s: int) -> float | None:
    match = _ISO.search(head)
    if match is None:
        return None
    *parts, fraction, zone = match.groups()
    return _unix([int(part) for part in parts], _offset(zone, zone_s)) + float(f"0.{fraction or 0}")


def _common(head: str) -> float | None:
    match = _COMMON.search(head)
    if match is None:
        return None
    day, month, year, hour, minute, second, zone = match.groups()
    return _unix([int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second)], _offset(zone, 0))


def _redis(head: str, zone_s: int) -> float | None:
    match = _REDIS.search(head)
    if match is None:
        return None
    day, month, year, hour, minute, second, milliseconds = match.groups()
    return _unix([int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second)], zone_s) + int(milliseconds) / 1000


def _syslog(head: str, zone_s: int, latest: float) -> float | None:
    match = _SYSLOG.match(head)
    if match is None:
        return None
    month, day, hour, minute, second = match.groups()
    year = datetime.fromtimestamp(latest, UTC).year
    numbers = [_MONTHS[month], int(day), int(hour), int(minute), int(second)]
    at = _unix([year, *numbers], zone_s)
    return at if at <= latest + 86_400 else _unix([year - 1, *numbers], zone_s)


def _unix(numbers: Sequence[int], zone_s: int) -> float:
    year, month, day, hour, minute, second = numbers
    zone = timezone(timedelta(seconds=zone_s))
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone).timestamp()


def _offset(zone: str | None, zone_s: int) -> int:
    if not zone:
        return zone_s
    if zone in ("Z", "UTC", "GMT"):
        return 0
    sign = -1 if zone[0] == "-" else 1
    return sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
