"""What the rules say of one thing, before it has its remedies; and of what could not be read or is not there."""

from dataclasses import dataclass

from console.daily.report import LeftOut, Section
from console.reading import Failure, FailureKind
from console.severity import Severity


@dataclass(frozen=True, slots=True)
class Judged:
    """A line without its remedies. `steps` names the remedies when they are not those of `id`."""

    id: str
    section: Section
    title: str
    expected: str
    actual: str = ""
    severity: Severity = Severity.FINE
    reason: str = ""


def unread(id_: str, section: Section, title: str, expected: str, failure: Failure) -> Judged | LeftOut:
    """A line that could not be read: unknown with its reason, or left out when the system has no such thing."""
    if failure.kind is FailureKind.NOT_CONFIGURED:
        return LeftOut(title, str(failure))
    return Judged(id_, section, title, expected, severity=Severity.UNKNOWN, reason=str(failure))
