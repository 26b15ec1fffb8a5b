"""Whether a change that was made serves a cause: by its name, or because it does what one of the cause's fixes does. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from console.guides.issue import Fix, Issue
from console.guides.risk import Risk
from console.practice.drill.round_clock import when
from console.practice.drill.rounds import Entry
from console.text import clean

_STARTS = ("containers.start", "containers.restart", "containers.restart_in_order", "service.start", "service.restart")
_STARTS_ONE = ("containers.start_one", "containers.restart_one")
_RESTARTS = tuple(name for name in (*_STARTS, *_STARTS_ONE) if ".restart" in name)
_SESSIONS = ("postgres.end_sessions", "postgres.cancel_long", "postgres.end_long", "postgres.end_blocker")
_ONE_SESSION = ("postgres.cancel_one", "postgres.terminate_one")
_RUN = ("running", "active", "reloading")
"""States of containers and units that run."""
EVERYTHING = ""
"""Stands for every role: a fix that names none hits them all."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change that the trainee made. `id`: `<issue>.<fix>`, or the fix's own name where it was made from a pane."""

    at: float
    id: str
    action: str
    risk: str
    targets: tuple[str, ...]
    command: str
    """What a person would have typed."""
    all_ran: bool = False
    """Whether all that it hit is known to have run before."""


def changes_made(trainee: Sequence[Entry]) -> list[Change]:
    """What the trainee changed, oldest first. One that ended without having changed anything is none; one that was stopped is."""
    begun: list[tuple[Entry, bool]] = []
    for entry in trainee:
        if entry.get("kind") == "fix_begins":
            begun.append((entry, True))
        elif entry.get("kind") == "fix_ends" and entry.get("done") is False:
            last = next((index for index in reversed(range(len(begun))) if begun[index][0].get("fix") == entry.get("fix")), None)
            if last is not None:
                begun[last] = (begun[last][0], False)
    return [_change(entry) for entry, made in begun if made]


def _change(entry: Entry) -> Change:
    issue, fix = entry.get("issue"), clean(str(entry.get("fix", "")), 120) or "a change"
    named = entry.get("targets")
    hit = [item for item in named if isinstance(item, Mapping)] if isinstance(named, list) else []
    targets = [item.get("name") for item in hit]
    return Change(
        at=when(entry) or 0.0,
        id=f"{clean(issue, 60)}.{fix}" if isinstance(issue, str) and issue else fix,
        action=clean(str(entry.get("action", "")), 60),
        risk=str(entry.get("risk", "")),
        targets=tuple(clean(name, 120) for name in targets if isinstance(name, str)),
        command=clean(str(entry.get("command") or ""), 500),
        all_ran=bool(hit) and all(item.get("state", item.get("active")) in _RUN for item in hit),
    )


def loses_data(change: Change) -> bool:
    return change.risk == Risk.R4.value


def can_be_taken_back(change: Change) -> bool:
    """Such a change harms nobody, whether it was needed or not."""
    return change.risk == Risk.R1.value


class Serving:
    """Tells which changes serve a round's causes. `mending`: further fixes that do; `roles`: role by name of a part."""

    def __init__(
        self, causes: Iterable[str], mending: Iterable[str], issues: Sequence[Issue], roles: Mapping[str, str] | None = None
    ) -> None:
        self._issues = {issue.id: issue for issue in issues}
        self._roles = roles or {}
        causes = tuple(causes)
        self.known = not causes or any(cause.rpartition(".")[0] in self._issues for cause in causes)
        self._ids = set(mending) | {name for cause in causes for name in self._fixes_of(cause)}
        self._fixes = [fix for name in self._ids if (fix := self._find(name)) is not None]

    def serves(self, change: Change) -> bool:
        """Whether it is a fix of a cause, or does the same to the same as one."""
        if change.id in self._ids:
            return True
        own = self._find(change.id)
        return any(self._same(change, own, fix) for fix in self._fixes)

    def _same(self, change: Change, own: Fix | None, fix: Fix) -> bool:
        if change.action in (*_STARTS, *_STARTS_ONE) and fix.action in _STARTS:
            if change.all_ran and change.action in _RESTARTS and _only_what_is_down(fix):
                return False
            hit = self._hit(change, own)
            wanted = _roles_of(fix)
            return bool(hit) and (EVERYTHING in wanted or hit <= wanted)
        if change.action in _ONE_SESSION and fix.action in _SESSIONS:
            return True
        if change.id == fix.id and change.action == fix.action:  # a journal that does not say of which issue it was
            return True
        return own is not None and own.action == fix.action and own.parameters == fix.parameters

    def _hit(self, change: Change, own: Fix | None) -> set[str]:
        return _roles_of(own) if own is not None else {self._roles.get(name, name) for name in change.targets}

    def _fixes_of(self, cause: str) -> Iterable[str]:
        issue_id, _, name = cause.rpartition(".")
        issue = self._issues.get(issue_id)
        if issue is None or name not in issue.causes:
            return ()
        return tuple(f"{issue_id}.{fix}" for fix in issue.causes[name].fixes)

    def _find(self, name: str) -> Fix | None:
        issue_id, _, fix = name.rpartition(".")
        issue = self._issues.get(issue_id)
        return issue.fixes.get(fix) if issue is not None else None


def _only_what_is_down(fix: Fix) -> bool:
    return fix.action == "service.start" or getattr(fix.parameters, "only", "") == "down"


def _roles_of(fix: Fix) -> set[str]:
    """The roles that a fix hits."""
    role = getattr(fix.parameters, "role", None)
    roles = getattr(fix.parameters, "roles", None)
    if isinstance(role, str) and role:
        return {role}
    return set(roles) if roles else {EVERYTHING}
