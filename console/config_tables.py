"""Tables of one system in `config.toml` beyond its sources: where its parts stand on the machine, what is expected of them,
and which ports its lab has."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from console.state import state_path


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


PortNumber = Annotated[int, Field(ge=1, le=65535)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=128)]
SqlName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$", max_length=127)]
"""A table's or column's name, with its schema or without."""
MachinePath = Annotated[str, AfterValidator(lambda path: path.replace("$TRIAGE_STATE", str(state_path())))]
"""A path on the system's machine; `$TRIAGE_STATE` is where the lab keeps what stands on this one."""


class HostConfig(Table):
    """The machine whose services, files and processes are asked."""

    kind: Literal["local", "container"] = "local"
    """`container`: a container plays the machine; it is asked with commands run inside it."""
    container: Name | Literal[""] = ""

    @model_validator(mode="after")
    def _named(self) -> "HostConfig":
        if self.kind == "container" and not self.container:
            raise ValueError("needs container: the one that plays the machine")
        return self


class CertificateConfig(Table):
    """A certificate, as a file on the machine, as a server shows it, or both."""

    file: MachinePath = ""
    address: str = Field(default="", pattern=r"^$|^[^\s/:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$")
    """`host:port` of the server that shows it."""
    name: str = ""
    """The name that it must hold; empty: the host of `address`."""
    authority: MachinePath = ""
    """A file with the authority that signed it, when this machine does not know that."""


class FolderConfig(Table):
    """A folder that the service works in."""

    path: MachinePath
    owner: str = ""
    """The user that must be able to write there."""
    mode: str = Field(default="755", pattern=r"^[0-7]{3,4}$")


class IndexConfig(Table):
    """An index that the service's queries need."""

    table: SqlName
    columns: tuple[SqlName, ...] = Field(min_length=1)

    @field_validator("columns", mode="before")
    @classmethod
    def _array(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class RecoveryConfig(Table):
    """What was promised: how long a restore may take, and how much may be lost."""

    rto_minutes: Annotated[int, Field(ge=1)] = 15
    rpo_hours: Annotated[int, Field(ge=1)] = 24


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
