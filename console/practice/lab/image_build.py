"""Builds the lab's one image from the folder `image`; its tag is the hash of that folder, so a change builds anew."""

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from console.config_sources import EngineConfig
from console.practice.lab.engine import connect
from console.practice.lab.errors import LabError
from console.text import clean

REPOSITORY = "triage-lab"
BASE_IMAGE = "debian:bookworm-slim"
BUILD_TIMEOUT_S = 900
"""The longest that a build may stay silent: one slow download on a slow line."""
IMAGE_LABEL = "triage.lab.image"
BASE_ADVICE = (
    "Get it with `docker pull debian:bookworm-slim`, or without a registry: `debootstrap --variant=minbase bookworm "
    "/tmp/bookworm && tar -C /tmp/bookworm -c . | docker import - debian:bookworm-slim`."
)


TABLES = "lab/tables"
"""Where the image has the systems' tables, which the simulated stack has from the same files."""


def context_files(folder: Path | None = None) -> Mapping[str, bytes]:
    """The build context: path inside the context → content, in a fixed order; the lab's own, or that of a folder."""
    root = folder or Path(__file__).parent / "image"
    paths = sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}
    if folder is None:
        shared = Path(__file__).parent.parent / "simulated" / "sql"
        found.update({f"{TABLES}/{path.name}": path.read_bytes() for path in sorted(shared.glob("*.sql"))})
    return found


def image_tag(files: Mapping[str, bytes]) -> str:
    """`triage-lab:<hash>`, the same wherever the same files are built."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return f"{REPOSITORY}:{digest.hexdigest()[:12]}"


def context_archive(files: Mapping[str, bytes]) -> bytes:
    """The build context as an uncompressed tar; scripts are executable."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o755 if name.endswith(".sh") else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def progress(events: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """The lines of a build that a person wants to see, its packages; raises LabError when it fails."""
    for event in events:
        if "error" in event:
            raise LabError(
                f"The lab's image could not be built: {clean(str(event['error']), 400)}.",
                "The build needs Debian's package servers; check that this machine reaches them, then try again.",
            )
        for line in str(event.get("stream", "")).splitlines():
            if line.startswith("Setting up "):
                yield clean(line, 120)


def ensure_image(config: EngineConfig, say: Callable[[str], None]) -> str:
    """Return the tag of the lab's image, building it first when it is not there.

    `say` receives a line now and then while it builds, which takes about a minute. Raises LabError.
    """
    from docker.errors import ImageNotFound

    client = connect(config, timeout_s=BUILD_TIMEOUT_S)
    try:
        files = context_files()
        tag = image_tag(files)
        try:
            client.api.inspect_image(tag)
        except ImageNotFound:
            _ensure_base(client, say)
            say(f"Building the lab's image {tag} (a minute or two, once)")
            stream = client.api.build(
                fileobj=io.BytesIO(context_archive(files)),
                custom_context=True,
                tag=tag,
                labels={IMAGE_LABEL: "1"},
                network_mode="host",
                rm=True,
                forcerm=True,
                decode=True,
            )
            for line in progress(stream):
                say(f"  {line}")
            _remove_superseded(client, tag)
        return tag
    finally:
        client.close()


def _ensure_base(client: Any, say: Callable[[str], None]) -> None:
    from docker.errors import APIError, ImageNotFound

    try:
        client.api.inspect_image(BASE_IMAGE)
    except ImageNotFound:
        say(f"Fetching {BASE_IMAGE}")
        repository, _, version = BASE_IMAGE.partition(":")
        try:
            client.api.pull(repository, tag=version)
        except APIError as error:
            reason = clean(str(error.explanation or error), 300)
            raise LabError(f"The base image {BASE_IMAGE} is missing and could not be pulled: {reason}.", BASE_ADVICE) from None


def _remove_superseded(client: Any, tag: str) -> None:
    from docker.errors import APIError

    for image in client.api.images(filters={"label": IMAGE_LABEL}):
        for old in image.get("RepoTags") or ():
            if old != tag and old.startswith(f"{REPOSITORY}:"):
                try:
                    client.api.remove_image(old)
                except APIError:
                    continue  # A container still runs from it.
