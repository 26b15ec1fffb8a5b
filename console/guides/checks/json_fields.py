"""Facts out of a JSON answer, by dotted path."""

import json
import math
import re
from collections.abc import Mapping
from typing import Literal

from console.guides.checks.check import FactValue
from console.reading import Failure, FailureKind
from console.sources.protocols.network import HttpAnswer
from console.text import HIDDEN, clean

FieldType = Literal["bool", "number", "text"]
_HIDDEN_VALUE = re.compile(rf'("\s*:\s*){HIDDEN}')


def read_fields(
    answer: HttpAnswer, fields: Mapping[str, tuple[str, FieldType]]
) -> tuple[dict[str, FactValue], tuple[Failure, ...]]:
    """The facts, None where the answer holds no such value of that type, and why."""
    if not fields or answer.status is None:
        return dict.fromkeys(fields), ()
    try:
        body = _parsed(answer.body)
    except (ValueError, RecursionError):
        failure = Failure(FailureKind.GARBAGE, f"{answer.url} did not answer in JSON.", "Look at what it answers.")
        return dict.fromkeys(fields), (failure,)
    found = {name: _typed(_at(body, path), kind) for name, (path, kind) in fields.items()}
    unread = tuple(
        Failure(FailureKind.MISSING, f"The answer of {answer.url} has no {kind} {clean(path, 100)}.")
        for name, (path, kind) in fields.items()
        if found[name] is None
    )
    return found, unread


def _parsed(body: str) -> object:
    try:
        return json.loads(body)
    except ValueError:
        # Hiding a token in the text took its quotes, too.
        return json.loads(_HIDDEN_VALUE.sub(rf'\1"{HIDDEN}"', body))


def _at(value: object, path: str) -> object:
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _typed(value: object, kind: FieldType) -> FactValue:
    if kind == "bool":
        return value if isinstance(value, bool) else None
    if kind == "number":
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return value if is_number and isinstance(value, int | float) else None
    if isinstance(value, bool):
        return str(value).lower()
    return clean(str(value), 200) if isinstance(value, str | int | float) else None
