"""What was given on the command line, `--input name=value`: whether the issues ask for it, and whether it has the form wanted."""

from collections.abc import Iterable, Iterator, Mapping

from console.guides.checks.ask import AskParameters
from console.guides.inputs import Input
from console.guides.issue import Issue
from console.problem import Problem
from console.text import clean

_PLACE = "--input"


def given_for(issue: Issue, given: Mapping[str, str]) -> dict[str, str]:
    """What one issue asks for: answers by step, inputs by name. What names the issue goes before what does not."""
    known = _asked(issue)
    prefix = f"{issue.id}."
    plain = {name: value for name, value in given.items() if name in known}
    own = {short: value for name, value in given.items() if (short := name.removeprefix(prefix)) != name and short in known}
    return {**plain, **own}


def given_problems(issues: Iterable[Issue], given: Mapping[str, str]) -> Iterator[Problem]:
    """Names that none of these issues asks for, and values that have not the form wanted. A secret is not repeated."""
    walked = tuple(issues)
    known = {name: item for issue in walked for name, item in _named(issue)}
    for name in given:
        if name not in known:
            inputs = [name for name, item in known.items() if isinstance(item, Input) and "." not in name]
            steps = [name for name, item in known.items() if not isinstance(item, Input) and "." in name]
            there = ", ".join(dict.fromkeys((*inputs, *steps)))
            advice = f"There are: {there}." if there else "Nothing is asked for here."
            yield Problem(_PLACE, 1, 1, f"there is no input {clean(name, 60)!r}", advice)
    for issue in walked:
        asked = _asked(issue)
        for name, value in given_for(issue, given).items():
            wrong = _wrong(asked[name], name, value)
            if wrong:
                yield Problem(_PLACE, 1, 1, wrong)


def _wrong(asked: Input | AskParameters, name: str, value: str) -> str:
    if isinstance(asked, AskParameters):
        offered = asked.answers
        return f"{name} must be one of {', '.join(offered)}, not {clean(value, 40)!r}" if offered and value not in offered else ""
    try:
        asked.read(value)
    except ValueError as error:
        return str(error)
    return ""


def _asked(issue: Issue) -> dict[str, Input | AskParameters]:
    """What an issue asks a person for, by the name that stands in the issue."""
    steps = {name: step.check.parameters for name, step in issue.steps.items()}
    questions = {name: parameters for name, parameters in steps.items() if isinstance(parameters, AskParameters)}
    return {**issue.inputs, **questions}


def _named(issue: Issue) -> Iterator[tuple[str, Input | AskParameters]]:
    for name, item in _asked(issue).items():
        yield name, item
        yield f"{issue.id}.{name}", item
