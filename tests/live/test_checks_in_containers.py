"""The checks that run commands inside containers, on a real engine."""

import contextlib
from collections.abc import AsyncIterator
from uuid import uuid4

import docker
import pytest

from console.config import load_config, shipped_config
from console.config_sources import EngineConfig
from console.guides.checks import Outcome, find_check, run_check
from console.guides.issue import CheckCall
from console.guides.readings import Readings
from console.sources.docker.source import DockerEngine
from console.system import System

pytestmark = pytest.mark.engine
IMAGE = "debian:bookworm-slim"
LISTEN = (
    "perl -MIO::Socket::INET -e "
    "'$s = IO::Socket::INET->new(Listen => 5, LocalAddr => \"{address}\", LocalPort => 7000); sleep 300'"
)


@pytest.fixture
async def system() -> AsyncIterator[System]:
    """Three containers: one listens for all, one for itself alone, one is in another network."""
    client, mark = docker.DockerClient.from_env(), f"triage-test-{uuid4().hex[:8]}"
    shared, other = client.networks.create(f"{mark}-shared"), client.networks.create(f"{mark}-other")
    names = {role: f"{mark}-{role}" for role in ("backend", "cache", "proxy")}
    made = []
    try:
        for role, address, network in (
            ("backend", "127.0.0.1", shared),
            ("cache", "0.0.0.0", shared),
            ("proxy", "0.0.0.0", other),
        ):
            command = ["sh", "-c", LISTEN.format(address=address)]
            made.append(client.containers.run(IMAGE, command, name=names[role], detach=True, network=network.name))
        config = load_config(shipped_config()).config.system("sms").model_copy(update={"roles": names, "engine": EngineConfig()})
        engine = DockerEngine(EngineConfig(), names=tuple(names.values()))
        yield System(config, host=object(), engine=engine)  # type: ignore[arg-type]
        await engine.aclose()
    finally:
        for container in made:
            with contextlib.suppress(docker.errors.NotFound):
                container.remove(force=True)
        shared.remove()
        other.remove()
        client.close()


async def checked(system: System, name: str, **parameters: object) -> Outcome:
    check = find_check(name)
    assert check is not None
    readings = Readings(system)
    outcome = await run_check(CheckCall(name, check.parameters.model_validate(parameters)), readings, limit_s=10)
    readings.close()
    return outcome


async def test_containers_tell_where_they_listen_and_whom_they_reach(system: System) -> None:
    async def until_listening() -> Outcome:
        for _ in range(50):
            outcome = await checked(system, "containers.listening", role="cache", port=7000)
            if outcome.facts["listening"]:
                break
        return outcome

    everywhere = await until_listening()
    assert (everywhere.facts["listening"], everywhere.facts["everywhere"], everywhere.facts["published"]) == (True, True, False)
    alone = await checked(system, "containers.listening", role="backend", port=7000)
    assert (alone.facts["listening"], alone.facts["everywhere"]) == (True, False)

    reached = await checked(system, "containers.reach", **{"from": "backend", "to": "cache", "port": 7000})
    assert reached.facts == {"same_network": True, "resolves": True, "connects": True}
    closed = await checked(system, "containers.reach", **{"from": "cache", "to": "backend", "port": 7000})
    assert closed.facts == {"same_network": True, "resolves": True, "connects": False}
    apart = await checked(system, "containers.reach", **{"from": "backend", "to": "proxy", "port": 7000})
    assert apart.facts == {"same_network": False, "resolves": False, "connects": False}


async def test_use_processes_and_changes_of_containers_are_told(system: System) -> None:
    used = await checked(system, "containers.usage", roles=("backend", "cache"))
    assert used.facts["cpu_percent"] is not None
    assert used.facts["limited"] is False
    processes = await checked(system, "containers.processes", role="cache")
    assert "perl" in str([*processes.evidence])
    changes = await checked(system, "containers.changes", roles=("backend",))
    assert (changes.facts["recent"], changes.facts["image_changed"]) == (True, False)
