"""A figure against its two limits: fine, alert or critical. A figure that could not be read is unknown, never fine."""

from enum import IntEnum

from console.config_tables import Limits


class Severity(IntEnum):
    """Ordered, so that the worst of several is their maximum."""

    FINE = 0
    UNKNOWN = 1
    ALERT = 2
    CRITICAL = 3

    @property
    def glyph(self) -> str:
        """One cell that tells the severity without colour; empty when there is nothing to tell."""
        return ("", "?", "▲", "✖")[self]


def above(value: float | None, limits: Limits) -> Severity:
    """Severity of a figure that is bad when it is high (from the limit on, as the guides' tables have it)."""
    if value is None:
        return Severity.UNKNOWN
    if value >= limits.critical:
        return Severity.CRITICAL
    return Severity.ALERT if value >= limits.alert else Severity.FINE


def below(value: float | None, limits: Limits | None) -> Severity:
    """Severity of a figure that is bad when it is low; without limits nothing is."""
    if value is None:
        return Severity.UNKNOWN
    if limits is None:
        return Severity.FINE
    if value <= limits.critical:
        return Severity.CRITICAL
    return Severity.ALERT if value <= limits.alert else Severity.FINE
