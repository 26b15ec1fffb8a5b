"""The morning check on the screen: asked when it opens and again on `r`; copied and saved as Markdown."""

import time
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from console.daily.ask import daily
from console.daily.report import Report
from console.daily.text import as_markdown
from console.state import state_dir, write_private
from screens.sheet import SheetScreen
from widgets.banner import Banner
from widgets.commands import Scope, bindings
from widgets.daily_lines import daily_lines
from widgets.key_line import KeyLine
from widgets.line import Line, Span, line
from widgets.scrolled import Scrolled


class DailyScreen(SheetScreen):
    """Changes nothing. `report` is None until everything has answered or failed."""

    CSS_PATH = "daily.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.DAILY)

    def __init__(self) -> None:
        super().__init__()
        self.report: Report | None = None

    def compose(self) -> ComposeResult:
        yield Banner()
        yield Scrolled(self._lines, id="daily", tells_more=True)
        yield KeyLine()

    def on_mount(self) -> None:
        self._sheet.border_title = "Morning check"
        self._app.tell()
        self._ask()

    @work(exclusive=True, group="daily", exit_on_error=False)
    async def _ask(self) -> None:
        self.report = None
        self._sheet.redraw()
        issues = await self._app.load_issues()
        self.report = await daily(self._app.system, [issue.id for issue in issues])
        self._sheet.redraw()

    def _lines(self, width: int, _height: int) -> list[Line]:
        return [line(Span("asking …", "muted"))] if self.report is None else daily_lines(self.report, width)

    def action_again(self) -> None:
        if self.report is not None:
            self._ask()

    def action_copy(self) -> None:
        if self.report is not None:
            self.app.copy_to_clipboard(as_markdown(self.report))
            self.notify("Copied as Markdown.", timeout=2)

    def action_save(self) -> None:
        """Keep it under the state folder, a file a check."""
        if self.report is None:
            return
        try:
            path = save(self.report)
        except OSError as error:
            self.notify(f"It could not be saved: {error.strerror}.", severity="error")
        else:
            self.notify(f"Saved as {path}.")

    def action_issues(self) -> None:
        self._app.open_picker()


def save(report: Report, folder: Path | None = None) -> Path:
    """Write the check as Markdown, readable by its owner alone; where. Raises OSError."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(report.taken_at))
    path = (folder or state_dir() / "daily") / f"{stamp}-{report.system}.md"
    write_private(path, as_markdown(report))
    return path
