"""Where the cursor of a list stands: on an item, not on a row, so that it stays with it when the order changes."""

from collections.abc import Sequence


class Cursor:
    """The chosen item's key and which part of the list is on the screen."""

    def __init__(self) -> None:
        self.key: str | None = None
        self.top = 0
        self._index = 0

    def place(self, keys: Sequence[str], height: int) -> range:
        """Fit cursor and window to the list as it is now; returns the indices that are on the screen.

        When the chosen item is gone, the one that stands in its place is chosen.
        """
        if not keys:
            self.key, self.top, self._index = None, 0, 0
            return range(0)
        if self.key in keys:
            self._index = keys.index(self.key)
        else:
            self._index = min(self._index, len(keys) - 1)
            self.key = keys[self._index]
        height = max(1, height)
        self.top = max(0, min(self.top, self._index, len(keys) - height))
        self.top = max(self.top, self._index - height + 1)
        return range(self.top, min(len(keys), self.top + height))

    def move(self, keys: Sequence[str], by: int) -> None:
        """Go up or down by so many items, not past the ends."""
        if keys:
            index = keys.index(self.key) if self.key in keys else self._index
            self._index = max(0, min(len(keys) - 1, index + by))
            self.key = keys[self._index]
