"""How dangerous a change is, what a person must do to confirm it, and how long writing stays armed. Pure rules."""

from dataclasses import dataclass
from enum import StrEnum


class Risk(StrEnum):
    """R1 can be taken back, R2 changes a service, R3 drops work or restarts a store, R4 loses data."""

    R1 = "R1"
    R2 = "R2"
    R3 = "R3"
    R4 = "R4"

    @property
    def words(self) -> str:
        return {
            Risk.R1: "can be taken back",
            Risk.R2: "changes a service",
            Risk.R3: "drops work or restarts a store",
            Risk.R4: "loses data",
        }[self]


class Asks(StrEnum):
    """What kind of act confirms."""

    KEY = "key"
    """One key, and the default is No."""
    LETTER = "letter"
    """The letter `y`, pressed deliberately: enter does nothing."""
    TYPE = "type"
    """The expected text, typed whole."""
    REFUSED = "refused"
    """It cannot be confirmed at all; `text` says why."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a person must do before a change is made. `expects` is the exact input; `text` asks for it."""

    asks: Asks
    expects: str
    text: str

    def accepts(self, given: str) -> bool:
        """Whether what was typed confirms. Empty input, so a bare enter, never does."""
        return self.asks is not Asks.REFUSED and bool(given) and given.strip() == self.expects


def confirmation(risk: Risk, environment: str | None, target: str) -> Confirmation:
    """What confirms a change of this risk to this target; `environment` is None or empty when it is not known.

    R3 and R4 need a target: without a name to type there is nothing to be sure about, so it is refused.
    """
    if risk is Risk.R1:
        return Confirmation(Asks.KEY, "y", "Do it? y/N")
    if risk is Risk.R2:
        return Confirmation(Asks.LETTER, "y", f"This {risk.words}. Press y to go on.")
    if not target:
        return Confirmation(Asks.REFUSED, "", f"This {risk.words}, and its target has no name to confirm.")
    if risk is Risk.R3:
        return Confirmation(Asks.TYPE, target, f"This {risk.words}. Type {target} to go on.")
    if not environment:
        return Confirmation(Asks.REFUSED, "", "This loses data, and which environment this is, is not known.")
    expected = f"{environment} {target}"
    return Confirmation(Asks.TYPE, expected, f"This {risk.words}. Type {expected} to go on.")


def tightened(minimum: Risk, authored: Risk | None) -> Risk:
    """The risk that holds: what the action implies, or more when the guide says more. Never less."""
    return max(minimum, authored or minimum)


@dataclass(frozen=True, slots=True)
class Arming:
    """Whether writing is armed. Immutable: `armed`, `disarmed` give the next state; time (Unix seconds) comes in."""

    until: float | None = None

    LASTS_S = 600.0

    @classmethod
    def armed(cls, now: float) -> "Arming":
        """Armed from now on, for ten minutes."""
        return cls(now + cls.LASTS_S)

    def is_armed(self, now: float) -> bool:
        return self.until is not None and now < self.until

    def remaining_s(self, now: float) -> float:
        """Seconds until writing disarms itself; 0 when it is not armed."""
        return max(0.0, self.until - now) if self.until is not None else 0.0

    def toggled(self, now: float) -> "Arming":
        """What the arming key does: arm when read-only, disarm when armed."""
        return Arming() if self.is_armed(now) else Arming.armed(now)
