"""Rate limits of a service: so many requests a minute for each client and class of endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, field

UNLIMITED_ROLE = "admin"
ADMINS_PER_MIN = 10_000
MINUTE_S = 60.0


@dataclass(slots=True)
class RateLimits:
    """`per_min` by class; a class that is not there is not limited. Windows are whole minutes, as of a fixed-window limiter."""

    per_min: Mapping[str, int] = field(default_factory=dict)
    _minute: int = -1
    _seen: dict[tuple[str, str], int] = field(default_factory=dict)

    def allows(self, client: str, group: str, now: float, role: str = "") -> bool:
        """Count a request; whether it is within the limit."""
        limit = ADMINS_PER_MIN if role == UNLIMITED_ROLE else self.per_min.get(group)
        if limit is None:
            return True
        if int(now // MINUTE_S) != self._minute:
            self._minute, self._seen = int(now // MINUTE_S), {}
        seen = self._seen[client, group] = self._seen.get((client, group), 0) + 1
        return seen <= limit

    @staticmethod
    def retry_after_s(now: float) -> int:
        """Seconds until the next window begins."""
        return max(1, int(MINUTE_S - now % MINUTE_S))
