"""What was changed: containers that were made anew a short while ago, and what is mounted into one."""

from pathlib import PurePosixPath

from pydantic import Field

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.commands import container_name, docker
from console.guides.checks.containers import role_meant, services
from console.guides.checks.words import age, listed
from console.guides.parameters import Parameters, Seconds
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.sources.protocols.engine import Container, Details, Mount
from console.text import clean

TOGETHER_S = 90.0
"""Containers that were made within this time were made by one command, all anew."""


class ChangesParameters(Parameters):
    roles: tuple[str, ...] = ()
    """Whose containers; none: those of the start order."""
    within: Seconds = Field(default=3600.0, gt=0)


class MountsParameters(Parameters):
    role: str
    """`first-down` is the first that is not up."""
    path: str = Field(default="", pattern=r"^(/|$)")
    """A path inside the container; empty: everything that is mounted."""


async def details_of(readings: Readings, role: str) -> Details:
    """Environment, mounts and networks of a role's container. Raises what the engine raises."""
    name, engine = readings.system.container(role), readings.system.need_engine()
    return await readings.share(("details", name), lambda: engine.details(name))


def image_moved(container: Container) -> bool | None:
    """Whether the name of its image was given to another image since: the engine lists the bare id then."""
    if not container.image:
        return None
    bare = container.image.removeprefix("sha256:")
    return len(bare) >= 12 and all(letter in "0123456789abcdef" for letter in bare)


async def _changes(readings: Readings, parameters: ChangesParameters) -> Findings:
    now = readings.wall()
    known = [item for item in (await services(readings, parameters.roles)).values() if item is not None]
    made = sorted(((item.created_at, item) for item in known if item.created_at is not None), key=lambda pair: -pair[0])
    if not made:
        message = "The engine does not tell when these containers were made."
        raise SourceError(FailureKind.MISSING, message, "Do they exist? `docker ps -a` lists all.")
    newest_at, newest = made[0]
    recent = [clean(item.name) for at, item in made if now - at <= parameters.within]
    facts: Facts = {
        "recent": bool(recent),
        "newest": clean(newest.name),
        "newest_age_s": max(0.0, now - newest_at),
        "apart": newest_at - made[-1][0] > TOGETHER_S,
        "image_changed": image_moved(newest),
    }
    if recent:
        headline = f"Made anew within the last {age(parameters.within)}: {listed(recent)}."
    else:
        headline = (
            f"No container was made anew within the last {age(parameters.within)}; the newest is {age(now - newest_at)} old."
        )
    return Findings(facts, headline, tuple(_made_line(item, now - at) for at, item in made))


def _made_line(container: Container, age_s: float) -> str:
    moved = ", whose name means another image by now" if image_moved(container) else ""
    return clean(f"{container.name}: made {age(age_s)} ago of {container.image or container.image_id}{moved}", 300)


async def _mounts(readings: Readings, parameters: MountsParameters) -> Findings:
    role = await role_meant(readings, parameters.role)
    details = await details_of(readings, role)
    name, path = clean(readings.system.container(role)), clean(parameters.path, 200)
    found = mount_of(details.mounts, parameters.path) if parameters.path else _least(details.mounts)
    evidence = tuple(
        clean(f"{item.target}  {item.kind} {item.source}  {'writable' if item.writable else 'read-only'}")
        for item in details.mounts
    )
    if found is None:
        where = f"at {path} in" if path else "into"
        headline = f"Nothing is mounted {where} {name}: what is written there goes with the container."
        return Findings({"mounted": False, "writable": None, "kind": ""}, headline, evidence)
    words = "writable" if found.writable else "read-only"
    headline = (
        f"{path or clean(found.target, 200)} in {name} is on a {found.kind} ({clean(found.source or 'memory', 200)}), {words}."
    )
    return Findings({"mounted": True, "writable": found.writable, "kind": found.kind}, headline, evidence)


def _least(mounts: tuple[Mount, ...]) -> Mount | None:
    """A read-only mount before one that may be written."""
    return min(mounts, key=lambda item: item.writable, default=None)


def mount_of(mounts: tuple[Mount, ...], path: str) -> Mount | None:
    """The mount that a path lies on, the deepest one; None when it is in the container's own layer."""
    wanted = PurePosixPath(path)
    above = [item for item in mounts if wanted == PurePosixPath(item.target) or PurePosixPath(item.target) in wanted.parents]
    return max(above, key=lambda item: len(PurePosixPath(item.target).parts), default=None)


def _changes_command(config: SystemConfig, parameters: ChangesParameters) -> str:
    roles = parameters.roles or tuple(role for role in config.order if role in config.roles)
    names = (container_name(config, role) for role in roles)
    return docker(config, "inspect", "-f", "{{.Name}} {{.Created}} {{.Config.Image}} {{.Image}}", *names)


CHECKS = (
    Check(
        name="containers.changes",
        title="Was a container made anew a short while ago?",
        parameters=ChangesParameters,
        facts=(
            Fact("recent", FactType.BOOL, "one of them was made within the time"),
            Fact("newest", FactType.TEXT, "the container that was made last"),
            Fact("newest_age_s", FactType.NUMBER, "since then", "s"),
            Fact("apart", FactType.BOOL, "another of them is older by over 90 seconds: they were not all made at once"),
            Fact("image_changed", FactType.BOOL, "the name of its image was given to another image since it was made"),
        ),
        command=_changes_command,
        make=_changes,
    ),
    Check(
        name="containers.mounts",
        title="Is a folder of the container kept outside it, and may it be written?",
        parameters=MountsParameters,
        facts=(
            Fact("mounted", FactType.BOOL, "a volume, folder or tmpfs is mounted there or above"),
            Fact("writable", FactType.BOOL, "it is mounted for writing"),
            Fact("kind", FactType.TEXT, "what is mounted", choices=("", "volume", "bind", "tmpfs", "npipe", "cluster", "image")),
        ),
        command=lambda config, parameters: docker(
            config, "inspect", "-f", "{{json .Mounts}}", container_name(config, parameters.role)
        ),
        make=_mounts,
    ),
)
