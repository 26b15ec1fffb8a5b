"""Where something stands in a guide's file that was read before: for what only shows when issues are seen together."""

from pathlib import Path

from console.guides.yaml_lines import Document, Refused, read
from console.guides.yaml_lines import Path as Where
from console.problem import Problem


def document_of(path: Path) -> Document:
    """The file, read again; empty when it cannot be read any more."""
    try:
        return read(path.read_bytes(), str(path))
    except (OSError, Refused):
        return Document(str(path))


def problem_at(path: Path, where: Where, message: str, advice: str = "", *, key: bool = False) -> Problem:
    """A problem at the value (or key) of a path in a file, or at the nearest thing around it."""
    return document_of(path).problem(where, message, advice, key=key)
