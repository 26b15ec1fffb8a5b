"""The review of a round that has ended: read from its folder, scrolled, and its post-incident report kept as a file."""

import asyncio
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from console.practice.drill.looking_back import review_of
from console.practice.drill.report import incident_report
from console.practice.drill.review import Review
from console.practice.drill.rounds import Round
from console.state import write_private
from screens.sheet import SheetScreen
from widgets.banner import Banner
from widgets.commands import Scope, bindings
from widgets.key_line import KeyLine
from widgets.line import Line, Span, line
from widgets.review_lines import review_lines
from widgets.scrolled import Scrolled

REPORT = "report.md"
TALL = 40
"""Lines of the screen from which on charts are drawn higher."""


class ReviewScreen(SheetScreen):
    """Changes nothing. `review` is None until the folder is read."""

    CSS_PATH = "review.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.REVIEW)

    def __init__(self, round_: Round) -> None:
        super().__init__()
        self._round = round_
        self.review: Review | None = None
        self._trouble = ""
        self._drawn: tuple[tuple[int, bool], list[Line]] = ((0, False), [])

    def compose(self) -> ComposeResult:
        yield Banner()
        yield Scrolled(self._lines, id="review", tells_more=True)
        yield KeyLine()

    def on_mount(self) -> None:
        self._sheet.border_title = "Review"
        self._app.tell()
        self._read()

    @work(group="review", exit_on_error=False)
    async def _read(self) -> None:
        issues = await self._app.load_issues()
        try:
            self.review = await asyncio.to_thread(review_of, self._round, issues)
        except OSError as error:
            self._trouble = f"The round {self._round.id} cannot be read: {error.strerror or error}."
        else:
            self._sheet.border_title = Content(self.review.title or "Review").markup
        self._sheet.redraw()

    def _lines(self, width: int, _height: int) -> list[Line]:
        if self.review is None:
            return [line(Span(self._trouble or "reading …", "bad" if self._trouble else "muted"))]
        shape = width, self.app.size.height >= TALL
        if self._drawn[0] != shape:
            config = self._app.system.config
            limits = config.thresholds.p95_ms if config.name == self.review.system else None
            self._drawn = shape, review_lines(self.review, width, chart_height=8 if shape[1] else 5, p95=limits)
        return self._drawn[1]

    def action_save(self) -> None:
        """Keep the post-incident report in the round's folder."""
        if self.review is None:
            return
        try:
            path = save_report(self._round, self.review)
        except OSError as error:
            self.notify(f"It could not be saved: {error.strerror}.", severity="error", markup=False)
        else:
            self.notify(f"Saved as {path}.", markup=False)

    def action_copy(self) -> None:
        if self.review is not None:
            self.app.copy_to_clipboard(incident_report(self.review))
            self.notify("The post-incident report is copied as Markdown.", timeout=3)

    def action_replay(self) -> None:
        self.notify(f"triage drill replay {self._round.id}", title="The round plays again with", timeout=12, markup=False)


def save_report(round_: Round, review: Review) -> Path:
    """Write the post-incident report beside the round's logs, readable by its owner alone; where. Raises OSError."""
    path = round_.folder / REPORT
    write_private(path, incident_report(review))
    return path
