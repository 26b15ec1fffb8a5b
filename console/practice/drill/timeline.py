"""The moments of a round, from its three logs, and what its time went into. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from console.practice.drill.review import Lane, Moment, Spent
from console.practice.drill.round_clock import RoundClock, when
from console.practice.drill.rounds import Entry
from console.text import clean

Words = Callable[[Entry], tuple[Lane, str, bool] | None]
_AT_DRILL = ("joined", "acknowledged", "diagnosed", "hint_wanted", "gave_up")


def timeline(
    public: Sequence[Entry], trainee: Sequence[Entry], referee: Sequence[Entry], clock: RoundClock, causes: Sequence[str]
) -> tuple[Moment, ...]:
    """Every moment in its order; what the trainee did after the end is left out."""
    moments = [
        *_moments(public, _told, clock),
        *_moments(_while_it_lasts(trainee, clock), lambda entry: _did(entry, causes), clock),
        *_moments(_turns(referee), _knew, clock),
    ]
    return tuple(sorted(moments, key=lambda moment: moment.at_s))


def _moments(entries: Sequence[Entry], words: Words, clock: RoundClock) -> Iterator[Moment]:
    for entry in entries:
        at, said = when(entry), words(entry)
        if at is not None and said is not None:
            lane, text, bad = said
            yield Moment(clock.passed_s(at), lane, clean(text, 400), bad)


def _told(entry: Entry) -> tuple[Lane, str, bool] | None:
    match entry.get("kind"):
        case "began":
            return Lane.PHASE, "The round begins", False
        case "report":
            return Lane.REPORT, f"{entry.get('who') or 'a user'}: {entry.get('text')}", False
        case "hint":
            return Lane.HINT, f"Hint {entry.get('level')}: {entry.get('text')}", False
        case "phase" if entry.get("phase") in ("detected", "mitigated"):
            return Lane.PHASE, str(entry["phase"]).capitalize(), False
        case "message":
            return Lane.MESSAGE, str(entry.get("text")), False
        case "frozen":
            return Lane.PHASE, "The round is frozen", False
        case "thawed":
            return Lane.PHASE, "The round goes on", False
        case "ended":
            return (
                Lane.PHASE,
                f"The round ends: {entry.get('how')}. {entry.get('reason') or ''}".strip(),
                entry.get("how") != "done",
            )
    return None


def _did(entry: Entry, causes: Sequence[str]) -> tuple[Lane, str, bool] | None:
    name = f"{entry.get('issue') or ''}.{entry.get('fix')}".removeprefix(".")
    match entry.get("kind"):
        case "diagnosed":
            named = [str(cause) for cause in entry.get("causes") or () if cause] if isinstance(entry.get("causes"), list) else []
            return Lane.TRAINEE, f"Diagnoses: {', '.join(named) or 'nothing is wrong'}", set(named) != set(causes)
        case "gave_up":
            return Lane.TRAINEE, "Gives up", True
        case "opened":
            return Lane.TRAINEE, f"Opens {entry.get('what')}", False
        case "walk_begins":
            return Lane.TRAINEE, f"Walks {entry.get('issue')}", False
        case "step":
            return Lane.TRAINEE, f"{entry.get('issue')} {entry.get('step')}: {entry.get('branch')}", False
        case "conclusion":
            return Lane.TRAINEE, f"{entry.get('issue')} ends: {entry.get('cause') or entry.get('verdict')}", False
        case "fix_begins":
            return Lane.TRAINEE, f"Makes {name} ({entry.get('risk') or '?'})", False
        case "fix_ends" if entry.get("done") is False:
            return Lane.TRAINEE, f"{name} was not made: {entry.get('failed') or 'nothing to do'}", True
        case "fix_verified":
            held = entry.get("held")
            return Lane.TRAINEE, f"{name} {'holds' if held else 'does not hold'}", held is not True
        case "note":
            return Lane.TRAINEE, f"Note: {entry.get('text')}", False
        case "escalation_shown":
            return Lane.TRAINEE, f"Prepares to hand {entry.get('issue')} on", False
        case "procedure_step":
            return Lane.TRAINEE, f"Procedure: {entry.get('procedure')} {entry.get('step') or ''}", False
    return None


def _knew(entry: Entry) -> tuple[Lane, str, bool] | None:
    match entry.get("kind"):
        case "bites":
            return Lane.FAULT, f"{entry.get('fault')} bites", True
        case "noise":
            return Lane.NOISE, f"{entry.get('noise')}: it looks bad and is not", False
        case "probe":
            facts = entry.get("facts")
            found = ", ".join(f"{name} {value}" for name, value in facts.items()) if isinstance(facts, Mapping) else ""
            words = {True: "holds", False: "does not hold", None: "cannot be told"}[_flag(entry)]
            return Lane.PROBE, f"{entry.get('id')} {words} ({found or '?'}; {entry.get('expected')})", _flag(entry) is not True
        case "lost":
            return Lane.LOST, str(entry.get("what")), True
        case "healed":
            return Lane.PHASE, "The stack is mended by the referee", False
    return None


def _turns(referee: Sequence[Entry]) -> list[Entry]:
    """The referee's entries with a probe only where it turned."""
    found: list[Entry] = []
    last: dict[str, bool | None] = {}
    for entry in referee:
        if entry.get("kind") == "probe":
            name = str(entry.get("id"))
            if name in last and last[name] == _flag(entry):
                continue
            last[name] = _flag(entry)
        found.append(entry)
    return found


def _flag(entry: Entry) -> bool | None:
    holds = entry.get("holds")
    return holds if isinstance(holds, bool) else None


def _while_it_lasts(trainee: Sequence[Entry], clock: RoundClock) -> list[Entry]:
    return [entry for entry in trainee if clock.ended_at is None or (when(entry) or 0.0) <= clock.ended_at]


# -- where the time went ------------------------------------------------------------------------------------------------


def phases_of(
    detect_s: float | None, diagnose_s: float | None, mitigate_s: float | None, length_s: float | None
) -> tuple[Spent, ...]:
    """The round's length, split at what was reached, in the order in which it was."""
    reached = sorted(
        (at_s, what)
        for at_s, what in ((detect_s, "detected"), (diagnose_s, "diagnosed"), (mitigate_s, "mitigated"))
        if at_s is not None
    )
    found, since = [], 0.0
    for at_s, what in reached:
        found.append(Spent(f"until {what}", max(0.0, at_s - since)))
        since = max(since, at_s)
    if length_s is not None and length_s > since:
        found.append(Spent("until the end", length_s - since))
    return tuple(found)


def spent_of(trainee: Sequence[Entry], clock: RoundClock) -> tuple[Spent, ...]:
    """What the trainee was at, by what they did last: an entry lasts until the next one. The longest first."""
    if clock.began_at is None or clock.ended_at is None:
        return ()
    told = [
        (max(clock.began_at, at), _at_what(entry)) for entry in _while_it_lasts(trainee, clock) if (at := when(entry)) is not None
    ]
    stations = [(clock.began_at, "before anything was looked at"), *sorted(told, key=lambda item: item[0]), (clock.ended_at, "")]
    sums: dict[str, float] = {}
    for (since, what), (until, _) in pairwise(stations):
        sums[what] = sums.get(what, 0.0) + max(0.0, clock.passed_s(until) - clock.passed_s(since))
    return tuple(Spent(what, took) for what, took in sorted(sums.items(), key=lambda item: -item[1]) if round(took) > 0)


def _at_what(entry: Entry) -> str:
    kind = str(entry.get("kind"))
    if kind in _AT_DRILL:
        return "the drill's screen"
    if kind.startswith("fix_"):
        return clean(f"changing: {entry.get('fix')}", 80)
    if kind == "opened":
        return clean(str(entry.get("what")), 80)
    if isinstance(entry.get("issue"), str):
        return clean(f"walking {entry['issue']}", 80)
    return "other"
