"""Changes that a person asks for from a pane, without a tree: the same actions, the same preview, confirmation and checks."""

from typing import Literal

from console.guides.checks.containers import StateParameters
from console.guides.conditions import parse
from console.guides.fixes.containers import OneContainer
from console.guides.fixes.postgres import OneSession
from console.guides.issue import CheckCall, Fix, Verify
from console.guides.risk import Risk, tightened
from console.system import System

ContainerVerb = Literal["start", "stop", "restart"]
SessionVerb = Literal["cancel", "terminate"]

_STORES = ("database", "cache")
_UP = "state == 'running' and health != 'unhealthy' and health != 'starting'"


def container_action(system: System, verb: ContainerVerb, name: str) -> Fix:
    """Start, stop or restart one container. Restarting or stopping a store is R3, everything else R2."""
    risk = Risk.R3 if verb != "start" and system.config.role_of(name) in _STORES else Risk.R2
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
