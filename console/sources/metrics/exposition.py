"""The text that a service's /metrics answers, read for one histogram.

Source: prometheus.io/docs/instrumenting/exposition_formats, text format 0.0.4. Lines of OpenMetrics differ by an exemplar
behind the value, which is passed over.
"""

import math
import re
from dataclasses import dataclass, field
from functools import lru_cache

from console.text import clean

Labels = tuple[tuple[str, str], ...]
"""Label names and values, sorted by name."""

_LINE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*(\{)?")
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(,?)')
_VALUE = re.compile(r"[ \t]*\}?[ \t]*([0-9a-zA-Z+.\-]+)(?:[ \t]|$)")
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Exposed:
    """One histogram in one answer: its counters since the process started, by the labels other than `le`."""

    declared: bool
    """The histogram is there, with or without series: one with labels has none before its first request."""
    series: dict[Labels, dict[float, float]] = field(default_factory=dict)
    broken_lines: int = 0


def read_histogram(text: str, name: str) -> Exposed:
    """The buckets of the histogram `name` (without `_bucket`).

    Lines of it that cannot be read are counted and left out. Raises ValueError when the text is no exposition at all, as
    when a login page answers.
    """
    wanted = f"{name}_bucket"
    series: dict[Labels, dict[float, float]] = {}
    declared = False
    broken = 0
    plausible = False
    for line in text.split("\n"):
        if line.startswith(wanted):
            sample = _sample(line)
            if sample is None:
                broken += 1
            else:
                plausible = True
                if sample[0] == wanted:
                    _file(series, sample[1], sample[2])
        elif line.startswith("# TYPE ") and line.split()[2:4] == [name, "histogram"]:
            declared = True
        elif not plausible:
            plausible = line.startswith(("# HELP ", "# TYPE ")) or _sample(line) is not None
    if not (declared or plausible) and text.strip():
        raise ValueError("the text is not in the Prometheus format")
    return Exposed(declared or bool(series), series, broken)


def _file(series: dict[Labels, dict[float, float]], labels: dict[str, str], value: float) -> None:
    try:
        bound = float(labels.pop("le"))
    except (KeyError, ValueError):
        return
    if math.isnan(bound) or not math.isfinite(value) or value < 0:
        return
    series.setdefault(tuple(sorted(labels.items())), {})[bound] = value


def _sample(line: str) -> tuple[str, dict[str, str], float] | None:
    """A line's name, labels and value; None when it is no sample."""
    end = line.rfind("}") + 1
    if not end or " # {" in line:  # no labels, or an exemplar behind the value
        found = _series(line)
    elif (found := _series(line[:end])) is not None:
        found = (*found[:2], end)
    value = _VALUE.match(line, found[2]) if found is not None else None
    if found is None or value is None:
        return None
    try:
        return found[0], dict(found[1]), float(value.group(1))
    except ValueError:
        return None


@lru_cache(maxsize=4_000)
def _series(line: str) -> tuple[str, tuple[tuple[str, str], ...], int] | None:
    """The name and the labels with which a line begins, and where they end. They come back with every scrape."""
    start = _LINE.match(line)
    if start is None:
        return None
    position = start.end()
    labels: dict[str, str] = {}
    if start.group(2):
        while (label := _LABEL.match(line, position)) is not None:
            labels[label.group(1)] = _shown(label.group(2))
            position = label.end()
            if not label.group(3):
                break
        if not line[position:].lstrip().startswith("}"):
            return None
    return start.group(1), tuple(labels.items()), position


@lru_cache(maxsize=2_000)
def _shown(value: str) -> str:
    """A label value, cleaned. Each comes back with every bucket and every scrape: cleaning is most of the work."""
    return clean(_ESCAPE.sub(_unescaped, value), 200)


def _unescaped(match: re.Match[str]) -> str:
    return "\n" if match.group(1) == "n" else match.group(1)
