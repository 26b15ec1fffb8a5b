"""The mail server that a service sends by: how far its own settings get, without sending anything."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.commands import docker
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.guides.role_settings import role_environment
from console.reading import SourceError
from console.sources.protocols.network import NO_ANSWER, SmtpAnswer
from console.text import clean

LIMIT_S = 2.4
DEFAULT_PORT = 587
_NAMES: Mapping[str, tuple[str, ...]] = {
    "host": ("HOST", "SERVER", "HOSTNAME"),
    "port": ("PORT",),
    "user": ("USER", "USERNAME", "LOGIN"),
    "password": ("PASSWORD", "PASS"),
    "sender": ("FROM", "SENDER", "FROM_EMAIL", "FROM_ADDRESS", "DEFAULT_FROM"),
}
"""How services call their settings, after the prefix; the first is named when all are missing."""


class SmtpParameters(Parameters):
    role: str = "backend"
    prefix: str = Field(default="SMTP_", pattern=r"^[A-Za-z][A-Za-z0-9_]*$")


@dataclass(frozen=True, slots=True)
class MailSettings:
    """What a service knows of its mail server. `missing`: the first setting without which it cannot send, or empty."""

    host: str
    port: int
    user: str
    password: str
    sender: str
    missing: str


def mail_settings(environment: Mapping[str, str], prefix: str) -> MailSettings:
    """The settings of a role's environment; without a port it is 587, without a sender the user."""
    found = {key: _first(environment, prefix, names) for key, names in _NAMES.items()}
    port = int(found["port"]) if found["port"].isdecimal() and len(found["port"]) <= 5 else DEFAULT_PORT
    bad_port = bool(found["port"]) and (str(port) != found["port"].lstrip("0") or not 0 < port < 65_536)
    missing = next((f"{prefix}{_NAMES[key][0]}" for key in ("host", "user", "password") if not found[key]), "")
    if bad_port and not missing:
        missing = f"{prefix}PORT"
    port = port if 0 < port < 65_536 else DEFAULT_PORT
    return MailSettings(
        found["host"], port, found["user"], found["password"], _address(found["sender"] or found["user"]), missing
    )


async def _login(readings: Readings, parameters: SmtpParameters) -> Findings:
    settings = mail_settings(await role_environment(readings, parameters.role), parameters.prefix)
    readings.system.secrets.add(settings.password)
    facts: Facts = {"set": not settings.missing, "missing": settings.missing}
    if not settings.host:
        return Findings(facts, f"{settings.missing} of {clean(parameters.role)} is not set.")
    answer = await readings.system.need_network().smtp(
        await _address_of(readings, settings.host),
        settings.port,
        user=settings.user if settings.password else "",
        password=settings.password,
        sender=settings.sender,
        timeout_s=LIMIT_S,
    )
    facts = {
        **facts,
        "reachable": answer.connected,
        "tls": answer.starttls,
        "login_accepted": answer.login_accepted,
        "sender_accepted": answer.sender_accepted,
        "reason": answer.reason,
    }
    where = clean(f"{settings.host}:{settings.port}", 300)
    evidence = [f"{where} as {settings.user or 'nobody'}, from {settings.sender or 'nobody'}, asked from this machine"]
    if settings.missing:
        evidence.append(f"{settings.missing} is not set, or is not what it should be")
    if answer.message:
        evidence.append(f"the server's last words: {answer.message}")
    hidden = tuple(clean(_without(line, settings.password), 400) for line in evidence)
    return Findings(facts, _headline(where, answer, settings), hidden)


def _headline(where: str, answer: SmtpAnswer, settings: MailSettings) -> str:
    if not answer.connected:
        return f"The mail server {where} is not reached: {answer.reason}."
    if answer.login_accepted is False:
        return f"The mail server {where} refuses the login."
    if answer.sender_accepted is False:
        return f"The mail server {where} refuses the sender."
    if answer.reason:
        return f"The mail server {where} breaks off: {answer.reason}."
    if settings.missing:
        return f"The mail server {where} answers, but {settings.missing} is not set."
    if answer.login_accepted is None:
        return f"The mail server {where} answers, but offers no protection for a login."
    return f"The mail server {where} accepts login and sender."


async def _address_of(readings: Readings, host: str) -> str:
    """A name that only the containers' own network knows is asked at the container's address."""
    network, engine = readings.system.need_network(), readings.system.engine
    if engine is None or (await network.resolve(host, timeout_s=1.0)).addresses:
        return host
    try:
        found = await readings.containers()
        for item in found.items:
            if host in (item.name, item.labels.get("com.docker.compose.service")):
                links = (await engine.details(item.name)).links
                return next((link.address for link in links if link.address), host)
    except SourceError:
        pass  # then the name itself is asked, and is told as what it is
    return host


def _first(environment: Mapping[str, str], prefix: str, names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := environment.get(f"{prefix}{name}", "").strip())), "")


def _address(text: str) -> str:
    """`School <office@example.org>` as office@example.org."""
    return text.rpartition("<")[2].partition(">")[0].strip() if "<" in text else text


def _without(text: str, password: str) -> str:
    return text.replace(password, "•••") if len(password) >= 3 else text


def _command(config: SystemConfig, parameters: SmtpParameters) -> str:
    prefix = parameters.prefix
    if parameters.role in config.roles:
        show = docker(config, "exec", config.roles[parameters.role], "env")
    else:
        show = f"cat {config.settings_files.get(parameters.role, '<no settings file configured>')}"
    hide = f"grep ^{prefix} | sed 's/PASS[A-Z]*=.*/PASSWORD=…/'"
    return clean(f"{show} | {hide}; openssl s_client -starttls smtp -crlf -connect ${prefix}HOST:${prefix}PORT")


CHECKS = (
    Check(
        name="smtp.login",
        title="Does the mail server let the service in?",
        parameters=SmtpParameters,
        facts=(
            Fact("set", FactType.BOOL, "host, user and password are set, and the port is one"),
            Fact("missing", FactType.TEXT, "the first setting that is not, empty when all are"),
            Fact("reachable", FactType.BOOL, "the server answers"),
            Fact("tls", FactType.BOOL, "the connection can be protected"),
            Fact("login_accepted", FactType.BOOL, "user and password are right"),
            Fact("sender_accepted", FactType.BOOL, "the configured sender may send"),
            Fact("reason", FactType.TEXT, "why the talk ended early, empty when it did not", choices=NO_ANSWER),
        ),
        command=_command,
        make=_login,
        ahead=False,
    ),
)
