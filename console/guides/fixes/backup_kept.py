"""The database from before a restore: put back in its place, or dropped once the restored one is known to be good."""

import re

from console.guides.checks.containers import NoParameters
from console.guides.checks.words import age, listed, size
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.fixes.backup_server import BackupServer, Kept
from console.guides.risk import Risk
from console.reading import FailureKind, SourceError
from console.sources.postgres import dumps
from console.system import System
from console.text import clean

_STAMP = re.compile(r"_(?:before|replaced)_\d{8}_\d{6}$")
_NONE = "There is no database from before a restore."


def kept_of(database: str, names: dict[str, Kept]) -> list[Kept]:
    """What restores left of a database, the newest first."""
    found = [item for name, item in names.items() if _STAMP.search(name) and database.startswith(_STAMP.sub("", name))]
    return sorted(found, key=lambda item: item.name[-15:], reverse=True)


async def _plan_back(system: System, _parameters: NoParameters) -> Plan:
    server = BackupServer(system)
    names = await server.databases()
    kept, now = kept_of(server.database, names)[:1], names.get(server.database)
    name = clean(kept[0].name) if kept else "…_before_…"
    shut = f'ALTER DATABASE "{server.database}" RENAME TO …; ALTER DATABASE "{name}" RENAME TO "{server.database}"'
    return Plan(
        targets=tuple(Target(name, {"database": item.name}) for item in kept),
        lines=(
            f"{name}, {size(kept[0].size_bytes) if kept else '?'} → {clean(server.database)}",
            f"what is {clean(server.database)} now ({size(now.size_bytes) if now else 'nothing'}) is kept under another name",
            f"stopped meanwhile: {listed(list(server.backups.writers))}",
        ),
        effect="What was written since the restore is not in it.",
        way_back="The same again: what is replaced is kept.",
        command=server.typed("psql", "-U", server.backups.user, "-d", dumps.MAINTENANCE, "-c", shut),
        confirm_name=clean(server.database),
        empty="" if kept else _NONE,
    )


async def _take_back(system: System, _parameters: NoParameters, preview: Preview) -> Applied:
    server, started = BackupServer(system), system.elapsed()
    kept = await _still(server, str(preview.targets[0].identity["database"]))
    lines: list[str] = []
    replaced = f"{server.database[:38]}_replaced_{server.stamp()}"
    async with server.nobody_writes(lines):
        try:
            await server.psql("Swapping the names", dumps.SWAP, old=server.database, new=kept, kept=replaced)
        except BaseException:
            await server.psql("Opening the database again", dumps.REOPEN, old=server.database)
            raise
    lines.append(f"{clean(kept)} is {clean(server.database)} again; what it replaced is kept as {clean(replaced)}.")
    lines.append(f"It took {age(system.elapsed() - started)}.")
    return Applied(True, tuple(lines))


async def _plan_drop(system: System, _parameters: NoParameters) -> Plan:
    server = BackupServer(system)
    kept = kept_of(server.database, await server.databases())
    drops = "; ".join(f'DROP DATABASE "{item.name}"' for item in kept)
    return Plan(
        targets=tuple(Target(clean(item.name), {"database": item.name}) for item in kept),
        lines=tuple(f"{clean(item.name)}  {size(item.size_bytes)}" for item in kept),
        effect=f"{size(sum(item.size_bytes for item in kept))} come free; a restore cannot be taken back any more.",
        way_back="None.",
        command=server.typed("psql", "-U", server.backups.user, "-d", dumps.MAINTENANCE, "-c", drops),
        confirm_name=clean(kept[0].name) if len(kept) == 1 else clean(server.database),
        empty="" if kept else _NONE,
    )


async def _drop(system: System, _parameters: NoParameters, preview: Preview) -> Applied:
    server = BackupServer(system)
    lines: list[str] = []
    for target in preview.targets:
        try:
            name = await _still(server, str(target.identity["database"]))
            await server.drop(name)
        except SourceError as error:
            return Applied(False, tuple(lines), error.failure)
        lines.append(f"Dropped {target.name}.")
    return Applied(True, tuple(lines))


async def _still(server: BackupServer, name: str) -> str:
    if name not in {item.name for item in kept_of(server.database, await server.databases())}:
        raise SourceError(FailureKind.MISSING, f"{clean(name)} is not there any more.", "Look again.")
    return name


ACTIONS = (
    Action("backup.take_back", NoParameters, Risk.R3, _plan_back, _take_back, ahead=False),
    Action("backup.drop_kept", NoParameters, Risk.R4, _plan_drop, _drop, ahead=False),
)
