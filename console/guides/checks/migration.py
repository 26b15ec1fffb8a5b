"""Schema migrations: does the database stand where the release expects it?"""

import re
import shlex

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, FactType, Findings
from console.guides.checks.commands import container_name, docker
from console.guides.checks.containers import NoParameters
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.text import block, clean

LIMIT_S = 8.0
"""The command starts an interpreter and its libraries."""
# What `alembic current` prints: a revision a line, `(head)` behind it when the release has no newer one.
_REVISION = re.compile(r"^([\w.-]{2,64})(?: \([^()]{1,100}\))?$")


async def _state(readings: Readings, _parameters: NoParameters) -> Findings:
    system = readings.system
    argv = shlex.split(system.config.migration.get("current", ""))
    if not argv:
        message = "How the schema's revision is asked for is not configured."
        raise SourceError(FailureKind.NOT_CONFIGURED, message, f"Set current in [systems.{system.name}.migration].")
    name, engine = system.container("backend"), system.need_engine()
    result = await readings.share(("migration", name), lambda: engine.execute(name, argv, timeout_s=LIMIT_S))
    lines = tuple(line.strip() for line in block(result.stdout + b"\n" + result.stderr, lines=200) if line.strip())
    if result.exit_code != 0:
        said = clean(lines[-1], 200) if lines else f"exit code {result.exit_code}"
        raise SourceError(FailureKind.DECLINED, f"The schema's revision could not be read in {clean(name)}: {said}")
    revision, at_head = read_revision(lines)
    if not revision:
        empty = "No migration was ever run on this database."
        return Findings({"revision": "", "at_head": False}, empty, lines)
    words = "the newest of this release" if at_head else "not the newest of this release"
    return Findings({"revision": revision, "at_head": at_head}, f"The schema stands at {revision}, {words}.", lines)


def read_revision(lines: tuple[str, ...]) -> tuple[str, bool]:
    """The revision that the command names last, and whether it is the newest; empty when it names none."""
    found = [match for match in map(_REVISION.match, lines) if match is not None]
    return (found[-1][1], lines[lines.index(found[-1][0])].endswith("(head)")) if found else ("", False)


def _command(config: SystemConfig, _parameters: NoParameters) -> str:
    argv = shlex.split(config.migration.get("current", ""))
    if not argv:
        return f"# set current in [systems.{config.name}.migration]"
    return docker(config, "exec", container_name(config, "backend"), *argv)


CHECKS = (
    Check(
        name="migration.state",
        title="Does the database's schema stand where the release expects it?",
        parameters=NoParameters,
        facts=(
            Fact("revision", FactType.TEXT, "the revision of the database, empty when no migration was ever run"),
            Fact("at_head", FactType.BOOL, "the release has no newer one"),
        ),
        command=_command,
        make=_state,
        ahead=False,
        more_s=5.0,
    ),
)
