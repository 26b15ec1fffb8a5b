"""How the lab reaches the container engine, and the few things it asks of it."""

import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from console.config_sources import EngineConfig
from console.practice.lab.errors import LabError
from console.reading import SourceError
from console.sources.docker.address import resolve
from console.text import clean

ENGINE_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Output:
    """What a command in a container printed, and how it ended."""

    exit_code: int
    stdout: str
    stderr: str


def connect(config: EngineConfig, timeout_s: int = ENGINE_TIMEOUT_S) -> Any:
    """A docker client for the configured engine; raises LabError when none answers."""
    import docker
    from docker.errors import DockerException

    try:
        address = resolve(config)
    except SourceError as error:
        raise LabError(error.failure.message, error.failure.advice) from None
    try:
        client = docker.DockerClient(base_url=address.url, tls=address.tls or False, timeout=timeout_s)
        client.ping()
    except DockerException as error:
        raise LabError(
            f"No container engine answers at {address.shown}: {clean(str(error), 300)}.",
            "Install and start Docker (`apt-get install docker.io && systemctl start docker`), or name the engine in "
            "[systems.….engine] host.",
        ) from None
    return client


def run_in(client: Any, container_id: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Output:
    """Run a command in a container to its end; raises docker's APIError when the container does not run."""
    made = client.api.exec_create(container_id, list(command), environment=dict(environment or {}))
    stdout, stderr = client.api.exec_start(made["Id"], demux=True)
    code = client.api.exec_inspect(made["Id"])["ExitCode"]
    return Output(-1 if code is None else int(code), _decoded(stdout), _decoded(stderr))


def start_in(client: Any, container_id: str, command: Sequence[str]) -> None:
    """Start a command in a container and leave it running."""
    made = client.api.exec_create(container_id, list(command))
    client.api.exec_start(made["Id"], detach=True)


def read_file(client: Any, container_id: str, path: str) -> bytes:
    """One file of a container, running or not."""
    stream, _ = client.api.get_archive(container_id, path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        member = archive.next()
        handle = archive.extractfile(member) if member is not None else None
        if handle is None:
            raise LabError(f"{path} is not a file in the container {container_id[:12]}.")
        return handle.read()


def write_file(client: Any, container_id: str, path: str, content: bytes) -> None:
    """Replace one file of a container, running or not."""
    target = PurePosixPath(path)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(target.name)
        entry.size = len(content)
        entry.mode = 0o644
        archive.addfile(entry, io.BytesIO(content))
    client.api.put_archive(container_id, str(target.parent), buffer.getvalue())


def _decoded(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")
