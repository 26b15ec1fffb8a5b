"""Error texts of the issues, and which of them a line of a log is. `…` in an entry stands for anything.

A log pane asks this of each line that it draws, so it must be quick: a few marks, of which every entry holds one, are looked
for in the line, and only the entries of those that are there are looked at whole.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from console.guides.loader import issue_files
from console.guides.yaml_lines import Refused, read

LONGEST_LINE = 4_000
LEAST_LITERAL = 4
"""Characters of an entry beside its `…`: with fewer it would be found in every line."""
MARK = 5
_WORD = re.compile(rf"\w{{{MARK},}}")
_ANYTHING = re.compile(r"…|\.\.\.")


@dataclass(frozen=True, slots=True)
class ErrorText:
    """One entry of an issue's `errors:`."""

    issue: str
    """`sms.c2`"""
    text: str
    pieces: tuple[str, ...]
    """What it consists of between the `…`, in small letters and with single blanks."""
    rank: int = 0
    """The severity's: of two that fit equally well the worse is meant."""

    @property
    def weight(self) -> int:
        """The more of a line an entry names, the better it fits."""
        return sum(map(len, self.pieces))

    @property
    def marks(self) -> frozenset[str]:
        """Parts of its words, of which each must be in a line that is this error; the longest piece when its words are short."""
        words = [word for piece in self.pieces for word in _WORD.findall(piece)]
        marks = frozenset(word[at : at + MARK] for word in words for at in range(len(word) - MARK + 1))
        return marks or frozenset((max(self.pieces, key=len),))

    def is_in(self, line: str) -> bool:
        """Whether the line, in small letters and with single blanks, holds its pieces in their order."""
        at = 0
        for piece in self.pieces:
            at = line.find(piece, at)
            if at < 0:
                return False
            at += len(piece)
        return True


class ErrorTexts:
    """All entries of some issues, made once."""

    def __init__(self, entries: Iterable[ErrorText]) -> None:
        self._by_mark = _by_mark([entry for entry in entries if entry.weight >= LEAST_LITERAL])

    def __bool__(self) -> bool:
        return bool(self._by_mark)

    def of(self, line: str) -> tuple[ErrorText, ...]:
        """The entries that this line is, the best first, one an issue."""
        lowered = plain(line)
        found = [
            entry for mark, entries in self._by_mark if mark in lowered for entry in entries if entry.is_in(lowered)
        ]  # fmt: skip
        if not found:
            return ()
        best: dict[str, ErrorText] = {}
        for entry in sorted(found, key=lambda entry: (-entry.weight, entry.rank)):
            best.setdefault(entry.issue, entry)
        return tuple(best.values())

    def chord_of(self, line: str) -> str:
        """The chord of the issue that this line is an error text of; empty when it is none."""
        found = self.of(line)
        return found[0].issue.rpartition(".")[2] if found else ""


def error_text(issue: str, text: str, rank: int = 0) -> ErrorText:
    """An entry, taken apart at its `…`."""
    parts = (" ".join(part.lower().split()) for part in _ANYTHING.split(text))
    return ErrorText(issue, text, tuple(part for part in parts if part), rank)


def read_error_texts(guides: Iterable[str]) -> ErrorTexts:
    """The entries of these guides, read without their trees: the log is there before anybody opens an issue."""
    entries: list[ErrorText] = []
    for issue, path in issue_files(guides).items():
        try:
            value = read(path.read_bytes(), str(path)).value
        except (OSError, Refused):
            continue
        texts = value.get("errors") if isinstance(value, dict) else None
        rank = _RANKS.get(str(value.get("severity")), len(_RANKS)) if isinstance(value, dict) else 0
        if isinstance(texts, tuple):
            entries += [error_text(issue, text, rank) for text in texts if isinstance(text, str)]
    return ErrorTexts(entries)


def _by_mark(entries: Sequence[ErrorText]) -> tuple[tuple[str, tuple[ErrorText, ...]], ...]:
    """Few marks, each with entries that hold it, so that every entry has one: the mark that the most have is taken again and
    again (the greedy cover)."""
    left = list(entries)
    chosen: list[tuple[str, tuple[ErrorText, ...]]] = []
    while left:
        counts = Counter(mark for entry in left for mark in entry.marks)
        mark = max(counts, key=lambda one: (counts[one], one))
        chosen.append((mark, tuple(entry for entry in left if mark in entry.marks)))
        left = [entry for entry in left if mark not in entry.marks]
    return tuple(chosen)


_RANKS: Mapping[str, int] = {"critical": 0, "high": 1, "medium": 2, "low": 3}


def plain(line: str) -> str:
    """A line in small letters, with single blanks, and not longer than is looked at."""
    lowered = line[:LONGEST_LINE].lower()
    return " ".join(lowered.split()) if "  " in lowered or "\t" in lowered or "\n" in lowered else lowered
