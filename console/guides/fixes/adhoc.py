"""Changes that a person asks for from a pane, without a tree: the same actions, the same preview, confirmation and checks."""

from collections.abc import Callable, Mapping
from typing import Literal

from console.guides.checks.containers import StateParameters
from console.guides.checks.service import ServiceParameters
from console.guides.conditions import parse
from console.guides.fixes.containers import OneContainer
from console.guides.fixes.postgres import OneSession
from console.guides.fixes.service import RestartParameters, StartParameters, StopParameters
from console.guides.issue import CheckCall, Fix, Verify
from console.guides.parameters import Parameters
from console.guides.risk import Risk, tightened
from console.system import System

ContainerVerb = Literal["start", "stop", "restart"]
SessionVerb = Literal["cancel", "terminate"]

_STORES = ("database", "cache")
_SERVICE: Mapping[ContainerVerb, Callable[..., Parameters]] = {
    "start": StartParameters,
    "stop": StopParameters,
    "restart": RestartParameters,
}
_UP = "state == 'running' and health != 'unhealthy' and health != 'starting'"


def container_action(system: System, verb: ContainerVerb, name: str) -> Fix:
    """Start, stop or restart one container, or one service of the machine. Restarting or stopping a store is R3, all else R2."""
    role = system.config.role_of(name)
    risk = Risk.R3 if verb != "start" and role in _STORES else Risk.R2
    if system.config.runs_on_machine and role is not None:
        up = "not running" if verb == "stop" else "running"
        return Fix(
            id=f"{verb}-{name}",
            title=f"{verb.capitalize()} {name}",
            risk=risk,
            action=f"service.{verb}",
            parameters=_SERVICE[verb](role=role),
            verify=Verify(CheckCall("service.state", ServiceParameters(role=role)), parse(up), for_s=3.0, within_s=60.0),
        )
    holds = "state in ('exited', 'dead', 'absent')" if verb == "stop" else _UP
    return Fix(
        id=f"{verb}-{name}",
        title=f"{verb.capitalize()} {name}",
        risk=risk,
        action=f"containers.{verb}_one",
        parameters=OneContainer(name=name),
        verify=Verify(CheckCall("containers.state", StateParameters(name=name)), parse(holds), for_s=3.0, within_s=60.0),
    )


def session_action(system: System, verb: SessionVerb, pid: int, backend_start: float) -> Fix:
    """Cancel the statement of a session (R2), or end the session (R3). `backend_start` in Unix seconds, as it was shown."""
    del system
    word = "Cancel the statement of" if verb == "cancel" else "End"
    return Fix(
        id=f"{verb}-{pid}",
        title=f"{word} session {pid}",
        risk=tightened(Risk.R2, Risk.R3 if verb == "terminate" else None),
        action=f"postgres.{verb}_one",
        parameters=OneSession(pid=pid, backend_start=backend_start),
    )
