"""A backup made now: a dump beside the others, looked through from its first line to its last."""

from console.guides.checks.containers import NoParameters
from console.guides.checks.files_backups import list_backups
from console.guides.checks.words import age, number, size
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.fixes.backup_server import ACTION_S, BackupServer
from console.guides.risk import Risk
from console.reading import Failure, FailureKind
from console.sources.postgres import dumps
from console.system import System
from console.text import clean


async def _plan(system: System, _parameters: NoParameters) -> Plan:
    server = BackupServer(system)
    databases, files = await server.databases(), await list_backups(system)
    found = databases.get(server.database)
    name = new_name(server.backups.pattern, server.database, server.stamp())
    newest = (
        f"the newest is {age(system.clock() - files[0].modified_at)} old ({clean(files[0].name)})" if files else "there is none"
    )
    dump = f"pg_dump --no-owner --clean --if-exists -U {server.backups.user} -d {server.database} | gzip > {server.path(name)}"
    return Plan(
        targets=(Target(clean(server.database), {"database": server.database, "file": name}),),
        lines=(f"{clean(server.database)}, {size(found.size_bytes) if found else '?'} → {clean(server.path(name))}", newest),
        effect="Reads every table once; nothing is locked that anybody writes to.",
        way_back=f"rm {clean(server.path(name))}",
        command=server.typed("sh", "-c", dump),
        confirm_name=clean(server.database),
        empty="" if found else f"There is no database {clean(server.database)} of which a backup could be made.",
    )


def new_name(pattern: str, database: str, stamp: str) -> str:
    """`student_management_*.sql.gz` → `student_management_20261122_020000.sql.gz`; found by the same pattern afterwards."""
    if pattern.count("*") == 1 and not set(pattern) & set("?[/"):
        return pattern.replace("*", stamp if pattern.startswith(database) else f"{database}_{stamp}")
    return f"{database}_{stamp}.sql.gz"


async def _do(system: System, _parameters: NoParameters, preview: Preview) -> Applied:
    server, started = BackupServer(system), system.elapsed()
    name = str(preview.targets[0].identity["file"])
    path = server.path(name)
    await server.run("The dump", dumps.dump_argv(path, server.backups.user, server.database, server.seconds), server.seconds)
    held = await server.inspect(name, server.seconds)
    if not held.complete:
        failure = Failure(FailureKind.GARBAGE, f"{clean(name)} has no last line: it is cut off.", "Make another one.")
        return Applied(False, (), failure)
    note = "".join(f"{table}|{rows}\n" for table, rows in held.rows.items())
    await server.run("The note of its rows", dumps.note_argv(f"{path}.rows", note), ACTION_S)
    written = next((item for item in await list_backups(system) if item.name == name), None)
    rows = f"{number(len(held.rows), 'table')}, {sum(held.rows.values()):,} rows"
    lines = (
        f"Wrote {clean(path)}: {size(written.size_bytes) if written else '?'}, {rows}; it unpacks, and has its last line.",
        f"The rows of each table are noted in {clean(name)}.rows.",
        f"It took {age(system.elapsed() - started)}.",
    )
    return Applied(True, lines)


ACTIONS = (Action("backup.make", NoParameters, Risk.R1, _plan, _do, ahead=False),)
