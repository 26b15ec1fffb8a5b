"""Where a key stands in a TOML file. The standard parser keeps no positions, and an error without a line is a riddle."""

import re
from collections.abc import Sequence

_KEY = r"(?:[A-Za-z0-9_-]+|\"(?:[^\"\\]|\\.)*\"|'[^']*')"
_PATH = re.compile(rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*")
_PART = re.compile(_KEY)


class Locations:
    """Line and column of every key path of one text, as far as tables and `key = value` lines tell."""

    def __init__(self, text: str) -> None:
        self._found: dict[tuple[str, ...], tuple[int, int]] = {(): (1, 1)}
        table: tuple[str, ...] = ()
        until = ""
        for number, line in enumerate(text.splitlines(), 1):
            if until:  # inside a multi-line string: nothing there is a key
                until = "" if until in line else until
                continue
            stripped = line.lstrip()
            indent = len(line) - len(stripped)
            if stripped.startswith("["):
                match = _PATH.match(stripped.lstrip("["))
                if match:
                    table = _parts(match.group(1))
                    self._remember(table, number, indent + 1)
                continue
            match = _PATH.match(line)
            if match and line[match.end() : match.end() + 1] == "=":
                path = table + _parts(match.group(1))
                self._remember(path, number, indent + 1)
                value = line[match.end() + 1 :]
                self._inline(path, value, number, match.end() + 1)
                for quotes in ('"""', "'''"):
                    if value.count(quotes) % 2:
                        until = quotes

    def of(self, path: Sequence[object]) -> tuple[int, int]:
        """Line and column of a key path, or of the nearest table around it."""
        keys = tuple(str(part) for part in path)
        while keys not in self._found:
            keys = keys[:-1]
        return self._found[keys]

    def _remember(self, path: tuple[str, ...], line: int, column: int) -> None:
        for length in range(1, len(path) + 1):
            self._found.setdefault(path[:length], (line, column))

    def _inline(self, path: tuple[str, ...], value: str, line: int, offset: int) -> None:
        """Keys of an inline table on the same line: `{ alert = 500, critical = 1000 }`."""
        if value.lstrip().startswith("{"):
            for match in re.finditer(rf"[{{,]\s*({_KEY})\s*=", value):
                self._remember((*path, *_parts(match.group(1))), line, offset + match.start(1) + 1)


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
