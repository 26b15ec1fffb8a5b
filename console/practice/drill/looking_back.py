"""Makes the review of a round from its folder. The guides' issues add titles and the shortest ways; they may be missing."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.guides.issue import Issue
from console.practice.drill.grade import Grade, Times, how_it_ended
from console.practice.drill.review import Curve, Done, Review
from console.practice.drill.round_clock import RoundClock, clock_of, when
from console.practice.drill.rounds import Entry, Round
from console.practice.drill.serving import Change, Serving, changes_made
from console.practice.drill.timeline import phases_of, spent_of, timeline
from console.practice.drill.ways import WalkTold, walked_of, walks_told, way_of
from console.text import block, clean

MOST_EVIDENCE = 12
_CURVES = (("p95_ms", "p95", "ms"), ("errors_per_s", "errors", "/s"), ("connections", "connections", ""))


def review_of(round_: Round, issues: Sequence[Issue] = ()) -> Review:
    """The review of a round, from its three logs. Blocking: reads files. Raises OSError."""
    return review_of_logs(round_.id, round_.public().entries(), round_.trainee().entries(), round_.referee().entries(), issues)


def review_of_logs(
    name: str, public: Sequence[Entry], trainee: Sequence[Entry], referee: Sequence[Entry], issues: Sequence[Issue] = ()
) -> Review:
    """The same from the entries."""
    told, truth = _last(public, "round"), _last(referee, "truth")
    ended = _last(public, "ended")
    clock = clock_of(public)
    by_id = {issue.id: issue for issue in issues}
    causes = _texts(truth.get("causes"))
    made = grade_told(referee)
    times = made.times if made else Times()
    walks = walks_told([entry for entry in trainee if clock.ended_at is None or (when(entry) or 0.0) <= clock.ended_at])
    return Review(
        round=name,
        scenario=_text(truth.get("scenario")),
        title=_text(told.get("title")),
        system=_text(told.get("system")),
        stack=_text(told.get("stack")),
        person=_text(told.get("person")),
        severity=_text(told.get("severity")),
        respond_s=_number(told.get("respond_s")) or 0.0,
        brief=_text(told.get("brief")),
        clock=clock,
        length_s=clock.length_s,
        how=how_it_ended(public),
        reason=_text(ended.get("reason")),
        causes=causes,
        grade=made,
        timeline=timeline(public, trainee, referee, clock, causes),
        curves=tuple(_curve(referee, clock, *named) for named in _CURVES),
        ways=tuple(way_of(cause, walks, by_id, clock) for cause in causes),
        walked=walked_of(walks, by_id, clock),
        phases=phases_of(times.detect_s, times.diagnose_s, times.mitigate_s, clock.length_s),
        spent=spent_of(trainee, clock),
        done=_done(trainee, truth, causes, issues, clock),
        reports=tuple(
            f"{_text(entry.get('who')) or 'a user'}: {_text(entry.get('text'))}"
            for entry in public
            if entry.get("kind") == "report"
        ),
        notes=tuple(_text(entry.get("text")) for entry in trainee if entry.get("kind") == "note"),
        evidence=_evidence(walks, causes),
        debrief="\n".join(block(str(truth.get("debrief") or ""))),
    )


def grade_told(referee: Sequence[Entry]) -> Grade | None:
    """The grade that the referee wrote down; None when there is none, or none that can be read."""
    entry = _last(referee, "grade")
    if not entry:
        return None
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Grade).validate_python({key: value for key, value in entry.items() if key not in ("at", "kind")})
    except ValidationError:
        return None


def _curve(referee: Sequence[Entry], clock: RoundClock, field: str, name: str, unit: str) -> Curve:
    """The samples of one figure from the beginning to the end of the round."""
    until = clock.length_s
    points = []
    limit = None
    for entry in referee:
        at = when(entry)
        if entry.get("kind") != "sample" or at is None or clock.began_at is None or at < clock.began_at:
            continue
        at_s = clock.passed_s(at)
        if until is None or at_s <= until:
            points.append((at_s, _number(entry.get(field))))
            if field == "connections":
                limit = _number(entry.get("connections_max")) or limit
    return Curve(name, unit, tuple(points), limit)


def _done(
    trainee: Sequence[Entry], truth: Entry, causes: Sequence[str], issues: Sequence[Issue], clock: RoundClock
) -> tuple[Done, ...]:
    accepted, roles = truth.get("accepted"), truth.get("roles")
    also = tuple(accepted) if isinstance(accepted, Mapping) else ()
    serving = Serving((*causes, *also), _texts(truth.get("mending")), issues, roles if isinstance(roles, Mapping) else {})
    titles = {f"{issue.id}.{fix.id}": fix.title for issue in issues for fix in issue.fixes.values()}
    return tuple(
        Done(
            at_s=clock.passed_s(change.at),
            fix=change.id,
            title=titles.get(change.id, ""),
            risk=change.risk,
            command=change.command,
            serves=serving.serves(change),
            held=_held(change, trainee),
        )
        for change in changes_made(trainee)
    )


def _held(change: Change, trainee: Sequence[Entry]) -> bool | None:
    """What its watch told, when somebody watched."""
    fix = change.id.rpartition(".")[2]
    for entry in trainee:
        if entry.get("kind") == "fix_verified" and entry.get("fix") in (fix, change.id) and (when(entry) or 0.0) >= change.at:
            held = entry.get("held")
            return held if isinstance(held, bool) else None
    return None


def _evidence(walks: Sequence[WalkTold], causes: Sequence[str]) -> tuple[str, ...]:
    """What the last step of each walk that found a cause had found; of any walk when none found one."""
    found = [walk for walk in walks if f"{walk.issue}.{walk.ended}" in causes] or list(walks)
    lines: dict[str, None] = {}
    for walk in found:
        evidence = walk.steps[-1].get("evidence")
        for item in evidence if isinstance(evidence, list) else ():
            lines[clean(str(item), 300)] = None
    return tuple(lines)[:MOST_EVIDENCE]


def _last(entries: Sequence[Entry], kind: str) -> Entry:
    return next((entry for entry in reversed(entries) if entry.get("kind") == kind), {})


def _text(value: object) -> str:
    return clean(str(value), 1_000) if value is not None else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(clean(str(item), 200) for item in value) if isinstance(value, list | tuple) else ()


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 else None
