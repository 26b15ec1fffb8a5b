"""The clock of a round: it begins when the faults bite, stands while the round is frozen, and ends with it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from console.practice.drill.rounds import Entry


@dataclass(frozen=True, slots=True)
class RoundClock:
    """`began_at`, `ended_at`: Unix seconds of the stack's clock, None for what did not happen; `frozen` spans do not count."""

    began_at: float | None = None
    ended_at: float | None = None
    frozen: tuple[tuple[float, float], ...] = ()

    def passed_s(self, at: float) -> float:
        """Seconds of the round at this time; negative before it began."""
        if self.began_at is None:
            return 0.0
        stood = sum(max(0.0, min(at, end) - max(begin, self.began_at)) for begin, end in self.frozen)
        return at - self.began_at - stood

    def time_of(self, passed_s: float) -> float:
        """The time, Unix seconds, at which so many seconds of the round had passed; 0 when it never began."""
        if self.began_at is None:
            return 0.0
        at = self.began_at + passed_s
        for begin, end in self.frozen:
            if at > begin:
                at += end - max(begin, self.began_at)
        return at

    @property
    def length_s(self) -> float | None:
        """How long the round took, None while it has not ended or when it never began."""
        if self.began_at is None or self.ended_at is None:
            return None
        return max(0.0, self.passed_s(self.ended_at))


def clock_of(public: Iterable[Entry]) -> RoundClock:
    """The clock that the referee's public log tells of."""
    began = ended = frozen_at = None
    frozen: list[tuple[float, float]] = []
    last = 0.0
    for entry in public:
        at = when(entry)
        if at is None:
            continue
        last = max(last, at)
        match entry.get("kind"):
            case "began" if began is None:
                began = at
            case "ended":
                ended = at
            case "frozen" if frozen_at is None:
                frozen_at = at
            case "thawed" if frozen_at is not None:
                frozen.append((frozen_at, max(frozen_at, at)))
                frozen_at = None
    if frozen_at is not None:
        frozen.append((frozen_at, max(frozen_at, last if ended is None else ended)))
    return RoundClock(began, ended, tuple(frozen))


def when(entry: Entry) -> float | None:
    """When an entry was written, Unix seconds; None when it does not say so."""
    at = entry.get("at")
    if isinstance(at, bool) or not isinstance(at, int | float) or at != at or abs(at) > 1e12:
        return None
    return float(at)
