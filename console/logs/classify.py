"""What kind of line a log line is: its level, and the fingerprint under which like errors are counted.

Only the first 160 characters decide the level, and every pattern is linear: a log line is foreign text of any length.
"""

import re
from dataclasses import dataclass
from enum import IntEnum

from console.sources.protocols.engine import LogLine, Stream

LOOKED_AT = 160
"""Characters of a line that decide its level: programs write it in front, prose that follows speaks of anything."""

FINGERPRINTED = 400
"""Characters of a line that make its fingerprint."""


class Level(IntEnum):
    """Levels in order of weight. UNKNOWN is a line that does not say, or that says two things."""

    UNKNOWN = 0
    DEBUG = 1
    INFO = 2
    WARNING = 3
    ERROR = 4
    FATAL = 5


_WORDS = {
    "trace": Level.DEBUG,
    "debug": Level.DEBUG,
    "dbg": Level.DEBUG,
    "verbose": Level.DEBUG,
    "info": Level.INFO,
    "notice": Level.INFO,
    "log": Level.INFO,
    "warn": Level.WARNING,
    "warning": Level.WARNING,
    "error": Level.ERROR,
    "err": Level.ERROR,
    "severe": Level.ERROR,
    "exception": Level.ERROR,
    "critical": Level.FATAL,
    "crit": Level.FATAL,
    "fatal": Level.FATAL,
    "panic": Level.FATAL,
    "emerg": Level.FATAL,
    "alert": Level.FATAL,
}
_NAMES = "|".join(sorted(_WORDS, key=len, reverse=True))

# {"level": "error"}, level=error, lvl=warn, severity: "ERROR"; pino and bunyan write numbers.
_FIELD = re.compile(rf'(?i)\b(?:level|lvl|severity|levelname|log\.level)"?\s?[=:]\s?"?({_NAMES}|[1-6]0)\b')
_FIELD_NAMES = ("level", "lvl", "severity")
_WORD = re.compile(r"[A-Za-z]{3,9}")
# After a level that stands as a tag: "ERROR:", "FATAL - ", "INFO |", "INFO  ", "DEBUG1:" of PostgreSQL.
_TAG_END = re.compile(r"[0-9]?(?::| - | ?\||\]| {2})")
# Redis: "1:M 22 Nov 2026 10:00:00.000 # text"; the sign is the level.
_REDIS = re.compile(r"^\d{1,9}:[XCSM] \d\d \w{3} \d{4} [\d:.]{8,12} ([.\-*#]) ")
_REDIS_SIGNS = {".": Level.DEBUG, "-": Level.DEBUG, "*": Level.INFO, "#": Level.WARNING}
# An access log line: only the server's own failures are errors; what a client did wrong is the client's.
_ACCESS = re.compile(r'"[A-Z]{3,7} [^"]{1,120}" (\d)\d\d\b')
_PINO = {"10": Level.DEBUG, "20": Level.DEBUG, "30": Level.INFO, "40": Level.WARNING, "50": Level.ERROR, "60": Level.FATAL}

TRACEBACK = "Traceback (most recent call last)"
# "sqlalchemy.exc.OperationalError: …", the line that ends a traceback.
RAISED = re.compile(r"^(?:\w{1,60}\.){0,8}[A-Z]\w{1,80}(?::|$)")
_GOES_ON = re.compile(r"\s|$|Caused by:|During handling of|The above exception|\.\.\. \d+ more|[|+] ")
_EXPLAINS = ("DETAIL: ", "HINT: ", "STATEMENT: ", "CONTEXT: ", "QUERY: ")
"""What PostgreSQL writes after a message, in lines of their own."""


@dataclass(slots=True)
class _Last:
    level: Level = Level.UNKNOWN
    in_traceback: bool = False


class Classifier:
    """Levels of lines in the order in which each stream wrote them: what continues a message has that message's level."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, Stream], _Last] = {}

    def level(self, line: LogLine) -> Level:
        """The level of the next line of its stream."""
        last = self._last.setdefault((line.container, line.stream), _Last())
        head = line.text[:LOOKED_AT]
        if TRACEBACK in head:
            last.level, last.in_traceback = Level.ERROR, True
            return last.level
        if continues(head):
            return last.level
        if last.in_traceback:
            last.in_traceback = False
            if RAISED.match(head):
                return last.level
        last.level = level_of(head)
        return last.level


def continues(text: str) -> bool:
    """Whether a line belongs to the message before it in its stream: a stack frame, an explanation, a blank."""
    head = text[:LOOKED_AT]
    return _GOES_ON.match(head) is not None or any(word in head for word in _EXPLAINS)


def level_of(text: str) -> Level:
    """The level that a line states by itself; UNKNOWN when it states none, or several with equal right."""
    head = text[:LOOKED_AT]
    lowered = head.lower()
    if any(name in lowered for name in _FIELD_NAMES) and (match := _FIELD.search(head)):
        word = match.group(1).lower()
        return _PINO[word] if word in _PINO else _WORDS[word]
    if match := _REDIS.match(head):
        return _REDIS_SIGNS[match.group(1)]
    by_words = _by_words(head)
    if by_words is not None:
        return by_words
    if '" ' in head and (match := _ACCESS.search(head)):
        return Level.ERROR if match.group(1) == "5" else Level.INFO
    return Level.UNKNOWN


def _by_words(head: str) -> Level | None:
    """The level by the first word that stands as a tag; without one, by the only word in capitals. None when there is none."""
    capitals: set[Level] = set()
    for match in _WORD.finditer(head):
        word = match.group()
        level = _WORDS.get(word.lower())
        if level is None:
            continue
        start, end = match.span()
        before = head[:start].rstrip(" ")[-1:]
        upper = word.isupper()
        if before in ("[", "<", "(", "|") and head[end:].lstrip("0123456789 ")[:1] in ("]", ">", ")", "|"):
            return level
        alone = not (head[start - 1 : start].isalnum() or head[start - 1 : start] in ("_", ".", "-")) if start else True
        if not alone:
            continue
        if upper and _TAG_END.match(head, end):
            return level
        if not before and head[end : end + 2].lstrip(" ")[:1] in (":", "!"):
            return level
        if upper and not (head[end : end + 1].isalnum() or head[end : end + 1] in ("_", ".", "-")):
            capitals.add(level)
    if not capitals:
        return None
    return capitals.pop() if len(capitals) == 1 else Level.UNKNOWN


_STAMP = re.compile(
    r"^[\[(]?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
    # A zone in capitals, but no level that stands in its place.
    r"(?:Z| ?[+-]\d\d:?\d\d| (?!INFO|ERROR|WARN|DEBUG|FATAL|TRACE|CRIT|PANIC)[A-Z]{2,5})?[\])]?[ :-]{0,3}"
)
_VARIABLE = re.compile(
    r"(?P<uuid>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b)"
    r"|(?P<quoted>\"[^\"]{0,200}\"|(?<!\w)'[^']{0,200}')"
    r"|(?P<hex>\b0x[0-9a-fA-F]{1,40}\b|\b(?=[a-f]{0,40}[0-9])[0-9a-f]{8,64}\b)"
    r"|(?P<number>\d[\d.,:]*)"
)
_STANDS_FOR = {"uuid": "<uuid>", "quoted": "<text>", "hex": "<hex>", "number": "<n>"}


def unstamped(text: str) -> str:
    """The line without the time stamp that the program wrote in front."""
    return _STAMP.sub("", text, count=1)


def fingerprint(text: str) -> str:
    """The line without what differs from one time to the next: time stamp, numbers, hex, UUIDs, quoted text."""
    head = unstamped(text[:FINGERPRINTED])
    return _VARIABLE.sub(lambda match: _STANDS_FOR[match.lastgroup or "number"], head).strip()
