"""One request through all the logs, by the id that its lines carry. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.logs.access import correlation_of, told
from console.logs.classify import RAISED, TRACEBACK, Classifier, Level, continues
from console.sources.protocols.engine import LogLine, Stream


@dataclass(frozen=True, slots=True)
class Step:
    """A line of a trace and its level. `carries`: it holds the id itself; otherwise it goes on from one that does."""

    line: LogLine
    level: Level
    carries: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """What the lines with one id say, in the order of time. Texts are empty where no line tells."""

    steps: tuple[Step, ...]
    status: int | None
    """The last HTTP status that a line names."""
    user: str
    role: str
    path: str

    @property
    def lines(self) -> int:
        return sum(step.carries for step in self.steps)

    @property
    def containers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(step.line.container for step in self.steps))

    @property
    def errors(self) -> int:
        return sum(step.carries and step.level >= Level.ERROR for step in self.steps)


def trace(lines: Iterable[LogLine], correlation_id: str) -> Trace:
    """The lines that hold the id, and the tracebacks and explanations behind them. `lines` in the order of each stream."""
    written = tuple(lines)
    # Only the streams that hold the id need a closer look, which costs far more than finding it.
    streams = {(line.container, line.stream) for line in written if _holds(line.text, correlation_id)}
    classifier = Classifier()
    steps: list[Step] = []
    followed: set[tuple[str, Stream]] = set()
    in_traceback: set[tuple[str, Stream]] = set()
    for line in written:
        key = (line.container, line.stream)
        if key not in streams:
            continue
        level = classifier.level(line)
        if _holds(line.text, correlation_id):
            steps.append(Step(line, level, carries=True))
            followed.add(key)
        elif key in followed and TRACEBACK in line.text[:200]:
            steps.append(Step(line, level, carries=False))
            in_traceback.add(key)
        elif key in followed and continues(line.text):
            steps.append(Step(line, level, carries=False))
        elif key in in_traceback and RAISED.match(line.text):
            steps.append(Step(line, level, carries=False))
            in_traceback.discard(key)
        else:
            followed.discard(key)
            in_traceback.discard(key)
    steps.sort(key=lambda step: step.line.at)
    said = [told(step.line) for step in steps if step.carries]
    return Trace(
        steps=tuple(steps),
        status=next((item.status for item in reversed(said) if item.status is not None), None),
        user=_last(item.user for item in said),
        role=_last(item.role for item in said),
        path=_last(item.path for item in said),
    )


def known_ids(lines: Sequence[LogLine], most: int = 200) -> tuple[tuple[str, int, float], ...]:
    """The ids that lines carry, in how many lines each, and when last; the newest first."""
    counted: Counter[str] = Counter()
    newest: dict[str, float] = {}
    for line in lines:
        if correlation := correlation_of(line):
            counted[correlation] += 1
            newest[correlation] = line.at
    return tuple((name, counted[name], newest[name]) for name in sorted(newest, key=lambda name: -newest[name])[:most])


def _holds(text: str, correlation_id: str) -> bool:
    """Whether the id stands in the text by itself, not inside a longer word or id."""
    if correlation_id not in text:
        return False
    return re.search(rf"(?<![0-9A-Za-z]){re.escape(correlation_id)}(?![0-9A-Za-z])", text) is not None


def _last(texts: Iterable[str]) -> str:
    return next((text for text in reversed([*texts]) if text), "")
