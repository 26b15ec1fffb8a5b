"""How well a round was played, from its three logs: a mark with every reason for it. Pure, and bounded whatever the logs hold.

The stack decides whether it is mended: by the scenario's own probes, and by everything of the baseline being there. The
diagnosis is graded by the cause that was picked from the guide's list, never by words. The mark begins at A and falls by one
for each thing that was done late or wrong, to D at most; a round that is not passed is an E when half of it was done, an F when
nothing was, and always when data was lost.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from console.guides.issue import Issue
from console.practice.drill.round_clock import RoundClock, clock_of, when
from console.practice.drill.rounds import Entry
from console.practice.drill.scenario import Scenario, Truth
from console.practice.drill.serving import Serving, can_be_taken_back, changes_made, loses_data
from console.text import clean

MARKS: Final = "ABCDEF"
NOT_GRADED: Final = "-"
HINT_COST: Final = 1
"""Marks that each hint costs."""
WORST_PASS: Final = 3
HALF_DONE: Final = 4
FAILED: Final = 5
DETECT_BY, DIAGNOSE_BY, MITIGATE_BY = 1, 2, 3
"""Response times within which each is wanted. Of a critical trouble (5 minutes) the last is a quarter of an hour, after which
the guides want it handed on."""
_ENDINGS: Final = {
    "done": "Played to the end",
    "gave_up": "Given up",
    "timed_out": "The time ran out",
    "void": "The round is void",
    "aborted": "The round was aborted",
    "broken_off": "The round was broken off",
}
_NOT_GRADED: Final = ("void", "aborted", "broken_off")


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that was judged. `value` and `expected` say what was found and wanted; `cost` is in marks, 0 when it was met."""

    kind: str
    text: str
    value: str
    expected: str
    cost: int = 0

    @property
    def met(self) -> bool:
        return self.cost == 0


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of the round's clock; None for what was not reached, or did not last."""

    detect_s: float | None = None
    diagnose_s: float | None = None
    mitigate_s: float | None = None


@dataclass(frozen=True, slots=True)
class Grade:
    """`mark` is one of A to F, or `-` for a round that is not graded: void, aborted or broken off."""

    mark: str
    passed: bool
    reasons: tuple[Reason, ...]
    times: Times
    wrong_causes: tuple[str, ...] = ()
    needless_fixes: tuple[str, ...] = ()
    destructive_fixes: tuple[str, ...] = ()
    hints_taken: int = 0
    evidence_looked_at: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def graded(self) -> bool:
        return self.mark != NOT_GRADED


def grade(
    public: Sequence[Entry],
    trainee: Sequence[Entry],
    referee: Sequence[Entry],
    truth: Truth,
    scenario: Scenario,
    issues: Sequence[Issue] = (),
) -> Grade:
    """Grade a round that has ended. Of the referee's entry `truth`, `roles` (role by name of a part) is used when it is there."""
    clock = clock_of(public)
    ended = _last(public, "ended")
    how = how_it_ended(public)
    lost = tuple(
        dict.fromkeys(text for entry in referee if entry.get("kind") == "lost" for text in _texts(entry.get("what", "")))
    )
    said = _diagnoses(trainee, clock, truth)
    diagnose_s = _right_since(said)
    wrong = tuple(dict.fromkeys(cause for item in said for cause in item.wrong))
    failing = _failing(referee, clock, truth)
    mitigated = _phase(public, clock, "mitigated", last=True)
    mended = not failing and (mitigated is not None or (not truth.causes and how == "done"))
    times = Times(
        detect_s=_phase(public, clock, "detected"),
        diagnose_s=diagnose_s,
        mitigate_s=mitigated if mended and truth.causes else None,
    )
    needless, destructive = _unserving(trainee, referee, truth, issues)
    hints = len({entry.get("level") for entry in public if entry.get("kind") == "hint" and _is_level(entry.get("level"))})
    reasons = [
        *_lost_reasons(lost),
        _ended_reason(how, ended),
        *_diagnosis_reasons(said, truth, diagnose_s),
        *_mended_reasons(times.mitigate_s, mended=mended, failing=failing, truth=truth),
        *_time_reasons(times, scenario.respond_s, truth),
        *(Reason("wrong_cause", f"{name} was named", name, _listed(truth.causes), 1) for name in wrong),
        *(Reason("destructive_fix", f"{name} loses data", name, "not made", HALF_DONE) for name in destructive),
        *(Reason("needless_fix", f"{name} serves no cause of this round", name, "not made", 1) for name in needless),
        Reason("hints", "Hints that were taken", f"{hints} of 3", "0", hints * HINT_COST),
    ]
    mark, passed = _mark(how, reasons, right=diagnose_s is not None, mended=mended, truth=truth, lost=lost)
    return Grade(
        mark=mark,
        passed=passed,
        reasons=tuple(reasons),
        times=times,
        wrong_causes=wrong,
        needless_fixes=needless,
        destructive_fixes=destructive,
        hints_taken=hints,
        evidence_looked_at=evidence_of(trainee),
        lost=lost,
    )


_SHOWS: Final = ("pane", "tool", "container", "session", "details", "morning", "quick")
"""What an `opened` begins with that shows something of the stack; the picker and a tree's first page do not."""


def how_it_ended(public: Sequence[Entry]) -> str:
    """`done`, `gave_up`, `timed_out`, `void`, `aborted` or `broken_off`; a round that nobody ended was broken off."""
    how = (_last(public, "ended") or {}).get("how")
    return how if isinstance(how, str) and how in _ENDINGS else "broken_off"


def evidence_of(trainee: Sequence[Entry]) -> tuple[str, ...]:
    """What the trainee looked at, each once: steps of trees (`sms.c2 accepts`), panes and tools."""
    found: dict[str, None] = {}
    for entry in trainee:
        if entry.get("kind") == "step" and isinstance(entry.get("step"), str):
            found[clean(f"{entry.get('issue', '?')} {entry['step']}", 120)] = None
        elif entry.get("kind") == "opened" and str(entry.get("what")).partition(" ")[0] in _SHOWS:
            found[clean(entry["what"], 120)] = None
    return tuple(found)


def _mark(
    how: str, reasons: Sequence[Reason], *, right: bool, mended: bool, truth: Truth, lost: tuple[str, ...]
) -> tuple[str, bool]:
    if lost and how != "void":
        return MARKS[FAILED], False
    if how in _NOT_GRADED:
        return NOT_GRADED, False
    if not right and not (mended and truth.causes):
        return MARKS[FAILED], False
    worst = max(reason.cost for reason in reasons if reason.kind != "hints")
    if not (right and mended) or how != "done" or worst >= HALF_DONE:
        return MARKS[HALF_DONE], False
    return MARKS[min(WORST_PASS, sum(reason.cost for reason in reasons))], True


# -- the diagnosis ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    at_s: float
    causes: tuple[str, ...]
    wrong: tuple[str, ...]
    right: bool


def _diagnoses(trainee: Sequence[Entry], clock: RoundClock, truth: Truth) -> list[_Said]:
    """Every diagnosis that was handed in within the round. One is right when it names each cause, and nothing else."""
    found = []
    for entry in trainee:
        at = when(entry)
        if entry.get("kind") != "diagnosed" or at is None or not _within(at, clock):
            continue
        named = tuple(dict.fromkeys(_texts(entry.get("causes"))))
        stands_for = {truth.accepted.get(name, name) for name in named}
        wrong = tuple(name for name in named if truth.accepted.get(name, name) not in truth.causes)
        found.append(_Said(clock.passed_s(at), named, wrong, stands_for == set(truth.causes)))
    return found


def _right_since(said: Sequence[_Said]) -> float | None:
    """Since when the diagnosis was right, and stayed so until the end."""
    since = None
    for item in said:
        if not item.right:
            since = None
        elif since is None:
            since = item.at_s
    return since


def _diagnosis_reasons(said: Sequence[_Said], truth: Truth, right_since: float | None) -> Iterable[Reason]:
    last = said[-1] if said else None
    value = _listed(last.causes) if last else "none handed in"
    wanted = _listed(truth.causes)
    if right_since is not None:
        yield Reason("diagnosis", "The diagnosis is right", value, wanted)
    else:
        missing = [cause for cause in truth.causes if not last or cause not in {truth.accepted.get(c, c) for c in last.causes}]
        text = "No diagnosis was handed in" if last is None else "The diagnosis is not right"
        if last is not None and missing and not last.wrong:
            text = "The diagnosis is not whole"
        yield Reason("diagnosis", text, value, wanted, HALF_DONE)


# -- what was mended ----------------------------------------------------------------------------------------------------


def _failing(referee: Sequence[Entry], clock: RoundClock, truth: Truth) -> list[tuple[str, str, str]]:
    """The probes that did not hold when the round ended, unknown ones too: title, facts, what was expected."""
    last: dict[str, Entry] = {}
    for entry in referee:
        at = when(entry)
        if entry.get("kind") == "probe" and at is not None and isinstance(entry.get("id"), str) and _within(at, clock):
            last[entry["id"]] = entry
    titles = {probe.id: probe.title for probe in truth.probes}
    expected = {probe.id: probe.holds.text for probe in truth.probes}
    return [
        (
            titles.get(name) or clean(name, 120) or "a probe",
            _facts(entry),
            clean(str(entry.get("expected") or expected.get(name, "it holds")), 300),
        )
        for name, entry in last.items()
        if entry.get("holds") is not True
    ]


def _mended_reasons(
    mitigate_s: float | None, *, mended: bool, failing: Sequence[tuple[str, str, str]], truth: Truth
) -> Iterable[Reason]:
    if mended:
        words = "Everything works again" if truth.causes else "Everything still works"
        yield Reason("mitigated", words, "every probe holds", "every probe holds")
        return
    for title, value, expected in failing:
        yield Reason("probe", title, value, expected, HALF_DONE)
    if not failing:
        value = "not long enough" if mitigate_s is None else "not at the end"
        yield Reason("mitigated", "The stack was not seen to be mended", value, "every probe holds for a while", HALF_DONE)


def _lost_reasons(lost: Iterable[str]) -> Iterable[Reason]:
    for what in lost:
        yield Reason("lost", "Something of the stack is gone", what, "everything that was there before", FAILED)


def _unserving(
    trainee: Sequence[Entry], referee: Sequence[Entry], truth: Truth, issues: Sequence[Issue]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Changes that serve no cause: those that only cost, and those that lose data."""
    told = _last(referee, "truth") or {}
    roles = told.get("roles")
    serving = Serving((*truth.causes, *truth.accepted), truth.mending, issues, roles if isinstance(roles, Mapping) else {})
    if not serving.known:  # without the cause's guide nothing can be told of its fixes
        return (), ()
    idle = [change for change in changes_made(trainee) if not serving.serves(change) and not can_be_taken_back(change)]
    return (
        tuple(change.id for change in idle if not loses_data(change)),
        tuple(change.id for change in idle if loses_data(change)),
    )


# -- times --------------------------------------------------------------------------------------------------------------


def due_s(respond_s: float) -> tuple[float, float, float]:
    """By when a round is to be detected, diagnosed and mitigated, seconds."""
    return respond_s * DETECT_BY, respond_s * DIAGNOSE_BY, respond_s * MITIGATE_BY


def _time_reasons(times: Times, respond_s: float, truth: Truth) -> Iterable[Reason]:
    detect_by, diagnose_by, mitigate_by = due_s(respond_s)
    yield _time("detect_s", "Detected", times.detect_s, detect_by)
    yield _time("diagnose_s", "Diagnosed", times.diagnose_s, diagnose_by)
    if truth.causes:
        yield _time("mitigate_s", "Mitigated", times.mitigate_s, mitigate_by)


def _time(kind: str, words: str, value_s: float | None, by_s: float) -> Reason:
    late = value_s is None or value_s > by_s
    text = f"{words} late" if late and value_s is not None else words if not late else f"Not {words.lower()}"
    return Reason(kind, text, span(value_s), f"within {span(by_s)}", int(late))


def span(value_s: float | None) -> str:
    """Seconds as minutes and seconds: `4:05`; `never` for None."""
    if value_s is None or not math.isfinite(value_s):
        return "never"
    minutes, seconds = divmod(round(abs(value_s)), 60)
    return f"{'-' if value_s < 0 else ''}{minutes}:{seconds:02}"


def _phase(public: Sequence[Entry], clock: RoundClock, name: str, *, last: bool = False) -> float | None:
    found = [
        at for entry in public if entry.get("kind") == "phase" and entry.get("phase") == name and (at := when(entry)) is not None
    ]
    if not found or clock.began_at is None:
        return None
    return max(0.0, clock.passed_s(found[-1] if last else found[0]))


def _ended_reason(how: str, ended: Mapping[str, Any] | None) -> Reason:
    why = clean(str((ended or {}).get("reason") or ""), 300)
    return Reason("ended", _ENDINGS[how], f"{how}: {why}" if why else how, "done", 0 if how == "done" else HALF_DONE)


# -- entries, which are taken as they come -----------------------------------------------------------------------------


def _within(at: float, clock: RoundClock) -> bool:
    began = clock.began_at is not None and at >= clock.began_at
    return began and (clock.ended_at is None or at <= clock.ended_at)


def _last(entries: Sequence[Entry], kind: str) -> Entry | None:
    return next((entry for entry in reversed(entries) if entry.get("kind") == kind), None)


def _texts(value: object) -> list[str]:
    items = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return [clean(str(item), 200) or "not named" for item in items]


def _is_level(value: object) -> bool:
    return value in (1, 2, 3)


def _facts(entry: Entry) -> str:
    facts = entry.get("facts")
    if not isinstance(facts, Mapping):
        return "not known"
    return clean(", ".join(f"{name} {value}" for name, value in facts.items()), 300) or "not known"


def _listed(causes: Iterable[str]) -> str:
    return ", ".join(causes) or "nothing is wrong"
