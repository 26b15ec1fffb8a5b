"""Reads a world's instruments second by second, so that tests can say what rose first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulated_worlds import Stage

from console.practice.simulated.world import World

EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Sight:
    """One second: `after_s` since the recording began; `errors` and `requests` of that second, as the service's own counters have
    them; `healthy` as the service's health check of the engine sees it."""

    after_s: float
    free: int
    sessions: int
    locked: int
    waiting: int
    p95_s: float | None
    requests: int
    errors: int
    healthy: bool
    database: bool
    hit_percent: float
    statements: float
    memory_bytes: int


def watch(stage: Stage, seconds: float) -> list[Sight]:
    """Let so much time pass and note each second."""
    return list(_sights(stage, seconds))


def _sights(stage: Stage, seconds: float) -> Iterator[Sight]:
    world, began = stage.world, stage.clock.now
    counted = world.histogram.totals()
    ran = _ran(world)
    while stage.clock.now < began + seconds:
        stage.passes(EVERY_S)
        before, counted = counted, world.histogram.totals()
        ran_before, ran = ran, _ran(world)
        if counted[0] < before[0]:
            before = (0, 0)
        oldest, newest = world.cache.counters[0], world.cache.counters[-1]
        looked_up = newest.hits + newest.misses - oldest.hits - oldest.misses
        backend = world.part("backend")
        yield Sight(
            stage.clock.now - began,
            sum(1 for item in world.backend.pool if item.wait_type != "Lock"),
            len(world.database.sessions),
            len(world.database.locks.waiting),
            len(world.backend._queue),
            world.window.latency().p95_s,
            counted[0] - before[0],
            counted[1] - before[1],
            getattr(backend, "health", "") == "healthy",
            world.database.accepting(world.now),
            100 * (newest.hits - oldest.hits) / looked_up if looked_up else 0.0,
            ran - ran_before,
            backend.program.load(world.now).memory_bytes,
        )


def _ran(world: World) -> float:
    return sum(item.calls for item in world.database.statements)


def first(sights: list[Sight], holds: Callable[[Sight], bool]) -> float:
    """When something was seen first, in seconds since the recording began; fails when it never was."""
    found = next((sight.after_s for sight in sights if holds(sight)), None)
    assert found is not None, f"never seen within {sights[-1].after_s:.0f} s"
    return found


def first_line(stage: Stage, role: str, words: str, since: float) -> float:
    """When a role first logged these words, in seconds since `since`; fails when it never did."""
    for line in stage.world.log(role).tail(100_000, since):
        if words in line.text:
            return line.at - since
    raise AssertionError(f"{role} never logged {words!r}")
