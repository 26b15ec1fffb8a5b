"""Which containers belong to the system, and which of them must be inspected again.

One list call tells state and health of all; restarts, times, OOM and limits need an inspection each. Inspecting all every
second is what makes other consoles heavy, so a container is inspected when it is new, when its line of the list changed, when
an event named it, and now and then in case an event was missed.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.sources.docker.answers import container
from console.sources.protocols.engine import Container

FULL_ROUND_S = 60.0
REPAIRS_A_ROUND = 1
"""Inspections a round of what seems unchanged: spread out, they are never felt."""

# The engine's words for an age, from moby's go-units HumanDuration.
_AGE = re.compile(r"(?:less than a second|(?:about an?|(\d+)) (second|minute|hour|day|week|month|year)s?)", re.IGNORECASE)
_UNIT_S = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000, "year": 31_536_000}


@dataclass(slots=True)
class _Known:
    listed: Mapping[str, Any]
    inspected: Mapping[str, Any] | None
    inspected_at: float
    container: Container


class Roster:
    """The containers of a system as last seen. `select` is the config's (label and name must both fit), `names` the roles'."""

    def __init__(self, select: Mapping[Any, str], names: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._select = dict(select)
        self._names = frozenset(names)
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._touched: set[str] = set()

    def touch(self, container_id: str) -> None:
        """An event named this container: what its inspection said is out of date."""
        self._touched.add(container_id)

    def take_touched(self) -> frozenset[str]:
        """Whom events named since the last call."""
        touched, self._touched = frozenset(self._touched), set()
        return touched

    def belonging(self, listed: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Those of the list that belong to the system."""
        return [item for item in listed if belongs(item, self._select, self._names)]

    def due(self, listed: Sequence[Mapping[str, Any]], touched: frozenset[str]) -> list[str]:
        """The ids to inspect now, the most telling first."""
        now = self._clock()
        changed: list[str] = []
        old: list[tuple[float, str]] = []
        for item in listed:
            known = self._known.get(item["Id"])
            if known is None or known.inspected is None or item["Id"] in touched or _changed(known.listed, item):
                changed.append(item["Id"])
            elif now - known.inspected_at > FULL_ROUND_S:
                old.append((known.inspected_at, item["Id"]))
        return changed + [container_id for _, container_id in sorted(old)[:REPAIRS_A_ROUND]]

    def settle(
        self, listed: Sequence[Mapping[str, Any]], inspections: Mapping[str, Mapping[str, Any] | None]
    ) -> tuple[Container, ...]:
        """The containers from this round's list and inspections (None: gone meanwhile), ordered by name.

        One that could not be inspected keeps what was known and stays due.
        """
        now, settled = self._clock(), {}
        for item in listed:
            key = item["Id"]
            if key in inspections and inspections[key] is None:
                continue
            known = self._known.get(key)
            fresh = inspections.get(key)
            if known is not None and fresh is None and known.listed == item:
                settled[key] = known
                continue
            inspected = fresh if fresh is not None else known.inspected if known is not None else None
            at = now if fresh is not None else known.inspected_at if known is not None else 0.0
            settled[key] = _Known(item, inspected, at, container(item, inspected))
        self._known = settled
        return tuple(sorted((known.container for known in settled.values()), key=lambda found: found.name))


def belongs(listed: Mapping[str, Any], select: Mapping[Any, str], names: frozenset[str]) -> bool:
    """Whether a line of the list is the system's: a role names it, or the selection fits it.

    A label is selected as `key` or `key=value`, a name by a part of it.
    """
    own = [str(name).lstrip("/") for name in listed.get("Names") or ()]
    if names.intersection(own):
        return True
    if not select:
        return False
    labels = listed.get("Labels") or {}
    key, separator, value = select.get("label", "").partition("=")
    label_fits = "label" not in select or (key in labels and (not separator or labels[key] == value))
    return label_fits and ("name" not in select or any(select["name"] in name for name in own))


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether something happened to a container: growing older is nothing, but one that is younger than before is."""
    if any(before.get(key) != now.get(key) for key in ("State", "Names", "Image")):
        return True
    (words, age_s), (new_words, new_age_s) = _told(str(before.get("Status"))), _told(str(now.get("Status")))
    return words != new_words or new_age_s < age_s


def _told(status: str) -> tuple[str, int]:
    """A status without its age ("Up 3 minutes (healthy)" → "Up  (healthy)"), and the age in seconds, as coarse as it is told."""
    found = _AGE.search(status)
    if found is None:
        return status, 0
    number, unit = found.groups()
    age_s = 0 if unit is None else int(number or 1) * _UNIT_S[unit.lower()]
    return status[: found.start()] + status[found.end() :], age_s
