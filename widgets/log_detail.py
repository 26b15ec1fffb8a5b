"""One log line whole, with what is known about it."""

import json
import time

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from console.logs.store import Entry, LogStore
from widgets.log_rows import GLYPHS, clock_time


class LogDetail(VerticalScroll, can_focus=False):
    """Shows an entry: time, container, stream, level, how often its like was seen, and the text, JSON laid out."""

    DEFAULT_CSS = """
    LogDetail {
        height: auto;
        max-height: 50%;
        border-top: solid $primary;
        scrollbar-size: 0 0;
        & Static { height: auto; }
        & #about { color: $text-muted; }
    }
    """

    def __init__(self, store: LogStore) -> None:
        super().__init__()
        self._store = store
        self._about = Static(id="about", markup=False)
        self._text = Static(id="text", markup=False)

    def compose(self) -> ComposeResult:
        yield self._about
        yield self._text

    def show_entry(self, entry: Entry) -> None:
        line = entry.line
        day = time.strftime("%Y-%m-%d", time.localtime(line.at))
        glyph = GLYPHS[entry.level][0].strip()
        parts = [f"{day} {clock_time(line.at, True)}", line.container, line.stream.value]
        parts.append(f"{glyph} {entry.level.name.lower()}".strip() if entry.level else "level not stated")
        seen = self._store.repeated(line.text)
        if seen is not None and seen.count > 1:
            parts.append(f"its like {seen.count:,} times from {clock_time(seen.first_at)} to {clock_time(seen.last_at)}")
        self._about.update(Content(" · ".join(parts)))
        self._text.update(Content(laid_out(line.text)))


def laid_out(text: str) -> str:
    """A JSON object or list on several lines; any other text as it is."""
    if not text.startswith(("{", "[")):
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
