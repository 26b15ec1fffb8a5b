"""An engine behind ssh is reached through one ssh process. The ssh here is a script that lays the socket where it is told."""

import asyncio
import contextlib
import os
from pathlib import Path

import psutil
import pytest
from fake_docker import FakeEngine

from console.config_sources import EngineConfig
from console.reading import FailureKind, SourceError
from console.sources.docker.source import DockerEngine


def install_ssh(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    """Put a program called ssh first on the PATH; `$LOCAL` is where it is asked to lay the socket."""
    folder.mkdir()
    script = folder / "ssh"
    script.write_text(f'#!/bin/sh\necho "$@" > {folder}/asked\nLOCAL=$(echo "$4" | cut -d: -f1)\n{body}\n', encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


async def test_an_engine_behind_ssh_answers_and_closing_ends_the_ssh_process(
    fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.has("rec-crash")
    install_ssh(monkeypatch, tmp_path / "bin", f"ln -s {fake.socket} $LOCAL\nexec sleep 1000")
    source = DockerEngine(EngineConfig(host="ssh://ops@far.example:2222"), names=("rec-crash",))
    assert [item.name for item in (await source.containers()).items] == ["rec-crash"]
    words = (tmp_path / "bin" / "asked").read_text(encoding="utf-8").split()
    assert words[-4:] == ["-p", "2222", "--", "ops@far.example"]
    assert "BatchMode=yes" in words
    await source.aclose()
    assert [child.name() for child in psutil.Process().children() if child.name() == "sleep"] == []
    assert not Path(words[3].partition(":")[0]).parent.exists()


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ops@far.example: Permission denied (publickey).", FailureKind.LOGIN),
        ("ssh: connect to host far.example port 22: Connection refused", FailureKind.REFUSED),
    ],
)
async def test_what_ssh_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, kind: FailureKind) -> None:
    install_ssh(monkeypatch, tmp_path / "bin", f"echo '{said}' >&2; exit 255")
    source = DockerEngine(EngineConfig(host="ssh://ops@far.example"), names=("web",))
    with pytest.raises(SourceError) as caught:
        await source.containers()
    assert caught.value.failure.kind is kind
    assert said in caught.value.failure.message
    assert "ssh ops@far.example" in caught.value.failure.advice
    await source.aclose()


async def test_a_tunnel_that_broke_is_made_again(fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.has("rec-crash")
    install_ssh(monkeypatch, tmp_path / "bin", f"ln -s {fake.socket} $LOCAL\nexec sleep 1000")
    source = DockerEngine(EngineConfig(host="ssh://far.example"), names=("rec-crash",))
    await source.containers()
    for child in psutil.Process().children():
        if child.name() == "sleep":
            child.kill()
            child.wait(2)
    await fake.stop()
    with pytest.raises(SourceError):
        await source.containers()
    await fake.start()
    names: list[str] = []
    async with asyncio.timeout(5):
        while not names:  # The question that finds the tunnel broken may be the one that fails.
            with contextlib.suppress(SourceError):
                names = [item.name for item in (await source.containers()).items]
            await asyncio.sleep(0.02)
    assert names == ["rec-crash"]
    await source.aclose()
