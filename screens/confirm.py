"""A change before, while and after it is made: what it would hit, the confirmation its risk asks for, progress, verification."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from console.config import Environment
from console.guides.fixes import Applied, JournalFailed, Record, apply_fix, preview_fix, verify_fix
from console.guides.issue import Fix
from console.guides.risk import Asks
from console.reading import Failure, FailureKind, SourceError
from widgets.commands import Scope, bindings
from widgets.fix_lines import FixProgress, Phase, foot_lines, offers_next, preview_lines
from widgets.scrolled import Scrolled

if TYPE_CHECKING:
    from screens.app import TriageApp

PREVIEW_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class FixResult:
    """What became of a fix. `held` is None when it was not verified."""

    fix: Fix
    applied: Applied | None
    held: bool | None


class ConfirmScreen(ModalScreen[FixResult]):
    """Previews `fix` and has it confirmed, made and verified. `others` are offered when it has nothing to do or did not hold.

    Dismissed with what became of the fix that was tried last.
    """

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.CONFIRM)]
    AUTO_FOCUS = ""

    def __init__(self, fix: Fix, others: Sequence[Fix] = ()) -> None:
        super().__init__()
        self._others = tuple(others)
        self._preview = Scrolled(lambda width, _height: preview_lines(self.progress, width), id="preview")
        self._foot = Scrolled(lambda width, height: foot_lines(self.progress, width)[-height:], id="foot")
        self._typed = Input(id="typed", compact=True)
        self._began = 0.0
        self._acting: asyncio.Task[Applied] | asyncio.Task[None] | None = None
        self.progress = self._fresh(fix)

    def _fresh(self, fix: Fix) -> FixProgress:
        return FixProgress(fix, Environment.PRODUCTION, next_fix=self._others[0] if self._others else None)

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield self._preview
            yield self._foot
            yield self._typed

    def on_mount(self) -> None:
        self.progress = replace(self.progress, environment=self._app.system.config.environment)
        self.set_interval(1.0, self._tick)
        self._look()

    def on_screen_resume(self) -> None:
        self._tick()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    # -- phases -----------------------------------------------------------------------------------------------------

    @work(exclusive=True, group="fix", exit_on_error=False)
    async def _look(self) -> None:
        """Find out what the fix would hit."""
        fix = self.progress.fix
        self._show(phase=Phase.LOOKING, preview=None, failure=None, applied=None, verification=None, stopped="")
        try:
            preview = await asyncio.wait_for(preview_fix(self._app.system, fix), PREVIEW_LIMIT_S)
        except SourceError as error:
            self._show(phase=Phase.BLIND, failure=error.failure)
        except TimeoutError:
            text = f"Looking took longer than {PREVIEW_LIMIT_S:.0f} s."
            self._show(phase=Phase.BLIND, failure=Failure(FailureKind.TIMEOUT, text, "A source hangs; see the panes."))
        except Exception as error:
            self._show(phase=Phase.BLIND, failure=_unexpected(error))
        else:
            self._show(phase=Phase.ASKING, preview=preview)

    @work(group="fix", exclusive=True, exit_on_error=False)
    async def _do(self) -> None:
        """Make the confirmed change, then watch whether it holds."""
        fix, preview, system = self.progress.fix, self.progress.preview, self._app.system
        if preview is None:
            return
        record = self._app.record
        self._show(phase=Phase.DOING, refused_input=False)
        self._acting = doing = asyncio.ensure_future(apply_fix(system, fix, preview, record))
        try:
            applied = await doing
        except JournalFailed as error:
            self._show(phase=Phase.ENDED, failure=Failure(FailureKind.FORBIDDEN, str(error)))
            return
        except asyncio.CancelledError:
            self._show(phase=Phase.ENDED, stopped="some of the targets may have been hit; r looks which are left.")
            with contextlib.suppress(OSError):
                await record("fix_stopped", {"fix": fix.id})
            return
        except Exception as error:
            self._show(phase=Phase.ENDED, failure=_unexpected(error))
            return
        if fix.verify is None or (not applied.done and applied.failed is not None):
            self._show(phase=Phase.ENDED, applied=applied)
            return
        self._show(phase=Phase.VERIFYING, applied=applied)
        self._acting = watching = asyncio.ensure_future(self._verify(fix, record))
        try:
            await watching
        except asyncio.CancelledError:
            return
        except Exception as error:
            self._show(phase=Phase.ENDED, verification=None, failure=_unexpected(error))

    async def _verify(self, fix: Fix, record: Record) -> None:
        async for now in verify_fix(self._app.system, fix):
            self._show(verification=now)
        held = self.progress.held
        self._show(phase=Phase.ENDED)
        with contextlib.suppress(OSError):
            text = self.progress.verification.text if self.progress.verification else ""
            await record("fix_verified", {"fix": fix.id, "held": held, "text": text})

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_confirm(self) -> None:
        if self.progress.asks in (Asks.KEY, Asks.LETTER):
            self._confirmed("y")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.progress.asks is Asks.TYPE and event.value:
            self._confirmed(event.value)

    def action_leave(self) -> None:
        """No. While something is being done there is no leaving: stopping is a key of its own."""
        if self.progress.phase not in (Phase.DOING, Phase.VERIFYING):
            self.dismiss(FixResult(self.progress.fix, self.progress.applied, self.progress.held))

    def action_stop(self) -> None:
        if not self.progress.stoppable or self._acting is None:
            return
        if self.progress.phase is Phase.VERIFYING:
            self._show(phase=Phase.ENDED, verification=None, stopped="it was not watched whether the fix holds.")
        self._acting.cancel()

    def action_again(self) -> None:
        if self.progress.phase not in (Phase.DOING, Phase.VERIFYING):
            self._look()

    def action_next(self) -> None:
        if self.progress.next_fix is None or not offers_next(self.progress):
            return
        fix, self._others = self._others[0], self._others[1:]
        environment = self.progress.environment
        self.progress = replace(self._fresh(fix), environment=environment)
        self._look()

    def action_arm(self) -> None:
        if not self._armed:
            self._app.action_arm()

    def action_copy(self) -> None:
        preview = self.progress.preview
        if preview is not None and preview.command:
            self.app.copy_to_clipboard(preview.command)
            self.notify("Copied the command.", timeout=2)

    def action_scroll(self, by: int) -> None:
        self._preview.scroll_lines(by)

    def action_page(self, by: int) -> None:
        self._preview.scroll_pages(by)

    def _confirmed(self, given: str) -> None:
        preview = self.progress.preview
        if preview is None or not self._armed:
            self._tick()
            return
        if not preview.confirmation.accepts(given):
            self._show(refused_input=True)
            return
        self._do()

    # -- drawing ----------------------------------------------------------------------------------------------------

    @property
    def _app(self) -> "TriageApp":
        return cast("TriageApp", self.app)

    @property
    def _armed(self) -> bool:
        return self._app.armed.is_armed(self._app.clock())

    def _tick(self) -> None:
        """Once a second: writing may have disarmed itself, and time passes while something is done."""
        elapsed_s = self._app.clock() - self._began
        if self.progress.armed != self._armed or self.progress.phase is Phase.DOING:
            self._show(elapsed_s=elapsed_s)

    def _show(self, **changes: object) -> None:
        if "phase" in changes and changes["phase"] is not self.progress.phase:
            self._began = self._app.clock()
            changes.setdefault("elapsed_s", 0.0)
            if changes["phase"] is not Phase.ENDED:
                self._preview.to_top()
        self.progress = replace(self.progress, armed=self._armed, **changes)  # type: ignore[arg-type]
        self._draw()

    def _draw(self) -> None:
        box, foot, sheet = self.query_one("#box"), self._foot, self._preview
        box.border_title = Content(self.progress.fix.title).markup
        # A field that is open stays open when writing disarms itself: what is typed on must not become commands.
        typing = self.progress.asks is Asks.TYPE or (self.progress.typing and self.progress.phase is Phase.ASKING)
        if self.progress.typing != typing:
            self.progress = replace(self.progress, typing=typing)
            self._typed.set_class(typing, "-open")
            self._typed.value = ""
            self.set_focus(self._typed if typing else None)
        width = max(20, box.content_size.width)
        rows = len(foot_lines(self.progress, width))
        foot.styles.height = rows
        room = self.size.height * 9 // 10 - rows - (4 if typing else 3)
        sheet.styles.height = max(1, min(len(preview_lines(self.progress, width)), room))
        foot.redraw()
        sheet.redraw()


def _unexpected(error: Exception) -> Failure:
    """A defect of ours must be told on this screen, and not leave it waiting for ever."""
    message = f"It failed in an unexpected way: {type(error).__name__}."
    return Failure(FailureKind.GARBAGE, message, "The panes show how things stand.")
