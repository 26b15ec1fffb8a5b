"""The drill's screen: the brief, what users say, how far the round is, and what the trainee tells the referee."""

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

from console.practice.drill.grade import HINT_COST, MARKS, WORST_PASS
from console.practice.drill.seen import Seen
from screens.attendance import Attendance
from screens.diagnose import DiagnoseScreen
from screens.question import Box, QuestionScreen
from screens.sheet import SheetScreen
from widgets.banner import Banner
from widgets.commands import Scope, bindings
from widgets.drill_lines import drill_keys, drill_lines, over_lines
from widgets.key_line import KeyLine
from widgets.line import Line
from widgets.scrolled import Scrolled


class DrillScreen(SheetScreen):
    """Shows the round and takes what is said to the referee. Only there when the console attends a round."""

    CSS_PATH = "drill.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.DRILL)

    def __init__(self, drill: Attendance) -> None:
        super().__init__()
        self._drill = drill
        self.summaries: dict[str, str] = {}
        """Every cause's words, by its id, once the guides are read."""

    def compose(self) -> ComposeResult:
        yield Banner()
        yield Scrolled(self._lines, id="round", tells_more=True)
        yield Scrolled(lambda _width, _height: [drill_keys(self._drill.seen)], id="can")
        yield KeyLine()

    def on_mount(self) -> None:
        self._tick()
        self.set_interval(1.0, self._tick)
        self._name_causes()

    @work(group="causes", exit_on_error=False)
    async def _name_causes(self) -> None:
        issues = await self._app.load_issues()
        self.summaries = {f"{issue.id}.{cause.id}": cause.summary for issue in issues for cause in issue.causes.values()}
        self.redraw()

    def _tick(self) -> None:
        """The clock stands here and in the line above: they go together."""
        self._app.tell()
        self.redraw()

    def redraw(self) -> None:
        """Show the round as it is now."""
        if self.is_mounted:
            self._sheet.border_title = Content(f"Drill on {self._drill.seen.system or self._app.system.name}").markup
            self._sheet.redraw()
            self.query_one("#can", Scrolled).redraw()

    def _lines(self, width: int, _height: int) -> list[Line]:
        return drill_lines(self._drill.news(), self.summaries, width)

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_acknowledge(self) -> None:
        if self._open():
            self._drill.acknowledge()

    def action_diagnose(self) -> None:
        if not self._open():
            return

        def chosen(causes: tuple[str, ...] | None) -> None:
            if causes is not None:
                self._drill.diagnose(tuple(cause for cause in causes if cause != DiagnoseScreen.ALONE))

        seen = self._drill.seen
        self.app.push_screen(DiagnoseScreen(seen.diagnoses[-1] if seen.diagnoses else None, self._drill.concluded), chosen)

    def action_hint(self) -> None:
        if not self._open():
            return
        seen = self._drill.seen
        level = seen.next_hint
        if level is None:
            none_left = seen.hints_wanted >= seen.hints
            self.notify("There is no further hint." if none_left else "The hint asked for has not come yet.", timeout=4)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._drill.want_hint(level)

        text = f"Hint {level} of {seen.hints} tells more than the one before.\n{hint_cost(level)}"
        self.app.push_screen(QuestionScreen("Take a hint", text, yes="takes it", no="goes on without it"), answered)

    def action_give_up(self) -> None:
        if not self._open():
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._drill.give_up()

        text = "The round ends, is kept as given up, and the stack is mended. The review tells what was wrong."
        self.app.push_screen(QuestionScreen("Give up", text, yes="gives up", no="goes on"), answered)

    def action_review(self) -> None:
        if self._drill.seen.how is None:
            self.notify("The review is there when the round is over.", timeout=4)
        else:
            self._drill.open_review()

    def _open(self) -> bool:
        """Whether the referee listens now; says why not."""
        seen = self._drill.seen
        if not seen.running:
            self.notify("The round is over." if seen.how is not None else "The round has not begun yet.", timeout=4)
        return seen.running


def hint_cost(level: int) -> str:
    """What taking the hints up to this level costs, in words."""
    best = MARKS[min(WORST_PASS, level * HINT_COST)]
    return f"It costs {HINT_COST} mark: {best} is the best that this round can still get."


class RoundOver(ModalScreen[bool]):
    """How the round ended. Dismissed with True when the review is wanted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "dismiss(True)", "the review"),
        Binding("escape,q", "dismiss(False)", "stay"),
    ]
    DEFAULT_CSS = "RoundOver { align: center middle; }"

    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self._seen = seen

    def compose(self) -> ComposeResult:
        yield Box("The round is over", lambda width: over_lines(self._seen, width))
