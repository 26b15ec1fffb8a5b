"""Where checks of the network point: endpoints, links and stores of the configuration, by name."""

from urllib.parse import urlsplit

from pydantic import model_validator

from console.config import SystemConfig
from console.guides.parameters import Parameters
from console.reading import FailureKind, SourceError
from console.text import clean

STORES = ("database", "cache")
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "postgresql": 5432, "postgres": 5432, "redis": 6379, "rediss": 6379}


class UrlParameters(Parameters):
    """An address: an endpoint or a link of the configuration by name, or as it is."""

    endpoint: str = ""
    link: str = ""
    url: str = ""

    @model_validator(mode="after")
    def _one_of(self) -> "UrlParameters":
        if [bool(self.endpoint), bool(self.link), bool(self.url)].count(True) != 1:
            raise ValueError("needs one of endpoint, link and url")
        return self


def url_of(config: SystemConfig, parameters: UrlParameters) -> str:
    """The address that the parameters name; raises NOT_CONFIGURED when the configuration has none of that name."""
    if parameters.url:
        return parameters.url
    if parameters.endpoint:
        return _named(config, "endpoints", parameters.endpoint)
    return _named(config, "links", parameters.link)


def shown_url(config: SystemConfig, parameters: UrlParameters) -> str:
    """The address for a command line, or words that say that none is configured."""
    try:
        return clean(url_of(config, parameters))
    except SourceError:
        return f"<no {'endpoint' if parameters.endpoint else 'link'} {clean(parameters.endpoint or parameters.link)} configured>"


def place_of(config: SystemConfig, to: str) -> tuple[str, int]:
    """Host and port of the database, the cache, or an endpoint or link by name; raises NOT_CONFIGURED."""
    if to == "database" and config.postgres is not None:
        url = config.postgres.dsn
    elif to == "cache" and config.redis is not None:
        url = config.redis.url
    elif to in config.endpoints or to in config.links:
        url = config.endpoints.get(to) or config.links[to]
    else:
        raise _absent(config, to, "postgres" if to == "database" else "redis" if to == "cache" else "endpoints")
    place = host_and_port(url)
    if place is None:
        raise SourceError(FailureKind.UNSUPPORTED, f"{to} is not reached over TCP.")
    return place


def host_and_port(url: str) -> tuple[str, int] | None:
    """Host and port of a URL, the usual port of its scheme when it names none; None when it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port else None


def _named(config: SystemConfig, table: str, name: str) -> str:
    urls = config.endpoints if table == "endpoints" else config.links
    if name not in urls:
        raise _absent(config, name, table)
    return urls[name]


def _absent(config: SystemConfig, name: str, table: str) -> SourceError:
    return SourceError(
        FailureKind.NOT_CONFIGURED,
        f"No address of {clean(name, 100)} is configured.",
        f"Set it under [systems.{config.name}.{table}] in config.toml.",
    )
