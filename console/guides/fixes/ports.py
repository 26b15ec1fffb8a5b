"""Letting a port of the system through the packet filter."""

from console.guides.checks.commands import as_root
from console.guides.checks.host import FirewallParameters, wanted_port
from console.guides.checks.machine import machine
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.readings import Readings
from console.guides.risk import Risk
from console.reading import Failure, FailureKind
from console.system import System
from console.text import clean


async def _plan(system: System, wanted: FirewallParameters) -> Plan:
    readings = Readings(system)
    port = await wanted_port(readings, wanted)
    found = await machine(readings).firewall(port, wanted.protocol)
    shown = f"{port}/{wanted.protocol}"
    empty = ""
    if found.active is False:
        empty = "No packet filter is active on this machine."
    elif found.allows:
        empty = f"The packet filter lets {shown} in already."
    elif found.tool != "ufw":
        empty = f"The packet filter is not kept by ufw ({found.tool or 'not known'}): change its own rules."
    return Plan(
        targets=(Target(f"port {shown}", {"port": port, "protocol": wanted.protocol}),),
        lines=(f"{shown} is let in from everywhere", *((clean(f"now: {found.line}", 200),) if found.line else ())),
        effect=f"Everybody who reaches this machine can reach port {shown}.",
        way_back=as_root(system.config, "ufw", "delete", "allow", shown),
        command=as_root(system.config, "ufw", "allow", shown),
        confirm_name=f"port {shown}",
        empty=empty,
    )


async def _allow(system: System, wanted: FirewallParameters, preview: Preview) -> Applied:
    host, port = machine(Readings(system)), int(preview.targets[0].identity["port"])
    shown = f"{port}/{wanted.protocol}"
    if (await host.firewall(port, wanted.protocol)).allows:
        return Applied(False, (f"{shown} is let in by now: left alone.",))
    await host.allow_port(port, wanted.protocol)
    if (await host.firewall(port, wanted.protocol)).allows:
        return Applied(True, (f"{shown} is let in now.",))
    message = f"{shown} was allowed, but an earlier rule still keeps it out."
    return Applied(True, (), Failure(FailureKind.DECLINED, message, "Read the rules in order: ufw status numbered."))


ACTIONS = (Action("host.allow_port", FirewallParameters, Risk.R2, _plan, _allow),)
