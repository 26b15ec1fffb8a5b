"""A list to choose from: searched by words, one taken with enter, or several marked with space and taken together."""

from collections.abc import Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from widgets.commands import Scope, bindings
from widgets.cursor import Cursor
from widgets.fix_lines import key_line
from widgets.line import Line, Span, fitted, line, wrapped
from widgets.scrolled import Scrolled


class ChoiceScreen(ModalScreen[tuple[str, ...] | None]):
    """Dismissed with what was chosen, in the order of the list; with None when it is left.

    `choices` words each by its id; None is told later, with `offer`. With `several`, marks are taken, else what the cursor
    stands on, which begins at `at`.
    """

    CSS_PATH = "choice.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.CHOICE)
    AUTO_FOCUS = ""
    ALONE = "-"
    """The id of the choice that excludes every other."""

    def __init__(
        self, title: str, choices: Mapping[str, str] | None = None, *, several: bool = False, takes: str = "takes", at: str = ""
    ) -> None:
        super().__init__()
        self.marked: set[str] = set()
        self._title, self._takes, self._several = title, takes, several
        self._choices = choices
        self._cursor = Cursor()
        self._cursor.key = at or None
        self._sheet = Scrolled(self._lines, id="choices")
        self._search = Input(id="search", placeholder="words that it holds", compact=True)

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = Content(self._title).markup
            yield self._search
            yield self._sheet

    def offer(self, choices: Mapping[str, str]) -> None:
        """Tell what there is to choose from."""
        self._choices = choices
        self.marked &= set(choices)
        self._redraw()

    @property
    def found(self) -> list[str]:
        """The choices whose id and words hold every word that is looked for."""
        wanted = self._search.value.lower().split()
        offered = self._choices or {}
        return [id_ for id_, words in offered.items() if all(part in f"{id_} {words}".lower() for part in wanted)]

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_cursor(self, by: int) -> None:
        self._cursor.move(self.found, by)
        self._redraw()

    def action_page(self, direction: int) -> None:
        self.action_cursor(direction * max(1, self._sheet.size.height - 6))

    def action_mark(self) -> None:
        """Mark what the cursor stands on, or take the mark away."""
        key = self._cursor.key
        if key is None:
            return
        if key in self.marked:
            self.marked.discard(key)
        elif key == self.ALONE:
            self.marked = {key}
        else:
            self.marked = {*self.marked - {self.ALONE}, key}
        self._redraw()

    def action_take(self) -> None:
        if self._several and not self.marked:
            self.notify("Space marks one first.", timeout=3)
        elif self._several:
            self.dismiss(tuple(id_ for id_ in self._choices or () if id_ in self.marked))
        elif self._cursor.key is not None:
            self.dismiss((self._cursor.key,))

    def action_search(self) -> None:
        self._search.add_class("-open")
        self._search.focus()

    def action_leave(self) -> None:
        if self._search.has_class("-open"):
            self._search.value = ""
            self._search.remove_class("-open")
            self._close_search()
        else:
            self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 -- Textual's own
        """In the search, a space is a space; where one is taken, nothing is marked."""
        return action != "mark" or (self._several and not self._search.has_focus)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_search()

    @on(Input.Changed)
    def _searched(self, event: Input.Changed) -> None:
        event.stop()
        self._cursor = Cursor()
        self._redraw()

    def _close_search(self) -> None:
        self.set_focus(None)
        self._redraw()

    # -- drawing ----------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self._redraw()

    def on_resize(self) -> None:
        self.call_after_refresh(self._redraw)

    def _lines(self, width: int, height: int) -> list[Line]:
        if self._choices is None:
            return [line(Span("Reading the guides …", "muted"))]
        found, foot = self.found, self._foot(width)
        rows = [self._row(found[index], width) for index in self._cursor.place(found, max(1, height - len(foot)))]
        none = [line(Span("Nothing says that.", "muted"))] if not found else []
        return [*rows, *none, *foot]

    def _row(self, id_: str, width: int) -> Line:
        choices = self._choices or {}
        box = ("[x] " if id_ in self.marked else "[ ] ") if self._several else ""
        id_width = min(width // 2, max(len(name) for name in choices) + 2)
        return line(
            Span(box, "strong" if id_ in self.marked else "muted"),
            Span(fitted(id_, id_width), "accent"),
            Span(fitted(choices[id_], max(8, width - len(box) - id_width))),
            selected=id_ == self._cursor.key,
        )

    def _foot(self, width: int) -> list[Line]:
        """What the cursor stands on in full, what is marked, and the keys."""
        choices, key = self._choices or {}, self._cursor.key or ""
        about = wrapped(choices[key], width, "muted", most=2) if key in choices else []
        about += [line()] * (2 - len(about))
        marked = [id_ if id_ != self.ALONE else choices[id_] for id_ in choices if id_ in self.marked]
        words = [line(Span(fitted(f"Marked: {', '.join(marked) or 'nothing yet'}", width), "strong"))] if self._several else []
        keys = [("space", "marks")] if self._several else []
        keys += [("enter", self._takes), ("/", "searches"), ("esc", "leaves")]
        return [line(Span("─" * width, "rule")), *about, *words, key_line(keys)]

    def _redraw(self) -> None:
        if self.is_mounted:
            rows = len(self._choices or ()) + 6
            self._sheet.styles.height = min(rows, max(6, self.size.height * 9 // 10 - 3))
            self._sheet.redraw()
