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
        & > .sheet--good { color: $success; }
        & > .sheet--warn { color: $warning; text-style: bold; }
        & > .sheet--bad { color: $error; text-style: bold; }
        & > .sheet--accent { color: $accent; }
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
            names = [f"sheet--{part}" for part in ("selected" if selected else "", name) if part]
            if self.app.native_ansi_color:
                own = [self.get_component_rich_style(part, partial=True) for part in names]
                self._styles[key] = Style.combine([self.rich_style, *own])
            else:
                self._styles[key] = self._blended(names)
        return self._styles[key]

    def _blended(self, names: Sequence[str]) -> Style:
        """The styles on each other, with their transparency: a Rich style has none and would show muted text in full."""
        background, colour = self.background_colors[1], self.colors[3]
        flags = self.rich_style
        for name in names:
            styles = self.get_component_styles(name)
            if styles.has_rule("background"):
                background = background + styles.background
            if styles.auto_color:
                colour = background.get_contrast_text(styles.color.a)
            elif styles.has_rule("color"):
                colour = styles.color
            flags += styles.text_style
        return flags + Style(color=(background + colour).rich_color, bgcolor=background.rich_color)
