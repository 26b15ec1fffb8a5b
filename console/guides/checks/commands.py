"""The commands that a person would type, derived from the configuration: never authored a second time."""

import re
import shlex
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from console.config import SystemConfig
from console.text import clean

ROLE_UNSET = "<no container configured>"


def container_name(config: SystemConfig, role: str) -> str:
    """The container of a role, or words that say that none is configured or which one is meant."""
    if role == "first-down":
        return "NAME_OF_THE_FIRST_THAT_IS_DOWN"
    return config.roles.get(role, ROLE_UNSET)


def docker(config: SystemConfig, *words: str) -> str:
    """A docker command line, against the engine of the system."""
    where: tuple[str, ...] = ()
    if config.engine is not None and config.engine.context:
        where = ("--context", config.engine.context)
    elif config.engine is not None and config.engine.host:
        where = ("-H", config.engine.host)
    return clean(shlex.join(["docker", *where, *words]))


def docker_ps(config: SystemConfig) -> str:
    """Lists the containers of the system, running or not."""
    select = config.engine.select if config.engine is not None else {}
    filters = [word for kind, value in select.items() for word in ("--filter", f"{kind}={value}")]
    return docker(config, "ps", "-a", *filters)


def on_machine(config: SystemConfig, *words: str) -> str:
    """A command line on the machine of the system: here, or inside the container that plays it."""
    if config.host.kind == "container":
        return docker(config, "exec", config.host.container, *words)
    return clean(shlex.join(words))


def as_root(config: SystemConfig, *words: str) -> str:
    """The same for what only root may do."""
    return on_machine(config, *words) if config.host.kind == "container" else f"sudo {on_machine(config, *words)}"


def psql(config: SystemConfig, statement: str) -> str:
    """A statement given to psql with the configured address, without its password."""
    words = ["psql"] if config.postgres is None else ["psql", shlex.quote(address(config.postgres.dsn))]
    if "'" in statement and "!" not in statement:
        # The shell's way to write ' inside '…' is not for reading. Inside "…" a ! cannot be escaped at all.
        argument = '"' + re.sub(r'(["$`\\])', r"\\\1", statement) + '"'
    else:
        argument = f'"{statement}"' if not set(statement) & set('"$`\\!') else shlex.quote(statement)
    return clean(" ".join([*words, "-c", argument]))


def redis_cli(config: SystemConfig, *words: str) -> str:
    """A command given to redis-cli with the configured address, without its password."""
    where = ("-u", address(config.redis.url)) if config.redis is not None else ()
    return clean(shlex.join(["redis-cli", *where, *words]))


def address(url: str) -> str:
    """A URL without the password that it may hold."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{parts.username}@{host}" if parts.username else host
    return urlunsplit((parts.scheme, netloc, parts.path, "", ""))


def joined(commands: Sequence[str]) -> str:
    return " && ".join(commands)
