"""A widget that draws lines and repaints only what changed in them.

Textual's own table and log repaint whole for one cell (316 KiB/s on the line for 20 cells a second; this way it is 2).
"""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from widgets.line import STYLES, Line, Span, changed, trimmed


class Sheet(Widget):
    """Shows a list of `Line`s. Subclasses make them in `draw`; `redraw` compares and repaints the differences."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*(f"sheet--{name}" for name in STYLES), "sheet--selected"}
    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Sheet {
        & > .sheet--muted { color: $text-muted; }
        & > .sheet--strong { text-style: bold; }
        & > .sheet--good { color: $text-success; }
        & > .sheet--warn { color: $text-warning; text-style: bold; }
        & > .sheet--bad { color: $text-error; text-style: bold; }
        & > .sheet--accent { color: $text-accent; }
        & > .sheet--head { color: $text-muted; text-style: bold; }
        & > .sheet--rule { color: $foreground 30%; }
        & > .sheet--selected { background: $primary 35%; }
        &:nocolor > .sheet--selected { text-style: reverse; }
        &:ansi > .sheet--muted { color: ansi_bright_black; }
        &:ansi > .sheet--rule { color: ansi_bright_black; }
        &:ansi > .sheet--selected { text-style: reverse; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []
        self._styles: dict[str, Style] = {}

    def draw(self, width: int, height: int) -> Sequence[Line]:
        """The lines to show now. Pure: asks nothing, changes nothing."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw again and repaint what differs from what is on the screen."""
        width, height = self.content_size
        if not width or not height:
            return
        fresh = [trimmed(item, width) for item in self.draw(width, height)[:height]]
        fresh += [Line()] * (height - len(fresh))
        before, self._lines = self._lines, fresh
        if len(before) != len(fresh):
            self.refresh()
            return
        regions = [
            Region(x, y, cells, 1)
            for y, (old, new) in enumerate(zip(before, fresh, strict=True))
            for x, cells in changed(old, new, width)
        ]
        if regions:
            self.refresh(*regions)

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is on the screen now."""
        return tuple(self._lines)

    def on_resize(self) -> None:
        self._lines = []
        self.redraw()

    def notify_style_update(self) -> None:
        self._styles.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        base = self._style("", False)
        if y >= len(self._lines):
            return Strip.blank(width, base)
        item = self._lines[y]
        segments = [Segment(span.text, self._style(self.toned(span), item.selected)) for span in item.spans]
        strip = Strip(segments).simplify()
        return strip.adjust_cell_length(width, self._style("", item.selected))

    def toned(self, span: Span) -> str:
        """The style a span is drawn in; a pane with old data draws everything muted."""
        return span.style

    def _style(self, name: str, selected: bool) -> Style:
        key = f"{name}/{selected}"
        if key not in self._styles:
            style = self.rich_style
            if selected:
                style += self.get_component_rich_style("sheet--selected", partial=True)
            if name:
                style += self.get_component_rich_style(f"sheet--{name}", partial=True)
            self._styles[key] = style
        return self._styles[key]
