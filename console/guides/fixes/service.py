"""Starting, restarting and stopping a role's service, whether systemd keeps it or a container engine."""

from pydantic import BaseModel

from console.guides.checks.commands import as_root, joined
from console.guides.checks.machine import is_unit, machine, need_known
from console.guides.checks.service import describe_unit, unit_facts
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target, action
from console.guides.fixes.containers import Which
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.guides.risk import Risk
from console.reading import SourceError
from console.sources.protocols.host import Host, Unit
from console.system import System


class StartParameters(Parameters):
    role: str
    enable: bool = False
    """Start it with the machine from now on."""


class RestartParameters(Parameters):
    role: str


class StopParameters(Parameters):
    role: str


async def _plan_start(system: System, wanted: StartParameters) -> Plan:
    need_known(system.config, wanted.role)
    if not is_unit(system.config, wanted.role):
        return await action("containers.start").plan(system, Which(roles=(wanted.role,)))
    unit, line = await _look(system, wanted.role)
    running, enabled = unit.active == "active", unit.enabled is True or not wanted.enable
    verbs = [verb for verb, needed in (("start", not running), ("enable", not enabled)) if needed]
    back = [verb for verb, needed in (("stop", not running), ("disable", not enabled)) if needed]
    return Plan(
        targets=(_target(unit),),
        lines=(line, *(("it will be started with the machine",) if not enabled else ())),
        effect="The service comes up; what keeps it from running will stop it again.",
        way_back=joined([_systemctl(system, verb, unit) for verb in back]),
        command=joined([_systemctl(system, verb, unit) for verb in verbs]),
        confirm_name=unit.name,
        empty=_absent(unit) or ("" if verbs else f"{unit.name} runs already."),
    )


async def _plan_restart(system: System, wanted: RestartParameters) -> Plan:
    need_known(system.config, wanted.role)
    if not is_unit(system.config, wanted.role):
        return await action("containers.restart").plan(system, Which(roles=(wanted.role,)))
    unit, line = await _look(system, wanted.role)
    return Plan(
        targets=(_target(unit),),
        lines=(line,),
        effect="Requests in flight fail; the service is away until it has started again.",
        way_back="None is needed: the same service goes on.",
        command=_systemctl(system, "restart", unit),
        confirm_name=unit.name,
        empty=_absent(unit),
    )


async def _plan_stop(system: System, wanted: StopParameters) -> Plan:
    unit, line = await _look(system, wanted.role)
    return Plan(
        targets=(_target(unit),),
        lines=(line,),
        effect="The service ends, and what needs it fails until it is started again.",
        way_back=_systemctl(system, "start", unit),
        command=_systemctl(system, "stop", unit),
        confirm_name=unit.name,
        empty=_absent(unit) or ("" if unit.active in ("active", "activating") else f"{unit.name} does not run."),
    )


async def _look(system: System, role: str) -> tuple[Unit, str]:
    readings = Readings(system)
    try:
        host = machine(readings)
        unit, now = await host.unit(system.config.units[role]), await host.now()
    finally:
        readings.close()
    return unit, describe_unit(unit, unit_facts(unit, now))


def _target(unit: Unit) -> Target:
    return Target(unit.name, {"unit": unit.name, "pid": unit.main_pid or 0, "active": unit.active})


def _absent(unit: Unit) -> str:
    return "" if unit.known else f"systemd knows no service {unit.name}: is it installed, and is its name in config.toml right?"


def _systemctl(system: System, verb: str, unit: Unit) -> str:
    return as_root(system.config, "systemctl", verb, unit.name)


async def _start(system: System, wanted: StartParameters, preview: Preview) -> Applied:
    if not is_unit(system.config, wanted.role):
        return await _of_container("containers.start", system, wanted.role, preview)
    host, name, done = system.host, system.config.units[wanted.role], list[str]()
    try:
        unit = await host.unit(name)
        # What it is now decides, not what it was in the preview: another person may have started it.
        if unit.active == "active":
            done.append(f"{unit.name} runs by now: left alone.")
        else:
            await host.control_unit(name, "start")
            done.append(f"Started {unit.name}. {await _now(host, name)}")
        if wanted.enable and unit.enabled is not True:
            await host.control_unit(name, "enable")
            done.append(f"{unit.name} will be started with the machine.")
    except SourceError as error:
        return Applied(False, tuple(done), error.failure)
    return Applied(True, tuple(done))


async def _restart(system: System, wanted: RestartParameters, preview: Preview) -> Applied:
    if not is_unit(system.config, wanted.role):
        return await _of_container("containers.restart", system, wanted.role, preview)
    host, name, seen = system.host, system.config.units[wanted.role], preview.targets[0].identity
    unit = await host.unit(name)
    if (unit.main_pid or 0, unit.active) != (seen["pid"], seen["active"]):
        return Applied(False, (f"{unit.name} has been started, stopped or restarted since the preview: look at a new one.",))
    await host.control_unit(name, "restart")
    return Applied(True, (f"Restarted {unit.name}. {await _now(host, name)}",))


async def _stop(system: System, wanted: StopParameters, _preview: Preview) -> Applied:
    host, name = system.host, system.config.units[wanted.role]
    await host.control_unit(name, "stop")
    return Applied(True, (f"Stopped {name}. {await _now(host, name)}",))


async def _now(host: Host, name: str) -> str:
    unit = await host.unit(name)
    return f"It is {unit.active}."


async def _of_container(name: str, system: System, role: str, preview: Preview) -> Applied:
    parameters: BaseModel = Which(roles=(role,))
    do = action(name).do
    assert do is not None
    return await do(system, parameters, preview)


ACTIONS = (
    Action("service.start", StartParameters, Risk.R2, _plan_start, _start),
    Action("service.restart", RestartParameters, Risk.R2, _plan_restart, _restart),
    Action("service.stop", StopParameters, Risk.R2, _plan_stop, _stop),
)
