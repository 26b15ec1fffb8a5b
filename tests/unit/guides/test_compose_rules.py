"""Compose files, ignore files and build logs, by their text alone."""

from pathlib import Path

import pytest
from machine_stack import Machine, check, config, host_of, system

from console.config_tables import FolderConfig
from console.guides.checks.compose_rules import ComposeFile, Ignored, build_failure, read_compose
from console.sources.host import LocalHost

GOOD = """name: planner
x-shared: &shared
  restart: unless-stopped
services:
  app:
    <<: *shared
    build: {context: ., dockerfile: Dockerfile}
    ports: ["8000:8000"]
    environment:
      ANYTHING_GOES: here
    x-note: free
  db:
    image: postgres:15
volumes:
  data: {}
"""


def test_a_good_file_parses() -> None:
    assert read_compose(GOOD) == ComposeFile(True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (GOOD.replace("    ports:", "    port:"), ComposeFile(True, True, False, 8, "port")),
        (GOOD + "servces: {}\n", ComposeFile(True, True, False, 16, "servces")),
        ("version: '3.8'\n" + GOOD, ComposeFile(True, False, True, 1, "version")),
        ("version: '2'\nservices:\n  app:\n    imagee: x\n", ComposeFile(True, True, True, 4, "imagee")),
        ("app:\n  image: x\n", ComposeFile(True, True, False, 1, "app")),
    ],
    ids=["service key", "top key", "version", "both", "first format"],
)
def test_a_key_that_compose_does_not_know_is_found_with_its_line(text: str, found: ComposeFile) -> None:
    assert read_compose(text) == found


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("services:\n  app:\n  image: [x\n", 4),
        ("services:\n\tapp: {}\n", 2),
        ("services:\n  app: {image: x}\n  app: {image: y}\n", 3),
        ("services: [app]\n", 1),
        ("- a\n", 1),
        ("", 1),
        ("services:\n  app: {image: \x00}\n", 1),
        ("a: " + "[" * 200_000, 1),
    ],
    ids=["bracket", "tab", "twice", "list", "no mapping", "empty", "control", "deep"],
)
def test_what_does_not_parse_says_where(text: str, line: int) -> None:
    found = read_compose(text)
    assert (found.parses, found.line) == (False, line)
    assert found.message


def test_a_key_cannot_write_to_the_terminal() -> None:
    assert "\x1b" not in read_compose('"\\x1b]0;owned\\x07": 1\n').key


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("ERROR: No matching distribution found for fastapi==9.9\nERROR: failed to solve: exit code: 1", "dependency"),
        ("npm ERR! code ERESOLVE\nThe command '/bin/sh -c npm ci' returned a non-zero code: 1", "dependency"),
        ('failed to solve: failed to compute cache key: "/requirements.txt": not found', "copy"),
        ("COPY failed: file not found in build context or excluded by .dockerignore: stat app: file does not exist", "copy"),
        ("E: Failed to fetch http://deb/x.deb  404  Not Found [IP: 1.2.3.4 80]\nfailed to solve: exit code: 100", "cache"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\nfailed to solve: exit code: 1", "cache"),
        ("error checking context: 'no permission to read from /data'", "context"),
        ("write /var/lib/docker/tmp: no space left on device\nfailed to solve: x", "context"),
        ("Temporary failure in name resolution\nERROR: No matching distribution found for x\nfailed to solve: x", "network"),
        ("Segmentation fault\nThe command '/bin/sh -c make' returned a non-zero code: 139", "other"),
    ],
)
def test_why_a_build_failed(lines: str, reason: str) -> None:
    failed, told, line = build_failure(f"Step 1/5 : FROM debian\n{lines}\n")
    assert (failed, told) == (True, reason)
    assert line in lines


@pytest.mark.parametrize("log", ["", "Step 5/5 : CMD x\nSuccessfully built abc\nSuccessfully tagged planner:latest\n"])
def test_a_log_without_a_failure(log: str) -> None:
    assert build_failure(log) == (False, "", "")


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("node_modules/a/b.js", True),
        ("web/node_modules/a.js", False),
        ("deep/er/app.log", True),
        ("app.log", True),
        ("keep.log", False),
        ("notes.txt", True),
        ("sub/notes.txt", False),
        ("data1/x", True),
        ("data12/x", False),
        ("src/main.py", False),
    ],
)
def test_an_ignore_file_leaves_out_what_docker_leaves_out(path: str, out: bool) -> None:
    assert Ignored("# c\n/node_modules/\n**/*.log\n!keep.log\n*.txt\ndata?\n")(path) is out


@pytest.mark.parametrize(
    ("answers", "facts"),
    [
        ({"docker compose version --short": "2.24.5\n"}, {"installed": True, "version": "2.24.5", "major": 2, "too_old": False}),
        ({"docker-compose version --short": "1.29.2\n"}, {"installed": True, "version": "1.29.2", "major": 1, "too_old": True}),
        ({"docker compose version --short": "v5.0.1\n"}, {"installed": True, "version": "v5.0.1", "major": 5, "too_old": False}),
        (
            {"docker": (125, b"", b"docker: unknown command: docker compose"), "docker-compose version --short": "1.25.0"},
            {"installed": True, "version": "1.25.0", "major": 1, "too_old": True},
        ),
        ({}, {"installed": False, "version": "", "major": 0, "too_old": False}),
    ],
)
async def test_the_version_of_compose(answers: dict[str, str], facts: dict[str, object]) -> None:
    made = await check(system(config(), host_of(Machine(answers))), "compose.version")
    assert made.facts == facts


async def test_a_folder_with_a_compose_file_a_context_and_a_log(tmp_path: Path) -> None:
    host = LocalHost()
    here = system(config(folders={"app": FolderConfig(path=str(tmp_path))}), host)
    made = await check(here, "compose.file", folder="app")
    assert made.facts["found"] is False
    (tmp_path / "docker-compose.yml").write_text("services:\n  app:\n    img: x\n    environment: {DB_PASSWORD: hunter2}\n")
    made = await check(here, "compose.file", folder=str(tmp_path))
    assert made.facts == {"found": True, "parses": True, "unknown_key": True, "obsolete_version": False, "line": 3, "key": "img"}
    assert "hunter2" not in str(made.evidence)

    (tmp_path / "node_modules").mkdir()
    with (tmp_path / "node_modules" / "big").open("wb") as big:
        big.truncate(600 * 2**20)
    made = await check(here, "compose.context", folder="app")
    assert (made.facts["too_large"], made.facts["has_ignore"], made.facts["biggest"]) == (True, False, "node_modules")
    (tmp_path / ".dockerignore").write_text("node_modules/\n")
    made = await check(here, "compose.context", folder="app")
    assert (made.facts["too_large"], made.facts["has_ignore"]) == (False, True)

    made = await check(here, "compose.build_log", folder="app")
    assert made.facts == {"found": False, "failed": False, "reason": "", "line": ""}
    (tmp_path / "build.log").write_text("ERROR: No matching distribution found for x\nfailed to solve: y\n")
    made = await check(here, "compose.build_log", folder="app")
    assert (made.facts["failed"], made.facts["reason"]) == (True, "dependency")
    await host.aclose()
