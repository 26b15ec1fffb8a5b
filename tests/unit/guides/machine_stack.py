"""A machine made by hand for checks and fixes: services, files and packet filter by the text that commands print."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from guide_stack import NOW, FakeEngine, FakeHost, sms_config

from console.config import SystemConfig
from console.guides.checks.check import Outcome, run_check
from console.guides.checks.registry import find_check
from console.guides.fixes.action import action
from console.guides.issue import CheckCall, Fix
from console.guides.readings import Readings
from console.sources.host.command import CommandHost, Output
from console.sources.protocols.engine import Details
from console.sources.protocols.host import Host
from console.system import System

MEMINFO = "MemTotal: 8388608 kB\nMemAvailable: 2097152 kB\nSwapTotal: 2097152 kB\nSwapFree: 524288 kB\n"


@dataclass
class Machine:
    """`answers`: by the whole command line, else by the first word. Services live: they can be started and stopped."""

    answers: dict[str, Output | str] = field(default_factory=dict)
    units: dict[str, dict[str, str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    now: float = NOW

    async def run(self, argv: Sequence[str], timeout_s: float) -> Output:
        line = " ".join(argv)
        self.ran.append(line)
        if line == "date +%s.%N":
            return 0, f"{self.now}".encode(), b""
        if argv[0] == "env":
            return 0, self._shown(argv[-1]).encode(), b""
        if argv[0] == "systemctl":
            return self._control(argv[2], argv[-1])
        if argv[0] == "tail" and argv[-1] in self.files:
            return 0, self.files[argv[-1]].encode(), b""
        if argv[0] == "find" and argv[2] in self.files:
            return 0, f"f 640 {len(self.files[argv[2]])} {NOW - 100} root root {argv[2]}\0".encode(), b""
        answer = self.answers.get(line, self.answers.get(argv[0]))
        if answer is None:
            missing = f"{argv[0]}: cannot open '{argv[-1]}': No such file or directory".encode()
            return (1, b"", missing) if argv[0] in ("tail", "find") else (127, b"", b"")
        return (0, answer.encode(), b"") if isinstance(answer, str) else answer

    def _shown(self, name: str) -> str:
        absent = {"LoadState": "not-found", "ActiveState": "inactive"}
        return "".join(f"{key}={value}\n" for key, value in self.units.get(name, absent).items())

    def _control(self, verb: str, name: str) -> Output:
        unit = self.units[name]
        if verb == "enable":
            unit["UnitFileState"] = "enabled"
        else:
            unit |= {"ActiveState": "inactive" if verb == "stop" else "active", "MainPID": "4711"}
        return 0, b"", b""


def unit(active: str = "active", **changes: str) -> dict[str, str]:
    return {
        "LoadState": "loaded",
        "ActiveState": active,
        "SubState": "running" if active == "active" else "dead",
        "UnitFileState": "enabled",
        "NRestarts": "0",
        "MainPID": "100" if active == "active" else "0",
        "MemoryCurrent": "104857600" if active == "active" else "[not set]",
        "ActiveEnterTimestamp": "Wed 2026-11-18 10:00:00 UTC",
        "InactiveEnterTimestamp": "",
        "Result": "success",
        **changes,
    }


def config(**changes: Any) -> SystemConfig:
    """The sms system with what `changes` says of its machine."""
    return sms_config().model_copy(update=changes)


def host_of(machine: Machine) -> CommandHost:
    return CommandHost(machine.run)


@dataclass
class Environments(FakeEngine):
    """Containers whose environment is given, by container."""

    environments: dict[str, dict[str, str]] = field(default_factory=dict)

    async def details(self, name: str) -> Details:
        self.ask(f"details {name}")
        return Details(self.environments.get(name, {}), (), (), ())


def system(config: SystemConfig, host: Host | FakeHost, engine: FakeEngine | None = None, **more: Any) -> System:
    async def pause(_seconds: float) -> None:
        """No time passes."""

    return System(config, host=host, engine=engine, **{"clock": lambda: NOW, "pause": pause, **more})


async def check(system: System, name: str, /, **parameters: Any) -> Outcome:
    """The outcome of one check; a defect of the check itself fails the test."""
    kind = find_check(name)
    assert kind is not None
    call = CheckCall(name, kind.parameters.model_validate(parameters))
    readings = Readings(system, wall=lambda: NOW)
    try:
        outcome = await run_check(call, readings)
    finally:
        readings.close()
    assert kind.command(system.config, call.parameters)
    assert "unexpected" not in outcome.headline, outcome.headline
    return outcome


def fix(name: str, /, **parameters: Any) -> Fix:
    kind = action(name)
    return Fix("fix", name, kind.risk, name, kind.parameters.model_validate(parameters))
