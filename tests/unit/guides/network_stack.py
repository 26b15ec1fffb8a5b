"""A network, a machine's files and a role's environment made by hand, and a check that is made on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.config import SystemConfig
from console.guides.checks import Outcome, find_check, run_check
from console.guides.issue import CheckCall
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.sources.network.answers import http_answer, http_silence, resolution, unresolved
from console.sources.protocols.engine import Container, Containers, Details, Link, State
from console.sources.protocols.network import HttpAnswer, Resolution, SmtpAnswer, SnmpAnswer, TlsAnswer
from console.system import System

NOW = 1_795_000_000.0


def web_answer(body: str = "", status: int = 200, elapsed_s: float = 0.05, **headers: str) -> HttpAnswer:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return http_answer("http://shop.example/x", status, pairs, body.encode(), elapsed_s)


def no_answer(reason: str) -> HttpAnswer:
    return http_silence("http://shop.example/x", reason, f"it was {reason}", 0.1)


@dataclass
class FakeNetwork:
    sites: dict[str, HttpAnswer] = field(default_factory=dict)
    shown: TlsAnswer = field(default_factory=lambda: TlsAnswer((), None, None, "refused", "refused"))
    names: dict[tuple[str, str], Sequence[str] | str] = field(default_factory=dict)
    """(name, server) → addresses, or a resolver's code."""
    closed: dict[tuple[str, int], str] = field(default_factory=dict)
    mail: SmtpAnswer = field(default_factory=lambda: SmtpAnswer(True, True, True, True))
    devices: dict[str, SnmpAnswer] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)

    async def open(self) -> None: ...

    async def aclose(self) -> None: ...

    async def http(self, url: str, **more: Any) -> HttpAnswer:
        self.asked.append((url, more))
        return self.sites[url]

    async def handshake(self, url: str, **more: Any) -> HttpAnswer:
        self.asked.append((url, more))
        return self.sites[url]

    async def tls(self, host: str, port: int, **more: Any) -> TlsAnswer:
        self.asked.append((host, port, more))
        return self.shown

    async def resolve(self, name: str, *, server: str = "", timeout_s: float = 2.0) -> Resolution:
        found = self.names.get((name, server), "NXDOMAIN")
        if isinstance(found, str):
            return unresolved(name, server, found, 0.01)
        return resolution(name, server, found, 0.01)

    async def tcp(self, host: str, port: int, *, timeout_s: float = 2.0) -> str:
        self.asked.append((host, port))
        return self.closed.get((host, port), "")

    async def smtp(self, host: str, port: int, **more: Any) -> SmtpAnswer:
        self.asked.append((host, port, more))
        return self.mail

    async def snmp(self, host: str, *, version: str, **more: Any) -> SnmpAnswer:
        self.asked.append((host, version, more))
        return self.devices.get(version, SnmpAnswer(version, False, "", "timeout", "No answer in time."))


@dataclass
class FakeFiles:
    files: dict[str, bytes | FailureKind] = field(default_factory=dict)

    async def open(self) -> None: ...

    async def aclose(self) -> None: ...

    async def read(self, path: str, *, most_bytes: int = 65_536) -> bytes:
        found = self.files.get(path, FailureKind.MISSING)
        if isinstance(found, FailureKind):
            raise SourceError(found, f"{path} is {found.value}.")
        return found


@dataclass
class FakeContainers:
    environment: dict[str, str] = field(default_factory=dict)
    failure: SourceError | None = None

    async def open(self) -> None: ...

    async def aclose(self) -> None: ...

    async def containers(self) -> Containers:
        return Containers(tuple(Container(name, name, "image", State.RUNNING) for name in ("sms-backend", "sms-mail")))

    async def details(self, name: str) -> Details:
        if self.failure is not None:
            raise self.failure
        return Details(self.environment, (), (Link("sms", "172.20.0.9", (name,)),), ())


@dataclass
class NetworkStack:
    config: SystemConfig
    network: FakeNetwork = field(default_factory=FakeNetwork)
    host: FakeFiles = field(default_factory=FakeFiles)
    engine: FakeContainers = field(default_factory=FakeContainers)

    async def make(self, name: str, /, **parameters: Any) -> Outcome:
        """The outcome of a check with these parameters, as they stand under `with:`."""
        system = System(self.config, host=self.host, engine=self.engine, network=self.network, clock=lambda: NOW)  # type: ignore[arg-type]
        readings = Readings(system)
        try:
            return await run_check(call(name, parameters), readings)
        finally:
            readings.close()

    def command(self, name: str, /, **parameters: Any) -> str:
        check = find_check(name)
        assert check is not None
        return check.command(self.config, call(name, parameters).parameters)


def call(name: str, parameters: Mapping[str, Any]) -> CheckCall:
    check = find_check(name)
    assert check is not None, name
    return CheckCall(name, check.parameters.model_validate(parameters))


def everything(outcome: Outcome) -> str:
    """All that an outcome shows, for looking whether a secret is in it."""
    return "\n".join([str(outcome.facts), outcome.headline, *outcome.evidence, str(outcome.unread), str(outcome.failure)])
