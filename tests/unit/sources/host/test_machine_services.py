"""The services of a machine, as the container pane and the log pane see them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.config import load_config, shipped_config
from console.practice.simulated.system import simulated_system
from console.reading import FailureKind, SourceError
from console.sources.host.services import MachineServices
from console.sources.protocols.engine import State
from console.system import System

NOON = 1_795_694_400.0


@pytest.fixture
async def dotmac() -> AsyncIterator[System]:

    system = simulated_system(load_config(shipped_config()).config.system("dotmac"), clock=lambda: NOON)
    yield system
    await system.aclose()


async def test_units_are_listed_as_services_with_their_memory(dotmac: System) -> None:
    found = await dotmac.need_workloads().containers()
    assert {item.name: item.state for item in found.items} == {
        "postgresql": State.RUNNING,
        "redis-server": State.RUNNING,
        "dotmac": State.RUNNING,
    }
    memory = found.usage["dotmac"].memory_used_bytes
    assert memory is not None
    assert memory > 1 << 20
    assert [dotmac.config.role_of(item.name) for item in found.items] == ["database", "cache", "backend"]


async def test_a_log_file_is_followed_without_a_line_lost_or_given_twice(tmp_path: Path) -> None:
    from console.sources.host import LocalHost

    log = tmp_path / "app.log"
    log.write_text("2026-11-22 10:00:00 one\n2026-11-22 10:00:00 two\n")
    services = MachineServices(LocalHost(), {"backend": "app"}, {"backend": str(log)}, clock=lambda: NOON)
    stream = services.follow("app", tail=10)
    first = await anext(stream)
    assert [line.text.rpartition(" ")[2] for line in first] == ["one", "two"]
    with log.open("a") as out:
        out.write("2026-11-22 10:00:00 three\n2026-11-22 10:00:05 four\n")
    second = await asyncio.wait_for(anext(stream), 10)
    assert [line.text.rpartition(" ")[2] for line in second] == ["three", "four"]
    assert {line.container for line in (*first, *second)} == {"app"}


async def test_a_service_without_a_log_file_says_which_setting_is_missing() -> None:
    from console.sources.host import LocalHost

    services = MachineServices(LocalHost(), {"backend": "app"}, {}, clock=lambda: NOON)
    with pytest.raises(SourceError) as caught:
        await anext(services.follow("app", tail=10))
    assert caught.value.failure.kind is FailureKind.NOT_CONFIGURED
    assert "log_files" in caught.value.failure.advice
