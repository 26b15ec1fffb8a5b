"""The review of a round as a page of Markdown. Pure."""

import time
from collections.abc import Iterator

from console.markdown import plain
from console.practice.drill.curves import columns_of, extent, spark
from console.practice.drill.grade import Grade, span
from console.practice.drill.report import incident_report
from console.practice.drill.review import Review, Way, WayStep

COLUMNS = 60


def as_markdown(review: Review) -> str:
    """All of the review, and the post-incident report at its end."""
    lines = [
        f"# Review: {plain(review.title) or review.round}",
        "",
        " · ".join(_facts(review)),
        "",
        f"> {plain(review.brief)}" if review.brief else "",
        *_grade(review),
        *_symptoms(review),
        *_timeline(review),
        *(line for way in review.ways for line in _way(way)),
        *_walked(review),
        *_spent(review),
    ]
    if review.debrief:
        lines += ["", "## Debrief", "", review.debrief]
    return "\n".join(lines) + "\n\n---\n\n" + incident_report(review)


def verdict(review: Review) -> str:
    """The grade and how the round ended, in one line."""
    words = {
        "done": "played to the end",
        "gave_up": "given up",
        "timed_out": "the time ran out",
        "void": "void",
        "aborted": "aborted",
        "broken_off": "broken off",
    }[review.how]
    if review.grade is None or not review.grade.graded:
        return f"not graded: {words}"
    return f"{review.grade.mark}, {'passed' if review.grade.passed else 'not passed'}: {words}"


def _facts(review: Review) -> Iterator[str]:
    if review.clock.began_at is not None:
        yield time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(review.clock.began_at))
    yield f"round {review.round}"
    for name, value in (("scenario", review.scenario), ("stack", review.stack), ("played by", review.person)):
        if value:
            yield f"{name} {plain(value)}"
    yield f"{plain(review.severity)}, response within {span(review.respond_s)}"
    yield f"**{verdict(review)}**"


def _grade(review: Review) -> Iterator[str]:
    made = review.grade
    if made is None:
        yield from ("", "The round was not graded.", "")
        return
    yield from ("", "## Grade", "", "| | what | found | wanted | costs |", "|---|---|---|---|---|")
    for reason in made.reasons:
        cells = (plain(reason.text), plain(reason.value), plain(reason.expected), cost_words(reason.cost, reason.kind))
        yield f"| {'ok' if reason.met else '**✖**'} | {' | '.join(cells)} |"
    yield from ("", looked_at(made))


def cost_words(cost: int, kind: str) -> str:
    """What a reason costs, in words."""
    if cost == 0:
        return ""
    if cost >= 4 and kind != "hints":
        return "fails" if cost > 4 else "not passed"
    return f"{cost} mark{'s' if cost > 1 else ''}"


def looked_at(made: Grade) -> str:
    """What was looked at, in a line."""
    count = len(made.evidence_looked_at)
    if not count:
        return "No check and no pane was looked at."
    shown = ", ".join(plain(item) for item in made.evidence_looked_at[:30])
    more = f" and {count - 30} more" if count > 30 else ""
    return f"Looked at ({count}): {shown}{more}."


def _symptoms(review: Review) -> Iterator[str]:
    shown = [(curve, found) for curve in review.curves if (found := extent(curve)) is not None]
    if not shown or not review.length_s:
        return
    yield from (
        "",
        "## Symptoms",
        "",
        f"From the beginning to {span(review.length_s)}, each from 0 to its largest value.",
        "",
        "```",
    )
    for curve, (least, most) in shown:
        picture = spark(columns_of(curve, COLUMNS, review.length_s))
        yield f"{curve.name:<12} {picture}  {least:,.4g} to {most:,.4g} {curve.unit}".rstrip()
    yield "```"


def _timeline(review: Review) -> Iterator[str]:
    yield from ("", "## Timeline", "", "| at | who | what |", "|---|---|---|")
    for moment in review.timeline:
        text = plain(moment.text)
        yield f"| {span(moment.at_s)} | {moment.lane.value} | {f'**{text}**' if moment.bad else text} |"


def _way(way: Way) -> Iterator[str]:
    yield from ("", f"## The way to {plain(way.cause)}", "", plain(way.summary), "")
    if way.shortest:
        yield f"Shortest, {_steps(way.shortest)}:"
        yield ""
        yield from _numbered(way.shortest)
    if way.taken:
        yield from ("", f"Taken, {_steps(way.taken)}:", "", *_numbered(way.taken))
    else:
        yield from ("", "This tree was not walked.")
    if way.notes:
        yield from ("", plain(way.notes))


def _numbered(steps: tuple[WayStep, ...]) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        yield f"{number}. {plain(step.title)} {plain(step.branch)}"


def _steps(steps: tuple[WayStep, ...]) -> str:
    return f"{len(steps)} step{'s' if len(steps) != 1 else ''}"


def _walked(review: Review) -> Iterator[str]:
    if review.walked:
        yield from ("", "## Walked", "", "| at | issue | steps | took | led to |", "|---|---|---|---|---|")
    for walk in review.walked:
        led = plain(walk.ended) or "left"
        yield f"| {span(walk.began_s)} | {plain(walk.issue)} {plain(walk.title)} | {walk.steps} | {span(walk.took_s)} | {led} |"


def _spent(review: Review) -> Iterator[str]:
    if not review.phases:
        return
    yield from ("", "## Where the time went", "")
    yield from (f"- {span(part.took_s)} {part.what}" for part in review.phases)
    if review.spent:
        yield ""
        yield from (f"- {span(part.took_s)} {plain(part.what)}" for part in review.spent)
