"""The post-incident report of a round, in the template of the system's own guide, as Markdown. What only people can say is left
to them, marked as such. Pure."""

import time
from collections.abc import Callable, Iterator, Mapping

from console.markdown import plain
from console.practice.drill.grade import span
from console.practice.drill.review import Done, Lane, Review

TO_FILL = "_to be filled in_"
_SMS_CONTACTS = ("On-call Infrastructure", "Database Admin")
_DOTMAC_CONTACTS = ("Platform Team Lead", "Database Administrator", "Security Team", "On-call Engineer")
_P = {"critical": "P1-Critical", "high": "P2-High", "medium": "P3-Medium", "low": "P4-Low"}
_DOTMAC_SEVERITY = {
    "critical": "Severity 1 (Service Down)",
    "high": "Severity 2 (Performance Issues)",
    "medium": "Severity 2 (Performance Issues)",
    "low": "Severity 3 (Minor Issues)",
}


def incident_report(review: Review) -> str:
    """The report; a system without a template of its own gets the student system's, which is the fullest.

    The scenario's id tells which guides it is of: a configuration may call its system as it likes.
    """
    made = _TEMPLATES.get(review.scenario.partition("-")[0]) or _TEMPLATES.get(review.system, _sms)
    head = ["# Post-incident report", "", f"From a practice round: {review.round}. Times in UTC.", ""]
    return "\n".join([*head, *made(review)]) + "\n"


def _sms(review: Review) -> Iterator[str]:
    """Title, timeline, symptoms, root cause, solution, preventions, contacts."""
    yield f"**Title**: [{plain(review.severity.capitalize())}] [{plain(review.system.upper())}] - {plain(review.title)}"
    yield from ("", "**Timeline**:", *_timeline(review))
    yield from ("", "**Symptoms**:", "", *_symptoms(review))
    yield from ("", "**Root Cause**:", "", *_causes(review))
    yield from ("", "**Solution**:", "", *_solution(review))
    yield from ("", "**Preventions**:", "", *_preventions(review))
    yield from ("", "**Contacts**:", "", f"- Incident Lead: {_person(review)}")
    yield from (f"- {who}: {TO_FILL}" for who in _SMS_CONTACTS)


def _sovd(review: Review) -> Iterator[str]:
    """Subject, severity, environment, since when, symptoms, steps taken, current status, logs."""
    yield f"**Subject**: [SOVD] {plain(review.title)}"
    yield ""
    yield f"**Severity**: {_P.get(review.severity, plain(review.severity))}  "
    yield f"**Environment**: practice ({plain(review.stack)})  "
    yield f"**Started**: {_stamp(review)}"
    yield from ("", "**Symptoms**:", "", *_symptoms(review))
    yield from ("", "**Steps Taken**:", "", *_steps(review))
    yield from ("", "**Current Status**:", "", *_status(review))
    yield from ("", "**Logs/Screenshots**:", "", *_evidence(review))
    yield from ("", "**Root Cause**:", "", *_causes(review))


def _planner(review: Review) -> Iterator[str]:
    """What the planner's guide wants with a call for support: logs, how to reproduce it, recent changes, the system."""
    yield f"**{plain(review.title)}** ({plain(review.severity)}), since {_stamp(review)}"
    yield from ("", "**Symptoms**:", "", *_symptoms(review))
    yield from ("", "**Log files**:", "", *_evidence(review))
    yield from ("", "**Steps to reproduce**:", "", *_causes(review))
    yield from ("", "**Recent changes**:", "", *_solution(review))
    yield from ("", "**System information**:", "", f"- system: planner, {plain(review.stack)} stack", *_status(review))
    yield from ("", "**Timeline**:", *_timeline(review))
    yield from ("", "**Preventions**:", "", *_preventions(review))


def _dotmac(review: Review) -> Iterator[str]:
    """The severity of the platform's escalation procedure, then what happened and whom to tell."""
    yield f"**{_DOTMAC_SEVERITY.get(review.severity, plain(review.severity))}**: {plain(review.title)}"
    yield from ("", "**Timeline**:", *_timeline(review))
    yield from ("", "**Symptom**:", "", *_symptoms(review))
    yield from ("", "**Diagnosis**:", "", *_causes(review))
    yield from ("", "**Solutions**:", "", *_solution(review))
    yield from ("", "**Preventions**:", "", *_preventions(review))
    yield from ("", "**Contacts**:", "", f"- Incident lead: {_person(review)}")
    yield from (f"- {who}: {TO_FILL}" for who in _DOTMAC_CONTACTS)


_TEMPLATES: Mapping[str, Callable[[Review], Iterator[str]]] = {
    "sms": _sms,
    "sovd": _sovd,
    "planner": _planner,
    "dotmac": _dotmac,
}


def _timeline(review: Review) -> Iterator[str]:
    times = review.grade.times if review.grade else None
    first = next((moment.at_s for moment in review.timeline if moment.lane is Lane.REPORT), None)
    mending = next((done.at_s for done in review.done if done.serves), None)
    yield ""
    for at_s, words in (
        (0.0 if first is None else first, "Issue first reported"),
        (times.detect_s if times else None, "Investigation started"),
        (times.diagnose_s if times else None, "Cause identified"),
        (mending, "Solution applied"),
        (times.mitigate_s if times else None, "Resolved"),
    ):
        yield f"- {_clock(review, at_s)}: {words}" if at_s is not None else f"- --:--: {words}: not reached in the round"


def _symptoms(review: Review) -> Iterator[str]:
    if review.brief:
        yield plain(review.brief)
        yield ""
    yield from (f"- {plain(text)}" for text in review.reports)
    for curve in review.curves:
        values = [value for _, value in curve.points if value is not None]
        if values and max(values) > 0:
            yield f"- {curve.name}: {min(values):,.4g} to {max(values):,.4g} {curve.unit}".rstrip()


def _causes(review: Review) -> Iterator[str]:
    if not review.causes:
        yield "Nothing was wrong." if review.grade else TO_FILL
    for way in review.ways:
        yield f"- {plain(way.summary or way.cause)} ({plain(way.cause)})"
    if review.causes and review.evidence:
        yield ""
        yield from _evidence(review)


def _solution(review: Review) -> Iterator[str]:
    serving = [done for done in review.done if done.serves]
    yield from (_change(review, done) for done in serving)
    if not serving and review.causes:
        yield "Not mended in the round; the referee restored the stack afterwards."
    if not serving and not review.causes:
        yield "None was needed."
    for done in review.done:
        if not done.serves:
            yield f"{_change(review, done)} (did not serve the cause)"


def _change(review: Review, done: Done) -> str:
    held = {True: ", and it held", False: ", and it did not hold", None: ""}[done.held]
    command = f": `{done.command.replace('`', ' ')}`" if done.command else ""
    return f"- {_clock(review, done.at_s)} {plain(done.title or done.fix)}{command}{held}"


def _steps(review: Review) -> Iterator[str]:
    number = 0
    for walk in review.walked:
        number += 1
        yield f"{number}. Walked {plain(walk.issue)} {plain(walk.title)}: {plain(walk.ended) or 'left before its end'}"
    for done in review.done:
        number += 1
        held = {True: "it held", False: "it did not hold", None: "nobody watched whether it held"}[done.held]
        yield f"{number}. {plain(done.title or done.fix)}: {held}"
    if not number:
        yield "1. None."


def _status(review: Review) -> Iterator[str]:
    mended = review.grade is not None and review.grade.times.mitigate_s is not None
    if not review.causes and review.grade is not None:
        yield "- The service was up all along."
    else:
        yield "- The service is up." if mended else "- The service was restored by the referee after the round."
    lost = review.grade.lost if review.grade else ()
    yield from (f"- Lost: {plain(what)}" for what in lost)


def _evidence(review: Review) -> Iterator[str]:
    yield from (f"- {plain(text)}" for text in review.evidence)
    if not review.evidence:
        yield f"- {TO_FILL}"


def _preventions(review: Review) -> Iterator[str]:
    yield from (f"- {plain(way.notes)}" for way in review.ways if way.notes)
    yield f"- [ ] {TO_FILL}"


def _person(review: Review) -> str:
    return plain(review.person) or TO_FILL


def _clock(review: Review, at_s: float) -> str:
    """The time of day at which so many seconds of the round had passed."""
    if review.clock.began_at is None:
        return span(at_s)
    return time.strftime("%H:%M", time.gmtime(review.clock.time_of(at_s)))


def _stamp(review: Review) -> str:
    if review.clock.began_at is None:
        return TO_FILL
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(review.clock.began_at))
