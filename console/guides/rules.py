"""What `triage lint` holds a sound issue to beyond what loading it needs: rules of which each comes from a tree that misled."""

import re
from collections.abc import Iterator
from dataclasses import replace

from console.guides.arms import arm_findings
from console.guides.checks.registry import find_check
from console.guides.errors import LEAST_LITERAL, error_text
from console.guides.graph import longest_way
from console.guides.issue import Issue, Leaf, Step
from console.guides.places import document_of, problem_at
from console.guides.yaml_lines import Path as Where
from console.guides.yaml_lines import texts
from console.problem import Problem

LONG_WAY = 5
MANY_ARMS = 4
"""Beyond these a person under pressure loses the thread (research: NASA, electronic checklists)."""
_UNDONE_BY_AUTHOR = ("containers.run", "postgres.change")
"""Actions that do whatever the guide says, so that they cannot know how it is taken back."""

_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_HOST = re.compile(
    r"(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|net|org|io|dev|de|eu|uk|local|lan|internal|intranet|corp)\b", re.I
)
_EVERYBODYS = ("127.0.0.1", "0.0.0.0", "255.255.255.255", "example.com", "example.org", "example.net")  # noqa: S104 -- a text


def rule_problems(issue: Issue) -> Iterator[Problem]:
    """What should be mended in an issue that could be loaded; some of it warnings."""
    yield from _findable(issue)
    for step in issue.steps.values():
        yield from _arms(issue, step)
    longest = longest_way(issue.start, issue.steps)
    if longest > LONG_WAY:
        advice = f"Up to {LONG_WAY} are kept in the head: merge checks, or go on in another issue."
        yield _warning(problem_at(issue.path, ("start",), f"one way is {longest} steps long", advice))
    for index, text in enumerate(issue.errors):
        if error_text(issue.id, text).weight < LEAST_LITERAL:
            message = f"errors.{index}: {text!r} would be found in every line"
            yield problem_at(issue.path, ("errors", index), message, "Write more of the text; … stands for what differs.")
    yield from _ways_back(issue)
    yield from _names(issue)


def _findable(issue: Issue) -> Iterator[Problem]:
    """A tree that never ends in anything but `clear` cannot fail."""
    goals = [arm.goal.kind for step in issue.steps.values() for arm in step.arms if not arm.unknown]
    if not {Leaf.CAUSE, Leaf.ESCALATE} & set(goals):
        message = "no arm finds a cause: this issue can only end well"
        yield problem_at(issue.path, ("steps",), message, "Lead an arm to a cause, or to escalate.", key=True)


def _arms(issue: Issue, step: Step) -> Iterator[Problem]:
    where: Where = ("steps", step.id, "branches")
    goals = {arm.goal for arm in step.arms if not arm.unknown}
    if len(goals) == 1:
        message = f"steps.{step.id}: every arm leads to {next(iter(goals))}, whatever the check says"
        yield _warning(problem_at(issue.path, where, message, "Let it decide something, or take the step away.", key=True))
    if len(step.arms) > MANY_ARMS:
        message = f"steps.{step.id} has {len(step.arms)} arms"
        advice = f"Up to {MANY_ARMS} are seen at a glance: split the question."
        yield _warning(problem_at(issue.path, where, message, advice, key=True))
    check = find_check(step.check.name)
    for found in arm_findings(step.arms, check.declared(step.check.parameters) if check else {}):
        key = "else" if step.arms[found.arm].condition is None else "when"
        message = f"steps.{step.id}.branches.{found.arm}: {found.message}"
        problem = problem_at(issue.path, (*where, found.arm, key), message, found.advice)
        yield _warning(problem) if found.warning else problem


def _ways_back(issue: Issue) -> Iterator[Problem]:
    """How a change is taken back that only the author of the guide knows."""
    for fix in issue.fixes.values():
        if fix.action in _UNDONE_BY_AUTHOR and not fix.way_back:
            message = f"fixes.{fix.id}: nothing says how to take it back"
            advice = "Say it in way_back, or that there is none."
            yield _warning(problem_at(issue.path, ("fixes", fix.id), message, advice, key=True))


def _names(issue: Issue) -> Iterator[Problem]:
    """Addresses and names of machines belong in config.toml: a guide is never told where it runs, and leaves the house."""
    for where, text in texts(document_of(issue.path).value):
        for found in (*_ADDRESS.finditer(text), *_HOST.finditer(text)):
            if not found.group().lower().endswith(_EVERYBODYS):
                message = f"{found.group()!r} names a machine"
                yield problem_at(issue.path, where, message, "Name a role, an endpoint or a link of config.toml instead.")


def _warning(problem: Problem) -> Problem:
    return replace(problem, warning=True)
