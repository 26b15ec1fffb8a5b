"""What the morning check reads, each with its failure in its place when it could not be read. No rules here."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.guides.checks.files_backups import BackupFile
from console.reading import Failure
from console.sources.protocols.database import Accepts, Activity
from console.sources.protocols.endpoint import Answer
from console.sources.protocols.engine import Containers
from console.sources.protocols.metrics import Latency


@dataclass(frozen=True, slots=True)
class Use:
    """What the machine's busiest parts use, in percent, and which parts these are. CPU is percent of one core."""

    cpu_percent: float | None
    cpu_of: str
    memory_percent: float | None
    memory_of: str
    reason: str = ""
    """Why one of them is not known."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of the database as its statistics count them."""

    count: int
    live_rows: int
    dead_rows: int


@dataclass(frozen=True, slots=True)
class Counters:
    """Since the statistics were reset, `counted_for_s` seconds ago (None: it is not known since when)."""

    deadlocks: int
    hit_percent: float | None
    """Blocks found in the buffers, of all that were wanted; None when none was."""
    counted_for_s: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at everything. A `Failure` of kind NOT_CONFIGURED means that the system has no such thing."""

    containers: Containers | Failure
    health: Answer | Failure
    latency: Latency | Failure
    use: Use | Failure
    disks: Mapping[str, float | Failure]
    """Used percent by path."""
    accepts: Accepts | Failure
    users: int | Failure
    """Rows of the table of users."""
    activity: Activity | Failure
    tables: Tables | Failure
    counters: Counters | Failure
    backups: tuple[BackupFile, ...] | Failure
