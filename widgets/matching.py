"""The filter of a list: a regular expression if it is one, else the text itself; never an error while one types."""

import re
from collections.abc import Callable


def matcher(wanted: str) -> Callable[[str], bool]:
    """Whether a text matches, whatever its case; everything matches an empty filter."""
    if not wanted:
        return lambda _text: True
    try:
        pattern = re.compile(wanted, re.IGNORECASE)
    except re.error:
        lowered = wanted.lower()
        return lambda text: lowered in text.lower()
    return lambda text: pattern.search(text) is not None
