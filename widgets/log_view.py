"""The log lines themselves: what part of the store is on the screen, and the cursor in it.

Following scrolls in jumps of a third of the height: a line that arrives at the bottom costs one row on the wire and not
the whole pane, and the eye is not dragged along.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from console.logs.classify import Level
from console.logs.store import Entry, LogStore
from widgets.commands import Scope, bindings
from widgets.line import Line
from widgets.log_rows import NAME_COLOURS, RowShape, row_count, rows
from widgets.sheet import Sheet

_STEP = 16
"""Cells that the arrow keys move a line sideways."""


class LogView(Sheet, can_focus=True):
    """Shows a `LogStore`. Either it follows, or it stands still (paused) with a cursor on a line; new lines are counted then."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"sheet--match", *(f"sheet--name{number}" for number in range(NAME_COLOURS))}
    DEFAULT_CSS = """
    LogView {
        height: 1fr;
        overflow: hidden hidden;
        & > .sheet--match { text-style: reverse; }
        & > .sheet--name0 { color: $text-primary; }
        & > .sheet--name1 { color: $text-success; }
        & > .sheet--name2 { color: $text-secondary; }
        & > .sheet--name3 { color: $text-warning; }
        & > .sheet--name4 { color: $text-accent; }
        & > .sheet--name5 { color: $foreground; text-style: underline; }
        &:ansi > .sheet--name0 { color: ansi_blue; }
        &:ansi > .sheet--name1 { color: ansi_green; }
        &:ansi > .sheet--name2 { color: ansi_cyan; }
        &:ansi > .sheet--name3 { color: ansi_yellow; }
        &:ansi > .sheet--name4 { color: ansi_magenta; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.LOG_LINES)]

    class Moved(Message):
        """Following, cursor or wrapping changed."""

    class Opened(Message):
        """The line under the cursor is to be shown whole."""

        def __init__(self, entry: Entry) -> None:
            self.entry = entry
            super().__init__()

    class IssueWanted(Message):
        """The issue that this line leads to is to be opened."""

        def __init__(self, entry: Entry) -> None:
            self.entry = entry
            super().__init__()

    def __init__(self, store: LogStore, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.store = store
        self.following = True
        self.wrap = False
        self.new_lines = 0
        """Lines that were added to what is shown since it stands still."""
        self.cursor: Entry | None = None
        self.chord_of: Callable[[str], str] | None = None
        """The chord of the issue that a line is an error text of; it stands in the margin. Asked for each line drawn."""
        self._top: Entry | None = None
        self._skip = 0
        self._shift = 0

    def added(self, shown: int) -> None:
        """The store took in lines, `shown` of them among those shown."""
        if not self.following:
            self.new_lines += shown
        self.redraw()

    def selected_anew(self) -> None:
        """What the store shows was chosen anew."""
        if self.following:
            self._top = None
        self.redraw()

    def go_to(self, entry: Entry) -> None:
        """Stand still with the cursor on this entry, a third of the height below the top."""
        self._stand(entry)
        index = self.store.position(entry)
        shape, height = self._shape(), self.content_size.height
        above = height // 3
        while index > 0 and above > 0:
            index -= 1
            above -= row_count(self.store.shown[index], shape)
        self._top, self._skip = self.store.shown[index], 0
        self._changed()

    def draw(self, width: int, height: int) -> Sequence[Line]:
        shown, shape = self.store.shown, self._shape(width)
        self._settle(shown, shape, height)
        found: list[Line] = []
        index = self._index(self._top)
        for entry in shown[index : index + height] if shown else ():
            marked = entry is self.cursor and not self.following
            made = rows(entry, shape, self.store.selection, selected=marked)
            found.extend(made[self._skip :] if not found and len(made) > self._skip else made)
            if len(found) >= height:
                break
        return found

    def action_pause(self) -> None:
        """Stand still, or follow again."""
        if self.following:
            self._stand(self._last_visible())
            self._changed()
        else:
            self.action_newest()

    def action_newest(self) -> None:
        self.following, self.cursor, self._top, self._skip, self.new_lines = True, None, None, 0, 0
        self.store.holding = False
        self._changed()

    def action_oldest(self) -> None:
        if self.store.shown:
            self._stand(self.store.shown[0])
            self._top, self._skip = self.cursor, 0
            self._changed()

    def action_move(self, by: int) -> None:
        """Move the cursor; the first key press pauses and puts it on the last line."""
        if not self.store.shown:
            return
        if self.following:
            self._stand(self._last_visible())
            by = min(by, 0)
        self._put_cursor(self._index(self.cursor) + by)

    def action_page(self, by: int) -> None:
        shown = self.store.shown
        if not shown:
            return
        if self.following:
            if by > 0:
                return
            self._stand(self._last_visible())
        self._put_cursor(self._index(self.cursor) + by * max(1, self.content_size.height - 1))

    def action_sideways(self, by: int) -> None:
        self._shift = max(0, self._shift + by * _STEP)
        self.redraw()

    def action_wrap(self) -> None:
        self.wrap, self._shift, self._skip = not self.wrap, 0, 0
        if self.following:
            self._top = None
        self._changed()

    def action_newest_error(self) -> None:
        self._jump(range(len(self.store.shown) - 1, -1, -1), "error")

    def action_previous_error(self) -> None:
        start = len(self.store.shown) if self.following else self._index(self.cursor)
        self._jump(range(start - 1, -1, -1), "error before this one")

    def action_match(self, by: int) -> None:
        """The next or previous line that the pattern finds."""
        shown, selection = self.store.shown, self.store.selection
        if selection.pattern is None:
            return
        start = len(shown) if self.following else self._index(self.cursor)
        steps = range(start + 1, len(shown)) if by > 0 else range(start - 1, -1, -1)
        found = next((shown[index] for index in steps if selection.matches(shown[index].line)), None)
        if found is None:
            self.notify("No further match.", timeout=2)
        else:
            self.go_to(found)

    def action_open(self) -> None:
        entry = self.cursor if not self.following else self._last_visible()
        if entry is not None:
            self.post_message(self.Opened(entry))

    def action_issue(self) -> None:
        """Ask for the issue of the line under the cursor; while following, of the newest shown line that has one."""
        entry = self.cursor
        if self.following:
            seen = reversed(self.store.shown[-self.content_size.height :])
            entry = next((item for item in seen if self.chord_of and self.chord_of(item.line.text)), self._last_visible())
        if entry is not None:
            self.post_message(self.IssueWanted(entry))

    def _jump(self, indexes: range, what: str) -> None:
        """To the first error in that direction; the lines of one traceback are one error, its first line."""
        shown = self.store.shown
        for index in indexes:
            entry = shown[index]
            if entry.level >= Level.ERROR and not (index > 0 and _continues(shown[index - 1], entry)):
                self.go_to(entry)
                return
        self.notify(f"There is no {what}.", timeout=2)

    def _stand(self, entry: Entry | None) -> None:
        if self.following:
            self.new_lines = 0
        self.following, self.cursor = False, entry
        # What is being read is not to be dropped from under the reader.
        self.store.holding = True

    def _put_cursor(self, index: int) -> None:
        shown = self.store.shown
        index = max(0, min(index, len(shown) - 1))
        self.cursor = shown[index]
        shape, height = self._shape(), self.content_size.height
        top = self._index(self._top)
        if index < top or (index == top and self._skip):
            self._top, self._skip = self.cursor, 0
        else:
            needed = sum(row_count(entry, shape) for entry in shown[top : index + 1]) - self._skip
            if needed > height:
                self._top, self._skip = self._first_so_that(index, height, shape)
        self._changed()

    def _changed(self) -> None:
        self.redraw()
        self.post_message(self.Moved())

    def _shape(self, width: int | None = None) -> RowShape:
        names = {name: number for number, name in enumerate(self.store.names)}
        chosen = self.store.selection.names
        count = len(names if chosen is None else chosen & names.keys())
        return RowShape(
            self.content_size.width if width is None else width, names, count != 1, self.wrap, self._shift, self.chord_of
        )

    def _index(self, entry: Entry | None) -> int:
        return self.store.position(entry) if entry is not None and self.store.shown else 0

    def _settle(self, shown: Sequence[Entry], shape: RowShape, height: int) -> None:
        """While following, see to it that the last line is on the screen."""
        if not self.following or not shown:
            return
        if self._top is None:
            self._top, self._skip = self._first_so_that(len(shown) - 1, height, shape)
            return
        jump = max(1, height // 3)
        left = shown[self._index(self._top) :]
        needed = sum(self._counted(left, shape, height + jump + self._skip)) - self._skip
        if needed > height:
            blank = max(0, jump - (needed - height))
            self._top, self._skip = self._first_so_that(len(shown) - 1, height - blank, shape)

    def _counted(self, entries: Sequence[Entry], shape: RowShape, enough: int) -> Iterator[int]:
        """Rows of the entries, as far as needed to know that there are enough."""
        total = 0
        for entry in entries:
            count = row_count(entry, shape)
            total += count
            yield count
            if total > enough:
                return

    def _first_so_that(self, last: int, height: int, shape: RowShape) -> tuple[Entry, int]:
        """The entry, and how many of its rows to leave out, with which the rows up to the last one fill the height."""
        shown, left = self.store.shown, height
        for index in range(last, -1, -1):
            left -= row_count(shown[index], shape)
            if left <= 0:
                return shown[index], -left
        return shown[0], 0

    def _last_visible(self) -> Entry | None:
        shown = self.store.shown
        return shown[-1] if shown else None


def _continues(before: Entry, entry: Entry) -> bool:
    """Whether a line belongs to the error of the line before."""
    one, other = before.line, entry.line
    near = one.container == other.container and one.stream == other.stream and other.at - one.at < 0.05
    return before.level == entry.level and near
