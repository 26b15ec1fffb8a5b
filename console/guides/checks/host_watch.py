"""What must be looked at more than once or against something else: growing memory, and clocks that disagree."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import Literal

from pydantic import Field

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.commands import container_name, docker, joined, on_machine, psql
from console.guides.checks.containers import services
from console.guides.checks.machine import is_unit, machine, need_known
from console.guides.checks.words import age, size
from console.guides.parameters import Parameters, Seconds
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.sources.postgres import statistics

LOOKS = 4
LEAST_SEEN = 3
"""Different measurements: between two of them a service at rest may seem to grow."""
LONGEST_S = 10.0
ENDPOINT_S = 1.2
"""A backend that hangs leaves time to ask its container instead."""
WAITED_S = 5.0
"""For measurements that come late: an engine with many containers makes one in two seconds."""
LEAST_PERCENT_PER_MIN = 2.0
"""Of the limit, or of what it uses where there is none: that fills it, or doubles it, within the hour."""
NOISE_BYTES = 1024 * 1024
"""The kernel counts memory in batches for each processor, so that a service at rest goes up and down by half of this."""


class GrowthParameters(Parameters):
    role: str
    for_: Seconds = Field(default=2.0, alias="for", ge=0.5, le=LONGEST_S)


class ClockParameters(Parameters):
    against: Literal["backend", "database", "system"] = "system"


async def _growth(readings: Readings, parameters: GrowthParameters) -> Findings:
    role = parameters.role
    need_known(readings.system.config, role)
    unit = is_unit(readings.system.config, role)
    look = _unit_memory(readings, role) if unit else _container_memory(readings, role)
    limit = None if unit else await _limit(readings, role)
    looks = [await look()]
    step_s = parameters.for_ / (LOOKS - 1)
    for number in range(1, LOOKS + int(WAITED_S / step_s)):
        if number >= LOOKS and len(dict(looks)) >= LEAST_SEEN:
            break
        await readings.system.pause(step_s)
        looks.append(await look())
    rate = growth_per_min(looks)
    if rate is None or len(dict(looks)) < LEAST_SEEN:
        message = f"The memory of the {role} was not measured {LEAST_SEEN} times within {age(parameters.for_ + WAITED_S)}."
        raise SourceError(FailureKind.TIMEOUT, message, "The engine is slow to measure: ask again.")
    percent = 100 * rate / (limit or max(1, looks[0][1]))
    used = [amount for _, amount in looks]
    growing = percent >= LEAST_PERCENT_PER_MIN and used == sorted(used) and used[-1] - used[0] >= NOISE_BYTES
    facts: Facts = {"growing": growing, "bytes_per_min": round(rate), "percent_per_min": round(percent, 2)}
    lines = tuple(f"after {at - looks[0][0]:.1f} s: {size(amount)}" for at, amount in dict.fromkeys(looks))
    if not growing:
        return Findings(facts, f"The memory of the {role} does not grow.", lines)
    against = "its limit" if limit else "what it uses"
    return Findings(facts, f"The memory of the {role} grows by {size(rate)} a minute, {percent:.0f} % of {against}.", lines)


def growth_per_min(looks: Sequence[tuple[float, int]]) -> float | None:
    """The slope through (time, bytes) by least squares, bytes a minute; None without two different times."""
    seen = list(dict(looks).items())
    if len(seen) < 2:
        return None
    middle_at = sum(at for at, _ in seen) / len(seen)
    middle = sum(used for _, used in seen) / len(seen)
    spread = sum((at - middle_at) ** 2 for at, _ in seen)
    return 60 * sum((at - middle_at) * (used - middle) for at, used in seen) / spread if spread else None


_Look = Callable[[], Awaitable[tuple[float, int]]]


async def _limit(readings: Readings, role: str) -> int | None:
    """The memory limit of a container; the engine's samples tell the machine's memory where there is none."""
    container = (await services(readings, (role,)))[role]
    return container.memory_limit_bytes if container is not None else None


def _container_memory(readings: Readings, role: str) -> _Look:
    engine, name = readings.system.need_engine(), readings.system.container(role)

    async def look() -> tuple[float, int]:
        usage = await engine.usage(name)
        if usage.memory_used_bytes is None:
            raise SourceError(FailureKind.UNSUPPORTED, f"The engine does not tell the memory of the {role}.")
        return usage.taken_at, usage.memory_used_bytes

    return look


def _unit_memory(readings: Readings, role: str) -> _Look:
    host, name, clock = machine(readings), readings.system.config.units[role], readings.system.clock

    async def look() -> tuple[float, int]:
        unit = await host.unit(name)
        if unit.memory_bytes is None:
            raise SourceError(
                FailureKind.UNSUPPORTED,
                f"systemd does not tell the memory of {unit.name}.",
                "Set MemoryAccounting=yes, or start it.",
            )
        return clock(), unit.memory_bytes

    return look


async def _clock(readings: Readings, parameters: ClockParameters) -> Findings:
    told, ours, source = await {"backend": _backend_time, "database": _database_time, "system": _machine_time}[
        parameters.against
    ](readings)
    ahead = told - ours
    facts: Facts = {"skew_s": round(abs(ahead), 1), "ahead_s": round(ahead, 1)}
    lines = (f"{source}: {ahead:+.1f} s against the clock of Triage",)
    if abs(ahead) < 2:
        return Findings(facts, f"The clock of the {parameters.against} agrees.", lines)
    return Findings(
        facts, f"The clock of the {parameters.against} is {age(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}.", lines
    )


async def _between(readings: Readings, ask: Awaitable[float], precision_s: float = 0.0) -> tuple[float, float]:
    """A foreign time and ours in the middle of the question. A time in whole seconds is on average half of one older."""
    before = readings.system.clock()
    told = await ask
    return told + precision_s / 2, (before + readings.system.clock()) / 2


async def _machine_time(readings: Readings) -> tuple[float, float, str]:
    return *await _between(readings, machine(readings).now()), "the machine"


async def _database_time(readings: Readings) -> tuple[float, float, str]:
    database = readings.system.need_database()

    async def ask() -> float:
        rows = await database.select(statistics.CLOCK, timeout_s=2.0)
        try:
            return float(str(rows[0]["now"]))
        except (IndexError, KeyError, ValueError):
            raise SourceError(FailureKind.GARBAGE, "PostgreSQL does not tell the time.") from None

    return *await _between(readings, ask()), "PostgreSQL"


async def _backend_time(readings: Readings) -> tuple[float, float, str]:
    """By the Date header of an endpoint; without one, by the clock of the backend's container or machine."""
    config = readings.system.config
    if config.endpoints:
        name = _endpoint(config)
        endpoints = readings.system.need_endpoints()

        async def ask() -> float:
            try:
                async with asyncio.timeout(ENDPOINT_S):
                    header = (await endpoints.get(name)).headers.get("date", "")
                return parsedate_to_datetime(header).timestamp()
            except (ValueError, TimeoutError):
                raise SourceError(FailureKind.UNSUPPORTED, f"The endpoint {name} tells no time.") from None

        with contextlib.suppress(SourceError):
            return *await _between(readings, ask(), 1.0), f"Date header of {name}"
    if is_unit(config, "backend"):
        return await _machine_time(readings)
    engine, container = readings.system.need_engine(), readings.system.container("backend")

    async def inside() -> float:
        result = await engine.execute(container, ["date", "+%s.%N"], timeout_s=1.5)
        try:
            return float(result.stdout)
        except ValueError:
            raise SourceError(FailureKind.GARBAGE, "date in the backend's container does not tell the time.") from None

    return *await _between(readings, inside()), "date in the backend's container"


def _endpoint(config: SystemConfig) -> str:
    return "health" if "health" in config.endpoints else next(iter(config.endpoints))


def _growth_command(config: SystemConfig, parameters: GrowthParameters) -> str:
    if is_unit(config, parameters.role):
        return on_machine(config, "systemctl", "show", "--property=MemoryCurrent", config.units[parameters.role])
    return docker(config, "stats", container_name(config, parameters.role))


def _clock_command(config: SystemConfig, parameters: ClockParameters) -> str:
    if parameters.against == "database":
        return joined(["date +%s", psql(config, "SELECT extract(epoch FROM now())")])
    if parameters.against == "backend" and config.endpoints:
        return f"date && curl -sI {config.endpoints[_endpoint(config)]} | grep -i '^date'"
    return f"date && {on_machine(config, 'date')}"


CHECKS = (
    Check(
        name="host.growth",
        title="Does this service's memory grow while we look?",
        parameters=GrowthParameters,
        facts=(
            Fact(
                "growing", FactType.BOOL, "it never shrank, and grows by at least 2 % of its limit, or of what it uses, a minute"
            ),
            Fact("bytes_per_min", FactType.NUMBER, "the slope over the looks", "B"),
            Fact("percent_per_min", FactType.NUMBER, "of its limit, or of what it uses where there is none", "%"),
        ),
        command=_growth_command,
        make=_growth,
        ahead=False,
        more_s=LONGEST_S + 2 * WAITED_S,
    ),
    Check(
        name="host.clock",
        title="Do the clocks agree?",
        parameters=ClockParameters,
        facts=(
            Fact("skew_s", FactType.NUMBER, "by how much they differ", "s"),
            Fact("ahead_s", FactType.NUMBER, "the same, negative when theirs is behind ours", "s"),
        ),
        command=_clock_command,
        make=_clock,
    ),
)
