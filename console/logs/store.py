"""The lines of a system's containers, merged by time, in bounded memory, and the selection of them that is looked at."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from console.logs.classify import Classifier, Level, fingerprint
from console.sources.protocols.engine import LogLine

MAX_LINES = 50_000
MAX_BYTES = 32 * 1024 * 1024
HELD = 2
"""While somebody reads (paused), so many times the usual bounds are kept before a line is dropped."""
LATE_LINES = 2_000
"""How far back a late line is put into its place; containers reach us a moment apart, not minutes."""
_OVERHEAD_BYTES = 300
"""What Python needs for a line besides its text (measured: two slotted objects, a float, a str header)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line in the store. `number` counts lines as they came and identifies it."""

    number: int
    line: LogLine
    level: Level


@dataclass(frozen=True, slots=True)
class Repeated:
    """How often a kind of error was seen since the store was opened. Times are Unix seconds."""

    fingerprint: str
    example: str
    count: int
    first_at: float
    last_at: float


@dataclass(frozen=True, slots=True)
class Selection:
    """Which lines are looked at: of these containers (None: all), and what the pattern does with those it finds."""

    names: frozenset[str] | None = None
    pattern: re.Pattern[str] | None = None
    hides: bool = True
    """Whether lines that do not match are left out; otherwise matches are marked among all lines."""

    def admits(self, line: LogLine) -> bool:
        if self.names is not None and line.container not in self.names:
            return False
        return not self.hides or self.matches(line)

    def matches(self, line: LogLine) -> bool:
        """Whether the pattern finds something in the line or its container's name; True without a pattern."""
        return self.pattern is None or bool(self.pattern.search(line.text) or self.pattern.search(line.container))


class InvalidPattern(ValueError):
    """A search pattern that cannot be used; its text says why."""


# (a+)+ and its like take time exponential in the line's length, and nothing can interrupt them.
_NESTED_REPEAT = re.compile(r"\((?:[^()\\]|\\.)*(?:[+*]|\{\d*,\d*\})(?:[^()\\]|\\.)*\)(?:[+*]|\{\d*,\d*\})")


def compile_pattern(text: str) -> re.Pattern[str] | None:
    """The pattern that an operator typed; small letters find both cases. None for no text.

    Raises InvalidPattern.
    """
    if not text:
        return None
    if _NESTED_REPEAT.search(text):
        raise InvalidPattern("a repeated group that repeats inside may take for ever")
    flags = re.IGNORECASE if text == text.lower() else re.NOFLAG
    try:
        return re.compile(text, flags)
    except (re.error, OverflowError) as error:
        raise InvalidPattern(str(error)) from None


@dataclass(slots=True)
class _Run:
    """Entries in the order of time."""

    entries: list[Entry] = field(default_factory=list)

    def put(self, entry: Entry) -> bool:
        """Put an entry in its place; False when it went to the end."""
        entries = self.entries
        if not entries or entry.line.at >= entries[-1].line.at:
            entries.append(entry)
            return False
        low = max(0, len(entries) - LATE_LINES)
        entries.insert(bisect_right(entries, entry.line.at, lo=low, key=lambda item: item.line.at), entry)
        return True


class LogStore:
    """Lines of all containers in order of time, and the run of them that the selection admits.

    Bounded by lines and bytes: the oldest go first, and how many went is told. Not thread-safe; lives on the event loop.
    """

    def __init__(self, max_lines: int = MAX_LINES, max_bytes: int = MAX_BYTES) -> None:
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._all = _Run()
        self._shown = _Run()
        self._classifier = Classifier()
        self._repeated: dict[str, Repeated] = {}
        self._bytes = 0
        self._next = 0
        self.holding = False
        self.dropped = 0
        """Lines that were dropped to stay within bounds."""
        self.trimmed = 0
        """Lines that the selection showed and that were dropped: how far positions in `shown` have moved."""
        self.names: list[str] = []
        """Containers that wrote something, in the order in which they first did."""
        self.selection = Selection()

    def __len__(self) -> int:
        return len(self._all.entries)

    @property
    def shown(self) -> Sequence[Entry]:
        """The selected entries, oldest first. Positions move when lines are dropped (`trimmed`) or come late."""
        return self._shown.entries

    def add(self, lines: Iterable[LogLine]) -> int:
        """Take in lines, each in its place by time; how many of them the selection shows."""
        shown = 0
        known = set(self.names)
        for line in lines:
            entry = Entry(self._next, line, self._classifier.level(line))
            self._next += 1
            self._bytes += len(line.text) + _OVERHEAD_BYTES
            if line.container not in known:
                known.add(line.container)
                self.names.append(line.container)
            if entry.level >= Level.ERROR:
                self._count(line)
            self._all.put(entry)
            if self.selection.admits(line):
                self._shown.put(entry)
                shown += 1
        self._trim()
        return shown

    def select(self, selection: Selection) -> None:
        """Change what is shown: the whole store is looked through again, and later lines as they come."""
        self.selection = selection
        self._shown.entries = [entry for entry in self._all.entries if selection.admits(entry.line)]

    def position(self, entry: Entry) -> int:
        """Where an entry stands among the shown ones; if it is not there, where it would stand."""
        entries = self._shown.entries
        index = bisect_right(entries, entry.line.at, key=lambda item: item.line.at)
        for candidate in range(index - 1, -1, -1):
            if entries[candidate] is entry:
                return candidate
            if entries[candidate].line.at < entry.line.at:
                break
        return min(index, max(0, len(entries) - 1))

    def nearest(self, line: LogLine) -> Entry | None:
        """The shown entry of this line; without one, the last that was written until then, and None when nothing is shown."""
        entries = self._shown.entries
        end = bisect_right(entries, line.at, key=lambda item: item.line.at)
        for index in range(end - 1, -1, -1):
            if entries[index].line == line:
                return entries[index]
            if entries[index].line.at < line.at:
                break
        return entries[max(0, end - 1)] if entries else None

    def repeated(self, text: str) -> Repeated | None:
        """How often an error like this one was seen."""
        return self._repeated.get(fingerprint(text))

    def most_repeated(self, limit: int = 10) -> tuple[Repeated, ...]:
        """The kinds of errors, the most frequent first."""
        return tuple(sorted(self._repeated.values(), key=lambda item: (-item.count, -item.last_at))[:limit])

    def _count(self, line: LogLine) -> None:
        key = fingerprint(line.text)
        seen = self._repeated.get(key)
        if seen is not None:
            self._repeated[key] = replace(seen, count=seen.count + 1, last_at=max(seen.last_at, line.at))
        elif len(self._repeated) < _KINDS:
            self._repeated[key] = Repeated(key, line.text, 1, line.at, line.at)

    def _trim(self) -> None:
        room = HELD if self.holding else 1
        excess = len(self._all.entries) - self._max_lines * room
        if excess <= 0 and self._bytes <= self._max_bytes * room:
            return
        entries = self._all.entries
        # A little more than necessary, so that a full store is not shifted for every line.
        count = max(0, excess) + self._max_lines // 100 if excess > 0 else 0
        freed = sum(len(entry.line.text) + _OVERHEAD_BYTES for entry in entries[:count])
        while self._bytes - freed > self._max_bytes * room and count < len(entries):
            freed += len(entries[count].line.text) + _OVERHEAD_BYTES
            count += 1
        gone = entries[:count]
        shown, hidden = self._shown.entries, 0
        for entry in gone:
            if hidden < len(shown) and shown[hidden] is entry:
                hidden += 1
        del entries[:count]
        del shown[:hidden]
        self._bytes -= freed
        self.dropped += len(gone)
        self.trimmed += hidden


_KINDS = 2_000
"""Kinds of errors that are counted; a program that never repeats itself must not fill the memory."""
