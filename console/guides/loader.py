"""Finds the issues of a system's guides and loads those that are asked for."""

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

from console.guides.compiling import compile_issue
from console.guides.issue import Issue
from console.problem import Problem, Problems

LIBRARY = Path(__file__).parent / "library"
"""The shipped guides: one folder a guide, one file an issue."""


def issue_files(guides: Iterable[str], library: Path = LIBRARY) -> dict[str, Path]:
    """The file of each issue of these guides, by issue id, sorted by severity letter and number as the chords are."""
    found: dict[str, Path] = {}
    for guide in guides:
        for path in sorted((library / guide).glob("*.yaml")):
            found[f"{guide}.{path.stem.partition('-')[0]}"] = path
    return found


def load_issue(path: Path) -> Issue:
    """Load one file; raises Problems with everything that is wrong with it."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Problems([Problem(str(path), 1, 1, f"cannot be read: {error.strerror}")]) from None
    return compile_issue(text, path, path.parent.name)


def load_issues(guides: Sequence[str], only: Sequence[str] = (), library: Path = LIBRARY) -> tuple[Issue, ...]:
    """The issues of these guides, or only those named (`sms.c2`, or the chord `c2`).

    Raises Problems with the errors of all files in one go, and KeyError for an issue that there is not.
    """
    files = issue_files(guides, library)
    wanted = [_named(name, files) for name in only] or list(files)
    issues: list[Issue] = []
    problems: list[Problem] = []
    for name in dict.fromkeys(wanted):
        try:
            issues.append(load_issue(files[name]))
        except Problems as error:
            problems.extend(error.items)
    problems.extend(chord_clashes(issues))
    if problems:
        raise Problems(problems)
    return tuple(issues)


def chord_clashes(issues: Sequence[Issue]) -> list[Problem]:
    """Two issues of one system under the same chord: only one of them could be opened."""
    seen: dict[str, Issue] = {}
    problems = []
    for issue in issues:
        first = seen.setdefault(issue.chord, issue)
        if first is not issue:
            message = f"the chord {issue.chord} of {issue.id} is that of {first.id} already"
            problems.append(Problem(str(issue.path), 1, 1, message, "Chords are unique over all guides of a system."))
    return problems


def _named(name: str, files: dict[str, Path]) -> str:
    if name in files:
        return name
    by_chord = [issue for issue in files if issue.partition(".")[2] == name]
    if by_chord:
        return by_chord[0]
    close = difflib.get_close_matches(name, files, 1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise KeyError(f"There is no issue {name!r}; there are {', '.join(files) or 'none'}.{hint}")
