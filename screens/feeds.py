"""Which question fills each pane of the dashboard, and how often it is asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from console.system import System

HIDDEN_EVERY_S = 10.0
"""A pane that is not shown is asked for seldom, and not never: the banner must know what is worst."""


@dataclass(frozen=True, slots=True)
class Feed:
    """The question of one pane. `name` is the source's in messages, `every_s` the time between two answers that are shown."""

    pane: str
    name: str
    ask: Callable[[], Awaitable[Any]]
    every_s: float
    timeout_s: float

    def pace_s(self, *, shown: bool) -> float:
        """Seconds between two questions."""
        return self.every_s if shown else max(HIDDEN_EVERY_S, self.every_s)


def feeds_of(system: System) -> tuple[Feed, ...]:
    """One for each pane but the log, which is followed and not asked."""
    workloads = "The machine" if system.config.runs_on_machine else "The container engine"
    return (
        Feed("containers", workloads, lambda: system.need_workloads().containers(), 2.0, 3.0),
        Feed("postgres", "PostgreSQL", lambda: system.need_database().activity(), 2.0, 3.0),
        Feed("redis", "Redis", lambda: system.need_cache().info(), 2.0, 3.0),
        Feed("latency", "The metrics source", lambda: system.need_metrics().latency(), 5.0, 5.0),
    )
