"""Fixes on the machine: what they preview, what they do, and what they leave alone because it has changed since."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from guide_stack import FakeEngine
from machine_stack import Environments, Machine, config, fix, host_of, system, unit

from console.config import SystemConfig
from console.config_tables import FolderConfig
from console.guides.fixes import Applied, Preview, apply_fix, preview_fix
from console.guides.issue import Fix
from console.guides.risk import Asks, Risk
from console.reading import FailureKind, SourceError
from console.sources.host import LocalHost
from console.sources.protocols.engine import State
from console.system import System


def dotmac(**changes: Any) -> SystemConfig:
    return config(roles={}, units={"cache": "redis-server", "backend": "dotmac"}, **changes)


async def made(where: System, what: Fix, preview: Preview | None = None) -> Applied:
    async def record(_kind: str, _details: Mapping[str, object]) -> None: ...

    return await apply_fix(where, what, preview or await preview_fix(where, what), record)


async def test_a_service_is_started_and_enabled() -> None:
    machine = Machine(units={"redis-server": unit("failed", UnitFileState="disabled", Result="exit-code")})
    here, what = system(dotmac(), host_of(machine)), fix("service.start", role="cache", enable=True)
    preview = await preview_fix(here, what)
    assert preview.command == "sudo systemctl start redis-server && sudo systemctl enable redis-server"
    assert preview.way_back == "sudo systemctl stop redis-server && sudo systemctl disable redis-server"
    assert preview.confirmation.asks is Asks.LETTER
    assert "failed" in preview.lines[0]
    applied = await made(here, what, preview)
    assert applied.done
    assert machine.units["redis-server"]["ActiveState"] == "active"
    assert machine.units["redis-server"]["UnitFileState"] == "enabled"


async def test_a_service_that_runs_or_is_not_there_is_not_started() -> None:
    here = system(dotmac(), host_of(Machine(units={"redis-server": unit()})))
    assert "runs already" in (await preview_fix(here, fix("service.start", role="cache"))).empty
    assert "knows no service" in (await preview_fix(here, fix("service.start", role="backend"))).empty


async def test_a_service_that_another_person_started_is_left_alone() -> None:
    machine = Machine(units={"redis-server": unit("inactive")})
    here, what = system(dotmac(), host_of(machine)), fix("service.start", role="cache")
    preview = await preview_fix(here, what)
    machine.units["redis-server"] = unit()
    assert "left alone" in (await made(here, what, preview)).lines[0]
    assert not any(line.startswith("systemctl") for line in machine.ran)


async def test_a_service_is_restarted_only_if_it_is_still_the_same() -> None:
    machine = Machine(units={"dotmac": unit()})
    here, what = system(dotmac(), host_of(machine)), fix("service.restart", role="backend")
    preview = await preview_fix(here, what)
    machine.units["dotmac"]["MainPID"] = "200"
    assert not (await made(here, what, preview)).done
    assert not any("restart" in line for line in machine.ran)
    assert (await made(here, what)).done
    assert "systemctl --no-ask-password restart -- dotmac" in machine.ran


async def test_a_service_in_a_container_is_started_as_a_container() -> None:
    engine = FakeEngine()
    engine.change("backend", state=State.EXITED, exit_code=1)
    here, what = system(config(), host_of(Machine()), engine), fix("service.start", role="backend")
    assert (await preview_fix(here, what)).command == "docker start sms-backend"
    assert (await made(here, what)).done
    assert engine.done == ["start sms-backend"]


async def test_a_port_is_let_in_and_looked_at_again() -> None:
    closed = "Status: active\nDefault: deny (incoming), allow (outgoing)\n"
    machine = Machine({"ufw status verbose": closed, "ufw allow 8000/tcp": "Rule added\n"})
    here, what = system(dotmac(), host_of(machine)), fix("host.allow_port", port=8000)
    preview = await preview_fix(here, what)
    assert (preview.command, preview.way_back) == ("sudo ufw allow 8000/tcp", "sudo ufw delete allow 8000/tcp")
    applied = await made(here, what, preview)
    assert applied.failed is not None, "the filter still keeps it out, and that must be said"
    machine.answers["ufw status verbose"] = f"{closed}8000/tcp                   ALLOW IN    Anywhere\n"
    assert "already" in (await preview_fix(here, what)).empty
    assert "left alone" in (await made(here, what, preview)).lines[0]


async def test_the_port_of_a_role_is_let_in() -> None:
    closed = "Status: active\nDefault: deny (incoming), allow (outgoing)\n"
    here = system(dotmac(), host_of(Machine({"ufw status verbose": closed})))
    assert (await preview_fix(here, fix("host.allow_port", role="database"))).command == "sudo ufw allow 5432/tcp"


async def test_without_ufw_no_port_is_let_in() -> None:
    rules = "table inet f {\n chain input {\n  type filter hook input priority 0; policy drop;\n }\n}\n"
    preview = await preview_fix(system(dotmac(), host_of(Machine({"nft": rules}))), fix("host.allow_port", port=8000))
    assert "not kept by ufw" in preview.empty


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    for name, days in (("new", 1), ("old", 40), ("older", 60)):
        (folder / name).write_bytes(b"12345")
        os.utime(folder / name, (time.time() - days * 86_400,) * 2)
    return folder


async def test_old_files_are_listed_and_each_is_looked_at_again(uploads: Path) -> None:
    host = LocalHost()
    here = system(dotmac(folders={"uploads": FolderConfig(path=str(uploads))}), host)
    what = fix("files.remove_old", folder="uploads", older_than="30d")
    preview = await preview_fix(here, what)
    assert [Path(target.name).name for target in preview.targets] == ["older", "old"]
    assert preview.confirmation.asks is Asks.TYPE
    assert preview.confirmation.expects == f"lab {uploads}"
    (uploads / "old").write_bytes(b"written again")
    applied = await made(here, what, preview)
    assert sorted(path.name for path in uploads.iterdir()) == ["new", "old"]
    assert applied.lines == ("Deleted 1 file, 5 B.", "Not deleted, because changed, gone or refused since the preview: 1 file.")
    assert "No file" in (await preview_fix(here, what)).empty
    await host.aclose()


@pytest.mark.parametrize("path", ["/", "/etc", "/etc/ssl", "/var/lib", "/opt", "/srv/../etc", "relative/path", "/usr/lib/x/"])
async def test_a_folder_of_the_system_is_never_changed(path: str) -> None:
    here = system(dotmac(folders={"uploads": FolderConfig(path=path, owner="nobody")}), host_of(Machine()))
    for what in (fix("files.remove_old", folder="uploads", older_than="30d"), fix("files.set_owner", folder="uploads")):
        with pytest.raises(SourceError) as caught:
            await preview_fix(here, what)
        assert caught.value.failure.kind is FailureKind.FORBIDDEN


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
async def test_a_folder_is_given_to_its_user(uploads: Path) -> None:
    host = LocalHost()
    here = system(dotmac(folders={"uploads": FolderConfig(path=str(uploads), owner="nobody", mode="750")}), host)
    what = fix("files.set_owner", folder="uploads")
    preview = await preview_fix(here, what)
    assert preview.command == f"sudo chown -R nobody {uploads} && sudo chmod 750 {uploads}"
    uploads.chmod(0o700)
    assert "has changed" in (await made(here, what, preview)).lines[0]
    assert (await made(here, what)).done
    assert (uploads.owner(), (uploads / "old").owner(), uploads.stat().st_mode & 0o777) == ("nobody", "nobody", 0o750)
    assert "already" in (await preview_fix(here, what)).empty
    await host.aclose()


async def test_a_folder_without_a_configured_owner_is_given_to_nobody(uploads: Path) -> None:
    here = system(dotmac(folders={"uploads": FolderConfig(path=str(uploads))}), LocalHost())
    with pytest.raises(SourceError) as caught:
        await preview_fix(here, fix("files.set_owner", folder="uploads"))
    assert caught.value.failure.kind is FailureKind.NOT_CONFIGURED


async def test_a_setting_is_shown_with_where_it_stands_and_no_secret() -> None:
    told = {"DATABASE_URL": "postgresql://app:hunter2secret@wrong/db", "SECRET_KEY": "topsecret-1"}
    expected = {"backend": {"DATABASE_URL": "postgresql://app@db/db"}}
    here = system(config(settings=expected), host_of(Machine()), Environments(environments={"sms-backend": told}))
    preview = await preview_fix(here, fix("show.setting", role="backend", name="DATABASE_URL"))
    assert preview.shown_only
    assert "expected: postgresql://app@db/db" in preview.lines
    assert "hunter2secret" not in str(preview)
    preview = await preview_fix(here, fix("show.setting", role="backend", name="SECRET_KEY"))
    assert "topsecret" not in str(preview)
    files = Machine(files={"/opt/dotmac/.env": "A=1\n"})
    here = system(dotmac(settings_files={"backend": "/opt/dotmac/.env"}), host_of(files))
    preview = await preview_fix(here, fix("show.setting", role="backend", name="SECRET_KEY"))
    assert preview.lines[0] == "SECRET_KEY of the backend: not set"
    assert "/opt/dotmac/.env" in preview.command
    assert "sudo systemctl restart dotmac" in preview.command


async def test_a_configured_command_and_an_advice_are_shown() -> None:
    here = system(config(commands={"deploy": "git pull && make deploy"}), host_of(Machine()))
    assert (await preview_fix(here, fix("show.command", name="deploy"))).command == "git pull && make deploy"
    with pytest.raises(SourceError) as caught:
        await preview_fix(here, fix("show.command", name="nope"))
    assert caught.value.failure.kind is FailureKind.NOT_CONFIGURED
    waiting = fix("show.wait", **{"for": "60s"})
    preview = await preview_fix(here, waiting)
    assert (preview.can_apply, preview.risk, preview.effect) == (True, Risk.R1, "Nothing is changed.")
    assert (await made(here, waiting, preview)).lines == ("Waiting up to 1 min. Looking again meanwhile.",)
    preview = await preview_fix(here, fix("show.text", text="Ask the provider.\nThen wait."))
    assert (preview.lines, preview.command, preview.can_apply) == (("Ask the provider.", "Then wait."), "", False)
