"""The issue picker: every issue with its chord, whether its check fires now, and when it was last walked.

Typing a chord starts its walk at once, whatever is still being read: keys that come before the issues are loaded wait.
"""

import asyncio
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input

from console.guides.chord import RESERVED, ChordReader
from console.guides.issue import Issue
from console.guides.readings import Readings
from console.guides.search import Found, search
from console.guides.triage import Look, look_closer, ranked
from console.incidents.journal import last_walks
from widgets.commands import Scope, bindings
from widgets.cursor import Cursor
from widgets.fix_lines import key_line
from widgets.issue_rows import IssueState, about_lines, issue_head, issue_line, problem_lines
from widgets.line import Line, Span, line, wrapped
from widgets.scrolled import Scrolled

if TYPE_CHECKING:
    from screens.app import TriageApp

REFRESH_S = 5.0
"""Time between two rounds of checks while the picker is open."""
LOOK_LIMIT_S = 8.0


class PickerScreen(ModalScreen[None]):
    """Lists the issues of the system's guides. Leads to a walk, or back."""

    CSS_PATH = "picker.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.PICKER)]
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self.issues: tuple[Issue, ...] = ()
        self.states: dict[str, IssueState] = {}
        self._found: tuple[Found, ...] = ()
        self._order: dict[str, int] = {}
        """Each issue's place among what fires, from the last round of looks."""
        self._waiting: list[Key] = []
        self._loaded = False
        self._started = False
        self._chords = ChordReader(())
        self._cursor = Cursor()
        self._room = 1
        """How many issues are seen at once."""
        self._moved = False
        """Whether the cursor was moved: until then it stays with what stands first, which enter walks."""
        self._sheet = Scrolled(self.lines, id="issues")
        self._search = Input(id="search", placeholder="words of a title, a symptom or an error text", compact=True)

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = "Issues"
            yield self._search
            yield self._sheet

    def on_mount(self) -> None:
        self._load()

    # -- reading ----------------------------------------------------------------------------------------------------

    @work(group="issues", exclusive=True, exit_on_error=False)
    async def _load(self) -> None:
        issues = await self._app.load_issues()
        self.issues = tuple(sorted(issues, key=lambda issue: (issue.severity.rank, issue.chord)))
        self.states = {issue.id: IssueState() for issue in self.issues}
        self._chords = ChordReader(frozenset(issue.chord for issue in self.issues))
        self._loaded = True
        self._show_found()
        for event in self._waiting:
            self.on_key(event)
        if not self._started:
            self._check()

    @work(group="checks", exclusive=True, exit_on_error=False)
    async def _check(self) -> None:
        """Find out which issues fire, again and again while the picker is open. It reads only, over shared readings."""
        walked = await asyncio.to_thread(last_walks)
        self.states = {issue.id: IssueState(walked_at=walked.get(issue.id)) for issue in self.issues}
        while True:
            readings = Readings(self._app.system)
            looks: dict[str, Look] = {}
            try:
                await asyncio.gather(*(self._look(issue, readings, looks) for issue in self.issues))
            finally:
                readings.close()
            await asyncio.sleep(REFRESH_S)

    async def _look(self, issue: Issue, readings: Readings, looks: dict[str, Look]) -> None:
        """Look at one issue; those that were looked at before keep their old state until theirs is new."""
        try:
            looks[issue.id] = await asyncio.wait_for(look_closer(self._app.system, issue, readings), LOOK_LIMIT_S)
        except TimeoutError:
            looks[issue.id] = Look(issue, left="its checks take too long now")
        order = ranked(tuple(looks.values()))
        for look in order:
            before = self.states[look.issue.id]
            summary = look.conclusion.summary if look.conclusion else ""
            self.states[look.issue.id] = IssueState(
                look.verdict, summary, look.left, look.follows_from, look.suspicious, before.walked_at
            )
        if len(looks) == len(self.issues):
            self._order = {look.issue.id: place for place, look in enumerate(order)}
            self._show_found()
        else:
            self._redraw()

    # -- keys -------------------------------------------------------------------------------------------------------

    def on_key(self, event: Key) -> None:
        """Letters and digits are chords, unless one searches. What is typed on after a chord is for the walk."""
        if self._started:
            event.stop()
            self.app.post_message(Key(event.key, event.character))
            return
        if self._search.has_focus or event.character is None or not event.character.isalnum() or event.character in RESERVED:
            return
        event.stop()
        if self._loaded:
            self._take(event.character)
        else:
            self._waiting.append(event)

    def action_leave(self) -> None:
        """Close the search, then the picker."""
        if self._search.has_class("-open"):
            self._search.value = ""
            self._search.remove_class("-open")
            self.set_focus(None)
        else:
            self.dismiss()

    def action_cursor(self, by: int) -> None:
        self._moved = True
        self._cursor.move([found.issue.id for found in self._found], by)
        self._redraw()

    def action_page(self, by: int) -> None:
        self.action_cursor(by * self._room)

    def action_search(self) -> None:
        self._search.add_class("-open")
        self._search.focus()

    def action_walk(self) -> None:
        found = self._chosen
        if found is not None:
            self._start(found.issue)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_walk()

    @on(Input.Changed)
    def _searched(self, event: Input.Changed) -> None:
        event.stop()
        self._show_found()

    def _take(self, key: str) -> None:
        chord = self._chords.take(key)
        if chord is not None:
            self._start(next(issue for issue in self.issues if issue.chord == chord))
            return
        if not self._chords.typed:
            self.notify(f"No issue has the keys {key}.", timeout=2, markup=False)
        self._redraw()

    def _start(self, issue: Issue) -> None:
        from screens.walk import WalkScreen

        self._started = True
        self.app.switch_screen(WalkScreen(issue, left=self._app.left.pop(issue.id, None)))

    # -- drawing ----------------------------------------------------------------------------------------------------

    def lines(self, width: int, height: int) -> list[Line]:
        """What the sheet shows."""
        if not self._loaded:
            return [line(Span("Reading the guides …", "muted"))]
        broken = problem_lines(self._app.guide_problems, width)
        if not self.issues:
            none = "This system has no guide: `guides` in its table of config.toml names them."
            return broken or wrapped(none, width, "muted")
        chosen = self._chosen
        state = self.states[chosen.issue.id] if chosen else IssueState()
        about = about_lines(chosen, state, width)[: max(0, height - 8 - len(broken))]
        keys = [("", f"{self._chords.typed}…")] if self._chords.typed else []
        keys += [("".join(chosen.issue.chord), "its keys walk it")] if chosen else []
        keys += [("enter", "walks"), ("/", "searches"), ("esc", "leaves")]
        self._room = max(1, height - len(about) - len(broken) - 4)
        now = self._app.clock()
        shown = self._cursor.place([found.issue.id for found in self._found], self._room)
        part = f"{shown.start + 1} to {shown.stop} of {len(self._found)}" if len(shown) < len(self._found) else ""
        self.query_one("#box").border_subtitle = part
        rows = [
            issue_line(
                self._found[index].issue,
                self.states[self._found[index].issue.id],
                width,
                now,
                typed=self._chords.typed,
                selected=self._found[index].issue.id == self._cursor.key,
            )
            for index in shown
        ]
        rule = line(Span("─" * width, "rule"))
        return [issue_head(width), *rows, rule, *about, *broken, rule, key_line(keys)]

    @property
    def _chosen(self) -> Found | None:
        first = self._found[0] if self._found else None
        return next((found for found in self._found if found.issue.id == self._cursor.key), first)

    @property
    def _app(self) -> "TriageApp":
        return cast("TriageApp", self.app)

    def _show_found(self) -> None:
        found = search(self.issues, self._search.value)
        # What fires stands first, unless words are looked for: then what fits them best does.
        key = None if self._search.value.strip() else lambda item: self._order.get(item.issue.id, 0)
        self._found = tuple(sorted(found, key=key)) if key else found
        if not self._moved:
            self._cursor = Cursor()
        self._redraw()

    def _redraw(self) -> None:
        sheet = self._sheet
        rows = max(4, len(self.issues)) + 10
        sheet.styles.height = min(rows, max(6, self.size.height * 9 // 10 - 3))
        sheet.redraw()
