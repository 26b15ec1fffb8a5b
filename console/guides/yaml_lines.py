"""YAML as guides use it: a strict part of the language, and the place of every key and value.

Scalars that stand unquoted are text, except true, false, null, whole and decimal numbers: `no`, `on`, `012`, `22:22` and
dates stay what was written. Refused, because each hides something from the reader: duplicate keys, anchors, aliases, tags,
merge keys, several documents.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from console.problem import Problem

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20

Path = tuple[str | int, ...]
Value = Any
"""None, bool, int, float, str, tuples of these, dicts with str keys."""

_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,15})(?:\.\d{1,10})?")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Refused(Exception):
    """The text cannot be read at all; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


class Document:
    """One file: its `value`, and where each part stands. `problems` are those that did not keep it from being read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.value: Value = None
        self.problems: list[Problem] = []
        self._values: dict[Path, tuple[int, int]] = {(): (1, 1)}
        self._keys: dict[Path, tuple[int, int]] = {}
        self._styles: dict[Path, str] = {}

    def remember(self, path: Path, line: int, column: int, style: str = "") -> None:
        """Where a value stands; `style` is what begins a text that does not stand plain: a quote, or | and > of a block."""
        self._values[path] = (line, column)
        self._styles[path] = style

    def remember_key(self, path: Path, line: int, column: int) -> None:
        self._keys[path] = (line, column)

    def problem(self, path: Path, message: str, advice: str = "", *, key: bool = False, offset: int = 0) -> Problem:
        """A problem at the value (or key) of a path, or at the nearest thing around it; `offset` characters further."""
        line, column = self._keys.get(path, (0, 0)) if key else self._values.get(path, (0, 0))
        if offset:
            style = self._styles.get(path, "")
            offset = 0 if style in ("|", ">") else offset + bool(style)
        while not line:
            line, column = self._keys.get(path) or self._values.get(path, (0, 0))
            path = path[:-1]
        return Problem(self.file, line, column + offset, message, advice)


def read(text: str | bytes, file: str) -> Document:
    """Read one file; raises Refused when it is no YAML, or not the part of YAML that is understood."""
    if len(text) > MAX_BYTES:
        raise Refused(Problem(file, 1, 1, f"is larger than {MAX_BYTES // 1024} KiB", "One file holds one issue."))
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1 if isinstance(text, bytes) else 1
        raise Refused(Problem(file, line, 1, "is not UTF-8 text", "Save it as UTF-8.")) from None
    reader = _Reader(Document(file))
    try:
        reader.read(yaml.parse(decoded, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        line = min(line, decoded.count("\n") + 1)  # what is never closed is missed in the line after the last
        message = " ".join(part for part in (error.context, error.problem) if part) or "not valid YAML"
        raise Refused(
            Problem(file, line, column, f"not valid YAML: {message}", "Quote texts that hold : # > or braces.")
        ) from None
    except yaml.YAMLError as error:
        position = getattr(error, "position", 0)
        line = decoded[: position if isinstance(position, int) else 0].count("\n") + 1
        raise Refused(
            Problem(file, line, 1, "holds a character that YAML does not allow", "Remove control characters.")
        ) from None
    return reader.document


def texts(value: Value, where: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text in a value, with its path; keys are none."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict | tuple):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts(item, (*where, key))


class _Reader:
    """Builds values from the parser's events, for the composer follows aliases and forgets duplicate keys in silence."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._events: Iterator[Any] = iter(())

    def read(self, events: Iterator[Any]) -> None:
        self._events = events
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refused(event, "holds more than one document", "Write one issue a file, without ---.")
                self.document.value = self._node(next(events), (), 0)
        if not documents:
            raise Refused(Problem(self.document.file, 1, 1, "is empty", "docs/guides.md shows an issue."))

    def _node(self, event: Any, path: Path, depth: int) -> Value:
        if isinstance(event, yaml.AliasEvent):
            raise self._refused(event, f"*{event.anchor} is an alias", "Write the value out, or quote a text that begins with *.")
        if event.anchor is not None:
            raise self._refused(event, f"&{event.anchor} is an anchor", "Write values out, or quote a text that begins with &.")
        if event.tag is not None:
            raise self._refused(event, f"{event.tag} is a tag", "Quote a text that begins with an exclamation mark.")
        if depth > MAX_DEPTH:
            raise self._refused(event, f"is nested deeper than {MAX_DEPTH} levels", "")
        self.document.remember(path, *_place(event), getattr(event, "style", None) or "")
        if isinstance(event, yaml.ScalarEvent):
            if event.style:
                return event.value
            value = _plain(event.value)
            if isinstance(value, float) and event.value.endswith("0"):
                message = f"{event.value} would be read as the number {value:g}"
                self.document.problems.append(
                    Problem(self.document.file, *_place(event), message, "Quote a version; write a number without the zero.")
                )
            return value
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        return self._mapping(path, depth)

    def _sequence(self, path: Path, depth: int) -> Value:
        items: list[Value] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items)), depth + 1))
        return tuple(items)

    def _mapping(self, path: Path, depth: int) -> Value:
        found: dict[str, Value] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or event.anchor is not None or event.tag is not None:
                raise self._refused(event, "a key must be plain text", "Quote braces: '{…}'.")
            key = str(event.value)
            line, column = _place(event)
            value = self._node(next(self._events), (*path, key), depth + 1)
            if key in found:
                first, _ = self.document._keys[(*path, key)]
                message = f"the key {key!r} is there twice, first in line {first}"
                self.document.problems.append(Problem(self.document.file, line, column, message, "Remove one."))
                continue
            if key == "<<":
                raise self._refused(event, "merge keys are not understood", "Write the values out.")
            self.document.remember_key((*path, key), line, column)
            found[key] = value
        return found

    def _refused(self, event: Any, message: str, advice: str) -> Refused:
        return Refused(Problem(self.document.file, *_place(event), message, advice))


def _place(event: Any) -> tuple[int, int]:
    """Line and column, from 1."""
    return event.start_mark.line + 1, event.start_mark.column + 1


def _plain(text: str) -> Value:
    if text in ("true", "false"):
        return text == "true"
    if text in ("null", "~", ""):
        return None
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text
