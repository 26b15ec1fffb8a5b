"""What screens that are one sheet to read have in common: it is scrolled by keys, and left by one."""

from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from widgets.scrolled import Scrolled

if TYPE_CHECKING:
    from screens.app import TriageApp


class SheetScreen(Screen[None]):
    """Its first `Scrolled` is the sheet."""

    AUTO_FOCUS = ""

    def action_scroll(self, by: int) -> None:
        self._sheet.scroll_lines(by)

    def action_page(self, by: int) -> None:
        self._sheet.scroll_pages(by)

    def action_leave(self) -> None:
        self.dismiss()

    @property
    def _sheet(self) -> Scrolled:
        return self.query(Scrolled).first()

    @property
    def _app(self) -> "TriageApp":
        return cast("TriageApp", self.app)
