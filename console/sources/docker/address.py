"""Where the engine listens: config, environment or docker context → an address, and how to dial it from asyncio."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from console.config_sources import EngineConfig
from console.reading import FailureKind, SourceError
from console.text import clean

if TYPE_CHECKING:
    from docker.tls import TLSConfig

HELD_BYTES = 64 * 1024
"""About so much of a stream is held for a slow reader; then the engine waits."""


@dataclass(frozen=True, slots=True)
class Address:
    """An engine's address as the docker package understands it: unix:///path, tcp://host:port or ssh://user@host."""

    url: str
    tls: "TLSConfig | None" = None
    through: str = ""
    """The ssh:// address whose tunnel `url` is the near end of."""

    @property
    def shown(self) -> str:
        return clean(self.through or self.url, 200)

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A raw connection to the engine. Raises OSError."""
        parts = urlsplit(self.url)
        if parts.scheme == "unix":
            return await asyncio.open_unix_connection(parts.path, limit=HELD_BYTES)
        context = None if self.tls is None else _ssl_context(self.tls)
        return await asyncio.open_connection(parts.hostname, parts.port, ssl=context, limit=HELD_BYTES)


def resolve(config: EngineConfig) -> Address:
    """The address of the configured engine, found as the docker command finds it.

    `host`, else `context`, else DOCKER_HOST, else the current context, else the usual socket. Certificates of a tcp://
    host come from DOCKER_CERT_PATH and DOCKER_TLS_VERIFY. Imports the docker package. Raises NOT_CONFIGURED.
    """
    from docker.context import ContextAPI
    from docker.errors import DockerException
    from docker.utils import kwargs_from_env, parse_host

    try:
        environment: Any = kwargs_from_env()
        if config.host or (environment.get("base_url") and not config.context):
            url: str | None = config.host or environment["base_url"]
            tls = environment.get("tls")
        else:
            found = ContextAPI.get_context(config.context or None)
            if found is None:
                raise _misconfigured(f"there is no docker context {clean(config.context)!r}")
            url, tls = found.Host, found.TLSConfig
        normal = str(parse_host(url, tls=bool(tls)))
    except (DockerException, OSError, ValueError, KeyError) as error:
        raise _misconfigured(clean(str(error), 300)) from None
    for internal, outside in (("http+unix://", "unix://"), ("https://", "tcp://"), ("http://", "tcp://")):
        if normal.startswith(internal):
            normal = outside + normal.removeprefix(internal)
    return Address(normal, tls if normal.startswith("tcp://") and tls else None)


def _ssl_context(tls: "TLSConfig") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca_cert if tls.verify and tls.ca_cert else None)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert:
        context.load_cert_chain(*tls.cert)
    return context


def _misconfigured(why: str) -> SourceError:
    return SourceError(
        FailureKind.NOT_CONFIGURED,
        f"The address of the Docker engine cannot be used: {why}.",
        "Set host or context under [systems.….engine] in config.toml, or DOCKER_HOST; `docker context ls` lists the contexts.",
    )
