"""Changes on this machine: end the process that holds a port which a container needs."""

from console.guides.checks.containers import NoParameters
from console.guides.checks.ports import PROXIES, foreign_holders, owner_line
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.readings import Readings
from console.guides.risk import Risk
from console.sources.protocols.host import PortOwner
from console.system import System
from console.text import clean


def endable(owner: PortOwner) -> bool:
    """Whether Triage may end it: seen, with a start to know it by, not the engine's own and not the first process."""
    return owner.pid is not None and owner.pid > 1 and owner.started_at is not None and owner.process not in PROXIES


async def _plan(system: System, _parameters: NoParameters) -> Plan:
    readings = Readings(system)
    try:
        _, blocking = await foreign_holders(readings)
    finally:
        readings.close()
    targets: dict[int, Target] = {}
    for owner in blocking:
        if endable(owner) and owner.pid is not None and owner.started_at is not None:
            targets[owner.pid] = Target(clean(owner.process), {"pid": owner.pid, "started_at": owner.started_at})
    ports = " ".join(str(owner.port) for owner in blocking)
    names = [target.name for target in targets.values()]
    reason = "Nobody holds a port that a container needs any more."
    if blocking and not targets:
        reason = f"It cannot be ended from here: {owner_line(blocking[0])}"
    return Plan(
        targets=tuple(targets.values()),
        lines=tuple(map(owner_line, blocking)),
        effect="The process is asked to end (SIGTERM), and what it serves is away. Then the container can be started.",
        way_back="Start that program again by its own means.",
        command=f"kill {' '.join(str(pid) for pid in targets)}" if targets else f"ss -ltnp | grep -E '{ports}'",
        confirm_name=names[0] if names else "",
        empty="" if targets else reason,
    )


async def _end(system: System, _parameters: NoParameters, preview: Preview) -> Applied:
    lines = []
    done = False
    for target in preview.targets:
        pid = int(target.identity["pid"])
        if await system.host.end_process(pid, float(target.identity["started_at"])):
            done = True
            lines.append(f"Asked {target.name} (pid {pid}) to end.")
        else:
            lines.append(f"{target.name} (pid {pid}) had gone before.")
    return Applied(done, tuple(lines))


ACTIONS = (Action("host.end_process", NoParameters, Risk.R3, _plan, _end),)
