"""A backup and its restore on the simulated stack: the same actions as on a real server, on the embedded tables."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from console.config import load_config, shipped_config
from console.guides.checks.words import size
from console.guides.fixes import Applied, apply_fix, preview_fix
from console.guides.fixes.action import action
from console.guides.fixes.backup_server import BackupServer
from console.guides.issue import Fix
from console.practice.simulated.system import simulated_config, simulated_system
from console.system import System


async def kept(kind: str, details: object) -> None:
    """A journal that takes everything."""


async def do(system: System, name: str, **parameters: Any) -> Applied:
    kind = action(name)
    fix = Fix(id=name, title=name, risk=kind.risk, action=name, parameters=kind.parameters(**parameters))
    preview = await preview_fix(system, fix)
    assert preview.can_apply, preview.empty
    return await apply_fix(system, fix, preview, kept)


@pytest.fixture(params=["sms", "planner", "sovd"])
async def system(request: pytest.FixtureRequest) -> AsyncIterator[System]:
    config = load_config(shipped_config()).config.systems[request.param]
    found = simulated_system(simulated_config(config), fault="healthy", seed=3)
    await found.open()
    yield found
    await found.aclose()


TABLE = {"sms": "grade", "planner": "tasks", "sovd": "vehicles"}


async def rows(system: System) -> dict[str, int]:
    server = BackupServer(system)
    return await server.counts(server.database)


async def test_what_was_deleted_comes_back_and_the_restore_can_be_taken_back(system: System) -> None:
    before = await rows(system)
    table = f"public.{TABLE[system.name]}"
    assert before[table] > 0
    made = await do(system, "backup.make")
    assert (made.done, made.failed) == (True, None)
    await system.need_database().change(f"DELETE FROM {TABLE[system.name]}", most_rows=1_000_000)
    assert (await rows(system))[table] == 0
    restored = await do(system, "backup.restore")
    assert (restored.done, restored.failed) == (True, None)
    assert await rows(system) == before
    back = await do(system, "backup.take_back")
    assert (back.failed, await rows(system)) == (None, {**before, table: 0})
    assert (await do(system, "backup.drop_kept")).done


async def test_a_backup_gets_the_name_that_its_preview_and_its_way_back_tell(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = iter(("20261122_020000", "20261122_020007"))
    monkeypatch.setattr(BackupServer, "stamp", lambda _server: next(stamps))
    kind = action("backup.make")
    fix = Fix(id="make", title="Make", risk=kind.risk, action=kind.name, parameters=kind.parameters())
    preview = await preview_fix(system, fix)
    applied = await apply_fix(system, fix, preview, kept)
    path = preview.way_back.removeprefix("rm ")
    assert applied.done
    assert applied.lines[0].startswith(f"Wrote {path}:")
    told = (await system.need_database().activity()).database_size_bytes
    assert told is not None
    assert f", {size(told)} →" in preview.lines[0]


async def test_the_old_database_is_kept_under_the_name_that_the_preview_tells(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = iter(("20261122_020000", "20261122_020007"))
    monkeypatch.setattr(BackupServer, "stamp", lambda _server: next(stamps))
    kind = action("backup.restore")
    fix = Fix(id="restore", title="Restore", risk=kind.risk, action=kind.name, parameters=kind.parameters())
    preview = await preview_fix(system, fix)
    applied = await apply_fix(system, fix, preview, kept)
    told = preview.way_back.partition("(")[2].partition(")")[0]
    assert any(line.endswith(f"the old one is kept as {told}") for line in applied.lines)


async def test_a_backup_from_the_beginning_holds_the_first_rows(system: System) -> None:
    before = await rows(system)
    await system.need_database().change(f"DELETE FROM {TABLE[system.name]}", most_rows=1_000_000)
    restored = await do(system, "backup.restore")
    assert (restored.failed, await rows(system)) == (None, before)
