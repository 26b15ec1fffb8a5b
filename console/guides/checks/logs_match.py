"""What logs say: lines that fit a pattern, and errors as a person counts them."""

import asyncio
import re
import shlex
from collections.abc import Mapping
from functools import lru_cache, partial

from pydantic import Field, field_validator

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, FactType, Findings
from console.guides.checks.log_lines import LogLines, logs_command, piped, read_logs
from console.guides.checks.words import age, clock_time, listed, number
from console.guides.parameters import Parameters, Seconds
from console.guides.readings import Readings
from console.logs.errors import Kind, by_kind, find_errors, is_rising
from console.logs.store import InvalidPattern, compile_pattern
from console.reading import SourceError
from console.sources.protocols.engine import LogLine
from console.text import clean

LOOKED_AT = 1_000
"""Characters of a line in which patterns look: a hostile line must not hold up the screen."""
MOST_LINES = 5_000
_MOST_PATTERN = 200
_SHOWN = 15
_FACT = re.compile(r"[a-z][a-z0-9_]{0,40}")
_OWN = ("newest", "lines")
_CLASS = re.compile(r"(?<!\\)\[\^?\]?(?:\\.|[^\]\\])*\]")
# `.*`, `.+`, `.{3,}`: on a long line their time grows with its square.
_ENDLESS = re.compile(r"(?<!\\)(?:\\\\)*\.(?:[*+]|\{\d*,\})")


class MatchParameters(Parameters):
    roles: tuple[str, ...] = ()
    """Whose logs; none: those of every role."""
    patterns: Mapping[str, str] = Field(min_length=1, max_length=20, json_schema_extra={"bind": False})
    """A regular expression for each fact: how many lines it fits. Small letters find both cases; `.{0,80}` instead of `.*`."""
    window: Seconds = Field(default=600.0, gt=0)
    lines: int = Field(default=500, ge=10, le=MOST_LINES)
    """At most so many of the last lines of each role."""
    since_start: bool = False
    """Only what was written since the role's container or unit was started."""

    @field_validator("patterns")
    @classmethod
    def _usable(cls, patterns: Mapping[str, str]) -> Mapping[str, str]:
        for name, pattern in patterns.items():
            if not _FACT.fullmatch(name) or name in _OWN:
                raise ValueError(f"{name!r} is no name for a fact: small letters, digits and _, and not {' or '.join(_OWN)}")
            compile_bounded(pattern)
        return patterns


class ErrorsParameters(Parameters):
    roles: tuple[str, ...] = ()
    window: Seconds = Field(default=900.0, gt=0)


@lru_cache(maxsize=500)
def compile_bounded(pattern: str) -> re.Pattern[str]:
    """A guide's pattern, which must be fast on every line; raises ValueError, which says why it cannot be used."""
    if len(pattern) > _MOST_PATTERN:
        raise ValueError(f"a pattern may have {_MOST_PATTERN} characters, not {len(pattern)}")
    if _ENDLESS.search(_CLASS.sub("x", pattern)):
        raise ValueError(f"{pattern!r} repeats `.` without end: write .{{0,80}}")
    try:
        compiled = compile_pattern(pattern)
    except InvalidPattern as error:
        raise ValueError(f"{pattern!r} is no usable pattern: {error}") from None
    if compiled is None or compiled.search(""):
        raise ValueError(f"{pattern!r} fits every line")
    return compiled


async def _match(readings: Readings, parameters: MatchParameters) -> Findings:
    read = await read_logs(readings, parameters.roles, parameters.window, parameters.lines)
    began = await _starts(readings, parameters) if parameters.since_start else {}
    lines = [line for line in read.lines if line.at >= began.get(line.container, 0.0)]
    matches = await asyncio.to_thread(matching, lines, parameters.patterns)
    newest = max((name for name in matches if matches[name]), key=lambda name: matches[name][-1].at, default="")
    facts = {name: read.count(len(found)) for name, found in matches.items()}
    last = matches[newest][-1] if newest else None
    shown = sorted({id(line): line for found in matches.values() for line in found}.values(), key=lambda line: line.at)
    evidence = (_counted(matches), *map(log_line, shown[-_SHOWN:])) if shown else tuple(map(log_line, lines[-3:]))
    return Findings(
        {**facts, "newest": newest if newest or not read.unread else None, "lines": len(lines)},
        _match_headline(last, len(lines), parameters.window),
        evidence,
        read.unread,
        last,
    )


def matching(lines: list[LogLine], patterns: Mapping[str, str]) -> dict[str, list[LogLine]]:
    """The lines that each pattern fits, in their order."""
    compiled = {name: compile_bounded(pattern) for name, pattern in patterns.items()}
    return {name: [line for line in lines if pattern.search(line.text[:LOOKED_AT])] for name, pattern in compiled.items()}


async def _starts(readings: Readings, parameters: MatchParameters) -> dict[str, float]:
    """When the present run of each role began, by the name under which it logs. Unknown: everything counts."""
    config, found = readings.system.config, {}
    for role in parameters.roles or tuple(config.roles):
        if role in config.roles:
            container = (await readings.containers()).named(config.roles[role])
            if container is not None and container.started_at is not None:
                found[container.name] = container.started_at
        elif role in config.units:
            name = config.units[role]
            try:
                unit = await readings.share(("unit", name), partial(readings.system.host.unit, name))
            except SourceError:
                continue
            if unit.since is not None:
                found[role] = unit.since
    return found


def _match_headline(last: LogLine | None, lines: int, window_s: float) -> str:
    if last is not None:
        return clean(f"{last.container} wrote at {clock_time(last.at)}: {last.text}", 200)
    return f"None of {number(lines, 'line')} of the last {age(window_s)} says so."


def _counted(matches: Mapping[str, list[LogLine]]) -> str:
    return ", ".join(f"{name} {len(found)}" for name, found in matches.items() if found)


def log_line(line: LogLine) -> str:
    """A line of a log as evidence: when, who, what."""
    return clean(f"{clock_time(line.at)} {line.container}: {line.text}", 400)


async def _errors(readings: Readings, parameters: ErrorsParameters) -> Findings:
    read = await read_logs(readings, parameters.roles, parameters.window, MOST_LINES)
    now = readings.wall()
    # Thousands of lines are looked at: not on the event loop.
    errors = await asyncio.to_thread(find_errors, read.lines)
    kinds = by_kind(errors)
    minutes = max(read.span_s(now), 1.0) / 60
    facts = {
        "errors": read.count(len(errors)),
        "per_minute": round(len(errors) / minutes, 2) if errors or not read.unread else None,
        "kinds": read.count(len(kinds)),
        "top_share_percent": round(100 * kinds[0].count / len(errors), 1) if kinds else None if read.unread else 0.0,
        "rising": is_rising(errors, read.since, now) if errors or not read.unread else None,
        "tracebacks": read.count(sum(error.traceback for error in errors)),
        "timeouts": read.count(sum(error.timeout for error in errors)),
    }
    if not kinds:
        return Findings(facts, f"No error in the last {age(read.span_s(now))}.", (), read.unread)
    headline = f"{number(len(errors), 'error')} of {number(len(kinds), 'kind')} in the last {age(read.span_s(now))}; most: "
    evidence = (_reach(read, parameters.window, now), *(kind_line(kind) for kind in kinds[:_SHOWN]))
    return Findings(facts, clean(headline + kinds[0].example, 200), tuple(filter(None, evidence)), read.unread, kinds[0].newest)


def kind_line(kind: Kind) -> str:
    """A kind of error in a line: how often, when, where, and the newest of them."""
    when = clock_time(kind.last_at) if kind.count == 1 else f"{clock_time(kind.first_at)} to {clock_time(kind.last_at)}"
    return clean(f"{kind.count}×  {when}  {listed(list(kind.containers), 2)}: {kind.example}", 400)


def _reach(read: LogLines, window_s: float, now: float) -> str:
    if now - read.since >= window_s - 2:
        return ""
    return f"the logs were read back to {clock_time(read.since)} only: there are too many lines"


CHECKS = (
    Check(
        name="logs.match",
        title="Do the logs say certain things?",
        parameters=MatchParameters,
        facts=(),
        facts_for=lambda parameters: (
            *(Fact(name, FactType.NUMBER, f"lines that fit {pattern}") for name, pattern in parameters.patterns.items()),
            Fact("newest", FactType.TEXT, "the pattern that fits the newest of these lines", choices=("", *parameters.patterns)),
            Fact("lines", FactType.NUMBER, "lines that were read"),
        ),
        command=lambda config, parameters: _match_command(config, parameters),
        make=_match,
    ),
    Check(
        name="logs.errors",
        title="How many errors do the logs tell of, and of which kinds?",
        parameters=ErrorsParameters,
        facts=(
            Fact("errors", FactType.NUMBER, "errors; a message, its traceback and the request that failed are one"),
            Fact("per_minute", FactType.NUMBER, "errors a minute"),
            Fact("kinds", FactType.NUMBER, "errors that differ in more than numbers and quoted words"),
            Fact("top_share_percent", FactType.NUMBER, "of all errors are of the most frequent kind", "%"),
            Fact("rising", FactType.BOOL, "the second half of the window has over twice the errors of the first"),
            Fact("tracebacks", FactType.NUMBER, "errors with a traceback"),
            Fact("timeouts", FactType.NUMBER, "errors that speak of a timeout"),
        ),
        command=lambda config, parameters: piped(
            logs_command(config, parameters.roles, parameters.window, MOST_LINES), "grep -iE 'error|fatal|critical'"
        ),
        make=_errors,
    ),
)


def _match_command(config: SystemConfig, parameters: MatchParameters) -> str:
    words = "|".join(f"(?i:{pattern})" if pattern == pattern.lower() else pattern for pattern in parameters.patterns.values())
    logs = logs_command(config, parameters.roles, parameters.window, parameters.lines)
    return piped(logs, f"grep -P {shlex.quote(words)}")
