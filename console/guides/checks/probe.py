"""Probes from inside: can the backend reach what it needs, seen from where it runs?"""

import re
import shlex
from collections.abc import Sequence
from typing import Literal

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.commands import container_name, docker
from console.guides.checks.containers import services
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.sources.protocols.engine import State
from console.text import block, clean

LIMIT_S = 8.0
"""The guide's probe starts an interpreter and its libraries: a second when idle, several on a machine in trouble."""

_REASONS = (
    ("full", re.compile(r"too many clients|remaining connection slots|pool .{0,20}exhausted|QueuePool limit", re.I)),
    ("login", re.compile(r"password authentication failed|role .{1,80} does not exist|no pg_hba|WRONGPASS|NOAUTH", re.I)),
    ("unresolved", re.compile(r"could not translate host name|name or service not known|temporary failure in name", re.I)),
    ("refused", re.compile(r"connection refused|could not connect|connection timed out|starting up|shutting down", re.I)),
)
_SHOWN = 12
_NAMES = {"database": "the database", "cache": "Redis"}
REASONS = ("", *(name for name, _ in _REASONS), "other")


class ProbeParameters(Parameters):
    to: Literal["database", "cache"] = "database"


async def _from_backend(readings: Readings, parameters: ProbeParameters) -> Findings:
    system = readings.system
    argv, what = _argv(system.config, parameters.to), _NAMES[parameters.to]
    if not argv:
        raise SourceError(
            FailureKind.NOT_CONFIGURED,
            f"No probe from the backend to {what} is configured.",
            f"Set {parameters.to}_from_backend under [systems.{system.name}.probes].",
        )
    container = (await services(readings, ("backend",)))["backend"]
    if container is None or container.state is not State.RUNNING:
        return Findings({"backend_runs": False}, "The backend does not run, so nothing can be asked from inside it.")
    name, engine = container.name, system.need_engine()
    result = await readings.share(("probe", name, parameters.to), lambda: engine.execute(name, argv, timeout_s=LIMIT_S))
    output = tuple(line for line in block(result.stdout + b"\n" + result.stderr, lines=1000) if line.strip())
    if result.exit_code == 0:
        good: Facts = {"backend_runs": True, "reachable": True, "reason": ""}
        return Findings(good, f"The backend reaches {what}.", output)
    reason, line = told_reason(output)
    facts: Facts = {"backend_runs": True, "reachable": False, "reason": reason}
    told = clean(line or f"exit code {result.exit_code}", 200)
    # The end of a traceback holds the error; what stands before it are the library's own lines.
    return Findings(facts, f"The backend does not reach {what}: {told}", output[-_SHOWN:])


def told_reason(output: Sequence[str]) -> tuple[str, str]:
    """Why a probe failed, as one of REASONS, and the last line that says so (the last line at all for `other`)."""
    for kind, pattern in _REASONS:
        telling = [line for line in output if pattern.search(line)]
        if telling:
            return kind, telling[-1]
    return "other", output[-1] if output else ""


def _argv(config: SystemConfig, to: Literal["database", "cache"]) -> tuple[str, ...]:
    return config.probes.get("cache_from_backend" if to == "cache" else "database_from_backend", ())


def _command(config: SystemConfig, parameters: ProbeParameters) -> str:
    argv = _argv(config, parameters.to)
    if not argv:
        return f"# set {parameters.to}_from_backend under [systems.{shlex.quote(config.name)}.probes]"
    return docker(config, "exec", container_name(config, "backend"), *argv)


CHECKS = (
    Check(
        name="probe.from_backend",
        title="Does the backend reach the database, or Redis?",
        parameters=ProbeParameters,
        facts=(
            Fact("backend_runs", FactType.BOOL, "there is a running backend to ask from"),
            Fact("reachable", FactType.BOOL, "the probe came through"),
            Fact("reason", FactType.TEXT, "why it did not, empty when it did", choices=REASONS),
        ),
        command=_command,
        make=_from_backend,
        ahead=False,
        more_s=LIMIT_S - 3.0,
    ),
)
