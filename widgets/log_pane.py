"""The log pane: the lines, one row that says what is shown, and what opens below it: a prompt, a choice, a whole line."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from console.logs.follower import LogBatch
from console.logs.save import save
from console.logs.store import InvalidPattern, LogStore, Selection, compile_pattern
from console.reading import Failure
from console.sources.protocols.engine import LogLine
from widgets.commands import Scope, bindings
from widgets.figures import age, count
from widgets.line import Line, Span, line
from widgets.log_choice import LogChoice
from widgets.log_detail import LogDetail
from widgets.log_view import LogView
from widgets.sheet import Sheet


class LogStatus(Sheet):
    """One row: following or paused, which containers, the filter, what was dropped, what failed."""

    DEFAULT_CSS = "LogStatus { height: 1; }"

    def __init__(self, parts: Callable[[], list[Span]]) -> None:
        super().__init__()
        self._parts = parts

    def draw(self, width: int, height: int) -> Sequence[Line]:
        del width, height
        spans: list[Span] = []
        for part in self._parts():
            spans += [*([Span(" · ", "muted")] if spans else []), part]
        return [line(*spans)]


class LogPane(Vertical):
    """The logs of one system.

    A screen feeds it with `take(batch)` from a `console.logs.follower.Follower`; which containers are shown is chosen here
    and costs nothing, for all of them are followed.
    """

    DEFAULT_CSS = """
    LogPane {
        border: round $panel-lighten-2;
        border-title-color: $foreground;
        border-title-style: bold;
        &:focus-within { border: heavy $primary; border-title-color: $text-primary; }
        &.-stale { border-title-color: $text-warning; }
        &:ansi { border: round ansi_bright_black; }
        &:ansi:focus-within { border: heavy ansi_bright_blue; }
        & LogChoice { border: none; border-top: solid $primary; padding: 0; }
        & LogDetail, & LogChoice, & Input { display: none; }
        &.-detail LogDetail, &.-choice LogChoice, &.-prompt Input { display: block; }
        & Input { height: 1; border: none; padding: 0; background: $surface; }
        & Input:focus { border: none; }
        &.-stale LogView { opacity: 60%; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.LOGS)]

    class Saved(Message):
        """The shown lines were written to a file."""

        def __init__(self, path: Path, lines: int) -> None:
            self.path, self.lines = path, lines
            super().__init__()

    def __init__(
        self, *, id: str | None = None, clock: Callable[[], float] = time.time, store: LogStore | None = None, number: int = 4
    ) -> None:
        super().__init__(id=id)
        self.store = LogStore() if store is None else store
        self.clock = clock
        self.view = LogView(self.store)
        self.border_title = f"{number} Logs"
        self._status = LogStatus(self._parts)
        self._detail = LogDetail(self.store)
        self._choice = LogChoice()
        self._prompt = Input(compact=True)
        self._asks = ""
        self._problem = ""
        self._filter = ""
        self._failures: dict[str, Failure] = {}
        self._followed: frozenset[str] = frozenset()
        self._failed_at: float | None = None

    def compose(self) -> ComposeResult:
        yield self.view
        yield self._detail
        yield self._choice
        yield self._prompt
        yield self._status

    def focus(self, scroll_visible: bool = True) -> "LogPane":
        """The focus goes to the lines."""
        self.view.focus(scroll_visible)
        return self

    def take(self, batch: LogBatch) -> None:
        """Show what a follower read, and what it could not read."""
        shown = self.store.add(batch.lines)
        self._followed, self._failures = batch.followed, dict(batch.failures)
        all_failed = bool(self._failures) and self._failures.keys() >= self._followed
        if not all_failed:
            self._failed_at = None
        elif self._failed_at is None:
            self._failed_at = batch.taken_at
        self.set_class(all_failed, "-stale")
        if batch.lines:
            self.view.added(shown)
        self._status.redraw()

    def fail(self, failure: Failure) -> None:
        """There is nothing to follow, for this reason (no engine is configured, none answers)."""
        self._failures, self._followed = {"": failure}, frozenset()
        self._failed_at = self._failed_at if self._failed_at is not None else self.clock()
        self.add_class("-stale")
        self._status.redraw()

    def mark(self, chord_of: Callable[[str], str]) -> None:
        """From now on lines carry the chord of the issue that they are an error text of."""
        self.view.chord_of = chord_of
        self.view.selected_anew()

    def choose(self, names: frozenset[str] | None) -> None:
        """Show only these containers' lines; None shows all."""
        self.store.select(replace(self.store.selection, names=names))
        self.view.selected_anew()
        self._status.redraw()

    def find(self, pattern: str, *, names: frozenset[str] | None = None) -> None:
        """Mark what this pattern finds in these containers' logs and go to the newest match."""
        self._apply(pattern, hides=False)
        self.choose(names)
        self.view.action_match(-1)

    def show_line(self, wanted: LogLine) -> bool:
        """Stand still at this line, shown whatever is chosen now. False when it is not among the lines that are kept: then
        at the last one that was written before it."""
        if not self.store.selection.admits(wanted):
            self._apply(self._filter, hides=False)
            self.choose(None)
        self.remove_class("-prompt", "-choice")
        entry = self.store.nearest(wanted)
        if entry is None:
            return False
        self.view.go_to(entry)
        return entry.line == wanted

    @property
    def failure(self) -> Failure | None:
        """What stands in the way of following, if all containers share that fate."""
        return next(iter(self._failures.values())) if self.has_class("-stale") and self._failures else None

    def action_filter(self) -> None:
        self._ask("filter", "regex; small letters find both cases", self._filter)

    def action_hides(self) -> None:
        """Switch between leaving out what does not match, and marking what does."""
        if self.store.selection.pattern is not None:
            self._apply(self._filter, hides=not self.store.selection.hides)

    def action_choose(self) -> None:
        self._choice.offer(self.store.names, sorted(self._followed - set(self.store.names)), self.store.selection.names)
        self.add_class("-choice")
        self._choice.focus()

    def action_save(self) -> None:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(self.clock()))
        self._ask("save", "file to write the shown lines to", f"triage-logs-{stamp}.txt")

    def action_copy(self) -> None:
        entry = self.view.cursor if not self.view.following else (self.store.shown[-1] if self.store.shown else None)
        if entry is not None:
            self.app.copy_to_clipboard(entry.line.text)
            self.notify("Copied the line.", timeout=2)

    def action_close(self) -> None:
        """Close what is open: prompt, choice, whole line; then take the filter away."""
        opened = [name for name in ("-prompt", "-choice", "-detail") if self.has_class(name)]
        self.remove_class("-prompt", "-choice", "-detail")
        self._problem = ""
        if not opened and self._filter:
            self._apply("", hides=True)
        self.view.focus()
        self._status.redraw()

    @on(Input.Changed)
    def _typing(self, event: Input.Changed) -> None:
        event.stop()
        if self._asks == "filter" and self.has_class("-prompt"):
            self._apply(event.value, hides=self.store.selection.hides)

    @on(Input.Submitted)
    async def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        if self._asks == "filter":
            if not self._problem:
                self.action_close()
            return
        await self._save(event.value.strip())

    @on(LogChoice.Chosen)
    def _chosen(self, event: LogChoice.Chosen) -> None:
        event.stop()
        self.remove_class("-choice")
        self.choose(event.names)
        self.view.focus()

    @on(LogView.Moved)
    def _moved(self) -> None:
        if self.has_class("-detail") and self.view.cursor is not None:
            self._detail.show_entry(self.view.cursor)
        self._status.redraw()

    @on(LogView.Opened)
    def _opened(self, event: LogView.Opened) -> None:
        event.stop()
        if self.has_class("-detail"):
            self.remove_class("-detail")
            return
        if self.view.following:
            self.view.action_pause()
        self._detail.show_entry(event.entry)
        self.add_class("-detail")

    def _ask(self, what: str, hint: str, value: str) -> None:
        self._asks, self._problem = what, ""
        with self._prompt.prevent(Input.Changed):
            self._prompt.value = value
        self._prompt.placeholder = hint
        self._prompt.cursor_position = len(value)
        self.add_class("-prompt")
        self._prompt.focus()
        self._status.redraw()

    def _apply(self, text: str, *, hides: bool) -> None:
        """Use a pattern; one that cannot be used leaves the old one in force."""
        try:
            pattern = compile_pattern(text)
        except InvalidPattern as problem:
            self._problem = f"not a pattern: {problem}"
            self._status.redraw()
            return
        self._problem, self._filter = "", text
        self.store.select(Selection(self.store.selection.names, pattern, hides))
        self.view.selected_anew()
        self._status.redraw()

    async def _save(self, name: str) -> None:
        path = Path(name or ".")
        try:
            written, lines = await asyncio.to_thread(save, path, tuple(entry.line for entry in self.store.shown))
        except FileExistsError:
            self._problem = f"{path} is there already; nothing was overwritten: type another name"
        except (OSError, ValueError) as error:
            self._problem = f"{path} cannot be written: {getattr(error, 'strerror', None) or error}"
        else:
            self.action_close()
            self.post_message(self.Saved(written, lines))
            self.notify(f"Wrote {lines:,} lines to {written}", markup=False)
            return
        self._status.redraw()

    def _parts(self) -> list[Span]:
        if self._problem:
            return [Span(self._problem, "bad")]
        if self.has_class("-prompt"):
            keeps = "enter keeps it, esc closes" if self._asks == "filter" else "enter writes, esc leaves"
            return [Span(f"{self._asks}: {keeps}", "accent"), *self._filter_parts()]
        found = [self._position()]
        names = self.store.selection.names
        if names is not None:
            found.append(Span(", ".join(sorted(names)) if len(names) <= 2 else f"{len(names)} containers", "accent"))
        found += self._filter_parts()
        if self.store.dropped:
            found.append(Span(f"+{count(self.store.dropped)} lines dropped", "warn"))
        found += self._failure_parts()
        return found

    def _position(self) -> Span:
        if not self.view.following:
            return Span(f"❚❚ paused +{count(self.view.new_lines)} new", "warn")
        if not len(self.store) and not self._failures:
            return Span("no line yet", "muted")
        return Span("▶ following", "muted")

    def _filter_parts(self) -> list[Span]:
        if self.store.selection.pattern is None:
            return []
        if self.store.selection.hides:
            return [Span(f"/{self._filter}/ {count(len(self.store.shown))} of {count(len(self.store))}", "accent")]
        return [Span(f"/{self._filter}/ marked", "accent")]

    def _failure_parts(self) -> list[Span]:
        if not self._failures:
            return []
        first = next(iter(self._failures.values()))
        if self._failed_at is not None:
            return [Span(f"old by {age(self.clock() - self._failed_at).removesuffix(' ago')}: {first}", "bad")]
        return [Span(f"{len(self._failures)} of {len(self._followed)} not read: {first.message}", "warn")]
