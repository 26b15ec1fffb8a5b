"""What a role's service was given as its environment: that of its container, or its settings file on the machine.

Values are raw: `shown_value` is what may be shown of one.
"""

import re
from collections.abc import Mapping

from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.text import HIDDEN, clean

_SECRET = re.compile(
    r"passw|passphrase|(?:^|_)pass(?:$|_)|pwd|secret|token|credential|private|salt"
    r"|(?:api|access|auth|signing|encryption)_?key|_key$|^key$",
    re.I,
)
_NO_SECRET = re.compile(r"_(?:minutes|seconds|hours|days|ttl|lifetime|expiry|algorithm|file|path)$", re.I)
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=(.*)", re.S)
_QUOTED = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\s*(?:#.*)?$""", re.S)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_IN_ADDRESS = re.compile(r"(://[^\s/@:]*:)[^\s]*(@[^\s@]*)")
"""A password may hold an @ or a slash that should have been escaped: up to the last @ all is hidden."""
MOST_BYTES = 256 * 1024


async def role_environment(readings: Readings, role: str) -> Mapping[str, str]:
    """The environment of a role. Raises NOT_CONFIGURED when neither a container nor a settings file is named for it."""
    config = readings.system.config
    if role in config.roles or role not in config.settings_files:
        name, engine = readings.system.container(role), readings.system.need_engine()
        return (await readings.share(("details", name), lambda: engine.details(name))).environment
    return await file_environment(readings, config.settings_files[role])


async def file_environment(readings: Readings, path: str) -> Mapping[str, str]:
    """The variables of a settings file on the machine; raises MISSING or FORBIDDEN."""
    host = readings.system.host
    raw = await readings.share(("file", path), lambda: host.read(path, most_bytes=MOST_BYTES))
    return parse_env(raw.decode("utf-8", "replace"))


def settings_file(readings: Readings, role: str) -> str:
    """The path of a role's settings file; raises NOT_CONFIGURED."""
    config = readings.system.config
    if role not in config.settings_files:
        raise SourceError(
            FailureKind.NOT_CONFIGURED,
            f"No settings file of the role {clean(role)} is configured.",
            f'Set {clean(role)} = "/path/.env" under [systems.{config.name}.settings_files].',
        )
    return config.settings_files[role]


def parse_env(text: str) -> dict[str, str]:
    """A `.env` file as Docker Compose and python-dotenv read it, without the expansion of `$NAME`.

    Comments, `export`, single and double quotes (escapes in double ones); the last of several with one name holds.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None or line.lstrip().startswith("#"):
            continue
        name, value = match.groups()
        quoted = _QUOTED.match(value)
        if quoted is None:
            found[name] = re.split(r"(?:^|\s)#", value, maxsplit=1)[0].strip()
        elif quoted.group(1) is not None:
            found[name] = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape.group(1), escape.group(1)), quoted.group(1))
        else:
            found[name] = quoted.group(2)
    return found


def is_secret(name: str) -> bool:
    """Whether a variable of that name holds what must never be shown."""
    return _SECRET.search(name) is not None and _NO_SECRET.search(name) is None


def shown_value(name: str, value: str) -> str:
    """What may be shown of a variable's value: dots for a secret, an address without its password."""
    if is_secret(name):
        return HIDDEN if value else ""
    return clean(_IN_ADDRESS.sub(rf"\1{HIDDEN}\2", value), 200)
