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

from console.config_sources import EngineConfig, PostgresConfig, PrometheusConfig, RedisConfig, expand, http_address
from console.config_tables import (
    BackupConfig,
    CertificateConfig,
    FolderConfig,
    HostConfig,
    IndexConfig,
    LabConfig,
    MachinePath,
    Name,
    PortNumber,
    RecoveryConfig,
    SqlName,
    Table,
    Thresholds,
)
from console.problem import Problem, Problems
from console.toml_lines import Locations

_GUIDE = re.compile(r"[a-z][a-z0-9]*")


class Environment(StrEnum):
    LAB = "lab"
    STAGING = "staging"
    PRODUCTION = "production"
    SIMULATED = "simulated"
    """Only the built-in practice stack has this; a file cannot claim it."""


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
            http_address(url.replace("ws", "http", 1) if url.startswith(("ws://", "wss://")) else url)
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
