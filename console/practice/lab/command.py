"""`triage lab up|down|status|inject|undo`: words around the lab, and its exit codes."""

from collections.abc import Callable, Mapping
from typing import TextIO

from console.config import SystemConfig
from console.config_sources import EngineConfig
from console.practice.lab.errors import LabError
from console.practice.lab.fault import LabFault
from console.practice.lab.faults import BY_SYSTEM
from console.practice.lab.injection import Injection
from console.practice.lab.plan import lab_plan
from console.practice.lab.stack import Lab
from console.text import clean

Say = Callable[[str], None]
ACTIONS = ("up", "down", "status", "inject", "undo")


def run(action: str, system_name: str, config: SystemConfig, fault: str | None, out: TextIO) -> int:
    """Do one action on the lab of a system and tell it on `out`.

    Returns 0 when it was done (`status`: when the lab is up), 1 when not, 2 for an unknown action or fault. After
    Ctrl+C the lab is left half-way, which `up` completes and `down` removes; a fault being injected is undone first.
    """

    def say(line: str) -> None:
        print(line, file=out, flush=True)

    if action not in ACTIONS:
        say(f"There is no action {action!r}; there are {', '.join(ACTIONS)}.")
        return 2
    try:
        lab = Lab(lab_plan(system_name, config), config.engine or EngineConfig(), say)
    except LabError as error:
        say(str(error))
        return 2
    known = faults_of(lab)
    if (action == "inject" and fault is None) or (fault is not None and fault not in known):
        say(f"There is no fault {fault!r} in the lab of {system_name}; there are:" if fault else "Name the fault to inject:")
        for item in known.values():
            say(f"  {item.id:<40} {item.title}")
        return 2
    try:
        return _ACTIONS[action](lab, fault, say)
    except LabError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Stopped half-way. `triage lab up` goes on from here, `triage lab down` removes what is there.")
        return 1
    except Exception as error:
        if not _from_engine(error):
            raise
        say(f"The container engine did not do it: {clean(str(error), 300)}. Try again; `triage lab status` shows how it stands.")
        return 1
    finally:
        lab.close()


def faults_of(lab: Lab) -> Mapping[str, LabFault]:
    """The faults that this lab can have, by id."""
    return {fault.id: fault for fault in BY_SYSTEM[lab.plan.template.guide]}


def _up(lab: Lab, _fault: str | None, say: Say) -> int:
    injection = Injection(lab, say)
    if injection.open():
        injection.undo_all()
    lab.up()
    say(f"The lab is up: {lab.plan.template.front(lab.plan)}; its secrets are in {lab.folder}")
    return 0


def _down(lab: Lab, _fault: str | None, say: Say) -> int:
    Injection(lab, say).abandon()
    lab.down()
    say("The lab is gone; its image stays, so that the next `triage lab up` takes seconds.")
    return 0


def _status(lab: Lab, _fault: str | None, say: Say) -> int:
    status = lab.status()
    for service in status.services:
        say(f"  {service.name:<24} {service}")
    for item in Injection(lab, say).open():
        say(f"  fault {item.fault_id} since {item.injected_at}; `triage lab undo {item.fault_id}` removes it")
    say("The lab is up." if status.up else f"The lab is not up: {'; '.join(status.waiting)}.")
    return 0 if status.up else 1


def _inject(lab: Lab, fault: str | None, say: Say) -> int:
    injection, item = Injection(lab, say), faults_of(lab)[str(fault)]
    injection.inject(item)
    answers, inputs = injection.replies(item)
    issue = item.id.rpartition(".")[0]
    for name, value in (*((f"{issue}.{step}", value) for step, value in answers.items()), *inputs.items()):
        say(f"  --input {name}={value}")
    return 0


def _undo(lab: Lab, fault: str | None, say: Say) -> int:
    injection = Injection(lab, say)
    if fault is None:
        injection.undo_all()
    else:
        injection.undo(fault)
    injection.healed()
    return 0


def _from_engine(error: Exception) -> bool:
    from docker.errors import DockerException
    from requests import RequestException

    return isinstance(error, DockerException | RequestException)


_ACTIONS: Mapping[str, Callable[[Lab, str | None, Say], int]] = {
    "up": _up,
    "down": _down,
    "status": _status,
    "inject": _inject,
    "undo": _undo,
}
