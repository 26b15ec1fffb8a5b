"""What a service was told by its environment: is it there, is it what is expected, is a secret the same in two places?"""

import asyncio
import hmac
import shlex
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, model_validator

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.commands import container_name, docker, on_machine
from console.guides.checks.words import listed
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.guides.role_settings import file_environment, is_secret, role_environment, settings_file, shown_value
from console.text import clean

_PORTS = {"postgresql": 5432, "redis": 6379, "rediss": 6379, "http": 80, "https": 443, "ws": 80, "wss": 443}
_SAME_SCHEME = {"postgres": "postgresql"}
_HERE = ("localhost", "127.0.0.1", "::1")
DIFFERENCES = ("", "scheme", "host", "port", "database", "user", "other")
_OTHER = "other"


class PresentParameters(Parameters):
    role: str
    names: tuple[str, ...] = Field(min_length=1)


class ValueParameters(Parameters):
    role: str
    name: str
    one_of: tuple[str, ...] = ()
    """The values that branches tell apart; any other is `other`."""


class SameParameters(Parameters):
    role: str
    name: str
    file_role: str = ""
    """Whose settings file is compared; empty: that of the same role."""
    file: str = ""
    """A settings file on the machine instead."""

    @model_validator(mode="after")
    def _one_of(self) -> "SameParameters":
        if self.file and self.file_role:
            raise ValueError("needs either file_role or file")
        if self.file and not self.file.startswith("/"):
            raise ValueError("file must begin with /")
        return self


def difference(value: str, expected: str) -> Literal["", "scheme", "host", "port", "database", "user", "other"]:
    """The first part in which an address differs from the expected one; passwords are not looked at.

    A driver after the scheme (`postgresql+asyncpg`) counts only when one is expected; this machine's names are one host; a port
    that is not given is the usual one of the scheme. What is no address is the same or `other`.
    """
    told, wanted = _parts(value), _parts(expected)
    if told is None or wanted is None:
        return "" if value.strip() == expected.strip() else "other"
    if _scheme(told, "+" in wanted.scheme) != _scheme(wanted, True):
        return "scheme"
    if _host(told) != _host(wanted):
        return "host"
    if _port(told) != _port(wanted):
        return "port"
    if told.path.strip("/") != wanted.path.strip("/"):
        return "database"
    if wanted.username and told.username != wanted.username:
        return "user"
    return ""


def _parts(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address.strip())
        _port(parts)
    except ValueError:
        return None
    return parts if parts.scheme and parts.hostname else None


def _scheme(parts: SplitResult, with_driver: bool) -> str:
    base, _, driver = parts.scheme.partition("+")
    base = _SAME_SCHEME.get(base, base)
    return f"{base}+{driver}" if driver and with_driver else base


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return _HERE[0] if host in _HERE else host


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(_scheme(parts, False))


async def _present(readings: Readings, parameters: PresentParameters) -> Findings:
    environment = await role_environment(readings, parameters.role)
    missing = [name for name in parameters.names if not environment.get(name, "").strip()]
    facts: Facts = {"missing": len(missing), "first_missing": missing[0] if missing else ""}
    lines = [_line(name, environment.get(name)) for name in parameters.names]
    if missing:
        return Findings(facts, f"The {parameters.role} has no {listed(missing)}.", tuple(lines))
    return Findings(facts, f"The {parameters.role} has {listed(parameters.names)}.", tuple(lines))


def _line(name: str, value: str | None) -> str:
    if value is None:
        return f"{clean(name)} is not set"
    return f"{clean(name)}={shown_value(name, value)}" if value.strip() else f"{clean(name)} is empty"


async def _value(readings: Readings, parameters: ValueParameters) -> Findings:
    config, name = readings.system.config, parameters.name
    value = (await role_environment(readings, parameters.role)).get(name, "").strip()
    expected = config.settings.get(parameters.role, {}).get(name)
    differs = difference(value, expected) if value and expected is not None else None
    parts = _parts(value)
    facts: Facts = {
        "set": bool(value),
        "value": _told(name, value, parameters.one_of),
        "as_expected": None if expected is None else bool(value) and not differs,
        "host": "" if parts is None else clean(parts.hostname or "", 200),
        "differs": "other" if expected is not None and not value else differs,
    }
    lines = [_line(name, value or None)]
    if expected is not None:
        lines.append(f"expected: {shown_value(name, expected)}")
    if not value:
        return Findings(facts, f"{name} of the {parameters.role} is not set.", tuple(lines))
    if differs:
        part = "" if differs == "other" else f" in its {differs}"
        return Findings(facts, f"{name} of the {parameters.role} is not what is expected{part}.", tuple(lines))
    return Findings(facts, f"{name} of the {parameters.role} is {shown_value(name, value)}.", tuple(lines))


def _told(name: str, value: str, one_of: tuple[str, ...]) -> str:
    if one_of:
        return value if value in one_of else _OTHER if value else ""
    return shown_value(name, value)


async def _same(readings: Readings, parameters: SameParameters) -> Findings:
    path = parameters.file or settings_file(readings, parameters.file_role or parameters.role)
    running, written = await asyncio.gather(role_environment(readings, parameters.role), file_environment(readings, path))
    name = clean(parameters.name)
    ours, theirs = running.get(parameters.name, ""), written.get(parameters.name, "")
    same = hmac.compare_digest(ours.encode("utf-8", "surrogateescape"), theirs.encode("utf-8", "surrogateescape"))
    facts = {"set": bool(ours) and bool(theirs), "same": same}
    lines = (
        f"{name} of the {parameters.role}: {'set' if ours else 'not set'}",
        f"{name} in {clean(path)}: {'set' if theirs else 'not set'}",
    )
    if not ours or not theirs:
        where = f"of the {parameters.role}" if not ours else f"in {clean(path)}"
        return Findings(facts, f"{name} {where} is not set.", lines)
    words = "the same as" if same else "another than"
    return Findings(facts, f"{name} of the {parameters.role} is {words} in {clean(path)}.", lines)


def _environment_of(config: SystemConfig, role: str) -> str:
    """Prints a role's environment, one variable a line."""
    if role in config.roles or role not in config.settings_files:
        return docker(config, "inspect", "-f", "{{range .Config.Env}}{{println .}}{{end}}", container_name(config, role))
    return on_machine(config, "cat", config.settings_files[role])


def _grep(config: SystemConfig, role: str, *names: str) -> str:
    pattern = f"^({'|'.join(names)})=" if len(names) > 1 else f"^{names[0]}="
    # A secret is counted, not printed.
    flag = "-cE" if any(map(is_secret, names)) else "-E"
    return clean(f"{_environment_of(config, role)} | grep {flag} {shlex.quote(pattern)}")


def _same_command(config: SystemConfig, parameters: SameParameters) -> str:
    role = parameters.file_role or parameters.role
    path = parameters.file or config.settings_files.get(role, f"<no settings file of {role} configured>")
    # Names without an = behind them, which would look like a secret and be hidden.
    name = shlex.quote(parameters.name)
    running = f"{_environment_of(config, parameters.role)} | grep -w {name}"
    return clean(f"cmp <({running}) <({on_machine(config, 'grep', '-w', parameters.name, path)}) && echo same")


def _value_facts(parameters: ValueParameters) -> tuple[Fact, ...]:
    choices = ("", *parameters.one_of, _OTHER) if parameters.one_of else ()
    return (
        Fact("set", FactType.BOOL, "the variable is there and not empty"),
        Fact(
            "value", FactType.TEXT, "its value, dots when the name is that of a secret, empty when it is not set", choices=choices
        ),
        Fact("as_expected", FactType.BOOL, "it is what the configuration expects, passwords aside; unknown when that has none"),
        Fact("host", FactType.TEXT, "the host of an address, empty for anything else"),
        Fact("differs", FactType.TEXT, "the first part that is not as expected, empty when all is", choices=DIFFERENCES),
    )


CHECKS = (
    Check(
        name="settings.present",
        title="Are these settings there?",
        parameters=PresentParameters,
        facts=(
            Fact("missing", FactType.NUMBER, "of the named variables, those that are not set or empty"),
            Fact("first_missing", FactType.TEXT, "the first of these, empty when all are there"),
        ),
        command=lambda config, parameters: _grep(config, parameters.role, *parameters.names),
        make=_present,
    ),
    Check(
        name="settings.value",
        title="Does this setting say what is expected?",
        parameters=ValueParameters,
        facts=_value_facts(ValueParameters(role="backend", name="NAME")),
        command=lambda config, parameters: _grep(config, parameters.role, parameters.name),
        make=_value,
        facts_for=_value_facts,
    ),
    Check(
        name="settings.same",
        title="Does the service run with the setting that is written down?",
        parameters=SameParameters,
        facts=(
            Fact("set", FactType.BOOL, "the variable is there on both sides"),
            Fact("same", FactType.BOOL, "both sides hold the same value; it is compared, never shown"),
        ),
        command=_same_command,
        make=_same,
    ),
)
