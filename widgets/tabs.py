"""The tab line: which pane is shown when there is room for one, and where something is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.events import Click
from textual.message import Message
from textual.reactive import reactive

from console.severity import Severity
from widgets.line import Line, Span, severity_style
from widgets.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Tab:
    number: int
    title: str
    pane: str
    severity: Severity
    current: bool


class TabLine(Sheet):
    """Drawn from `tabs`; a click tells which pane is wanted."""

    DEFAULT_CSS = """
    TabLine { height: 1; background: $surface; }
    """

    tabs: reactive[tuple[Tab, ...]] = reactive((), init=False, repaint=False)

    class Wanted(Message):
        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    def watch_tabs(self) -> None:
        self.redraw()

    def draw(self, width: int, height: int) -> Sequence[Line]:
        del height
        spans: list[Span] = []
        for tab, label in self._labels(width):
            if tab.current:
                spans.append(Span(f"▐{label}▌", "strong"))
            else:
                spans.append(Span(f" {label} ", severity_style(tab.severity) if tab.severity >= Severity.ALERT else "muted"))
        return [Line(tuple(spans))]

    def on_click(self, event: Click) -> None:
        offset = event.get_content_offset(self)
        x = 0
        for tab, label in self._labels(self.content_size.width):
            x += len(label) + 2
            if offset is not None and offset.x < x:
                self.post_message(self.Wanted(tab.pane))
                return

    def _labels(self, width: int) -> list[tuple[Tab, str]]:
        for length in (20, 8, 4):
            labels = []
            for tab in self.tabs:
                glyph = tab.severity.glyph if tab.severity >= Severity.ALERT else ""
                labels.append((tab, f"{tab.number} {tab.title[:length]}{glyph}"))
            if sum(len(label) + 2 for _, label in labels) <= width:
                return labels
        return [(tab, f"{tab.number}{tab.severity.glyph if tab.severity >= Severity.ALERT else ''}") for tab in self.tabs]
