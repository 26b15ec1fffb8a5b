"""Finding an issue by what an operator sees: its title, a symptom, a piece of an error text, a whole line of a log."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.guides.errors import LEAST_LITERAL, LONGEST_LINE, error_text, plain
from console.guides.issue import Issue

_WORD = re.compile(r"[a-z][a-z0-9_]{3,}")
FEW_WORDS = 3
"""With fewer words nothing is nearly found: then it is not said at all, or it is not there."""


@dataclass(frozen=True, slots=True)
class Found:
    """An issue and the text in which the words were found (empty when it was the title or the id)."""

    issue: Issue
    where: str = ""


def search(issues: Iterable[Issue], words: str) -> tuple[Found, ...]:
    """The issues that hold every word, in any order and case, within one text; title before symptom before error text.

    A whole log line may be given: an issue with an error text that it is comes too, the one that names the most of it first.
    `…` in an error text stands for anything.
    """
    wanted = words.lower().split()
    if not wanted:
        return tuple(Found(issue) for issue in issues)
    ranked: list[tuple[tuple[int, int], Found]] = []
    for issue in issues:
        place = _place(issue, wanted, words)
        if place is not None:
            ranked.append((place[0], Found(issue, place[1])))
    return tuple(found for _, found in sorted(ranked, key=lambda item: item[0]))


def search_error(issues: Sequence[Issue], text: str) -> tuple[Found, ...]:
    """The issues of an error text, the best first: those that it is an error text of, else those that hold its words, else
    those whose texts share most of its words."""
    lines = [line for line in text[:LONGEST_LINE].splitlines() if line.strip()]
    told = _told(issues, text)
    if told or not lines:
        return told
    for line in (" ".join(lines), *reversed(lines)):  # the last line of a traceback names the error
        found = search(issues, line)
        if found:
            return found
    return _near(issues, text)


def _place(issue: Issue, wanted: Sequence[str], line: str) -> tuple[tuple[int, int], str] | None:
    if _holds(f"{issue.id} {issue.chord} {issue.title}", wanted):
        return (0, 0), ""
    for rank, texts in enumerate((issue.symptoms, issue.errors), 1):
        for text in texts:
            if _holds(text, wanted):
                return (rank, 0), text
    weight, text = _best(issue, line)
    return ((3, -weight), text) if weight else None


def _told(issues: Iterable[Issue], text: str) -> tuple[Found, ...]:
    found = [(_best(issue, text), issue) for issue in issues]
    ordered = sorted((item for item in found if item[0][0]), key=lambda item: (-item[0][0], item[1].severity.rank))
    return tuple(Found(issue, where) for (_, where), issue in ordered)


def _best(issue: Issue, line: str) -> tuple[int, str]:
    """How much of a line the best of the issue's error texts names, and that text; 0 when it is none of them."""
    whole = plain(line)
    entries = (error_text(issue.id, text) for text in issue.errors)
    fitting = [entry for entry in entries if entry.weight >= LEAST_LITERAL and entry.is_in(whole)]
    best = max(fitting, key=lambda entry: entry.weight, default=None)
    return (best.weight, best.text) if best else (0, "")


def _near(issues: Iterable[Issue], text: str) -> tuple[Found, ...]:
    """Issues with a text that shares at least half of the words, and three."""
    wanted = set(_WORD.findall(plain(text)))
    if len(wanted) < FEW_WORDS:
        return ()
    ranked: list[tuple[int, int, str, Found]] = []
    for issue in issues:
        shared, where = max(
            ((len(wanted & set(_WORD.findall(item.lower()))), item) for item in (issue.title, *issue.symptoms, *issue.errors)),
            key=lambda item: item[0],
        )
        if shared >= FEW_WORDS and shared * 2 >= len(wanted):
            ranked.append((-shared, issue.severity.rank, issue.id, Found(issue, where)))
    return tuple(found for *_, found in sorted(ranked, key=lambda item: item[:3]))


def _holds(text: str, wanted: Sequence[str]) -> bool:
    lowered = text.lower()
    return all(word in lowered for word in wanted)
