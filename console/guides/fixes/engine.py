"""The last resort: delete what the engine does not use, then start the system."""

from pydantic import Field

from console.guides.checks.commands import docker, joined
from console.guides.checks.containers import is_down
from console.guides.checks.words import listed, number, size
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.fixes.containers import Which, selected, target_of, verb_for
from console.guides.parameters import Parameters
from console.guides.risk import Risk
from console.reading import SourceError
from console.sources.protocols.engine import Container, Reclaimable
from console.system import System
from console.text import clean

_COMMANDS = {
    # Without --all only images without a name would go.
    "images": ("image", "prune", "--all", "--force"),
    "volumes": ("volume", "prune", "--force"),
    "containers": ("container", "prune", "--force"),
}


class Prune(Parameters):
    kinds: tuple[str, ...] = Field(default=("images", "volumes"), min_length=1)
    """Of images, volumes and containers."""


async def _plan(system: System, wanted: Prune) -> Plan:
    found = [item for item in await system.need_engine().reclaimable() if item.kind in wanted.kinds and item.items]
    down = [item for item in (await selected(system, Which())).values() if is_down(item)]
    lines = [f"{number(len(item.items), item.kind.rstrip('s'))}, {size(item.size_bytes)}" for item in found]
    lines += [f"{item.kind.rstrip('s')} {clean(name)}  {size(count)}" for item in found for name, count in item.items]
    lines += [f"{verb_for(item)} {clean(item.name)}" for item in down]
    prune = [docker(system.config, *_COMMANDS.get(kind, (kind, "prune", "--force"))) for kind in wanted.kinds]
    return Plan(
        targets=(
            *(
                Target(item.kind, {"kind": item.kind, "items": "\n".join(sorted(name for name, _ in item.items))})
                for item in found
            ),
            *map(target_of, down),
        ),
        lines=tuple(lines),
        effect=(
            f"{size(sum(item.size_bytes for item in found))} come free. Unused images must be fetched or built again; the data in"
            " unused volumes is gone, also that of other systems on this machine."
        ),
        way_back="None.",
        command=joined([*prune, *(docker(system.config, verb_for(item), item.name) for item in down)]),
        confirm_name="prune",
        empty=_nothing(wanted, found, down),
    )


def _nothing(wanted: Prune, found: list[Reclaimable], down: list[Container]) -> str:
    """Why nothing may be pruned; empty when something may."""
    deleted = {name.lstrip("/") for item in found if item.kind == "containers" for name, _ in item.items}
    own = [clean(item.name) for item in down if item.name in deleted]
    if "containers" in wanted.kinds and own:
        return f"Of the system itself {listed(own)} does not run, and would be deleted too: start it first."
    return "" if found or down else "There is nothing unused to delete, and everything runs."


async def _prune(system: System, _wanted: Prune, preview: Preview) -> Applied:
    engine = system.need_engine()
    present = {item.kind: "\n".join(sorted(name for name, _ in item.items)) for item in await engine.reclaimable()}
    lines = []
    for target in preview.targets:
        try:
            if "kind" not in target.identity:
                container = await engine.container(str(target.identity["container"]))
                if verb_for(container) != "restart" and container.id == target.identity["id"]:
                    await engine.start(container.name)
                    lines.append(f"Started {target.name}.")
                continue
            kind = str(target.identity["kind"])
            # The engine prunes by kind, not by name: when the list has changed, something unseen would go.
            if present.get(kind) != target.identity["items"]:
                lines.append(f"The unused {kind} are not those of the preview any more: left alone.")
                continue
            lines.append(f"Deleted the unused {kind}: {size(await engine.prune(kind))} came free.")
        except SourceError as error:
            return Applied(False, tuple(lines), error.failure)
    return Applied(any(not line.endswith("left alone.") for line in lines), tuple(lines))


ACTIONS = (Action("engine.prune", Prune, Risk.R4, _plan, _prune),)
