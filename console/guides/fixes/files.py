"""Old backups: removing all but the newest."""

import shlex

from pydantic import Field

from console.guides.checks.commands import docker
from console.guides.checks.files_backups import backups_of, list_backups, removable
from console.guides.checks.words import age, number, size
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.parameters import Parameters, Seconds
from console.guides.readings import Readings
from console.guides.risk import Risk
from console.reading import Failure, FailureKind
from console.system import System
from console.text import clean

_DELETE_LIMIT_S = 60.0


class OldBackups(Parameters):
    older_than: Seconds = Field(default=0.0)
    """Only those that are older; the newest are kept in any case."""


async def _plan(system: System, wanted: OldBackups) -> Plan:
    backups = backups_of(system)
    files = await list_backups(system)
    now = Readings(system).wall()
    old = [item for item in removable(files, backups.keep) if now - item.modified_at >= wanted.older_than]
    paths = [f"{backups.path}/{item.name}" for item in old]
    freed = size(sum(item.size_bytes for item in old))
    kept = [item for item in files if item not in old]
    lines = [f"{number(len(old), 'file')}, {freed} in all; kept: {', '.join(clean(item.name) for item in kept) or 'none'}"]
    lines += [f"{clean(item.name)}  {size(item.size_bytes)}  {age(now - item.modified_at)} old" for item in old]
    return Plan(
        targets=tuple(
            Target(clean(item.name), {"file": path, "size": item.size_bytes, "modified_at": item.modified_at})
            for item, path in zip(old, paths, strict=True)
        ),
        lines=tuple(lines),
        effect=f"{freed} come free. The deleted backups cannot be restored from any more.",
        way_back="None: copy the files elsewhere before, if they may still be wanted.",
        command=docker(system.config, "exec", system.container(backups.role), "rm", "-f", "--", *paths),
        confirm_name=clean(system.container(backups.role)),
        empty="" if old else _nothing(len(files), backups.keep, wanted.older_than),
    )


def _nothing(count: int, keep: int, older_than_s: float) -> str:
    older = f", none of the others is older than {age(older_than_s)}" if older_than_s else ""
    return f"There are {number(count, 'backup')}, and the newest {keep} are never offered{older}."


async def _remove(system: System, _wanted: OldBackups, preview: Preview) -> Applied:
    backups = backups_of(system)
    present = {f"{backups.path}/{item.name}": (item.size_bytes, item.modified_at) for item in await list_backups(system)}
    same = [
        str(target.identity["file"])
        for target in preview.targets
        if present.get(str(target.identity["file"])) == (target.identity["size"], target.identity["modified_at"])
    ]
    if not same:
        return Applied(False, ("Every file has changed or gone since the preview: nothing was deleted.",))
    container = system.container(backups.role)
    result = await system.need_engine().execute(container, ["rm", "-f", "--", *same], timeout_s=_DELETE_LIMIT_S)
    if result.exit_code != 0:
        message = f"rm in {clean(container)} failed: {clean(result.stderr.strip(), 200)}"
        return Applied(False, (), Failure(FailureKind.FORBIDDEN, message, f"Try: {shlex.join(['rm', '--', *same[:1]])} as root."))
    skipped = len(preview.targets) - len(same)
    lines = [f"Deleted {number(len(same), 'file')}."]
    if skipped:
        lines.append(f"{number(skipped, 'file')} had changed or gone since the preview and were left alone.")
    return Applied(True, tuple(lines))


ACTIONS = (Action("files.remove_old_backups", OldBackups, Risk.R4, _plan, _remove),)
