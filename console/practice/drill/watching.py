"""What the referee sees of a stack: whether the scenario's probes hold, and the figures that draw the review's charts."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from console.guides.checks import run_check
from console.guides.checks.check import FactValue
from console.guides.conditions import evaluate
from console.guides.readings import Readings
from console.practice.drill.scenario import Probe
from console.practice.drill.stack import Baseline
from console.sources.protocols.metrics import Latency, Quality
from console.system import System

QUESTION_S = 3.0
HEALTH = "health"
"""The endpoint that tells whether the service calls itself well."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Probed:
    """One probe as it was found: `holds` is None when it could not be told, `facts` are those that its condition reads."""

    id: str
    title: str
    holds: bool | None
    facts: Mapping[str, FactValue]
    expected: str


@dataclass(frozen=True, slots=True)
class Sample:
    """How the service did at one moment; None is unknown. `health_ok`: whether the health endpoint answered 200."""

    p95_ms: float | None = None
    errors_per_s: float | None = None
    requests_per_s: float | None = None
    connections: int | None = None
    connections_max: int | None = None
    health_ok: bool | None = None


async def look(system: System, probes: Sequence[Probe]) -> tuple[tuple[Probed, ...], Sample]:
    """Make every probe and take a sample, at once; what does not answer in time is unknown. Raises nothing."""
    readings = Readings(system)
    try:
        sample, found = await asyncio.gather(_sample(readings), asyncio.gather(*(_probed(readings, probe) for probe in probes)))
    finally:
        readings.close()
    return tuple(found), sample


async def _probed(readings: Readings, probe: Probe) -> Probed:
    outcome = await run_check(probe.check, readings, limit_s=QUESTION_S)
    facts = {name: outcome.facts.get(name) for name in probe.holds.names}
    return Probed(probe.id, probe.title, evaluate(probe.holds, outcome.facts), facts, probe.holds.text)


async def _sample(readings: Readings) -> Sample:
    system = readings.system
    metrics, endpoints = system.metrics, system.endpoints
    latency, activity, answer = await asyncio.gather(
        _or_none(metrics.latency() if metrics else None),
        _or_none(readings.activity() if system.database else None),
        _or_none(endpoints.get(HEALTH) if endpoints and HEALTH in endpoints.names() else None),
    )
    asked = endpoints is not None and HEALTH in endpoints.names()
    return Sample(
        p95_ms=_p95_ms(latency),
        errors_per_s=_errors_per_s(latency),
        requests_per_s=latency.requests_per_s if latency else None,
        connections=activity.used if activity else None,
        connections_max=activity.max_connections if activity else None,
        health_ok=(answer is not None and answer.status == 200) if asked else None,
    )


def _p95_ms(latency: Latency | None) -> float | None:
    if latency is None or latency.quality is not Quality.GOOD:
        return None
    p95_s = latency.p95_s if latency.p95_s is not None else latency.saturated_s
    return None if p95_s is None else round(1000 * p95_s, 1)


def _errors_per_s(latency: Latency | None) -> float | None:
    if latency is None or latency.requests_per_s is None or latency.error_percent is None:
        return None
    return round(latency.requests_per_s * latency.error_percent / 100, 3)


async def _or_none(question: Awaitable[T] | None) -> T | None:
    """The answer; None without a question, and when it fails or is out of time."""
    if question is None:
        return None
    try:
        return await asyncio.wait_for(question, QUESTION_S)
    except Exception:
        # Ordinarily a SourceError, or no time left. A defect of ours, too, leaves a figure unknown and breaks no round off.
        return None


class Dwell:
    """For how long every probe has held without a break; a sample that could not be told is a break."""

    def __init__(self) -> None:
        self._since: float | None = None
        self.held_s: float | None = None
        """None while not every probe holds."""

    def feed(self, at: float, found: Sequence[Probed]) -> None:
        """Take what was found at a time, in seconds."""
        if not found or any(probed.holds is not True for probed in found):
            self._since = self.held_s = None
            return
        if self._since is None:
            self._since = at
        self.held_s = at - self._since


def lost_since(before: Baseline, now: Baseline) -> tuple[str, ...]:
    """What was there and is not any more, in words. A table that cannot be counted now is not known to be lost."""
    parts = [f"{name} is gone" for name in sorted(before.parts - now.parts)]
    rows = [
        f"{count - left:,} of the {count:,} rows of {table} are gone"
        for table, count in sorted(before.rows.items())
        if count is not None and (left := now.rows.get(table)) is not None and left < count
    ]
    return (*parts, *rows)


def without(reference: Baseline, before: Baseline, after: Baseline) -> Baseline:
    """A reference less what a fault took away: nobody but the fault has lost that."""
    rows = dict(reference.rows)
    for table, count in rows.items():
        had, has = before.rows.get(table), after.rows.get(table)
        if count is not None and had is not None and has is not None and has < had:
            rows[table] = max(0, count - (had - has))
    return Baseline(reference.parts - (before.parts - after.parts), rows)
