"""The environment that a role's process was started with: of its container, or of its settings file on the machine."""

import re
from collections.abc import Mapping

from console.guides.readings import Readings
from console.reading import FailureKind, SourceError

_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


async def role_environment(readings: Readings, role: str) -> Mapping[str, str]:
    """Names and raw values: hide secrets before showing any. Raises NOT_CONFIGURED, and what engine or machine raise."""
    system = readings.system
    if role in system.config.roles:
        name, engine = system.config.roles[role], system.need_engine()
        details = await readings.share(("details", name), lambda: engine.details(name))
        return details.environment
    if role in system.config.settings_files:
        path = system.config.settings_files[role]
        return parse_settings(await readings.share(("file", path), lambda: system.host.read(path)))
    raise SourceError(
        FailureKind.NOT_CONFIGURED,
        f"Where {role} has its settings is not configured.",
        f"Set {role} under [systems.{system.name}.roles] or [systems.{system.name}.settings_files] in config.toml.",
    )


def parse_settings(raw: bytes) -> Mapping[str, str]:
    """A `.env` file as Compose and systemd read it: `NAME=value` a line, quotes taken off, `#` begins a comment.

    A later line wins; a line that is no assignment is passed over.
    """
    found: dict[str, str] = {}
    for line in raw.decode("utf-8", "replace").splitlines():
        match = _ASSIGNMENT.fullmatch(line.strip())
        if match is not None:
            found[match.group(1)] = _value(match.group(2))
    return found


def _value(text: str) -> str:
    quote = text[:1]
    if quote in ("'", '"'):
        inner, closed, _ = text[1:].partition(quote)
        return inner if closed else text
    return re.split(r"\s#", f" {text}", maxsplit=1)[0].strip()
