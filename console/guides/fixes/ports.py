"""Letting a port of the system through the packet filter."""

from typing import Literal

from console.config_tables import PortNumber
from console.guides.checks.commands import as_root
from console.guides.checks.machine import machine
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.guides.risk import Risk
from console.reading import Failure, FailureKind
from console.system import System
from console.text import clean


class AllowParameters(Parameters):
    port: PortNumber
    protocol: Literal["tcp", "udp"] = "tcp"


async def _plan(system: System, wanted: AllowParameters) -> Plan:
    found = await machine(Readings(system)).firewall(wanted.port, wanted.protocol)
    shown = f"{wanted.port}/{wanted.protocol}"
    empty = ""
    if found.active is False:
        empty = "No packet filter is active on this machine."
    elif found.allows:
        empty = f"The packet filter lets {shown} in already."
    elif found.tool != "ufw":
        empty = f"The packet filter is not kept by ufw ({found.tool or 'not known'}): change its own rules."
    return Plan(
        targets=(Target(f"port {shown}", {"port": wanted.port, "protocol": wanted.protocol}),),
        lines=(f"{shown} is let in from everywhere", *((clean(f"now: {found.line}", 200),) if found.line else ())),
        effect=f"Everybody who reaches this machine can reach port {shown}.",
        way_back=as_root(system.config, "ufw", "delete", "allow", shown),
        command=as_root(system.config, "ufw", "allow", shown),
        confirm_name=f"port {shown}",
        empty=empty,
    )


async def _allow(system: System, wanted: AllowParameters, _preview: Preview) -> Applied:
    host, shown = machine(Readings(system)), f"{wanted.port}/{wanted.protocol}"
    if (await host.firewall(wanted.port, wanted.protocol)).allows:
        return Applied(False, (f"{shown} is let in by now: left alone.",))
    await host.allow_port(wanted.port, wanted.protocol)
    if (await host.firewall(wanted.port, wanted.protocol)).allows:
        return Applied(True, (f"{shown} is let in now.",))
    message = f"{shown} was allowed, but an earlier rule still keeps it out."
    return Applied(True, (), Failure(FailureKind.DECLINED, message, "Read the rules in order: ufw status numbered."))


ACTIONS = (Action("host.allow_port", AllowParameters, Risk.R2, _plan, _allow),)
