"""TCP: does anybody take a connection?"""

import shlex
from functools import partial

from pydantic import Field, model_validator

from console.config import SystemConfig
from console.config_tables import PortNumber
from console.guides.checks.check import Check, Fact, FactType, Findings
from console.guides.checks.targets import place_of
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.reading import SourceError
from console.sources.protocols.network import NO_ANSWER
from console.text import clean

LIMIT_S = 2.0


class TcpParameters(Parameters):
    to: str = ""
    """`database`, `cache`, or an endpoint or link by name."""
    host: str = Field(default="", max_length=253)
    port: PortNumber | None = None

    @model_validator(mode="after")
    def _one_of(self) -> "TcpParameters":
        if bool(self.to) == bool(self.host) or bool(self.host) != (self.port is not None):
            raise ValueError("needs either to, or host and port")
        return self

    def place(self, config: SystemConfig) -> tuple[str, int]:
        return (self.host, self.port) if self.port is not None else place_of(config, self.to)


async def _tcp(readings: Readings, parameters: TcpParameters) -> Findings:
    host, port = parameters.place(readings.system.config)
    ask = partial(readings.system.need_network().tcp, host, port, timeout_s=LIMIT_S)
    reason = await readings.share(("tcp", host, port), ask)
    where = clean(f"{host}:{port}", 300)
    headline = f"{where} takes no connection: {reason}." if reason else f"{where} takes connections."
    return Findings({"open": not reason, "reason": reason}, headline)


def _command(config: SystemConfig, parameters: TcpParameters) -> str:
    try:
        host, port = parameters.place(config)
    except SourceError:
        return f"nc -vz -w 2 <address of {clean(parameters.to)}>"
    return f"nc -vz -w 2 {shlex.quote(clean(host, 253))} {port}"


CHECKS = (
    Check(
        name="net.tcp",
        title="Does anybody listen there?",
        parameters=TcpParameters,
        facts=(
            Fact("open", FactType.BOOL, "a connection came about"),
            Fact("reason", FactType.TEXT, "why none did, empty when it did", choices=NO_ANSWER),
        ),
        command=_command,
        make=_tcp,
    ),
)
