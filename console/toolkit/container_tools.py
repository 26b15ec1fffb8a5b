"""What a role's service was given as its environment, and who reaches whom between the containers."""

import asyncio

from console.guides.checks.settings import difference
from console.guides.checks.words import number
from console.guides.readings import Readings
from console.guides.role_settings import is_secret, role_environment, shown_value
from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.engine import Container, Details, Link, State
from console.text import clean
from console.toolkit.table import Head, Row, Table, Tone

_ENVIRONMENT = (Head("NAME", 18, grow=1, most=40), Head("VALUE", 20, grow=4), Head("REMARK", 14, grow=1, most=40, rank=1))
_NETWORK = (
    Head("CONTAINER", 14, grow=1, most=28),
    Head("IS REACHED AS", 22, grow=2, most=50),
    Head("FROM", 18, grow=3),
    Head("PUBLISHED", 16, grow=1, most=30, rank=1),
    Head("NETWORK", 12, grow=1, most=30, rank=2),
    Head("ADDRESS", 12, most=16, rank=3),
)


def roles_with_environment(readings: Readings) -> tuple[str, ...]:
    """The roles whose environment can be asked for."""
    config = readings.system.config
    return tuple(dict.fromkeys((*(role for role in config.order if role in config.roles), *config.roles, *config.settings_files)))


async def environment(readings: Readings, role: str) -> Table:
    """The variables of a role's service by name. Secrets are dots; what the config expects otherwise is remarked."""
    if not role:
        raise SourceError(
            FailureKind.NOT_CONFIGURED,
            "No role has an environment that could be read.",
            f"Name containers under [systems.{readings.system.name}.roles], or files under settings_files.",
        )
    found = await role_environment(readings, role)
    expected = readings.system.config.settings.get(role, {})
    rows = [_variable(name, found[name], expected.get(name)) for name in sorted(found)]
    missing = [Row(name, (name, "", "expected, and not set"), "bad") for name in sorted(expected) if name not in found]
    hidden = sum(is_secret(name) for name in found)
    summary = f"{number(len(found), 'variable')}, {hidden} hidden"
    return Table(_ENVIRONMENT, (*missing, *rows), summary, (), "It was given no variable.")


def _variable(name: str, value: str, expected: str | None) -> Row:
    shown = shown_value(name, value)
    if not value:
        return Row(name, (clean(name, 200), "", "empty"), "muted")
    if expected is not None and (differs := difference(value, expected)):
        words = f"another {differs} than expected" if differs != "other" else "not as expected"
        return Row(name, (clean(name, 200), shown, words), "warn", more=(f"expected: {shown_value(name, expected)}",))
    return Row(name, (clean(name, 200), shown, "hidden" if is_secret(name) else "as expected" if expected is not None else ""))


async def network(readings: Readings) -> Table:
    """For each container and network: under which names and ports it is reached, and by whom."""
    containers = sorted((await readings.containers()).items, key=lambda item: item.name)
    results = await asyncio.gather(*(_details(readings, item.name) for item in containers))
    unread = tuple(result for result in results if isinstance(result, Failure))
    known = [(item, result) for item, result in zip(containers, results, strict=True) if isinstance(result, Details)]
    if unread and not known:
        raise SourceError(unread[0].kind, unread[0].message, unread[0].advice)
    rows = tuple(row for item, details in known for row in _places(item, details, known))
    networks = {link.network for _, details in known for link in details.links}
    return Table(
        _NETWORK,
        rows,
        f"{number(len(known), 'container')}, {number(len(networks), 'network')}",
        unread,
        "The system has no container.",
    )


async def _details(readings: Readings, name: str) -> Details | Failure:
    engine = readings.system.need_engine()
    try:
        return await readings.share(("details", name), lambda: engine.details(name))
    except SourceError as error:
        return error.failure


def _places(container: Container, details: Details, known: list[tuple[Container, Details]]) -> list[Row]:
    published = " ".join(f"{port.host_ip or '*'}:{port.host_port}" for port in container.ports if port.host_port is not None)
    if not details.links:
        return [Row(container.name, (clean(container.name), "", "nobody: it is in no network", published, "", ""), "warn")]
    return [_place(container, link, published, known) for link in details.links]


def _place(container: Container, link: Link, published: str, known: list[tuple[Container, Details]]) -> Row:
    others = [item.name for item, details in known if item is not container and _is_in(details, link.network)]
    ports = list(dict.fromkeys(str(port.container_port) for port in container.ports))
    addressed = list(link.names) or ([link.address] if link.address else [])
    at = f"{addressed[0]}{':' if ports else ''}{','.join(ports)}" if addressed else "nothing: it has no address"
    running = container.state is State.RUNNING
    cells = (clean(container.name), at, " ".join(others) or "nobody", published, link.network, link.address or "none")
    ways = [f"{name}:{port}" for name in addressed for port in ports] or addressed
    more = [f"{other} → {way}" for other in others for way in ways]
    if not running:
        more.insert(0, f"it does not run ({container.state})")
    tone: Tone = "muted" if not running else "warn" if not others else ""
    return Row(f"{container.name} {link.network}", cells, tone, more=tuple(more[:40]))


def _is_in(details: Details, network: str) -> bool:
    return network != "none" and any(link.network == network for link in details.links)
