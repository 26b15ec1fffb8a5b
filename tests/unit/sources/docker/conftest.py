from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fake_docker import FakeEngine

from console.config_sources import EngineConfig
from console.sources.docker.source import DockerEngine


@pytest.fixture
async def fake(tmp_path: Path) -> AsyncIterator[FakeEngine]:
    engine = FakeEngine(tmp_path / "docker.sock")
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture
async def source(fake: FakeEngine) -> AsyncIterator[DockerEngine]:
    """The source under test, asked for everything labelled triage.test."""
    docker = DockerEngine(EngineConfig(host=fake.host, select={"label": "triage.test"}), names=())
    await docker.open()
    yield docker
    await docker.aclose()
