"""What a source answered, or why it did not, and when."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class FailureKind(StrEnum):
    """Why a question to a source has no answer. Panes, checks and `triage doctor` all speak of these and no others."""

    NOT_CONFIGURED = "not_configured"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    LOGIN = "login"
    FORBIDDEN = "forbidden"
    FULL = "full"
    STARTING = "starting"
    MISSING = "missing"
    UNSUPPORTED = "unsupported"
    GARBAGE = "garbage"
    LOST = "lost"
    DECLINED = "declined"
    """The source answered, and would not do what was asked: it is there, unlike one that is `REFUSED`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that was not answered: what happened, to what and why (`message`), and what to do next (`advice`)."""

    kind: FailureKind
    message: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


class SourceError(Exception):
    """The one error that leaves a source. Its texts are already clean and hold no secret."""

    def __init__(self, kind: FailureKind, message: str, advice: str = "") -> None:
        self.failure = Failure(kind, message, advice)
        super().__init__(str(self.failure))


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """One snapshot from a source.

    `asked_at` is when this question ended (Unix seconds). `value` is the last good answer and `taken_at` its time:
    when `failure` is set they are older than the question, so that a pane can show old figures with their age.
    """

    asked_at: float
    elapsed_s: float
    value: T | None = None
    taken_at: float | None = None
    failure: Failure | None = None

    @property
    def fresh(self) -> bool:
        """Whether the value answers this very question."""
        return self.failure is None and self.value is not None

    def age_s(self, now: float) -> float | None:
        """Seconds since the value was taken; None when there never was one."""
        return None if self.taken_at is None else max(0.0, now - self.taken_at)
