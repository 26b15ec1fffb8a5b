"""Names: what the system's resolver says of one, and what the configured second one says."""

import asyncio
import shlex
from functools import partial

from pydantic import Field, model_validator

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.targets import place_of
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.guides.role_settings import role_environment
from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.network import Resolution
from console.text import clean

LIMIT_S = 2.0
REASONS = ("", "nxdomain", "no_answer", "timeout", "refused", "other")
_SILENT = ("timeout", "refused", "other")
"""The resolver did not answer the question: that says nothing about the name."""


class ResolveParameters(Parameters):
    endpoint: str = ""
    link: str = ""
    host: str = Field(default="", max_length=253)
    """The name itself."""
    role_host: str = Field(default="", pattern=r"^$|^[A-Za-z0-9_.-]+:[A-Za-z_][A-Za-z0-9_]*$")
    """`role:NAME`: the host in a setting of a role."""

    @model_validator(mode="after")
    def _one_of(self) -> "ResolveParameters":
        if [bool(self.endpoint), bool(self.link), bool(self.host), bool(self.role_host)].count(True) != 1:
            raise ValueError("needs one of endpoint, link, host and role_host")
        return self


async def _resolve(readings: Readings, parameters: ResolveParameters) -> Findings:
    config, network = readings.system.config, readings.system.need_network()
    name = await _name(readings, parameters)
    servers = ("", config.resolver) if config.resolver else ("",)
    answers = await asyncio.gather(
        *(
            readings.share(("dns", name, server), partial(network.resolve, name, server=server, timeout_s=LIMIT_S))
            for server in servers
        )
    )
    own, other = answers[0], answers[1] if len(answers) > 1 else None
    facts: Facts = {
        "resolves": bool(own.addresses),
        "reason": _reason(own),
        "elapsed_ms": round(own.elapsed_s * 1000, 1),
        "addresses": len(own.addresses),
        "other_resolves": None if other is None or _reason(other) in _SILENT else bool(other.addresses),
        "other_reason": None if other is None else _reason(other),
    }
    unread: tuple[Failure, ...] = ()
    if other is not None and facts["other_resolves"] is None:
        message = f"The second resolver {clean(other.server)} did not answer: {other.message.rstrip('.')}."
        unread = (Failure(FailureKind.TIMEOUT, message, "Is it reachable on port 53?"),)
    found = f"resolves to {', '.join(own.addresses[:4])}" if own.addresses else f"does not resolve ({_reason(own)})"
    return Findings(facts, f"{clean(name, 253)} {found}.", tuple(map(_line, answers)), unread)


async def _name(readings: Readings, parameters: ResolveParameters) -> str:
    if parameters.host:
        return parameters.host
    if parameters.role_host:
        role, _, setting = parameters.role_host.partition(":")
        environment = await role_environment(readings, role)
        return host_in(environment.get(setting, ""), f"{setting} of {role}")
    return place_of(readings.system.config, parameters.endpoint or parameters.link)[0]


def host_in(value: str, what: str) -> str:
    """The host of a setting: a URL, `host:port`, or a host alone. Raises MISSING when there is none; the value is not shown."""
    rest = value.partition("://")[2] if "://" in value else value
    authority = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    host = authority[1:].partition("]")[0] if authority.startswith("[") else authority.partition(":")[0]
    if not host or not host.isprintable() or " " in host:
        raise SourceError(FailureKind.MISSING, f"{clean(what, 200)} names no host.", "Set it, and restart the service.")
    return host


def _reason(answer: Resolution) -> str:
    if answer.addresses:
        return ""
    return answer.reason if answer.reason in REASONS[1:] else "other"


def _line(answer: Resolution) -> str:
    who = answer.server or "the system's resolver"
    if answer.addresses:
        return f"{who}: {', '.join(answer.addresses[:8])} after {answer.elapsed_s * 1000:.0f} ms"
    return f"{who}: {_reason(answer)}, {answer.message}"


def _command(config: SystemConfig, parameters: ResolveParameters) -> str:
    try:
        name = parameters.host or place_of(config, parameters.endpoint or parameters.link)[0]
    except SourceError:
        name = f"<host of {parameters.role_host or parameters.endpoint or parameters.link}>"
    quoted = shlex.quote(clean(name, 253))
    second = f" && dig +short {quoted} @{shlex.quote(clean(config.resolver))}" if config.resolver else ""
    return f"getent ahosts {quoted}{second}"


CHECKS = (
    Check(
        name="dns.resolve",
        title="Does the name resolve?",
        parameters=ResolveParameters,
        facts=(
            Fact("resolves", FactType.BOOL, "the system's resolver knows an address"),
            Fact("reason", FactType.TEXT, "why it does not, empty when it does", choices=REASONS),
            Fact("elapsed_ms", FactType.NUMBER, "that the system's resolver took", "ms"),
            Fact("addresses", FactType.NUMBER, "that it knows"),
            Fact("other_resolves", FactType.BOOL, "the second resolver knows one; unknown without it, or when it is silent"),
            Fact("other_reason", FactType.TEXT, "why the second does not; unknown without it", choices=REASONS),
        ),
        command=_command,
        make=_resolve,
    ),
)
