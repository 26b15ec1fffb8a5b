"""Chords: the few keys that open an issue (`c2`), typed one after the other."""

from collections.abc import Collection


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
