"""The bottom line: the keys that work now."""

from collections.abc import Sequence

from textual.binding import Binding
from textual.events import Click

from widgets.commands import COMMANDS, key_words
from widgets.line import Line, Span
from widgets.sheet import Sheet

_FIRST_KEYS = {command.id: command.keys.split(",")[0] for command in COMMANDS}

_ALWAYS = ("dashboard.issues", "replay.pause", "replay.faster", "replay.next", "app.drill", "app.help", "app.quit")


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
        for key, words in self._fitting(width):
            spans += [Span(f" {key_words(key)}", "accent"), Span(f" {words} ")]
        return [Line(tuple(spans))]

    def on_click(self, event: Click) -> None:
        offset = event.get_content_offset(self)
        x = 0
        for key, words in self._fitting(self.content_size.width):
            x += _cells(key, words)
            if offset is not None and offset.x < x:
                self.app.simulate_key(key)
                return

    def _fitting(self, width: int) -> list[tuple[str, str]]:
        """Key and words of what is shown: the ways on, out and to the help always, of the others as many as there is room for."""
        found: dict[str, Binding] = {}
        for active in self.screen.active_bindings.values():
            if active.binding.show and active.enabled:
                found.setdefault(active.binding.action, active.binding)
        named = [(item.id or "", _FIRST_KEYS.get(item.id or "", item.key), item.description) for item in found.values()]
        room = width - sum(_cells(key, words) for id_, key, words in named if id_ in _ALWAYS)
        shown = []
        for id_, key, words in named:
            if id_ not in _ALWAYS:
                room -= _cells(key, words)
                if room < 0:
                    continue
            shown.append((key, words))
        return shown


def _cells(key: str, words: str) -> int:
    return len(key_words(key)) + len(words) + 3
