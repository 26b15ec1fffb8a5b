"""Errors in the logs, by kind and one by one, and one request through all of them."""

import asyncio
from collections.abc import Mapping

from console.guides.checks.log_lines import LogLines, read_logs
from console.guides.checks.words import age, listed, number
from console.guides.readings import Readings
from console.logs.classify import Level, unstamped
from console.logs.errors import by_kind, find_errors
from console.logs.trace import known_ids, trace
from console.text import clean
from console.toolkit.table import SAME_DAY_S, Head, Row, Table, Tone, moment

WINDOWS: Mapping[str, float] = {"5m": 300.0, "15m": 900.0, "1h": 3600.0, "24h": 86_400.0}
"""Seconds that can be looked back, by the words that choose them."""
TRACED_S = 3600.0
MOST_LINES = 20_000
"""Lines of each log that are read; the table says how far back they reach."""
_SHOWN = 500
_TONES: Mapping[Level, Tone] = {Level.FATAL: "bad", Level.ERROR: "bad", Level.WARNING: "warn"}
_STEPS = (Head("WHEN", 12, most=15), Head("WHERE", 12, grow=1, most=24, rank=1), Head("LINE", 20, grow=6))
_IDS = (Head("ID", 16, grow=2, most=60), Head("LINES", 6, right=True, most=8), Head("LAST", 11, most=11))


def _kind_heads(window: str) -> tuple[Head, ...]:
    return (
        Head("TIMES", 5, right=True, most=8),
        Head("FIRST", _moment_width(window), rank=2),
        Head("LAST", _moment_width(window)),
        Head("WHERE", 12, grow=1, most=28, rank=1),
        Head("ERROR", 20, grow=6),
    )


def _error_heads(window: str) -> tuple[Head, ...]:
    return (Head("WHEN", _moment_width(window)), Head("WHERE", 12, grow=1, most=24, rank=1), Head("ERROR", 20, grow=6))


def _moment_width(window: str) -> int:
    return 11 if WINDOWS[window] > SAME_DAY_S else 8


async def errors_by_kind(readings: Readings, window: str) -> Table:
    """Errors counted by kind, with first and last time. `window` is one of WINDOWS. Raises SourceError without any log."""
    read = await _read(readings, window)
    errors = await asyncio.to_thread(find_errors, read.lines)
    kinds = await asyncio.to_thread(by_kind, errors)
    now = readings.wall()
    rows = tuple(
        Row(
            kind.fingerprint,
            (str(kind.count), moment(kind.first_at, now), moment(kind.last_at, now), listed(list(kind.containers)), kind.example),
        )
        for kind in kinds[:_SHOWN]
    )
    summary = f"{number(len(errors), 'error')} of {number(len(kinds), 'kind')}{_reach(read, window, now)}"
    return Table(_kind_heads(window), rows, summary, read.unread, _quiet(read, now))


async def errors_in_window(readings: Readings, window: str) -> Table:
    """Each error, the newest first."""
    read = await _read(readings, window)
    errors = await asyncio.to_thread(find_errors, read.lines)
    now = readings.wall()
    rows = tuple(
        Row(
            f"{error.at} {error.line.container} {index}",
            (moment(error.at, now), error.line.container, unstamped(error.line.text)),
            more=(error.raised,) if error.raised and error.raised != error.line.text else (),
        )
        for index, error in enumerate(errors[: -_SHOWN - 1 : -1])
    )
    more = f", the newest {_SHOWN} are shown" if len(errors) > _SHOWN else ""
    summary = f"{number(len(errors), 'error')}{more}{_reach(read, window, now)}"
    return Table(_error_heads(window), rows, summary, read.unread, _quiet(read, now))


async def trace_request(readings: Readings, correlation_id: str) -> Table:
    """The lines with one id over all logs, in the order of time; without an id, the ids that the logs hold."""
    read = await read_logs(readings, (), TRACED_S, MOST_LINES)
    now = readings.wall()
    if not correlation_id:
        known = await asyncio.to_thread(known_ids, read.lines, _SHOWN)
        rows = tuple(Row(name, (clean(name, 200), str(count), moment(at, now)), leads_to=name) for name, count, at in known)
        return Table(_IDS, rows, "the newest ids; enter follows one, i takes another", read.unread, "No line carries an id.")
    found = await asyncio.to_thread(trace, read.lines, correlation_id)
    steps = tuple(
        Row(
            str(index),
            (_to_the_millisecond(step.line.at, now), step.line.container, unstamped(step.line.text)),
            _TONES.get(step.level, "") if step.carries else "muted",
        )
        for index, step in enumerate(found.steps[:_SHOWN])
    )
    facts = (
        f"status {found.status}" if found.status is not None else "",
        found.path,
        f"user {found.user}" if found.user else "",
        f"role {found.role}" if found.role else "",
    )
    summary = ", ".join(filter(None, (clean(correlation_id, 60), number(found.lines, "line"), *facts)))
    empty = f"No line of the last {age(read.span_s(now))} holds {clean(correlation_id, 80)}."
    return Table(_STEPS, steps, summary, read.unread, empty)


async def _read(readings: Readings, window: str) -> LogLines:
    return await read_logs(readings, (), WINDOWS[window], MOST_LINES)


def _reach(read: LogLines, window: str, now: float) -> str:
    """How far back the lines go, when there were too many to read all of the window."""
    return "" if now - read.since >= WINDOWS[window] - 2 else f", read back to {moment(read.since, now)} only"


def _quiet(read: LogLines, now: float) -> str:
    return f"No error among {number(len(read.lines), 'line')} of the last {age(read.span_s(now))}."


def _to_the_millisecond(at: float, now: float) -> str:
    return f"{moment(at, now)}.{int(at * 1000) % 1000:03d}" if abs(now - at) < SAME_DAY_S else moment(at, now)
