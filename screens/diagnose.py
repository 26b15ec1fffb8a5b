"""What the trainee holds to be the cause: one or more of all causes of the system's issues, or that nothing is wrong."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from console.practice.drill.seen import NOTHING_WRONG
from widgets.commands import Scope, bindings
from widgets.cursor import Cursor
from widgets.fix_lines import key_line
from widgets.line import Line, Span, fitted, line, wrapped
from widgets.scrolled import Scrolled

if TYPE_CHECKING:
    from screens.app import TriageApp

_NOTHING = ""
"""Stands among the causes for "nothing is wrong"."""


class DiagnoseScreen(ModalScreen[tuple[str, ...] | None]):
    """Dismissed with the marked causes (`<issue>.<cause>`), with none of them for "nothing is wrong", with None when it is left.

    `before` is the diagnosis that is to be changed.
    """

    CSS_PATH = "diagnose.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.DIAGNOSE)
    AUTO_FOCUS = ""

    def __init__(self, before: tuple[str, ...] | None = None) -> None:
        super().__init__()
        self.marked: set[str] = set() if before is None else set(before) or {_NOTHING}
        self._causes: dict[str, str] = {}
        """Every cause's words, by its id, the issues in the picker's order."""
        self._loaded = False
        self._cursor = Cursor()
        self._sheet = Scrolled(self._lines, id="causes")
        self._search = Input(id="search", placeholder="words of an issue or a cause", compact=True)

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = "What is the cause?"
            yield self._search
            yield self._sheet

    def on_mount(self) -> None:
        self._load()

    @work(group="causes", exclusive=True, exit_on_error=False)
    async def _load(self) -> None:
        issues = sorted(await self._app.load_issues(), key=lambda issue: (issue.severity.rank, issue.chord))
        self._causes = {_NOTHING: f"{NOTHING_WRONG.capitalize()}: the stack works as it should."}
        for issue in issues:
            self._causes |= {f"{issue.id}.{cause.id}": cause.summary for cause in issue.causes.values()}
        self.marked &= set(self._causes)
        self._loaded = True
        self._redraw()

    @property
    def found(self) -> list[str]:
        """The causes whose id and words hold every word that is looked for."""
        wanted = self._search.value.lower().split()
        return [id_ for id_, words in self._causes.items() if all(part in f"{id_} {words}".lower() for part in wanted)]

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_cursor(self, by: int) -> None:
        self._cursor.move(self.found, by)
        self._redraw()

    def action_page(self, direction: int) -> None:
        self.action_cursor(direction * max(1, self._sheet.size.height - 6))

    def action_mark(self) -> None:
        """Mark what the cursor stands on, or take the mark away. A cause and "nothing is wrong" exclude each other."""
        key = self._cursor.key
        if key is None:
            return
        if key in self.marked:
            self.marked.discard(key)
        elif key == _NOTHING:
            self.marked = {_NOTHING}
        else:
            self.marked = {*self.marked - {_NOTHING}, key}
        self._redraw()

    def action_hand_in(self) -> None:
        if self._search.has_focus:
            self._close_search()
        elif not self.marked:
            self.notify("Space marks a cause first.", timeout=3)
        else:
            self.dismiss(tuple(id_ for id_ in self._causes if id_ in self.marked and id_ != _NOTHING))

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
        """In the search, a space is a space."""
        return action != "mark" or not self._search.has_focus

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

    def on_resize(self) -> None:
        self.call_after_refresh(self._redraw)

    def _lines(self, width: int, height: int) -> list[Line]:
        if not self._loaded:
            return [line(Span("Reading the guides …", "muted"))]
        found, marked = self.found, [id_ for id_ in self._causes if id_ in self.marked]
        about = self._about(width)
        rows = [self._row(found[index], width) for index in self._cursor.place(found, max(1, height - len(about) - 3))]
        words = ", ".join(id_ or NOTHING_WRONG for id_ in marked) or "nothing yet"
        keys = [("space", "marks"), ("enter", "hands it in"), ("/", "searches"), ("esc", "leaves")]
        rule = line(Span("─" * width, "rule"))
        none = [line(Span("No cause says that.", "muted"))] if not found else []
        return [*rows, *none, rule, *about, line(Span(fitted(f"Marked: {words}", width), "strong")), key_line(keys)]

    def _row(self, id_: str, width: int) -> Line:
        mark = "[x] " if id_ in self.marked else "[ ] "
        id_width = min(width // 2, max(len(name) for name in self._causes) + 2)
        return line(
            Span(mark, "strong" if id_ in self.marked else "muted"),
            Span(fitted(id_ or "–", id_width), "accent"),
            Span(fitted(self._causes[id_], max(8, width - 4 - id_width))),
            selected=id_ == self._cursor.key,
        )

    def _about(self, width: int) -> list[Line]:
        """The cause under the cursor in full."""
        key = self._cursor.key
        return wrapped(self._causes[key], width, "muted", most=2) if key in self._causes else []

    def _redraw(self) -> None:
        self._sheet.styles.height = min(len(self._causes) + 6, max(6, self.size.height * 9 // 10 - 3))
        self._sheet.redraw()

    @property
    def _app(self) -> "TriageApp":
        return cast("TriageApp", self.app)
