"""What the morning check found: lines with expected and actual, and what to do about those that failed."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CLEAR: Final = 0
FOUND: Final = 3
UNDECIDED: Final = 4


class Status(StrEnum):
    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It could not be read; the line's `reason` says why. Never taken for OK."""


class Section(StrEnum):
    MORNING = "Morning check"
    BASELINE = "Baseline"
    BACKUP = "Backups"
    DATABASE = "Database"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing to do about a failed line. `issue` (`sms.c1`) walks it; empty where no guide of the system has one."""

    words: str
    issue: str = ""

    @property
    def chord(self) -> str:
        """The keys that open the issue in the picker."""
        return self.issue.partition(".")[2]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at. `critical`: past the second limit, or what nothing works without."""

    id: str
    section: Section
    title: str
    expected: str
    actual: str
    status: Status
    critical: bool = False
    reason: str = ""
    """Why it is unknown, and what to do about that."""
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was not looked at, because the configuration does not have it."""

    title: str
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """The whole check. `taken_at` is Unix seconds, `elapsed_s` how long it took."""

    system: str
    title: str
    environment: str
    taken_at: float
    elapsed_s: float
    lines: tuple[Line, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def failed(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.status is Status.FAILED)

    @property
    def unknown(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.status is Status.UNKNOWN)

    @property
    def exit_code(self) -> int:
        """0 all well, 3 something failed, 4 nothing failed but something is unknown (or nothing was looked at)."""
        if self.failed:
            return FOUND
        return UNDECIDED if self.unknown or not self.lines else CLEAR

    @property
    def verdict(self) -> str:
        if self.failed:
            more = f", {len(self.unknown)} unknown" if self.unknown else ""
            return f"{len(self.failed)} of {len(self.lines)} failed{more}"
        if self.unknown or not self.lines:
            return f"nothing failed, {len(self.unknown)} of {len(self.lines)} unknown"
        return f"all {len(self.lines)} well"
