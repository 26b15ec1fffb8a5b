"""Which versions of SNMP a device answers."""

import asyncio
import shlex
from collections.abc import Sequence

from pydantic import Field

from console.config import SystemConfig
from console.config_tables import PortNumber
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.sources.protocols.network import SnmpAnswer
from console.text import HIDDEN, clean

LIMIT_S = 2.0
USUAL_PORT = 161
VERSIONS = ("1", "2c", "3")
REASONS = ("", "timeout", "refused", "unreachable", "unresolved", "auth", "other")
_TELLING = ("unresolved", "refused", "unreachable", "auth", "timeout", "other")
"""Of several reasons, the one that explains the others."""


class SnmpParameters(Parameters):
    host: str = Field(min_length=1, max_length=253)
    community: str = Field(min_length=1, max_length=200, repr=False)
    """The community of versions 1 and 2c, the user of version 3."""
    port: PortNumber | None = None
    """The configured one when none is named."""


def common_reason(answers: Sequence[SnmpAnswer]) -> str:
    """Why no version is answered; empty when one is."""
    if any(answer.answered for answer in answers):
        return ""
    reasons = {answer.reason if answer.reason in REASONS[1:] else "other" for answer in answers}
    return next(reason for reason in _TELLING if reason in reasons)


async def _versions(readings: Readings, parameters: SnmpParameters) -> Findings:
    network, community = readings.system.need_network(), parameters.community
    port = parameters.port or readings.system.config.snmp_port
    answers = await asyncio.gather(
        *(
            network.snmp(parameters.host, version=version, community=community, port=port, timeout_s=LIMIT_S)
            for version in VERSIONS
        )
    )
    reason = common_reason(answers)
    facts: Facts = {
        **{f"v{answer.version}": answer.answered for answer in answers},
        "any": any(answer.answered for answer in answers),
        "reason": reason,
    }
    where = clean(parameters.host, 253)
    good = [answer.version for answer in answers if answer.answered]
    headline = f"{where} answers SNMP {', '.join(good)}." if good else f"{where} answers no version of SNMP: {reason}."
    lines = (f"version {item.version}: {item.description or f'{item.reason}, {item.message}'}" for item in answers)
    # Not the usual public: a device may write its community into its description.
    hidden = community if len(community) >= 6 and community not in ("public", "private") else ""
    return Findings(facts, headline, tuple(line.replace(hidden, HIDDEN) if hidden else line for line in lines))


def _command(config: SystemConfig, parameters: SnmpParameters) -> str:
    port = parameters.port or config.snmp_port
    where = shlex.quote(clean(f"{parameters.host}:{port}" if port != USUAL_PORT else parameters.host, 260))
    return (
        f'for v in 1 2c; do snmpget -v$v -c "$COMMUNITY" {where} sysDescr.0; done; snmpget -v3 -u "$COMMUNITY" {where} sysDescr.0'
    )


CHECKS = (
    Check(
        name="snmp.versions",
        title="Which versions of SNMP does the device answer?",
        parameters=SnmpParameters,
        facts=(
            Fact("v1", FactType.BOOL, "version 1 is answered"),
            Fact("v2c", FactType.BOOL, "version 2c is answered"),
            Fact("v3", FactType.BOOL, "version 3 is answered"),
            Fact("any", FactType.BOOL, "one of them is answered"),
            Fact("reason", FactType.TEXT, "why none is (a timeout may be a wrong community), empty when one is", choices=REASONS),
        ),
        command=_command,
        make=_versions,
        ahead=False,
    ),
)
