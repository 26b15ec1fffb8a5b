"""`triage check`: issues walked headless. Reads run, fixes are only named and previewed; nothing is printed here."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from console.config import SystemConfig
from console.guides.fixes.action import Preview, action, preview_fix
from console.guides.given import given_for, given_problems
from console.guides.issue import Fix, Issue
from console.guides.loader import issue_files, load_issues
from console.guides.readings import Readings
from console.guides.walk import Conclusion, Verdict, Walk, record_entry
from console.problem import Problem, Problems
from console.reading import SourceError
from console.system import System

PREVIEW_LIMIT_S = 1.5
DEFAULT_TIMEOUT_S = 30.0

_FOUND, _UNDECIDED, _CLEAR = 3, 4, 0
_ORDER = {Verdict.CAUSE.value: 0, Verdict.ESCALATE.value: 1, Verdict.UNKNOWN.value: 2, Verdict.CLEAR.value: 3}


async def check(
    system: System,
    issue_ids: Sequence[str] = (),
    *,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    inputs: Mapping[str, str] | None = None,
    told: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """Walk these issues (ids or chords; none: all of the system's guides) at once, and rank them, causes first.

    `inputs` are answers of `ask` steps and values of inputs, by name or by `<issue>.<name>`; `told` are those that the user of
    a practice stack would give, of which only the ones that are asked for count. An issue that is not done within `timeout_s`
    is unknown. Returns the object that `triage check --json` prints. Raises Problems, before anything is read, for a guide that
    is wrong, an issue that there is not, and inputs that no issue asks for or that have not the form wanted.
    """
    started = clock()
    issues = await asyncio.to_thread(_issues, system.config, issue_ids)
    wrong = tuple(given_problems(issues, inputs or {}))
    if wrong:
        raise Problems(wrong)
    readings = Readings(system, wall=clock)
    given = [{**given_for(issue, told or {}), **given_for(issue, inputs or {})} for issue in issues]
    walks = [
        Walk(issue, system, inputs=item, asks=False, readings=readings, clock=clock)
        for issue, item in zip(issues, given, strict=True)
    ]
    try:
        results = await asyncio.gather(*(_result(walk, timeout_s) for walk in walks))
    finally:
        readings.close()
        for walk in walks:
            walk.close()
    return {
        "system": system.name,
        "environment": system.config.environment.value,
        "taken_at": started,
        "results": ranked(results, issues),
    }


def exit_code(checked: Mapping[str, Any]) -> int:
    """3 when a cause was found, else 4 when anything is undecided, else 0."""
    outcomes = {result["outcome"] for result in checked["results"]}
    if Verdict.CAUSE.value in outcomes:
        return _FOUND
    return _UNDECIDED if outcomes - {Verdict.CLEAR.value} else _CLEAR


def ranked(results: Sequence[dict[str, Any]], issues: Sequence[Issue]) -> list[dict[str, Any]]:
    """Causes first, and of these the roots before those that follow from another's; then undecided, then clear."""
    by_id = {issue.id: issue for issue in issues}
    found = {result["issue"] for result in results if result["outcome"] == Verdict.CAUSE.value}

    def key(result: Mapping[str, Any]) -> tuple[int, bool, int, str]:
        issue = by_id[result["issue"]]
        cause = issue.causes.get(result["cause"] or "")
        return _ORDER[result["outcome"]], cause is not None and cause.continues in found, issue.severity.rank, issue.id

    return sorted(results, key=key)


def list_issues(config: SystemConfig) -> list[dict[str, Any]]:
    """Every issue of a system, as `triage issues --json` prints it."""
    return [
        {
            "id": issue.id,
            "chord": issue.chord,
            "guide": issue.guide,
            "title": issue.title,
            "severity": issue.severity.value,
            "causes": list(issue.causes),
        }
        for issue in load_issues(config.guides)
    ]


def _issues(config: SystemConfig, wanted: Sequence[str]) -> tuple[Issue, ...]:
    if not issue_files(config.guides):
        message = f"the system {config.name} has no guide with issues"
        raise Problems(
            [Problem("config.toml", 1, 1, message, f'Set guides under [systems.{config.name}], as in guides = ["sms"].')]
        )
    try:
        return load_issues(config.guides, wanted)
    except KeyError as error:
        raise Problems([Problem("ISSUE", 1, 1, str(error.args[0]))]) from None


async def _result(walk: Walk, timeout_s: float) -> dict[str, Any]:
    started = time.monotonic()
    task = asyncio.ensure_future(walk.finish())
    try:
        await asyncio.wait({task}, timeout=timeout_s)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if task.done():
        conclusion = task.result() or _unanswered(walk)
    else:
        task.cancel()
        conclusion = Conclusion(Verdict.UNKNOWN, f"The walk was not done within {timeout_s:g} s.")
    fixes = await asyncio.gather(*(_fix(walk, fix) for fix in conclusion.fixes))
    return {
        "issue": walk.issue.id,
        "title": walk.issue.title,
        "severity": walk.issue.severity.value,
        "outcome": conclusion.verdict.value,
        "cause": conclusion.cause.id if conclusion.cause else None,
        "summary": conclusion.summary,
        "continues": conclusion.continues or None,
        "path": [record_entry(made) for made in walk.path],
        "fixes": fixes,
        "elapsed_ms": round((time.monotonic() - started) * 1000, 1),
    }


def _unanswered(walk: Walk) -> Conclusion:
    question = walk.question
    text = question.text if question else "A step is left."
    return Conclusion(Verdict.UNKNOWN, f"A person must answer: {text} Answer with --input {walk.issue.id}.{walk.current}=…")


async def _fix(walk: Walk, fix: Fix) -> dict[str, Any]:
    """A fix by name, with what it would hit now, when that can be read quickly."""
    preview: dict[str, Any] | None = None
    if action(fix.action).ahead:
        task = asyncio.ensure_future(_previewed(walk, fix))
        await asyncio.wait({task}, timeout=PREVIEW_LIMIT_S)
        preview = _preview(task)
    return {"id": fix.id, "title": fix.title, "risk": fix.risk.value, "preview": preview}


async def _previewed(walk: Walk, fix: Fix) -> Preview:
    return await preview_fix(walk.system, walk.bound(fix))


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
