"""The lab's image: what goes in, and what a person sees of the build."""

import io
import tarfile
from pathlib import Path

import pytest

from console.practice.lab.errors import LabError
from console.practice.lab.image_build import context_archive, context_files, image_tag, progress


def test_the_context_starts_from_debian_and_holds_every_file_that_it_copies() -> None:
    files = context_files()
    dockerfile = files["Dockerfile"].decode()
    assert "\nFROM debian:bookworm-slim\n" in dockerfile
    for folder in ("app/", "lab/"):
        assert f"COPY {folder} " in dockerfile
        assert any(name.startswith(folder) for name in files)


def test_the_tag_changes_with_any_byte_of_any_file() -> None:
    files = dict(context_files())
    before = image_tag(files)
    files["lab/alerts.yml"] += b"\n"
    assert before.startswith("triage-lab:")
    assert image_tag(files) != before


def test_the_tag_does_not_depend_on_the_order_of_files() -> None:
    files = context_files()
    assert image_tag(dict(reversed(files.items()))) == image_tag(files)


def test_compiled_python_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "api.pyc").write_bytes(b"x")
    (tmp_path / "Dockerfile").write_bytes(b"FROM scratch\n")
    assert context_files(tmp_path) == {"Dockerfile": b"FROM scratch\n"}


def test_scripts_are_executable_in_the_archive() -> None:
    content = context_archive({"lab/postgres.sh": b"#!/bin/sh\n", "a.sql": b""})
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        assert {entry.name: entry.mode for entry in archive} == {"lab/postgres.sh": 0o755, "a.sql": 0o644}


def test_progress_tells_packages_and_keeps_the_rest_to_itself() -> None:
    events = [{"stream": "Step 1/8 : FROM debian\n"}, {"stream": "Setting up redis-server \x1b[31m(7.0)\n"}, {"aux": {}}]
    assert list(progress(events)) == ["Setting up redis-server (7.0)"]


def test_a_failed_build_says_what_failed_and_what_to_do() -> None:
    with pytest.raises(LabError, match=r"returned a non-zero code: 100.*package servers"):
        list(progress([{"error": "The command 'apt-get update' returned a non-zero code: 100"}]))
