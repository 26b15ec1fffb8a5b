"""Who reaches whom between containers, and on which addresses one listens; asked from inside them.

The commands that are run inside containers are `LISTENING`, `resolving` and `connecting`.
"""

import asyncio
import shlex
from dataclasses import dataclass

from pydantic import ConfigDict, Field

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.commands import container_name, docker, joined
from console.guides.checks.containers import services
from console.guides.checks.containers_changes import details_of
from console.guides.checks.words import listed
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.engine import Container, Details, ExecResult, Port, State
from console.text import clean

LISTENING = ("cat", "/proc/net/tcp", "/proc/net/tcp6")
EXEC_LIMIT_S = 2.5
NO_TOOL = 125
"""The exit code of `connecting` where the container has nothing to connect with."""
_CONNECT = (
    "if command -v bash >/dev/null && command -v timeout >/dev/null; then "
    'exec timeout 2 bash -c \'exec 3<>/dev/tcp/$0/$1\' "$1" "$2"; fi; '
    'if command -v nc >/dev/null; then exec nc -z -w 1 "$1" "$2"; fi; '
    "for python in python3 python; do if command -v $python >/dev/null; then "
    'exec $python -c \'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)\' "$1" "$2"; fi; done; '
    f"exit {NO_TOOL}"
)
_LISTENS = "0A"
"""TCP_LISTEN in the kernel's list of sockets (proc(5), include/net/tcp_states.h)."""
_ABSENT = (126, 127)


class ListeningParameters(Parameters):
    role: str
    port: int = Field(ge=1, le=65535)
    """The port inside the container."""


class ReachParameters(Parameters):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True, populate_by_name=True)

    from_: str = Field(alias="from")
    """The role that asks."""
    to: str
    """The role that is asked."""
    port: int = Field(ge=1, le=65535)


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP socket that takes connections. `everywhere`: on every address, not on one alone."""

    port: int
    address: str
    everywhere: bool


def resolving(name: str) -> tuple[str, ...]:
    """The command that looks a name up inside a container: 0 found, 2 not found, 124 no answer, 127 no such command.

    A second is long for a name of the engine's own; it passes other names on to servers that may not answer.
    """
    return ("timeout", "1", "getent", "hosts", name)


def connecting(host: str, port: int) -> tuple[str, ...]:
    """The command that connects from inside a container: 0 it came through, 125 nothing there to connect with."""
    return ("sh", "-c", _CONNECT, "connect", host, str(port))


def parse_listeners(text: str) -> tuple[Listener, ...]:
    """/proc/net/tcp and tcp6: hexadecimal address and port, in the byte order of the machine by 32-bit words (proc(5))."""
    found = []
    for row in text.splitlines():
        words = row.split()
        if len(words) < 4 or words[3] != _LISTENS or ":" not in words[1]:
            continue
        raw, _, port = words[1].partition(":")
        try:
            found.append(Listener(int(port, 16), _address(raw), not int(raw, 16)))
        except ValueError:
            continue
    return tuple(found)


def _address(raw: str) -> str:
    packed = b"".join(bytes.fromhex(raw[at : at + 8])[::-1] for at in range(0, len(raw), 8))
    if len(packed) == 4:
        return ".".join(map(str, packed))
    words = [packed[at : at + 2].hex().lstrip("0") or "0" for at in range(0, len(packed), 2)]
    return "::" if not any(packed) else "::1" if packed == bytes(15) + b"\x01" else ":".join(words)


async def _listening(readings: Readings, parameters: ListeningParameters) -> Findings:
    container = await _running(readings, parameters.role)
    result = await _run(readings, container.name, LISTENING)
    if result.exit_code in _ABSENT:
        message = f"What {clean(container.name)} listens on cannot be read: it has no `cat`."
        raise SourceError(FailureKind.UNSUPPORTED, message, "Look with `nsenter` from the machine.")
    listeners = parse_listeners(result.stdout.decode("ascii", "replace"))
    mine = [item for item in listeners if item.port == parameters.port]
    port = _published(container, parameters.port)
    facts: Facts = {
        "listening": bool(mine),
        "everywhere": any(item.everywhere for item in mine),
        "published": port is not None,
        "host_port": port.host_port if port is not None else None,
    }
    others = sorted({item.port for item in listeners} - {parameters.port})
    if mine:
        at = listed(sorted({item.address for item in mine}))
        headline = f"{clean(container.name)} listens on port {parameters.port}, on {at}"
    else:
        headline = f"Nobody listens on port {parameters.port} in {clean(container.name)}"
        headline += f" (but on {listed(list(map(str, others)))})" if others else ""
    headline += f"; published as {port.host_ip}:{port.host_port}." if port is not None else "; the port is not published."
    unread = () if port is not None else (Failure(FailureKind.MISSING, f"Port {parameters.port} is not published."),)
    return Findings(facts, headline, tuple(f"{item.address}:{item.port}" for item in listeners), unread)


def _published(container: Container, number: int) -> Port | None:
    mine = (port for port in container.ports if port.container_port == number and port.host_port is not None)
    return next(mine, None)


async def _reach(readings: Readings, parameters: ReachParameters) -> Findings:
    asking = await _running(readings, parameters.from_)
    here, there = await asyncio.gather(details_of(readings, parameters.from_), details_of(readings, parameters.to))
    shared = shared_networks(here, there)
    asked = readings.system.container(parameters.to)
    name = host_name(there, shared, asked)
    resolved, connected = await asyncio.gather(
        _run(readings, asking.name, resolving(name)), _run(readings, asking.name, connecting(name, parameters.port))
    )
    resolves = None if resolved.exit_code in _ABSENT else resolved.exit_code == 0
    connects = None if connected.exit_code in (*_ABSENT, NO_TOOL) else connected.exit_code == 0
    facts: Facts = {"same_network": bool(shared), "resolves": resolves, "connects": connects}
    who, whom = clean(asking.name), f"{clean(name)}:{parameters.port}"
    if connects:
        headline = f"{who} reaches {whom}."
    elif not shared:
        headline = f"{who} and {clean(asked)} are in no network together."
    elif resolves is False:
        headline = f"{who} does not find the name {clean(name)}."
    elif connects is None:
        headline = f"Whether {who} reaches {whom} cannot be tried: it has neither bash, nc nor Python."
    else:
        headline = f"{who} does not reach {whom}."
    unread = tuple(
        Failure(FailureKind.UNSUPPORTED, f"{who} has no {tool}.")
        for tool, told in (("getent", resolves), ("bash", connects))
        if told is None
    )
    evidence = (
        f"{who}: {_places(here)}",
        f"{clean(asked)}: {_places(there)}",
        *(clean(line, 200) for line in (resolved.stdout + connected.stderr).decode("utf-8", "replace").splitlines()[:4]),
    )
    return Findings(facts, headline, evidence, unread)


def shared_networks(here: Details, there: Details) -> tuple[str, ...]:
    """The networks that two containers are both in. `none` is no network."""
    mine = {link.network for link in here.links}
    return tuple(link.network for link in there.links if link.network in mine and link.network != "none")


def host_name(details: Details, networks: tuple[str, ...], otherwise: str) -> str:
    """The name under which a container is found in these networks."""
    return next((name for link in details.links if link.network in networks for name in link.names), otherwise)


def _places(details: Details) -> str:
    places = [f"{link.network} {link.address or 'no address'} ({', '.join(link.names) or 'no name'})" for link in details.links]
    return clean(", ".join(places) or "no network", 300)


async def _running(readings: Readings, role: str) -> Container:
    container = (await services(readings, (role,)))[role]
    if container is None or container.state is not State.RUNNING:
        name = clean(readings.system.container(role))
        raise SourceError(FailureKind.MISSING, f"{name} does not run, so nothing can be asked from inside it.", "Start it first.")
    return container


async def _run(readings: Readings, name: str, argv: tuple[str, ...]) -> ExecResult:
    engine = readings.system.need_engine()
    return await readings.share(("exec", name, argv), lambda: engine.execute(name, argv, timeout_s=EXEC_LIMIT_S))


def _reach_command(config: SystemConfig, parameters: ReachParameters) -> str:
    here, there = container_name(config, parameters.from_), container_name(config, parameters.to)
    connect = f"exec 3<>/dev/tcp/{shlex.quote(there)}/{parameters.port}"
    return joined(
        [
            docker(config, "inspect", "-f", "{{json .NetworkSettings.Networks}}", here, there),
            docker(config, "exec", here, *resolving(there)),
            docker(config, "exec", here, "bash", "-c", connect),
        ]
    )


CHECKS = (
    Check(
        name="containers.listening",
        title="Does the service listen inside its container, and is the port published?",
        parameters=ListeningParameters,
        facts=(
            Fact("listening", FactType.BOOL, "a process listens on the port"),
            Fact("everywhere", FactType.BOOL, "on every address, so that it is reached from outside the container"),
            Fact("published", FactType.BOOL, "the port is published on the machine"),
            Fact("host_port", FactType.NUMBER, "the port of the machine under which it is reached"),
        ),
        command=lambda config, parameters: joined(
            [
                docker(config, "exec", container_name(config, parameters.role), *LISTENING),
                docker(config, "port", container_name(config, parameters.role)),
            ]
        ),
        make=_listening,
        ahead=False,
    ),
    Check(
        name="containers.reach",
        title="Does one container reach another?",
        parameters=ReachParameters,
        facts=(
            Fact("same_network", FactType.BOOL, "they are in a network together"),
            Fact("resolves", FactType.BOOL, "the one finds the name of the other"),
            Fact("connects", FactType.BOOL, "a connection to the port comes through"),
        ),
        command=_reach_command,
        make=_reach,
        ahead=False,
    ),
)
