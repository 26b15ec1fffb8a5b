"""Sends only the cells that changed.

Textual 8 cuts a partial update at its right end and not at its left: it writes from the widget's left edge, borders and
all, up to the changed cell. For figures that tick at the right of a table this is most of what is sent. An SSH line pays
for it, so both ends are cut here.
"""

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.widget import Widget


class FrugalUpdate(ChopsUpdate):
    """A partial update that is cut at both ends."""

    def render_segments(self, console: Console) -> str:
        sequences: list[str] = []
        for y, left, right in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= right or end <= left:
                    continue
                start = max(x, left)
                sequences.append(Control.move_to(start, y).segment.text)
                sequences.append(strip.crop(start - x, min(end, right) - x).render(console))
        return "".join(sequences)


class FrugalCompositor(Compositor):
    """A compositor whose partial updates are frugal: they render the widgets that changed, and not all of the screen's."""

    def __init__(self) -> None:
        super().__init__()
        self._changing: tuple[Region, ...] = ()

    @property
    def visible_widgets(self) -> dict[Widget, tuple[Region, Region]]:
        found = super().visible_widgets
        if not self._changing:
            return found
        return {
            widget: (region, clip)
            for widget, (region, clip) in found.items()
            if any(region.overlaps(changing) for changing in self._changing)
        }

    def render_partial_update(self) -> ChopsUpdate | None:
        assert self.cuts is not None  # worked out before some widgets are left out
        self._changing = tuple(self._dirty_regions)
        try:
            update = super().render_partial_update()
        finally:
            self._changing = ()
        return None if update is None else FrugalUpdate(update.chops, update.spans, update.chop_ends)
