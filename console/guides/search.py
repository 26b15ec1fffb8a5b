"""Finding an issue by what an operator sees: its title, a symptom, a piece of an error text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.guides.issue import Issue


@dataclass(frozen=True, slots=True)
class Found:
    """An issue and the text in which the words were found (empty when it was the title or the id)."""

    issue: Issue
    where: str = ""


def search(issues: Iterable[Issue], words: str) -> tuple[Found, ...]:
    """The issues that hold every word, in any order and case, within one text; title before symptom before error text.

    A whole log line may be given: an issue whose error text occurs in it is found too.
    """
    wanted = words.lower().split()
    if not wanted:
        return tuple(Found(issue) for issue in issues)
    ranked: list[tuple[int, Found]] = []
    for issue in issues:
        place = _place(issue, wanted, " ".join(wanted))
        if place is not None:
            ranked.append((place[0], Found(issue, place[1])))
    return tuple(found for _, found in sorted(ranked, key=lambda item: item[0]))


def _place(issue: Issue, wanted: Sequence[str], whole: str) -> tuple[int, str] | None:
    if _holds(f"{issue.id} {issue.chord} {issue.title}", wanted):
        return 0, ""
    for rank, texts in enumerate((issue.symptoms, issue.errors), 1):
        for text in texts:
            if _holds(text, wanted):
                return rank, text
    return next(((3, text) for text in issue.errors if len(text) >= 8 and text.lower() in whole), None)


def _holds(text: str, wanted: Sequence[str]) -> bool:
    lowered = text.lower()
    return all(word in lowered for word in wanted)
