"""A machine that a container plays, on a real engine: what plain commands of Debian answer."""

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import docker
import pytest

from console.config_sources import EngineConfig
from console.reading import FailureKind, SourceError
from console.sources.docker.source import DockerEngine
from console.sources.host.container import ContainerHost

pytestmark = pytest.mark.engine
IMAGE = "debian:bookworm-slim"


@pytest.fixture
async def host() -> AsyncIterator[ContainerHost]:
    client, name = docker.DockerClient.from_env(), f"triage-test-{uuid4().hex[:8]}"
    client.containers.run(IMAGE, ["sleep", "120"], name=name, detach=True, init=True)
    engine = DockerEngine(EngineConfig(), names=(name,))
    await engine.open()
    try:
        yield ContainerHost(lambda: engine, name)
    finally:
        await engine.aclose()
        with contextlib.suppress(docker.errors.NotFound):
            client.containers.get(name).remove(force=True, v=True)
        client.close()


async def test_a_container_answers_as_a_machine(host: ContainerHost) -> None:
    assert abs(await host.now() - time.time()) < 5
    disk = await host.disk("/")
    assert 0 < disk.free_bytes < disk.total_bytes
    assert disk.inodes_percent is not None
    assert (await host.memory()).available_bytes > 0
    assert await host.port_owners([65_000]) == ()
    assert await host.run(["sh", "-c", "echo out; exit 3"]) == (3, b"out\n", b"")


async def test_its_files_are_read_changed_and_removed(host: ContainerHost) -> None:
    made = "mkdir -p /srv/up/in && printf old > /srv/up/in/a && touch -d @1000 /srv/up/in/a && printf new > '/srv/up/b c'"
    await host.run(["sh", "-c", made])
    old, new = await host.folder("/srv/up")
    assert (old.path, old.size_bytes, old.modified_at, new.path) == ("/srv/up/in/a", 3, 1000.0, "/srv/up/b c")
    assert await host.folder("/srv/up", older_than_s=3600) == (old,)
    assert await host.read("/srv/up/b c") == b"new"

    await host.set_owner("/srv/up", "nobody:nogroup", 0o750)
    folder, file = await host.file("/srv/up"), await host.file("/srv/up/in/a")
    assert folder is not None
    assert file is not None
    assert (folder.owner, folder.group, folder.mode, file.owner) == ("nobody", "nogroup", 0o750, "nobody")

    changed = replace(new, size_bytes=new.size_bytes + 1)
    assert await host.remove([old, changed]) == (old.path,)
    assert await host.remove([old]) == ()
    assert await host.file(old.path) is None


async def test_a_log_file_is_read_by_its_own_times(host: ContainerHost) -> None:
    await host.run(["sh", "-c", "printf '2026-11-22T10:00:00Z one\\n2026-11-22T10:00:05Z two\\n' > /var/log/app.log"])
    lines = await host.log_tail("/var/log/app.log", name="backend", lines=5, since=1_795_341_601.0)
    assert [(line.container, line.at, line.text) for line in lines] == [("backend", 1_795_341_605.0, "2026-11-22T10:00:05Z two")]


async def test_what_the_container_lacks_is_said(host: ContainerHost) -> None:
    for ask, kind in (
        (host.processes(), FailureKind.UNSUPPORTED),
        (host.unit("dotmac"), FailureKind.UNSUPPORTED),
        (host.run(["no-such-command"]), FailureKind.MISSING),
        (host.disk("/nope"), FailureKind.MISSING),
        (host.read("/nope"), FailureKind.MISSING),
    ):
        with pytest.raises(SourceError) as caught:
            await ask
        assert caught.value.failure.kind is kind
    found = await host.firewall(8000)
    assert (found.active, found.allows) == (None, None)
