"""What is wrong in a file that a person wrote: where, what, and how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding. Line and column begin at 1."""

    file: str
    line: int
    column: int
    message: str
    advice: str = ""
    warning: bool = False
    """Worth mending, but nothing is refused for it."""

    def __str__(self) -> str:
        word = "warning: " if self.warning else ""
        advice = f". {self.advice}" if self.advice else ""
        return f"{self.file}:{self.line}:{self.column}: {word}{self.message}{advice}"


class Problems(Exception):
    """Everything that is wrong with a file or a set of files, in one go."""

    def __init__(self, items: Iterable[Problem]) -> None:
        self.items = tuple(sorted(set(items)))
        super().__init__("\n".join(str(item) for item in self.items))
