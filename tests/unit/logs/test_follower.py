import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing

import pytest

from console.logs import follower as module
from console.logs.follower import Follower, LogBatch
from console.reading import FailureKind, SourceError
from console.sources.protocols.engine import LogLine, Stream


class FakeEngine:
    """Logs that a test writes to; only what a follower asks."""

    def __init__(self) -> None:
        self.written: dict[str, list[LogLine]] = {}
        self.failing: dict[str, SourceError] = {}
        self.ended: set[str] = set()
        self.open = 0
        self.asked: list[tuple[str, int, float | None]] = []
        self._news = asyncio.Condition()

    async def write(self, name: str, at: float, text: str) -> None:
        self.written.setdefault(name, []).append(LogLine(name, Stream.STDOUT, at, text))
        await self.tell()

    async def tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def follow(self, name: str, *, tail: int, since: float | None = None) -> AsyncIterator[Sequence[LogLine]]:
        self.asked.append((name, tail, since))
        self.open += 1
        try:
            given = [line for line in self.written.get(name, []) if since is None or line.at >= since][-tail:]
            position = len(self.written.get(name, []))
            if given:
                yield given
            while name not in self.ended:
                if name in self.failing:
                    raise self.failing[name]
                lines = self.written.get(name, [])
                if len(lines) > position:
                    yield lines[position:]
                    position = len(lines)
                    continue
                async with self._news:
                    await self._news.wait()
        finally:
            self.open -= 1


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_S", 0.01)
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 0.02)


async def _collect(follower: Follower, enough: Callable[[list[LogBatch]], bool]) -> list[LogBatch]:
    seen: list[LogBatch] = []
    async with asyncio.timeout(5), aclosing(follower.batches()) as batches:  # type: ignore[type-var]
        async for batch in batches:
            seen.append(batch)
            if enough(seen):
                break
    return seen


def _texts(batches: list[LogBatch]) -> list[str]:
    return [line.text for batch in batches for line in batch.lines]


async def test_lines_of_all_containers_come_merged_by_time() -> None:
    engine = FakeEngine()
    await engine.write("a", 1, "a1")
    await engine.write("b", 2, "b2")
    await engine.write("a", 3, "a3")
    seen = await _collect(Follower(engine, ["a", "b"]), lambda seen: len(_texts(seen)) == 3)  # type: ignore[arg-type]
    assert sorted(_texts(seen)) == ["a1", "a3", "b2"]
    assert engine.open == 0


async def test_a_log_that_ended_goes_on_without_a_line_twice_or_lost() -> None:
    engine = FakeEngine()
    await engine.write("a", 1.0, "one")
    await engine.write("a", 1.0, "same moment")
    engine.ended.add("a")
    follower = Follower(engine, ["a"])  # type: ignore[arg-type]
    seen: list[LogBatch] = []

    async with asyncio.timeout(5), aclosing(follower.batches()) as batches:  # type: ignore[type-var]
        async for batch in batches:
            seen.append(batch)
            if len(_texts(seen)) == 2:
                await engine.write("a", 1.0, "same moment")
                await engine.write("a", 2.0, "after")
                engine.ended.clear()
            if "after" in _texts(seen):
                break
    assert _texts(seen) == ["one", "same moment", "same moment", "after"]
    assert engine.open == 0


async def test_one_container_that_fails_does_not_stop_the_others_and_is_told() -> None:
    engine = FakeEngine()
    engine.failing["bad"] = SourceError(FailureKind.MISSING, "There is no container bad.", "Start it.")
    await engine.write("good", 1, "line")
    seen = await _collect(Follower(engine, ["bad", "good"]), lambda seen: bool(seen[-1].failures) and bool(_texts(seen)))  # type: ignore[arg-type]
    assert seen[-1].failures["bad"].kind is FailureKind.MISSING
    assert _texts(seen) == ["line"]


async def test_a_failure_that_is_over_is_taken_back() -> None:
    engine = FakeEngine()
    engine.failing["a"] = SourceError(FailureKind.REFUSED, "refused")
    follower = Follower(engine, ["a"])  # type: ignore[arg-type]
    seen: list[LogBatch] = []
    async with asyncio.timeout(5):
        async for batch in follower.batches():
            seen.append(batch)
            if len(seen) == 1:
                assert set(batch.failures) == {"a"}
                engine.failing.clear()
                await engine.write("a", 1, "back")
            if not batch.failures and "back" in _texts(seen):
                break


async def test_a_container_chosen_later_is_picked_up_and_one_left_out_is_closed() -> None:
    engine = FakeEngine()
    await engine.write("a", 1, "a1")
    await engine.write("b", 2, "b1")
    follower = Follower(engine, ["a"])  # type: ignore[arg-type]
    seen: list[LogBatch] = []
    async with asyncio.timeout(5):
        async for batch in follower.batches():
            seen.append(batch)
            if _texts(seen) == ["a1"]:
                follower.choose(["b"])
            if "b1" in _texts(seen):
                assert batch.followed == {"b"}
                break
    assert [name for name, _, _ in engine.asked] == ["a", "b"]


async def test_a_flood_waits_until_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 10)
    engine = FakeEngine()
    for at in range(50):
        await engine.write("a", at, str(at))
    seen = await _collect(Follower(engine, ["a"]), lambda seen: len(_texts(seen)) == 50)  # type: ignore[arg-type]
    assert _texts(seen) == [str(at) for at in range(50)]
