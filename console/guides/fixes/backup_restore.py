"""A backup restored beside the database, compared with what it holds, and only then put in its place.

Whatever fails on the way leaves the old database where it was. What took its place is kept under another name: the way back.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence

from pydantic import Field

from console.guides.checks.files_backups import BackupFile, list_backups
from console.guides.checks.words import age, listed, number, size
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.fixes.backup_server import BackupServer, compared, missing_rows
from console.guides.parameters import Parameters
from console.guides.risk import Risk
from console.reading import FailureKind, SourceError
from console.sources.postgres import dumps
from console.system import System
from console.text import clean

ROOM = 1.3
"""So many times the size of the database must be free: tables, indexes, and the log of writing them."""
_MOST_BROKEN = 3
_MOST_NAME = 63


class Restore(Parameters):
    name: str = Field(default="", pattern=r"^[^/\x00-\x1f]*$")
    """The file's name; none: the newest that is whole."""


async def _plan(system: System, wanted: Restore) -> Plan:
    server = BackupServer(system)
    chosen, held, broken = await _choose(server, await list_backups(system), wanted.name)
    databases = await server.databases()
    old = databases.get(server.database)
    stamp = server.stamp()
    lost = age(system.clock() - chosen.modified_at)
    free = await _free_bytes(server)
    room = "unknown" if free is None else size(free)
    promised = system.config.recovery.rto_minutes
    present = size(old.size_bytes) if old else "is not there"
    lines = [
        *(f"not taken: {clean(name)} is broken" for name in broken),
        f"backup {clean(chosen.name)}: {size(chosen.size_bytes)}, {_held(held)}",
        f"everything written in the last {lost} is lost (promised: at most {system.config.recovery.rpo_hours} h)",
        f"database {clean(server.database)}: {present}; free on its disk: {room}",
        f"stopped meanwhile: {listed(list(server.backups.writers))}",
        "1. count the rows  2. restore into a new database  3. compare its rows with the backup's  4. swap the names",
    ]
    empty = ""
    if old is not None and free is not None and free < ROOM * old.size_bytes:
        empty = f"It needs {size(ROOM * old.size_bytes)} beside the old database, and only {size(free)} are free."
    load = f"gzip -dc {server.path(chosen.name)} | psql --single-transaction -U {server.backups.user} -d {server.database}_new"
    return Plan(
        targets=(
            Target(
                clean(server.database),
                {
                    "database": server.database,
                    "backup": chosen.name,
                    "bytes": chosen.size_bytes,
                    "at": chosen.modified_at,
                    "stamp": stamp,
                },
            ),
        ),
        lines=tuple(lines),
        effect=f"{clean(server.database)} goes back to how it was {lost} ago; promised within {promised} min.",
        way_back=f"The old database is kept under another name ({clean(_kept(server.database, stamp))}) until it is dropped: "
        "it can take its place again.",
        command=server.typed("sh", "-c", load),
        confirm_name=clean(server.database),
        empty=empty,
    )


def _kept(database: str, stamp: str) -> str:
    """What the old database is called afterwards."""
    return f"{database[: _MOST_NAME - 23]}_before_{stamp}"


async def _choose(
    server: BackupServer, files: Sequence[BackupFile], name: str
) -> tuple[BackupFile, dumps.Inspected | None, list[str]]:
    """The backup to take, what it holds (None: it is too large to be read now), and newer ones that are broken."""
    broken: list[str] = []
    for item in [item for item in files if not name or item.name == name][:_MOST_BROKEN]:
        try:
            held = await server.inspect(item.name, 3)
        except SourceError as error:
            if error.failure.kind is FailureKind.TIMEOUT:
                return item, None, broken
            raise
        if held.complete:
            return item, held, broken
        broken.append(item.name)
    if broken:
        message = f"{listed([clean(item) for item in broken])}: cut off or damaged. A whole backup has a last line."
        raise SourceError(FailureKind.GARBAGE, message, "Look for one on other storage, or name an older one.")
    message = f"There is no backup {clean(name)} in {clean(server.backups.path)}."
    raise SourceError(FailureKind.MISSING, message, "Look for one on other storage before anything is changed.")


def _held(held: dumps.Inspected | None) -> str:
    if held is None:
        return "not read yet: it is large"
    return f"{number(len(held.rows), 'table')}, {sum(held.rows.values()):,} rows, whole"


async def _free_bytes(server: BackupServer) -> int | None:
    try:
        printed = await server.run("Reading the free space", ("df", "-P", "-k", server.system.config.data_path))
        return int(printed.splitlines()[-1].split()[3]) * 1024
    except (SourceError, ValueError, IndexError):
        return None


async def _do(system: System, _wanted: Restore, preview: Preview) -> Applied:
    server, identity = BackupServer(system), preview.targets[0].identity
    started = system.elapsed()
    name = str(identity["backup"])
    now = next((item for item in await list_backups(system) if item.name == name), None)
    if now is None or (now.size_bytes, now.modified_at) != (identity["bytes"], identity["at"]):
        raise SourceError(FailureKind.MISSING, f"{clean(name)} is not the file any more that was previewed.", "Look again.")
    held = await server.inspect(name, server.seconds)
    if not held.complete:
        raise SourceError(FailureKind.GARBAGE, f"{clean(name)} is cut off or damaged; nothing was changed.", "Take an older one.")
    lines: list[str] = []
    try:
        async with server.nobody_writes(lines):
            await _restore(server, name, held, lines, started, str(identity["stamp"]))
    except SourceError as error:
        return Applied(False, (*lines, "The old database is where it was."), error.failure)
    took, promised = system.elapsed() - started, system.config.recovery.rto_minutes * 60
    verdict = "within" if took <= promised else "NOT within"
    lines.append(f"It took {took:.1f} s, {verdict} the {system.config.recovery.rto_minutes} min that were promised (RTO).")
    return Applied(True, tuple(lines))


async def _restore(server: BackupServer, name: str, held: dumps.Inspected, lines: list[str], started: float, stamp: str) -> None:
    """From here on the old database is only renamed, and only when the new one is known to be whole."""
    old = server.database
    new, kept = f"{old[: _MOST_NAME - 20]}_new_{stamp}", _kept(old, stamp)
    user, system = server.backups.user, server.system

    def told(text: str) -> None:
        lines.append(f"{system.elapsed() - started:6.1f} s  {text}")

    before = await _count_before(server, told)
    try:
        await server.psql("Making a new database", dumps.CREATE, old=old, new=new, owner=server.owner)
        load = dumps.load_argv(server.path(name), user, new, server.seconds)
        await server.run("Loading the backup", load, server.seconds)
        told(f"loaded {clean(name)} into {clean(new)}")
        await server.psql("Handing the tables over", dumps.HAND_OVER, new, server.seconds, old=old, owner=server.owner)
        after = await server.counts(new)
        lost = missing_rows(held.rows, after)
        if lost:
            message = f"Not everything that the backup holds came back: {listed(lost)}."
            raise SourceError(FailureKind.GARBAGE, message, "Take an older backup.")
        told(f"compared: {number(len(held.rows), 'table')} with {sum(held.rows.values()):,} rows, as the backup holds them")
        await _swap(server, old, new, kept)
    except BaseException:
        with contextlib.suppress(SourceError):  # Why it failed is what counts; a half-made database harms nobody.
            await server.drop(new)
        raise
    told(f"{clean(new)} is {clean(old)} now; the old one is kept as {clean(kept)}")
    lines.extend(f"         {text}" for text in _differences(before, after))


async def _count_before(server: BackupServer, told: Callable[[str], None]) -> Mapping[str, int] | None:
    try:
        found = await server.counts(server.database)
    except SourceError as error:  # A damaged or missing database is why a backup is restored.
        told(f"the old database cannot be counted: {error.failure.message}")
        return None
    told(f"before: {number(len(found), 'table')}, {sum(found.values()):,} rows")
    return found


def _differences(before: Mapping[str, int] | None, after: Mapping[str, int]) -> list[str]:
    if before is None:
        return [f"{clean(table)}: {rows:,} rows" for table, rows in sorted(after.items())]
    return compared(before, after) or ["every table has as many rows as before"]


async def _swap(server: BackupServer, old: str, new: str, kept: str) -> None:
    try:
        await server.psql("Swapping the names", dumps.SWAP, old=old, new=new, kept=kept)
    except BaseException:
        await server.psql("Opening the old database again", dumps.REOPEN, old=old)
        raise


ACTIONS = (Action("backup.restore", Restore, Risk.R4, _plan, _do, ahead=False),)
