"""Tables of one system in `config.toml` beyond its sources: where its parts stand on the machine, what is expected of them."""

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
