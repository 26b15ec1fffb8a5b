"""Finds the issues of a system's guides, shipped ones and those of a team's own folders, and loads those that are asked for."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from console.guides.chord import clash
from console.guides.compiling import compile_issue
from console.guides.issue import Issue
from console.guides.places import problem_at
from console.problem import Problem, Problems

LIBRARY = Path(__file__).parent / "library"
"""The shipped guides: one folder a guide, one file an issue."""


@dataclass(frozen=True, slots=True)
class Guides:
    """What was read of a system's guides: the sound issues, and what is wrong with the rest."""

    issues: tuple[Issue, ...]
    problems: tuple[Problem, ...] = ()


def guide_name(guide: str) -> str:
    """The name of a guide of the configuration, which is that of its folder: `ours` of `/etc/triage/ours`."""
    return Path(guide).name


def issue_files(guides: Iterable[str], library: Path = LIBRARY) -> dict[str, Path]:
    """The file of each issue of these guides (names of the library, or paths of folders), by issue id, in the guides' order."""
    return _found(guides, library)[0]


def load_issue(path: Path) -> Issue:
    """Load one file; raises Problems with everything that is wrong with it."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Problems([Problem(str(path), 1, 1, f"cannot be read: {error.strerror}")]) from None
    return compile_issue(text, path, path.parent.name)


def read_guides(guides: Sequence[str], library: Path = LIBRARY) -> Guides:
    """Every issue of these guides that is sound: a broken file takes none of the others away."""
    files, problems = _found(guides, library)
    return _loaded(files.values(), problems)


def load_issues(guides: Sequence[str], only: Sequence[str] = (), library: Path = LIBRARY) -> tuple[Issue, ...]:
    """The issues of these guides, or only those named (`sms.c2`, or the chord `c2`).

    Raises Problems with the errors of all files in one go, and KeyError for an issue that there is not.
    """
    files, problems = _found(guides, library)
    paths = [files[_named(name, files)] for name in only] or list(files.values())
    loaded = _loaded(dict.fromkeys(paths), [] if only else problems)
    if loaded.problems:
        raise Problems(loaded.problems)
    return loaded.issues


def _loaded(paths: Iterable[Path], problems: Iterable[Problem]) -> Guides:
    issues: list[Issue] = []
    wrong = list(problems)
    for path in paths:
        try:
            issues.append(load_issue(path))
        except Problems as error:
            wrong.extend(error.items)
    return Guides(tuple(issues), tuple(wrong))


def _found(guides: Iterable[str], library: Path) -> tuple[dict[str, Path], list[Problem]]:
    """The files by issue, and what keeps others from being found; of two with one chord the first is kept."""
    found: dict[str, Path] = {}
    problems: list[Problem] = []
    for guide in guides:
        folder = library / guide
        try:
            inside = sorted(folder.iterdir())
        except OSError as error:
            message = f"the guide {guide_name(guide)!r} cannot be read: {error.strerror}"
            advice = "`guides` of the system in config.toml names a shipped guide, or the path of a folder."
            problems.append(Problem(str(folder), 1, 1, message, advice))
            continue
        for path in inside:
            if path.suffix == ".yml":
                problems.append(Problem(str(path), 1, 1, "is not looked at", "Call it .yaml, as every issue of a guide."))
            if path.suffix != ".yaml" or path.name.startswith("."):
                continue
            issue = f"{folder.name}.{path.stem.partition('-')[0]}"
            wrong = clash(issue, found)
            if wrong:
                problems.append(problem_at(path, ("id",), *wrong))
            else:
                found[issue] = path
    return found, problems


def _named(name: str, files: dict[str, Path]) -> str:
    if name in files:
        return name
    by_chord = [issue for issue in files if issue.partition(".")[2] == name]
    if by_chord:
        return by_chord[0]
    close = difflib.get_close_matches(name, files, 1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise KeyError(f"There is no issue {name!r}; there are {', '.join(files) or 'none'}.{hint}")
