"""`triage check`: issues walked headless. Reads run, fixes are only named and previewed; nothing is printed here."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from console.config import SystemConfig
from console.guides.fixes.action import Preview, action, preview_fix
from console.guides.given import given_for, given_problems
from console.guides.inputs import Value
from console.guides.issue import Fix, Issue
from console.guides.loader import Guides, issue_files, load_issues, read_guides
from console.guides.readings import Readings
from console.guides.search import search_error
from console.guides.triage import Look, look_at_all, ranked
from console.guides.walk import Conclusion, Verdict, Walk, record_entry
from console.problem import Problem, Problems
from console.reading import SourceError
from console.system import System

PREVIEW_LIMIT_S = 1.5
DEFAULT_TIMEOUT_S = 30.0

BEST_FOUND = 3
"""So many issues that fit an error text are looked at."""

_FOUND, _UNDECIDED, _CLEAR = 3, 4, 0


async def check(
    system: System,
    issue_ids: Sequence[str] = (),
    *,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    inputs: Mapping[str, str] | None = None,
    told: Mapping[str, str] | None = None,
    clock: Callable[[], float] | None = None,
    warn: Callable[[Problem], None] = lambda _problem: None,
    error: str | None = None,
) -> dict[str, Any]:
    """Walk these issues (ids or chords) at once, or without any take a quick look at all of the system's, and rank them.

    `inputs` are answers of `ask` steps and values of inputs, by name or by `<issue>.<name>`; `told` are those that the user of
    a practice stack would give, of which only the ones that are asked for count. An issue that is not done within `timeout_s`
    is unknown. Fixes have a preview, but not those of a cause that only follows from another, unless its issue was named.
    Returns the object that `triage check --json` prints; of a result, `left` says what a quick look left out, and
    `follows_from` of which cause it is only a consequence. Raises Problems, before anything is read, for a guide that is wrong,
    an issue that there is not, and inputs that no issue asks for or that have not the form wanted. Without `issue_ids` a broken
    file keeps nobody from the other issues: what is wrong with it goes to `warn`. With `error`, a text of a log or a page, only
    the few issues are looked at that it fits best; the object has `found` then, all that it fits, the best first.
    """
    started = (clock or system.clock)()
    guides = await asyncio.to_thread(_issues, system.config, issue_ids)
    for problem in guides.problems:
        warn(problem)
    issues = guides.issues
    found = search_error(issues, error) if error is not None else None
    if found is not None:
        issues = tuple(item.issue for item in found[:BEST_FOUND])
    wrong = tuple(given_problems(issues, inputs or {}))
    if wrong:
        raise Problems(wrong)
    readings = Readings(system, wall=clock)
    given = {issue.id: {**given_for(issue, told or {}), **given_for(issue, inputs or {})} for issue in issues}
    # They keep secret inputs hidden until the results are made.
    keepers = [Walk(issue, system, inputs=given[issue.id], readings=readings) for issue in issues]
    values = {keeper.issue.id: keeper.values for keeper in keepers}
    try:
        if issue_ids:
            walks = (_within(_walked(system, issue, readings, given[issue.id]), issue, timeout_s) for issue in issues)
            looks = ranked(await asyncio.gather(*walks))
        else:
            looks = await look_at_all(system, issues, readings, given, timeout_s=timeout_s)
        # Among all issues, what only follows from a root goes with it: nobody waits to hear what its own fixes would hit.
        results = list(
            await asyncio.gather(
                *(
                    _result(system, look, values[look.issue.id], previews=bool(issue_ids) or not look.follows_from)
                    for look in looks
                )
            )
        )
    finally:
        readings.close()
        for keeper in keepers:
            keeper.close()
    result = {"system": system.name, "environment": system.config.environment.value, "taken_at": started, "results": results}
    if found is not None:
        result["found"] = [
            {"issue": item.issue.id, "chord": item.issue.chord, "title": item.issue.title, "text": item.where} for item in found
        ]
    return result


def exit_code(checked: Mapping[str, Any]) -> int:
    """3 when a cause was found, else 4 when anything is undecided, else 0. What a quick look left out is not undecided, but an
    error text that fits no issue is."""
    outcomes = {result["outcome"] for result in checked["results"] if not result["left"]}
    if Verdict.CAUSE.value in outcomes:
        return _FOUND
    return _UNDECIDED if outcomes - {Verdict.CLEAR.value} or checked.get("found") == [] else _CLEAR


def list_issues(config: SystemConfig, warn: Callable[[Problem], None] = lambda _problem: None) -> list[dict[str, Any]]:
    """Every issue of a system, as `triage issues --json` prints it. What is wrong with other files goes to `warn`."""
    guides = read_guides(config.guides)
    for problem in guides.problems:
        warn(problem)
    return [
        {
            "id": issue.id,
            "chord": issue.chord,
            "guide": issue.guide,
            "title": issue.title,
            "severity": issue.severity.value,
            "causes": list(issue.causes),
        }
        for issue in guides.issues
    ]


def _issues(config: SystemConfig, wanted: Sequence[str]) -> Guides:
    if not issue_files(config.guides):
        message = f"the system {config.name} has no guide with issues"
        raise Problems(
            [Problem("config.toml", 1, 1, message, f'Set guides under [systems.{config.name}], as in guides = ["sms"].')]
        )
    if not wanted:
        return read_guides(config.guides)
    try:
        return Guides(load_issues(config.guides, wanted))
    except KeyError as error:
        raise Problems([Problem("ISSUE", 1, 1, str(error.args[0]))]) from None


async def _walked(system: System, issue: Issue, readings: Readings, inputs: Mapping[str, str]) -> Look:
    started = time.monotonic()
    walk = Walk(issue, system, inputs=inputs, asks=False, readings=readings, clock=readings.wall)
    conclusion = await walk.finish() or _unanswered(walk)
    return Look(issue, walk.path, conclusion, elapsed_s=time.monotonic() - started)


async def _within(looking: Coroutine[Any, Any, Look], issue: Issue, timeout_s: float) -> Look:
    try:
        return await asyncio.wait_for(looking, timeout_s)
    except TimeoutError:
        conclusion = Conclusion(Verdict.UNKNOWN, f"The walk was not done within {timeout_s:g} s.")
        return Look(issue, conclusion=conclusion, elapsed_s=timeout_s)


async def _result(system: System, look: Look, values: Mapping[str, Value], *, previews: bool) -> dict[str, Any]:
    issue, conclusion = look.issue, look.conclusion
    named = conclusion.fixes if conclusion else ()
    fixes = await asyncio.gather(*(_fix(system, fix, values, previews=previews) for fix in named))
    cause = conclusion.cause if conclusion else None
    return {
        "issue": issue.id,
        "title": issue.title,
        "severity": issue.severity.value,
        "outcome": conclusion.verdict.value if conclusion else Verdict.UNKNOWN.value,
        "cause": cause.id if cause else None,
        "summary": conclusion.summary if conclusion else f"Not walked to the end; {look.left}",
        "left": look.left if conclusion is None else None,
        "follows_from": look.follows_from or None,
        "continues": (conclusion.continues if conclusion else "") or None,
        "path": [record_entry(made) for made in look.path],
        "fixes": fixes,
        "elapsed_ms": round(look.elapsed_s * 1000, 1),
    }


def _unanswered(walk: Walk) -> Conclusion:
    question = walk.question
    text = question.text if question else "A step is left."
    return Conclusion(Verdict.UNKNOWN, f"A person must answer: {text} Answer with --input {walk.issue.id}.{walk.current}=…")


async def _fix(system: System, fix: Fix, values: Mapping[str, Value], *, previews: bool) -> dict[str, Any]:
    """A fix by name; with `previews` also what it would hit now, when that can be read quickly."""
    preview: dict[str, Any] | None = None
    if previews and action(fix.action).ahead:
        task = asyncio.ensure_future(_previewed(system, fix, values))
        await asyncio.wait({task}, timeout=PREVIEW_LIMIT_S)
        preview = _preview(task)
    return {"id": fix.id, "title": fix.title, "risk": fix.risk.value, "preview": preview}


async def _previewed(system: System, fix: Fix, values: Mapping[str, Value]) -> Preview:
    return await preview_fix(system, fix.bound(values))


def _preview(task: "asyncio.Task[Preview]") -> dict[str, Any]:
    if not task.done():
        task.cancel()
        task.add_done_callback(lambda late: late.cancelled() or late.exception())
        return {"failure": f"It could not be read within {PREVIEW_LIMIT_S:g} s what it would hit."}
    try:
        made = task.result()
    except SourceError as error:
        return {"failure": str(error.failure)}
    except Exception as error:
        # A defect in one preview must not take the diagnosis away.
        return {"failure": f"The preview failed in an unexpected way: {type(error).__name__}. Please report this."}
    return {
        "targets": [target.name for target in made.targets],
        "lines": list(made.lines),
        "effect": made.effect,
        "way_back": made.way_back,
        "command": made.command,
        "empty": made.empty or None,
    }
