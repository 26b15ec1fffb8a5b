"""Fifty idle containers, made for one measurement and removed after it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker

LABEL = "triage.bench"
CONFIG = f"""
[systems.bench]
title = "Fifty containers"
environment = "lab"
[systems.bench.engine]
select = {{ label = "{LABEL}=fifty" }}
"""


@contextmanager
def fifty_containers(image: str = "debian:bookworm-slim") -> Iterator[Path]:
    """Start them, give the path of a config that shows them, remove them."""
    client = docker.from_env(timeout=60)
    made = []
    try:
        for number in range(50):  # one by one: each that was made must be removed, whatever happens next
            made.append(  # noqa: PERF401
                client.containers.run(
                    image, ["sleep", "infinity"], name=f"bench-{number:02}", labels={LABEL: "fifty"}, detach=True, init=True
                )
            )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "config.toml"
            path.write_text(CONFIG, encoding="utf-8")
            yield path
    finally:
        for container in made:
            container.remove(force=True)
        client.close()
