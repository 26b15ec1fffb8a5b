"""The bottom line: the keys that work now."""

from collections.abc import Sequence

from textual.events import Click

from widgets.commands import COMMANDS, key_words
from widgets.line import Line, Span
from widgets.sheet import Sheet

_FIRST_KEYS = {command.id: command.keys.split(",")[0] for command in COMMANDS}


class KeyLine(Sheet):
    """Shows the bindings of the focused pane first, then the screen's, as far as they fit. A click presses the key."""

    DEFAULT_CSS = """
    KeyLine { height: 1; background: $panel; }
    """

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self.redraw())

    def draw(self, width: int, height: int) -> Sequence[Line]:
        del height
        spans: list[Span] = []
        used = 0
        for key, words in self._shown():
            shown = key_words(key)
            cells = len(shown) + len(words) + 3
            if used + cells > width:
                break
            spans += [Span(f" {shown}", "accent"), Span(f" {words} ")]
            used += cells
        return [Line(tuple(spans))]

    def on_click(self, event: Click) -> None:
        offset = event.get_content_offset(self)
        x = 0
        for key, words in self._shown():
            x += len(key_words(key)) + len(words) + 3
            if offset is not None and offset.x < x:
                self.app.simulate_key(key)
                return

    def _shown(self) -> list[tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled and binding.action not in found:
                found[binding.action] = (_FIRST_KEYS.get(binding.id or "", binding.key), binding.description)
        return list(found.values())
