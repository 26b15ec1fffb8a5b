"""Chords: the few keys that open an issue (`c2`), typed one after the other."""

from collections.abc import Collection, Iterable

RESERVED = "q"
"""Letters that are keys of the issue picker itself: no chord begins with one."""


class ChordReader:
    """Takes keys one by one. `typed` is what has been typed of a chord so far."""

    def __init__(self, chords: Collection[str]) -> None:
        self.chords = chords
        self.typed = ""

    def take(self, key: str) -> str | None:
        """The chord that this key completes, or None. A key that fits no chord begins a new one, or is forgotten."""
        for candidate in (self.typed + key, key):
            if candidate in self.chords:
                self.typed = ""
                return candidate
            if any(chord.startswith(candidate) for chord in self.chords):
                self.typed = candidate
                return None
        self.typed = ""
        return None


def clash(issue: str, others: Iterable[str]) -> tuple[str, str] | None:
    """Why an issue (`sms.c2`) could not be opened beside these others by its keys, and how to mend it; None when it could."""
    chord = issue.rpartition(".")[2]
    if chord[:1] in RESERVED:
        return f"the chord {chord} of {issue} begins with a key of the issue picker", f"Choose another letter than {chord[0]}."
    for other in others:
        taken = other.rpartition(".")[2]
        if chord == taken:
            return f"the chord {chord} of {issue} is that of {other} already", "Chords are unique over all guides of a system."
        if chord.startswith(taken) or taken.startswith(chord):
            short, long = sorted((chord, taken), key=len)
            return f"the chord {chord} of {issue} clashes with {other}", f"{short} opens its issue before {long} is typed."
    return None
