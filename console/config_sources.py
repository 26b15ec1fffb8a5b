"""Tables of a system's sources in `config.toml`: where they are, and how one logs in."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from console.config_tables import Table
from console.state import state_dir


class EngineConfig(Table):
    kind: Literal["docker"] = "docker"
    host: str = ""
    """unix:///…, tcp://…, ssh://…; empty: DOCKER_HOST, the current docker context, or the usual socket."""
    context: str = ""
    """A docker context by name, instead of host."""
    select: Mapping[Literal["label", "name"], str] = Field(default_factory=dict)
    """Which containers belong to the system. Empty: those that a role names."""


class Secret(Table):
    """How a password is found, the first that is there: the environment, a file, the config itself."""

    password_env: str = ""
    password_file: str = ""
    """`~` and variables are expanded; `$TRIAGE_STATE` is the state folder (`~/.local/state/triage`)."""
    password: str = Field(default="", repr=False)

    def find_password(self) -> str | None:
        """The password, or None when none is configured or the configured place is empty."""
        if self.password_env and os.environ.get(self.password_env):
            return os.environ[self.password_env]
        if self.password_file:
            try:
                return expand(self.password_file).read_text(encoding="utf-8").strip() or None
            except OSError:
                pass
        return self.password or None


class PostgresConfig(Secret):
    dsn: str
    """postgresql://user@host:port/database, without the password."""
    emergency_user: str = ""
    """A role that may use the reserved slots (superuser, or pg_use_reserved_connections since 16), asked only when the
    server is full, and for confirmed fixes that take a superuser. The same password settings with the prefix emergency_."""
    emergency_password_env: str = ""
    emergency_password_file: str = ""

    @field_validator("dsn")
    @classmethod
    def _is_postgres(cls, dsn: str) -> str:
        parts = urlsplit(dsn)
        if parts.scheme not in ("postgresql", "postgres"):
            raise ValueError("must begin with postgresql://")
        if not parts.hostname or not parts.username or len(parts.path) < 2:
            raise ValueError("must name user, host and database: postgresql://user@host:5432/database")
        _port_of(parts.geturl())
        return dsn

    def find_emergency_password(self) -> str | None:
        return Secret(password_env=self.emergency_password_env, password_file=self.emergency_password_file).find_password()


class RedisConfig(Secret):
    url: str
    """redis://host:port/db, rediss:// for TLS; a user name when ACLs are used."""

    @field_validator("url")
    @classmethod
    def _is_redis(cls, url: str) -> str:
        if urlsplit(url).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        _port_of(url)
        return url


class PrometheusConfig(Table):
    url: str = ""
    """Empty: there is none, and `scrape` is read instead."""
    duration: str = Field(default="http_request_duration_seconds", pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")
    """The histogram of request durations in seconds, without _bucket."""
    endpoint_label: str = Field(default="endpoint", pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")
    status_label: str = Field(default="status", pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")
    scrape: str = ""
    """The service's own /metrics, read when there is no Prometheus or it is down."""
    window: Annotated[int, Field(ge=10, le=3600)] = 300
    """Seconds that a percentile looks back: at least four scrape intervals."""

    @field_validator("url", "scrape")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return http_address(url) if url else url


def expand(path: str) -> Path:
    """A path from the config: `$TRIAGE_STATE`, other variables and `~` expanded."""
    return Path(os.path.expandvars(path.replace("$TRIAGE_STATE", str(state_dir())))).expanduser()


def http_address(url: str) -> str:
    """The address as it is; raises ValueError for one that is not http or https."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must begin with http:// or https:// and name a host")
    _port_of(url)
    return url


def _port_of(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError as error:
        raise ValueError(f"the port is wrong: {error}") from None
