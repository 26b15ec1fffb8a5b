"""A walk on the screen: the path so far, the evidence of a step, what comes next, and the keys."""

import contextlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Key, Resize
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from console.guides.inputs import Input
from console.guides.issue import Fix, Issue
from console.guides.walk import Walk
from console.incidents.escalation import escalation_text
from console.reading import SourceError
from widgets.asking import Asking
from widgets.banner import Banner
from widgets.commands import Scope, bindings
from widgets.evidence import Choosing, choosing
from widgets.walk_parts import Shown, WalkParts

if TYPE_CHECKING:
    from screens.app import TriageApp
    from screens.confirm import FixResult


@dataclass(frozen=True, slots=True)
class LeftWalk:
    """A walk that was left for the log, and what its screen showed."""

    walk: Walk
    began_at: float
    selected: int
    remark: str


class WalkScreen(Screen[None]):
    """Walks one issue. `began_at` is when the trouble's clock began, when this walk continues another; `left` is a walk of
    this issue to go on with."""

    CSS_PATH = "walk.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.WALK)]
    AUTO_FOCUS = ""

    def __init__(self, issue: Issue, *, began_at: float | None = None, left: LeftWalk | None = None) -> None:
        super().__init__()
        self.issue = issue
        self._began_at = left.began_at if left else began_at
        self._goes_on = left is not None
        self._walk: Walk | None = left.walk if left else None
        self._selected = left.selected if left else -1
        self._fix = 0
        self._overriding = False
        self._remark = (left.remark or "You are back where you left it; what is seen here was seen then.") if left else ""
        self._keep: Callable[[str], None] = self._keep_note
        self._worker: Worker[None] | None = None
        self._busy_since = 0.0
        self._asking = Asking()
        self._parts = WalkParts(self._shown, self._asking)

    def compose(self) -> ComposeResult:
        yield Banner()
        yield self._parts

    def on_mount(self) -> None:
        if self._began_at is None:
            self._began_at = self._app.clock()
        self._app.opened(f"issue {self.issue.id}")
        if not self._goes_on:
            self._note_down("walk_begins")
        self._app.tell()
        self.set_interval(1.0, self._tick)

    def on_unmount(self) -> None:
        self.walk.close()

    @property
    def walk(self) -> Walk:
        """The walk that is shown."""
        if self._walk is None:
            self._walk = Walk(self.issue, self._app.system, memory=self._app.inputs, record=self._app.record)
        return self._walk

    def left(self) -> LeftWalk:
        """This walk as it stands, for coming back to it."""
        return LeftWalk(self.walk, self._began, self._selected, self._remark)

    @property
    def busy(self) -> bool:
        """Whether a check is being made."""
        return self._worker is not None and not self._worker.is_finished

    # -- what the keys do -------------------------------------------------------------------------------------------

    def action_on(self) -> None:
        """Make the next check, answer, open the fix, or go on at the issue below this one."""
        walk = self.walk
        if self._overriding or self.busy:
            return
        if walk.question is not None:
            if walk.question.wanted is not None:
                self._ask(walk.question.wanted, self._keep_input)
            elif not walk.question.answers:
                self._open(self._keep_answer, walk.question.text)
        elif walk.current is not None:
            self._work(self._steps(1))
        elif walk.conclusion is not None and walk.conclusion.continues:
            self._continue(walk.conclusion.continues)
        elif walk.conclusion is not None and walk.conclusion.fixes:
            self.action_fix()

    def action_all(self) -> None:
        if not self.busy and not self._overriding:
            self._work(self._steps(len(self.issue.steps) + 1))

    def action_back(self) -> None:
        self._overriding = False
        if self.walk.path and not self.busy:
            self._work(self.walk.back())

    def action_override(self) -> None:
        if self.walk.path and not self.busy:
            self._overriding = not self._overriding
            self._selected = len(self.walk.path) - 1
            self._draw()

    def action_note(self) -> None:
        self._open(self._keep_note, "what you saw or did; enter keeps it")

    def action_escalate(self) -> None:
        from screens.escalation import EscalationScreen

        app = self._app
        text = escalation_text(self.walk, app.system, began_at=self._began, now=app.clock())
        self.app.push_screen(EscalationScreen(text))
        self._note_down("escalation_shown")

    def action_copy(self) -> None:
        shown = 0 <= self._selected < len(self.walk.path)
        command = self.walk.path[self._selected].command if shown else self._next_command()
        if command:
            self.app.copy_to_clipboard(command)
            self.notify("Copied the command.", timeout=2)

    def action_log(self) -> None:
        """Leave for the line of the log that the shown step names."""
        if self.busy:
            return
        made = self.walk.path[self._selected] if 0 <= self._selected < len(self.walk.path) else None
        if made is None or made.log_line is None:
            self.notify("The step that is shown names no line of a log.", timeout=3)
            return
        self._app.show_in_log(made.log_line)
        self.app.notify(f"g {' '.join(self.issue.chord)} comes back to the walk.", timeout=8, markup=False)

    def action_fix(self) -> None:
        """Open the chosen fix, once the inputs that it needs are given."""
        conclusion = self.walk.conclusion
        if conclusion is None or not conclusion.fixes:
            return
        chosen, others = conclusion.fixes[self._fix], conclusion.fixes[self._fix + 1 :]
        missing = self.walk.missing(chosen)
        if missing:
            self._ask(missing[0], self._keep_input_of_fix)
            return
        from screens.confirm import ConfirmScreen

        try:
            bound = self.walk.bound(chosen)
        except SourceError as error:
            self.notify(str(error.failure), severity="error", markup=False)
            return
        self.app.push_screen(ConfirmScreen(bound, self._ready(others)), self._fixed)

    def _ready(self, fixes: Sequence[Fix]) -> list[Fix]:
        """Those that can be offered without asking for more."""
        ready = []
        for fix in fixes:
            with contextlib.suppress(SourceError):
                ready.append(self.walk.bound(fix))
        return ready

    def action_inputs(self) -> None:
        """What was given, and the key that forgets it."""
        from screens.inputs import InputsScreen

        walk, inputs = self.walk, self._app.inputs
        secrets = tuple(name for name, item in self.issue.inputs.items() if item.kind.secret and name in walk.values)

        def forget() -> None:
            inputs.clear()
            walk.forget()
            self._note_down("inputs_forgotten")
            self._draw()

        self.app.push_screen(InputsScreen(inputs.told(secrets), forget))

    def action_stop(self) -> None:
        if self.busy and self._worker is not None:
            self._worker.cancel()
            self._remark = "Stopped. Enter makes the check again; o takes an arm by your own judgement."

    def action_again(self) -> None:
        if self.busy:
            return
        self.walk.close()
        self._walk, self._selected, self._fix, self._overriding, self._remark = None, -1, 0, False, ""
        self._note_down("walk_begins")
        self._draw()

    def action_issues(self) -> None:
        self._app.open_picker()

    def action_select(self, by: int) -> None:
        if self.walk.path:
            self._selected = max(0, min(len(self.walk.path) - 1, self._selected + by))
            self._parts.to_top()
            self._draw()

    def action_page(self, by: int) -> None:
        self._parts.scroll_pages(by)

    def action_leave(self) -> None:
        if self._asking.is_open:
            self._asking.close()
        elif self._overriding:
            self._overriding = False
            self._draw()
        else:
            self.dismiss()

    def on_key(self, event: Key) -> None:
        """Digits choose: an answer, an arm, a fix."""
        if event.character is None or event.character not in "123456789" or self._asking.is_open or self.busy:
            return
        event.stop()
        number, walk = int(event.character) - 1, self.walk
        match choosing(walk, self._overriding):
            case Choosing.ANSWER if walk.question is not None and number < len(walk.question.answers):
                self._work(walk.answer(walk.question.answers[number][0]))
            case Choosing.ARM if number < len(walk.arms):
                self._overriding = False
                self._work(walk.override(number))
            case Choosing.FIX if walk.conclusion is not None and number < len(walk.conclusion.fixes):
                self._fix = number
                self._draw()
            case _:
                pass

    # -- what is typed ----------------------------------------------------------------------------------------------

    def _ask(self, wanted: Input, keep: Callable[[str], None]) -> None:
        told = self._app.told.get(wanted.name, "")
        self._open(keep, f"{wanted.title}: {wanted.kind.form}", value=told, secret=wanted.kind.secret)

    def _open(self, keep: Callable[[str], None], hint: str, *, value: str = "", secret: bool = False) -> None:
        self._keep = keep
        self._asking.ask(hint, value=value, secret=secret)
        self._draw()

    @on(Asking.Given)
    def _given(self, event: Asking.Given) -> None:
        event.stop()
        try:
            self._keep(event.text)
        except ValueError as error:
            self._asking.refuse(str(error))

    def _keep_note(self, text: str) -> None:
        self._asking.close()
        if text.strip():
            self._work(self.walk.note(text.strip()))

    def _keep_answer(self, text: str) -> None:
        self._asking.close()
        if text.strip():
            self._work(self.walk.answer(text.strip()))

    def _keep_input(self, text: str) -> None:
        """Raises ValueError for what has not the form wanted."""
        question = self.walk.question
        if question is not None and question.wanted is not None:
            question.wanted.read(text)
            self._asking.close()
            self._work(self.walk.answer(text))

    def _keep_input_of_fix(self, text: str) -> None:
        conclusion = self.walk.conclusion
        missing = self.walk.missing(conclusion.fixes[self._fix]) if conclusion is not None and conclusion.fixes else ()
        if missing:
            missing[0].read(text)
            self._asking.close()
            self._work(self._give_and_fix(missing[0].name, text))

    async def _give_and_fix(self, name: str, text: str) -> None:
        await self.walk.give(name, text)
        self.call_later(self.action_fix)

    # -- work -------------------------------------------------------------------------------------------------------

    async def _steps(self, most: int) -> None:
        for _ in range(most):
            if await self.walk.step() is None:
                return
            self._moved()

    def _work(self, doing: Coroutine[Any, Any, object]) -> None:
        """Do something with the walk beside the screen; it is told when it has ended."""

        async def run() -> None:
            await doing

        if self.busy:
            doing.close()
            return
        self._busy_since = self._app.clock()
        self._worker = self.run_worker(run(), name="walk", group="walk", exit_on_error=False)
        self._draw()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.worker is self._worker and event.state in (WorkerState.SUCCESS, WorkerState.ERROR, WorkerState.CANCELLED):
            if event.state is WorkerState.ERROR:
                self._remark = f"That failed in an unexpected way: {type(event.worker.error).__name__}. Enter tries again."
            elif event.state is WorkerState.SUCCESS:
                self._remark = self.walk.journal_failure
            self._moved()

    def _note_down(self, kind: str) -> None:
        """A journal that cannot be written does not stop a walk: the walk's own steps say so."""

        async def write() -> None:
            with contextlib.suppress(OSError):
                await self._app.record(kind, {"issue": self.issue.id})

        self.run_worker(write(), name=kind, group="journal", exit_on_error=False)

    def _continue(self, issue_id: str) -> None:
        found = next((issue for issue in self._app.issues or () if issue.id == issue_id), None)
        if found is None:
            self.notify(f"There is no issue {issue_id} among this system's guides.", markup=False)
            return
        self.app.switch_screen(WalkScreen(found, began_at=self._began))

    def _fixed(self, result: "FixResult | None") -> None:
        if result is None or result.applied is None:
            return
        words = {True: "was made and held", False: "was made and did not hold", None: "was made, and not watched"}
        self._remark = f"{result.fix.title}: {words[result.held]}. r walks again and shows how it is now."
        self._draw()

    # -- drawing ----------------------------------------------------------------------------------------------------

    @property
    def _app(self) -> "TriageApp":
        return cast("TriageApp", self.app)

    @property
    def _began(self) -> float:
        return self._app.clock() if self._began_at is None else self._began_at

    def on_resize(self, event: Resize) -> None:
        self._parts.lay_out(event.size)
        self.call_after_refresh(self._draw)

    def _moved(self) -> None:
        """The path changed: its last step is shown."""
        self._selected = len(self.walk.path) - 1
        self._fix = 0
        self._parts.to_top()
        self._draw()

    def _tick(self) -> None:
        self._parts.tick()

    def _draw(self) -> None:
        if self.is_mounted:
            self._parts.redraw()

    def _shown(self) -> Shown:
        now = self._app.clock()
        return Shown(
            walk=self.walk,
            selected=self._selected,
            spent_s=now - self._began,
            busy_s=now - self._busy_since if self.busy else None,
            overriding=self._overriding,
            fix=self._fix,
            remark=self._remark,
            told=self._app.told,
        )

    def _next_command(self) -> str:
        return self.walk.command_of(self.walk.current) if self.walk.current is not None else ""
