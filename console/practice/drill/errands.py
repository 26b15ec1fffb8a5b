"""What others mend in a round once somebody told them what it is: a release, a certificate, somebody else's server. Pure."""

from collections.abc import Iterable, Mapping

from console.practice.drill.scenario import Errand


class Errands:
    """Which errands were given, by a diagnosis that names their cause, and when they are done."""

    def __init__(self, errands: Iterable[Errand], accepted: Mapping[str, str]) -> None:
        self._open = list(errands)
        self._accepted = dict(accepted)
        self._done_at: dict[str, float] = {}

    def heard(self, causes: Iterable[str], at: float) -> None:
        """A diagnosis was handed in. What was once said is not taken back by another one."""
        named = {self._accepted.get(cause, cause) for cause in causes}
        for errand in self._open:
            if errand.fault in named:
                self._done_at.setdefault(errand.fault, at + errand.after_s)

    def due(self, now: float) -> tuple[Errand, ...]:
        """The errands that are to be done now; each is told once."""
        found = tuple(item for item in self._open if self._done_at.get(item.fault, float("inf")) <= now)
        self._open = [item for item in self._open if item not in found]
        return found
