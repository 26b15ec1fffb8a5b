"""`config.toml` → validated models. Every error carries file, line, column and key, and all of them come in one go."""

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, PrivateAttr, ValidationError, ValidationInfo, field_validator

from console.config_tables import (
    CertificateConfig,
    FolderConfig,
    HostConfig,
    IndexConfig,
    MachinePath,
    Name,
    PortNumber,
    RecoveryConfig,
    SqlName,
    Table,
)
from console.problem import Problem, Problems
from console.state import state_dir
from console.toml_lines import Locations

_GUIDE = re.compile(r"[a-z][a-z0-9]*")


class Environment(StrEnum):
    LAB = "lab"
    STAGING = "staging"
    PRODUCTION = "production"
    SIMULATED = "simulated"
    """Only the built-in practice stack has this; a file cannot claim it."""


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
        return _http(url) if url else url


class Limits(Table):
    """Two limits of one metric: from `alert` on it is a warning, from `critical` on an alarm."""

    alert: float
    critical: float


class Thresholds(Table):
    p95_ms: Limits = Limits(alert=500, critical=1000)
    p99_ms: Limits = Limits(alert=3000, critical=5000)
    error_percent: Limits = Limits(alert=2, critical=5)
    requests_per_s: Limits | None = None
    """Below these, not above."""
    cpu_percent: Limits = Limits(alert=80, critical=95)
    memory_percent: Limits = Limits(alert=85, critical=95)
    disk_percent: Limits = Limits(alert=80, critical=90)
    connections_percent: Limits = Limits(alert=70, critical=90)
    statement_s: Limits = Limits(alert=1, critical=5)
    """A running statement's age."""


class BackupConfig(Table):
    role: str = "database"
    """The role of the container in which the backups are seen."""
    path: str
    pattern: str = "*.sql.gz"
    keep: Annotated[int, Field(ge=1)] = 2
    """So many of the newest are never offered for deletion."""
    server: str = "database"
    """The role of the container in which pg_dump and psql are run; it must see `path` too."""
    user: str = Field(default="postgres", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """The superuser that makes and renames databases; it logs in over that container's own socket, without a password."""
    writers: tuple[str, ...] = ("backend",)
    """Roles that are stopped while a backup is restored."""

    @field_validator("writers", mode="before")
    @classmethod
    def _array(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class LabConfig(Table):
    """Host ports of the lab's containers."""

    proxy: PortNumber = 8080
    backend: PortNumber = 8000
    postgres: PortNumber = 5432
    redis: PortNumber = 6379
    prometheus: PortNumber = 9090
    frontend: PortNumber = 5173
    tls: PortNumber = 8443
    mail: PortNumber = 1587
    pages: PortNumber = 8090
    outside: PortNumber = 8380
    """What is not the system's own: a payment processor's site."""
    snmp: PortNumber = 1161
    """UDP."""


class SystemConfig(Table):
    title: str
    environment: Environment
    guides: tuple[str, ...] = ()
    """Shipped guides by name, and folders with guides of one's own, whose paths are relative to the file."""
    order: tuple[str, ...] = ("database", "cache", "backend", "proxy")
    """Roles in the order in which they are started."""
    roles: Mapping[Name, Name] = Field(default_factory=dict)
    engine: EngineConfig | None = None
    postgres: PostgresConfig | None = None
    redis: RedisConfig | None = None
    prometheus: PrometheusConfig | None = None
    endpoints: Mapping[Name, str] = Field(default_factory=dict)
    ports: tuple[PortNumber, ...] = ()
    """Host ports that belong to the system: nobody else may listen there."""
    disks: tuple[str, ...] = ("/",)
    """Paths of this machine whose free space matters."""
    data_path: str = "/var/lib/postgresql/data"
    """The data directory in the database's container."""
    probes: Mapping[Literal["database_from_backend", "cache_from_backend"], tuple[str, ...]] = Field(default_factory=dict)
    """Commands without effect that are run inside the backend's container: exit code 0 is yes."""
    backups: BackupConfig | None = None
    migration: Mapping[Literal["current", "rollback", "rebuild"], str] = Field(default_factory=dict)
    """Commands of the deployment: `rollback` is run inside the backend's image, `rebuild` is only shown."""
    host: HostConfig = HostConfig()
    units: Mapping[Name, str] = Field(default_factory=dict)
    """The systemd unit of a role whose service runs on the machine itself."""
    log_files: Mapping[Name, MachinePath] = Field(default_factory=dict)
    """The log of a role that is no container: a file on the machine."""
    settings_files: Mapping[Name, MachinePath] = Field(default_factory=dict)
    """The file with a role's environment (`.env`), when it is no container."""
    settings: Mapping[Name, Mapping[str, str]] = Field(default_factory=dict)
    """What a role's environment is expected to hold; addresses without their passwords."""
    tables: Mapping[Name, SqlName] = Field(default_factory=dict)
    """The real names of the tables that guides speak of."""
    indexes: Mapping[Name, IndexConfig] = Field(default_factory=dict)
    """Indexes that must be there, by name."""
    folders: Mapping[Name, FolderConfig] = Field(default_factory=dict)
    links: Mapping[Name, str] = Field(default_factory=dict)
    """Addresses outside the service that it depends on or leads to: help pages, assets, foreign interfaces."""
    certificates: Mapping[Name, CertificateConfig] = Field(default_factory=dict)
    snmp_port: PortNumber = 161
    """UDP port at which the devices answer SNMP."""
    resolver: str = ""
    """A second DNS server, to tell a broken resolver from a missing name."""
    rate_limits: Mapping[Name, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """Requests a minute by class of endpoint."""
    replicas: Mapping[Name, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """How many containers may share a role's work at most, by role."""
    commands: Mapping[Name, str] = Field(default_factory=dict)
    """Commands of the deployment that are only shown, by the name that a fix gives."""
    recovery: RecoveryConfig = RecoveryConfig()
    thresholds: Thresholds = Thresholds()
    lab: LabConfig = LabConfig()
    _name: str = PrivateAttr(default="")

    @field_validator("environment", mode="before")
    @classmethod
    def _environment(cls, value: object) -> object:
        allowed = [item.value for item in Environment if item is not Environment.SIMULATED]
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return Environment(str(value))

    @field_validator("guides", "order", "ports", "disks", mode="before")
    @classmethod
    def _array(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("guides")
    @classmethod
    def _folders(cls, guides: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        home: Path = (info.context or {}).get("folder", Path.cwd())
        found = tuple(guide if _GUIDE.fullmatch(guide) else str((home / expand(guide)).resolve()) for guide in guides)
        names = [Path(guide).name for guide in found]
        for name, given in zip(names, guides, strict=True):
            if not _GUIDE.fullmatch(name):
                raise ValueError(f"{given!r} is no guide: name one, or a folder whose name is small letters and digits")
            if names.count(name) > 1:
                raise ValueError(f"two guides are called {name!r}: rename a folder, issues are found by guide and chord")
        return found

    @field_validator("probes", mode="before")
    @classmethod
    def _commands(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}

    @field_validator("endpoints", "links")
    @classmethod
    def _endpoints(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for url in value.values():
            _http(url.replace("ws", "http", 1) if url.startswith(("ws://", "wss://")) else url)
        return value

    @property
    def name(self) -> str:
        """The system's key in the file: `sms` for `[systems.sms]`."""
        return self._name

    @property
    def runs_on_machine(self) -> bool:
        """Whether its services are units of the machine, not containers."""
        return bool(self.units) and not self.roles

    def role_of(self, container: str) -> str | None:
        """The role that a container's name, or a unit's, plays, if any."""
        return next((role for role, name in (*self.roles.items(), *self.units.items()) if name == container), None)


class Config(Table):
    default_system: str = ""
    """The system that is opened without --system; empty: the first one."""
    systems: Mapping[Name, SystemConfig] = Field(min_length=1)

    def system(self, name: str | None) -> SystemConfig:
        """The named or the default system; raises KeyError with the known names."""
        wanted = name or self.default_system or next(iter(self.systems))
        if wanted not in self.systems:
            close = difflib.get_close_matches(wanted, self.systems, 1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise KeyError(f"There is no system {wanted!r}; there are {', '.join(self.systems)}.{hint}")
        return self.systems[wanted]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A config, where it came from, and what is not wrong but worth a word."""

    config: Config
    path: Path
    warnings: tuple[Problem, ...] = field(default=())


def find_config(given: Path | None = None) -> Path:
    """`--config`, else `$XDG_CONFIG_HOME/triage/config.toml` if it is there, else the shipped example."""
    if given is not None:
        return given
    own = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "triage" / "config.toml"
    return own if own.is_file() else shipped_config()


def shipped_config() -> Path:
    """The annotated example: beside the packages in a checkout, inside `console` when installed."""
    checkout = Path(__file__).resolve().parent.parent / "config.toml"
    return checkout if checkout.is_file() else Path(str(resources.files("console") / "config.toml"))


def load_config(path: Path) -> Loaded:
    """Read and validate; raises `Problems` with every error of the file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Problems([Problem(str(path), 1, 1, f"cannot be read: {reason}", "Name another file with --config.")]) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, column = _toml_position(error, text)
        message = str(error).split(" (at ")[0]
        raise Problems([Problem(str(path), line, column, f"not valid TOML: {message}")]) from None
    where = Locations(text)
    try:
        config = Config.model_validate(data, context={"folder": path.resolve().parent})
    except ValidationError as error:
        raise Problems([_problem(path, where, item) for item in error.errors(include_url=False)]) from None
    problems = list(_cross_checks(path, where, config))
    if problems:
        raise Problems(problems)
    for name, system in config.systems.items():
        system._name = name
    return Loaded(config, path, tuple(_warnings(path, where, config)))


def expand(path: str) -> Path:
    """A path from the config: `$TRIAGE_STATE`, other variables and `~` expanded."""
    return Path(os.path.expandvars(path.replace("$TRIAGE_STATE", str(state_dir())))).expanduser()


def _cross_checks(path: Path, where: Locations, config: Config) -> list[Problem]:
    problems = []
    if config.default_system and config.default_system not in config.systems:
        line, column = where.of(("default_system",))
        problems.append(Problem(str(path), line, column, f"default_system: there is no system {config.default_system!r}"))
    for name, system in config.systems.items():
        for key, roles in (
            ("order", system.order if "order" in system.model_fields_set else ()),
            ("backups", (system.backups.role,) if system.backups else ()),
        ):
            for role in roles:
                if role not in system.roles and role not in system.units:
                    line, column = where.of(("systems", name, key))
                    message = f"systems.{name}.{key}: {role!r} is not a role of this system"
                    problems.append(Problem(str(path), line, column, message, f"Add it to [systems.{name}.roles]."))
    return problems


def _warnings(path: Path, where: Locations, config: Config) -> list[Problem]:
    try:
        readable = bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError:
        readable = False
    if not readable:
        return []
    found = []
    for name, system in config.systems.items():
        for table in ("postgres", "redis"):
            settings: PostgresConfig | RedisConfig | None = getattr(system, table)
            url = "" if settings is None else settings.dsn if isinstance(settings, PostgresConfig) else settings.url
            if settings is not None and (settings.password or urlsplit(url).password):
                line, column = where.of(("systems", name, table))
                message = f"systems.{name}.{table} holds a password that other users of this machine can read"
                advice = f"chmod 600 {path}, or use password_env or password_file."
                found.append(Problem(str(path), line, column, message, advice))
    return found


def _problem(path: Path, where: Locations, error: Mapping[str, Any]) -> Problem:
    keys = tuple(part for part in error["loc"] if part != "[key]")
    dotted = ".".join(str(part) for part in keys)
    line, column = where.of(keys)
    kind = error["type"]
    if kind == "extra_forbidden":
        known = _known_keys(keys[:-1])
        close = difflib.get_close_matches(str(keys[-1]), known, 1)
        return Problem(
            str(path),
            line,
            column,
            f"{dotted}: there is no such key",
            f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}." if known else "",
        )
    message = "is missing" if kind == "missing" else str(error["msg"]).removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    return Problem(str(path), line, column, f"{dotted}: {message}")


def _known_keys(keys: tuple[object, ...]) -> list[str]:
    """The keys that a table may have, by walking the models along its path."""
    model: type[BaseModel] | None = Config
    for index, key in enumerate(keys):
        if model is None:
            return []
        if index == 1 and keys[0] == "systems":
            model = SystemConfig
            continue
        if key == "systems":
            continue
        annotation = model.model_fields[str(key)].annotation if str(key) in model.model_fields else None
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        model = next((item for item in candidates if isinstance(item, type) and issubclass(item, BaseModel)), None)
    return sorted(model.model_fields) if model else []


def _toml_position(error: tomllib.TOMLDecodeError, text: str) -> tuple[int, int]:
    words = str(error).rpartition("(at ")[2].rstrip(")").replace(",", "").split()
    if "line" in words and "column" in words:
        return int(words[words.index("line") + 1]), int(words[words.index("column") + 1])
    return text.count("\n") + 1, 1


def _http(url: str) -> str:
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
