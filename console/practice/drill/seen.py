"""What a trainee knows of a round: folded from the public log and from their own, one entry at a time. Pure.

An entry that comes twice, or too late, changes nothing: who reads the logs anew after a restart sees the same round.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from console.text import clean

NOTHING_WRONG = "nothing is wrong"
"""How a diagnosis without a cause is worded."""


class Ending(StrEnum):
    """How a round ends."""

    DONE = "done"
    GAVE_UP = "gave_up"
    ABORTED = "aborted"
    VOID = "void"
    BROKEN_OFF = "broken_off"
    TIMED_OUT = "timed_out"

    @property
    def words(self) -> str:
        return _ENDINGS[self]


_ENDINGS: Mapping[Ending, str] = {
    Ending.DONE: "detected, diagnosed and mitigated",
    Ending.GAVE_UP: "you gave up",
    Ending.ABORTED: "the facilitator ended it",
    Ending.VOID: "void: it does not count",
    Ending.BROKEN_OFF: "broken off: the referee was stopped",
    Ending.TIMED_OUT: "the time ran out",
}
PHASES = ("detected", "diagnosed", "mitigated")


@dataclass(frozen=True, slots=True)
class Said:
    """Something that a user said, or a message of referee or facilitator. `after_s` is what the round's clock stood at."""

    at: float
    after_s: float
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A round as its trainee knows it. Times are Unix seconds of the stack's clock, None as long as it did not come to that.

    `phases`: what the round's clock stood at when each was reached, as the referee saw it, in seconds. `diagnoses`: what was
    handed in, oldest first, each a tuple of causes, empty for "nothing is wrong". `probes`: (holding, of, seconds for which all
    have held).
    """

    id: str = ""
    title: str = ""
    system: str = ""
    stack: str = ""
    severity: str = ""
    respond_s: float | None = None
    brief: str = ""
    person: str = ""
    hints: int = 0
    hide_steps: bool = False
    told: Mapping[str, str] = field(default_factory=dict)
    began_at: float | None = None
    phases: Mapping[str, float] = field(default_factory=dict)
    reports: tuple[Said, ...] = ()
    messages: tuple[Said, ...] = ()
    hint_texts: Mapping[int, str] = field(default_factory=dict)
    probes: tuple[int, int, float] | None = None
    frozen_at: float | None = None
    frozen_s: float = 0.0
    """Seconds for which it was frozen before `frozen_at`."""
    ended_at: float | None = None
    how: Ending | None = None
    reason: str = ""
    acknowledged_at: float | None = None
    diagnoses: tuple[tuple[str, ...], ...] = ()
    hints_wanted: int = 0
    gave_up_at: float | None = None

    @property
    def known(self) -> bool:
        """Whether the referee has told what round this is."""
        return bool(self.id)

    @property
    def running(self) -> bool:
        return self.began_at is not None and self.ended_at is None

    @property
    def frozen(self) -> bool:
        return self.frozen_at is not None and self.ended_at is None

    @property
    def next_hint(self) -> int | None:
        """The level that may be asked for next; None when all were, or the last one asked for has not come yet."""
        level = self.hints_wanted + 1
        return level if level <= self.hints and set(range(1, level)) <= set(self.hint_texts) else None

    def clock_s(self, now: float) -> float | None:
        """Seconds on the round's clock at `now`: it stands while the round is frozen and after its end. None: not begun."""
        if self.began_at is None:
            return None
        until = min(end for end in (now, self.frozen_at, self.ended_at) if end is not None)
        return max(0.0, until - self.began_at - self.frozen_s)


def seen_of(entries: Iterable[Mapping[str, Any]], before: Seen | None = None) -> Seen:
    """The round after these entries."""
    seen = before or Seen()
    for entry in entries:
        seen = with_entry(seen, entry)
    return seen


def with_entry(seen: Seen, entry: Mapping[str, Any]) -> Seen:
    """The round after one more entry; one that cannot be understood changes nothing."""
    try:
        return _with_entry(seen, entry, float(entry["at"]))
    except (KeyError, TypeError, ValueError):
        return seen


def _with_entry(seen: Seen, entry: Mapping[str, Any], at: float) -> Seen:
    match entry["kind"]:
        case "round":
            return _begun(seen, entry)
        case "told":
            return replace(seen, told={**_told(entry), **seen.told})
        case "began" if seen.began_at is None:
            return replace(seen, began_at=at)
        case "phase" if entry["phase"] in PHASES and entry["phase"] not in seen.phases:
            return replace(seen, phases={**seen.phases, entry["phase"]: seen.clock_s(at) or 0.0})
        case "report":
            return replace(seen, reports=(*seen.reports, _said(seen, entry, str(entry.get("who") or "a user"))))
        case "message":
            return replace(seen, messages=(*seen.messages, _said(seen, entry, "message")))
        case "hint":
            level = int(entry["level"])
            texts = {**seen.hint_texts, level: _text(entry)}
            return replace(seen, hint_texts=texts, hints_wanted=max(seen.hints_wanted, level))
        case "probes":
            return replace(seen, probes=(int(entry["holding"]), int(entry["of"]), float(entry["held_s"])))
        case "frozen" if seen.frozen_at is None:
            return replace(seen, frozen_at=at)
        case "thawed" if seen.frozen_at is not None:
            return replace(seen, frozen_at=None, frozen_s=seen.frozen_s + max(0.0, at - seen.frozen_at))
        case "ended" if seen.ended_at is None:
            return replace(seen, ended_at=at, how=Ending(entry["how"]), reason=clean(str(entry.get("reason") or "")))
        case _:
            return _with_own(seen, entry, at)


def _with_own(seen: Seen, entry: Mapping[str, Any], at: float) -> Seen:
    match entry["kind"]:
        case "acknowledged" if seen.acknowledged_at is None:
            return replace(seen, acknowledged_at=at)
        case "diagnosed":
            return replace(seen, diagnoses=(*seen.diagnoses, tuple(map(str, entry["causes"]))))
        case "hint_wanted":
            return replace(seen, hints_wanted=max(seen.hints_wanted, int(entry["level"])))
        case "gave_up" if seen.gave_up_at is None:
            return replace(seen, gave_up_at=at)
        case _:
            return seen


def _begun(seen: Seen, entry: Mapping[str, Any]) -> Seen:
    respond_s = entry.get("respond_s")
    return replace(
        seen,
        id=clean(str(entry["round"])),
        title=clean(str(entry["title"])),
        system=clean(str(entry["system"])),
        stack=clean(str(entry.get("stack") or "")),
        severity=clean(str(entry.get("severity") or "")),
        respond_s=None if respond_s is None else float(respond_s),
        brief=clean(str(entry.get("brief") or "")),
        person=clean(str(entry.get("person") or "")),
        hints=int(entry.get("hints") or 0),
        hide_steps=bool(entry.get("hide_steps")),
        told=_told(entry),
    )


def _told(entry: Mapping[str, Any]) -> dict[str, str]:
    told = entry.get("told")
    return {str(name): str(value) for name, value in told.items()} if isinstance(told, Mapping) else {}


def _said(seen: Seen, entry: Mapping[str, Any], who: str) -> Said:
    at = float(entry["at"])
    return Said(at, seen.clock_s(at) or 0.0, clean(who), _text(entry))


def _text(entry: Mapping[str, Any]) -> str:
    return clean(str(entry["text"]))
