"""What the engine keeps and nobody uses: images, volumes and stopped containers."""

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.commands import docker
from console.guides.checks.containers import NoParameters
from console.guides.checks.words import number, size
from console.guides.readings import Readings
from console.text import clean

_SHOWN = 6
"""Of each kind."""
KINDS = ("images", "volumes", "containers")


async def _unused(readings: Readings, _parameters: NoParameters) -> Findings:
    engine = readings.system.need_engine()
    found = {item.kind: item for item in await readings.share("reclaimable", engine.reclaimable)}
    used = {kind: found[kind].size_bytes if kind in found else 0 for kind in KINDS}
    facts: Facts = {"total_bytes": sum(used.values()), **{f"{kind}_bytes": used[kind] for kind in KINDS}}
    lines = []
    for kind in (kind for kind in KINDS if kind in found and found[kind].items):
        items = sorted(found[kind].items, key=lambda item: -item[1])
        thing = f"unused {kind.rstrip('s')}"
        lines.append(f"{number(len(items), thing)}, {size(used[kind])}")
        lines += [f"  {clean(name, 120)}  {size(taken)}" for name, taken in items[:_SHOWN]]
    most = max(KINDS, key=lambda kind: used[kind])
    told = f", most of it {most}" if used[most] else ""
    return Findings(facts, f"What nobody uses takes {size(sum(used.values()))}{told}.", tuple(lines))


def _command(config: SystemConfig, _parameters: NoParameters) -> str:
    return docker(config, "system", "df", "-v")


CHECKS = (
    Check(
        name="containers.unused",
        title="How much do unused images, volumes and containers take?",
        parameters=NoParameters,
        facts=(
            Fact("total_bytes", FactType.NUMBER, "all three", "B"),
            Fact("images_bytes", FactType.NUMBER, "images that no container uses", "B"),
            Fact("volumes_bytes", FactType.NUMBER, "volumes that no container uses", "B"),
            Fact("containers_bytes", FactType.NUMBER, "what stopped containers wrote", "B"),
        ),
        command=_command,
        make=_unused,
        ahead=False,
        more_s=5.0,
    ),
)
