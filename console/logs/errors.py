"""Errors as a person counts them: a message, its traceback and the failed request that it led to are one. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from console.logs.access import Request, read_request
from console.logs.classify import RAISED, TRACEBACK, Classifier, Level, continues, fingerprint, unstamped
from console.sources.protocols.engine import LogLine, Stream

TOGETHER_S = 1.0
"""A traceback stands right behind its message, and the request that failed is logged when it is answered, a moment later."""
FEWEST_RISING = 5
"""Fewer errors than this in the second half of a window are no trend."""
_CHAINED = ("During handling of", "The above exception", "Caused by:")
_TIMEOUT = re.compile(r"time[ds]?[ -]?out|timeout|deadline exceeded", re.I)


@dataclass(slots=True)
class Error:
    """One error. `line` is the one that says most: the message, or what a traceback without a message ended with."""

    line: LogLine
    traceback: bool = False
    raised: str = ""
    """What the traceback ended with."""
    request: Request | None = None
    """The request that failed, when nothing else was told of the error."""

    @property
    def kind(self) -> str:
        """Under which errors are counted as alike."""
        return f"{self.request.endpoint} {self.request.status}" if self.request else fingerprint(self.line.text)

    @property
    def at(self) -> float:
        return self.line.at

    @property
    def timeout(self) -> bool:
        return _TIMEOUT.search(self.line.text) is not None or _TIMEOUT.search(self.raised) is not None


@dataclass(frozen=True, slots=True)
class Kind:
    """Errors that differ only in numbers, times and quoted words. Times are Unix seconds."""

    fingerprint: str
    example: str
    """The newest of them, without its time stamp."""
    containers: tuple[str, ...]
    count: int
    first_at: float
    last_at: float
    newest: LogLine


@dataclass(slots=True)
class _Open:
    """Where a stream stands: its newest error, and whether the lines that come belong to it."""

    error: Error | None = None
    ends: bool = False
    """A traceback goes on: the next line that is no frame of it says what was raised."""
    chained: bool = False
    adjacent: bool = False
    """Nothing else was written since the error's message."""


@dataclass(slots=True)
class _Reader:
    found: list[Error] = field(default_factory=list)
    _classifier: Classifier = field(default_factory=Classifier)
    _open: dict[tuple[str, Stream], _Open] = field(default_factory=dict)
    _told_at: list[float] = field(default_factory=list)
    _answered: dict[str, int] = field(default_factory=dict)
    """By container, how many of the errors that were told have had their failed request there."""

    def take(self, line: LogLine) -> None:
        state = self._open.setdefault((line.container, line.stream), _Open())
        level = self._classifier.level(line)
        if TRACEBACK in line.text[:200]:
            self._traceback(state, line)
        elif continues(line.text):
            state.chained = state.chained or line.text.startswith(_CHAINED)
        elif state.ends and RAISED.match(line.text):
            self._raised(state, line)
        else:
            state.ends = state.adjacent = state.chained = False
            if level >= Level.ERROR:
                self._message(state, line)

    def _message(self, state: _Open, line: LogLine) -> None:
        request = read_request(line)
        if request is None:
            self._begin(state, line)
            self._told_at.append(line.at)
        elif not self._explained(line):
            self._begin(state, line, request)

    def _explained(self, line: LogLine) -> bool:
        """Whether an error was just told that no failed request was put down to yet. A proxy logs each of them once more."""
        next_one = self._answered.get(line.container, 0)
        while next_one < len(self._told_at) and line.at - self._told_at[next_one] > TOGETHER_S:
            next_one += 1
        found = next_one < len(self._told_at)
        self._answered[line.container] = next_one + found
        return found

    def _begin(self, state: _Open, line: LogLine, request: Request | None = None) -> None:
        state.error, state.adjacent = Error(line, request=request), True
        self.found.append(state.error)

    def _traceback(self, state: _Open, line: LogLine) -> None:
        near = state.error is not None and line.at - state.error.at <= TOGETHER_S
        if not (near and (state.adjacent or state.chained)):
            self._begin(state, line)
        if state.error is not None:
            state.error.traceback = True
        state.ends, state.adjacent, state.chained = True, False, False

    def _raised(self, state: _Open, line: LogLine) -> None:
        state.ends = False
        if state.error is None:
            return
        state.error.raised = line.text
        if TRACEBACK in state.error.line.text[:200]:
            state.error.line = line


def find_errors(lines: Iterable[LogLine]) -> tuple[Error, ...]:
    """The errors that the lines of some containers tell of. `lines` come in the order in which each stream wrote them."""
    reader = _Reader()
    for line in lines:
        reader.take(line)
    return tuple(sorted(reader.found, key=lambda error: error.at))


def by_kind(errors: Sequence[Error]) -> tuple[Kind, ...]:
    """Errors counted by their fingerprint, the most frequent first, the newest first among equals."""
    groups: dict[str, list[Error]] = {}
    for error in errors:
        groups.setdefault(error.kind, []).append(error)
    kinds = [
        Kind(
            fingerprint=key,
            example=unstamped(same[-1].line.text),
            containers=tuple(sorted({error.line.container for error in same})),
            count=len(same),
            first_at=same[0].at,
            last_at=same[-1].at,
            newest=same[-1].line,
        )
        for key, same in groups.items()
    ]
    return tuple(sorted(kinds, key=lambda kind: (-kind.count, -kind.last_at)))


def is_rising(errors: Sequence[Error], began: float, now: float) -> bool:
    """Whether the second half of a time has more than twice the errors of its first, and enough to speak of a trend."""
    middle = (began + now) / 2
    later = sum(1 for error in errors if error.at >= middle)
    return later >= FEWEST_RISING and later > 2 * (len(errors) - later)
