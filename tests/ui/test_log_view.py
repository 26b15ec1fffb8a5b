import re
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from console.logs.follower import LogBatch
from console.logs.store import LogStore
from console.reading import Failure, FailureKind
from console.sources.protocols.engine import LogLine, Stream
from console.text import clean
from tests.ui.emitted import record_what_is_sent, sent_by
from widgets.log_pane import LogPane

NOW = 1_795_341_600.0
NAMES = frozenset({"sms-backend", "sms-redis"})


class LogApp(App[None]):
    def __init__(self, store: LogStore | None = None) -> None:
        super().__init__()
        self.pane = LogPane(clock=lambda: NOW + 60, store=store)
        self.copied = ""

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.focus()

    def copy_to_clipboard(self, text: str) -> None:
        self.copied = text


def _lines(texts: Sequence[str], container: str = "sms-backend", start: float = NOW) -> list[LogLine]:
    return [LogLine(container, Stream.STDOUT, start + number, clean(text)) for number, text in enumerate(texts)]


def _batch(lines: Sequence[LogLine], **failures: Failure) -> LogBatch:
    named = {name.replace("_", "-"): failure for name, failure in failures.items()}
    return LogBatch(lines, MappingProxyType(named), NAMES, NOW)


def _shown(app: LogApp) -> list[str]:
    return [item.text.rstrip() for item in app.pane.view.lines if item.text.strip()]


def _status(app: LogApp) -> str:
    return app.pane.query_one("LogStatus").lines[0].text  # type: ignore[attr-defined, no-any-return]


async def _press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def test_lines_of_two_containers_carry_their_names_and_levels() -> None:
    app = LogApp()
    async with app.run_test(size=(100, 20)) as pilot:
        app.pane.take(_batch([*_lines(["INFO: up"]), *_lines(["ERROR: down"], "sms-redis", NOW + 0.5)]))
        await pilot.pause()
        first, second = _shown(app)
        assert re.search(r"^\d\d:\d\d:\d\d\.000 sms-backend · INFO: up$", first)
        assert re.search(r"^\d\d:\d\d:\d\d\.500 sms-redis   ✖ ERROR: down$", second)
        assert _status(app) == "▶ following"


async def test_one_container_alone_needs_no_name_column() -> None:
    app = LogApp()
    async with app.run_test(size=(100, 20)) as pilot:
        app.pane.take(_batch(_lines(["INFO: up"])))
        app.pane.choose(frozenset({"sms-backend"}))
        await pilot.pause()
        assert _shown(app)[0].endswith("000 · INFO: up")


async def test_following_keeps_the_last_line_on_the_screen() -> None:
    app = LogApp()
    async with app.run_test(size=(100, 20)) as pilot:
        for number in range(100):
            app.pane.take(_batch(_lines([f"line {number}"], start=NOW + number)))
            assert _shown(app)[-1].endswith(f"line {number}")
        await pilot.pause()
        assert len(_shown(app)) >= 17 * 2 // 3 - 1


async def test_an_appended_line_costs_at_most_a_kibibyte(monkeypatch: pytest.MonkeyPatch) -> None:
    record_what_is_sent(monkeypatch)
    app = LogApp()
    async with app.run_test(size=(160, 45)) as pilot:
        app.pane.take(_batch(_lines([f"INFO: request {number} took 12 ms" for number in range(60)])))
        await pilot.pause()
        before = len(sent_by(app))
        for number in range(60):
            app.pane.take(_batch(_lines([f"INFO: request {number} took 13 ms"], start=NOW + 100 + number)))
            await pilot.pause()
        assert 40 < (len(sent_by(app)) - before) / 60 <= 1024


async def test_paused_nothing_moves_nothing_is_lost_and_new_lines_are_counted() -> None:
    app = LogApp(LogStore(max_lines=40))
    async with app.run_test(size=(100, 20)) as pilot:
        app.pane.take(_batch(_lines([f"old {number}" for number in range(30)])))
        await _press(pilot, "space")
        before = _shown(app)
        app.pane.take(_batch(_lines([f"new {number}" for number in range(40)], start=NOW + 100)))
        await pilot.pause()
        assert _shown(app) == before
        assert _status(app) == "❚❚ paused +40 new"
        assert app.pane.store.dropped == 0
        await _press(pilot, "space")
        assert _shown(app)[-1].endswith("new 39")


async def test_dropped_lines_are_told() -> None:
    app = LogApp(LogStore(max_lines=100))
    async with app.run_test(size=(100, 20)) as pilot:
        app.pane.take(_batch(_lines([f"line {number}" for number in range(300)])))
        await pilot.pause()
        assert "+201 lines dropped" in _status(app)


async def test_the_filter_hides_while_one_types_and_marks_on_m() -> None:
    app = LogApp()
    async with app.run_test(size=(100, 20)) as pilot:
        app.pane.take(_batch(_lines(["alpha one", "beta two", "alpha three"])))
        await _press(pilot, "slash", *"alpha")
        assert [text[15:].strip() for text in _shown(app)] == ["alpha one", "alpha three"]
        await _press(pilot, "enter")
        assert "/alpha/ 2 of 3" in _status(app)
        await _press(pilot, "m")
        assert len(_shown(app)) == 3
        marked = [span.text for item in app.pane.view.lines for span in item.spans if span.style == "match"]
        assert marked == ["alpha", "alpha"]
        await _press(pilot, "escape")
        assert _status(app) == "▶ following"


async def test_an_invalid_pattern_says_so_and_the_old_one_stays() -> None:
    app = LogApp()
    async with app.run_test(size=(100, 20)) as pilot:
        app.pane.take(_batch(_lines(["alpha", "beta"])))
        await _press(pilot, "slash", *"al")
        await _press(pilot, "left_parenthesis")
        assert _status(app).startswith("not a pattern: missing )")
        assert len(_shown(app)) == 1


async def test_e_goes_to_the_newest_error_and_capital_e_to_the_one_before() -> None:
    app = LogApp()
    traceback = ["Traceback (most recent call last):", '  File "a.py", line 1', "ValueError: x"]
    texts = ["ERROR: first", *["INFO: ok"] * 30, *traceback, *["INFO: ok"] * 30]
    async with app.run_test(size=(100, 20)) as pilot:
        lines = [LogLine("sms-backend", Stream.STDERR, NOW + number / 100, text) for number, text in enumerate(texts)]
        app.pane.take(_batch(lines))
        await _press(pilot, "e")
        assert app.pane.view.cursor is not None
        assert app.pane.view.cursor.line.text == traceback[0]
        assert any(traceback[0] in text for text in _shown(app))
        await _press(pilot, "E")
        assert app.pane.view.cursor.line.text == "ERROR: first"
        await _press(pilot, "end")
        assert app.pane.view.following


async def test_wrapped_a_long_line_is_seen_whole() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.pane.take(_batch(_lines(["start " + "x" * 150 + " finish"])))
        await pilot.pause()
        assert _shown(app)[0].endswith("…")
        await _press(pilot, "W")
        assert _shown(app)[-1].endswith("finish")
        assert "".join(text[11:].strip() for text in _shown(app)).count("x") == 150


async def test_the_cursor_walks_through_wrapped_lines_and_stays_on_the_screen() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.pane.take(_batch(_lines([f"{number} " + "y" * 100 for number in range(50)])))
        await _press(pilot, "W", "space")
        for key in ("up",) * 20 + ("pageup", "pagedown", "home", "down", "down", "end"):
            await _press(pilot, key)
            on_screen = app.pane.view.following or any(item.selected for item in app.pane.view.lines)
            assert on_screen, key


async def test_enter_shows_a_line_whole_with_how_often_its_like_was_seen() -> None:
    app = LogApp()
    async with app.run_test(size=(100, 20)) as pilot:
        app.pane.take(_batch(_lines([f"ERROR: order {number} failed " + "z" * 120 for number in range(3)])))
        await _press(pilot, "enter")
        assert "its like 3 times" in str(app.pane.query_one("#about").render())
        assert "z" * 20 in str(app.pane.query_one("#text").render())
        await _press(pilot, "escape")
        assert not app.pane.has_class("-detail")


async def test_saving_writes_the_shown_lines_and_never_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.txt").write_text("precious")
    app = LogApp()
    async with app.run_test(size=(100, 20)) as pilot:
        app.pane.take(_batch(_lines(["one", "two"])))
        await _press(pilot, "s", "ctrl+u", *"there.txt", "enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "nothing was overwritten" in _status(app)
        await _press(pilot, "ctrl+u", *"new.txt", "enter")
        await pilot.pause()
        assert (tmp_path / "there.txt").read_text() == "precious"
        assert [row.split(" ")[-1] for row in (tmp_path / "new.txt").read_text().splitlines()] == ["one", "two"]


async def test_y_copies_the_line_under_the_cursor() -> None:
    app = LogApp()
    async with app.run_test(size=(100, 20)) as pilot:
        app.pane.take(_batch(_lines(["one", "two"])))
        await _press(pilot, "up", "up", "y")
        assert app.copied == "one"


async def test_containers_are_chosen_from_a_list() -> None:
    app = LogApp()
    async with app.run_test(size=(100, 20)) as pilot:
        app.pane.take(_batch([*_lines(["from backend"]), *_lines(["from redis"], "sms-redis")]))
        await _press(pilot, "c", "down", "o")
        assert [text.split(" ")[-1] for text in _shown(app)] == ["redis"]
        assert "sms-redis" in _status(app)
        await _press(pilot, "c", "a")
        assert len(_shown(app)) == 2


async def test_one_log_that_cannot_be_read_is_told_and_the_rest_goes_on() -> None:
    app = LogApp()
    async with app.run_test(size=(100, 20)) as pilot:
        app.pane.take(_batch(_lines(["x"]), sms_redis=Failure(FailureKind.MISSING, "There is no container sms-redis.")))
        await pilot.pause()
        assert "1 of 2 not read: There is no container sms-redis." in _status(app)
        assert not app.pane.has_class("-stale")


async def test_when_no_log_can_be_read_the_pane_greys_with_age_and_reason_and_comes_back() -> None:
    app = LogApp()
    gone = Failure(FailureKind.REFUSED, "The engine refused.", "Start it.")
    async with app.run_test(size=(100, 20)) as pilot:
        app.pane.take(_batch(_lines(["x"])))
        app.pane.take(_batch([], sms_redis=gone, sms_backend=gone))
        await pilot.pause()
        assert app.pane.has_class("-stale")
        assert "old by 1m: The engine refused. Start it." in _status(app)
        assert len(_shown(app)) == 1
        app.pane.take(_batch(_lines(["y"], start=NOW + 5)))
        await pilot.pause()
        assert not app.pane.has_class("-stale")


HOSTILE = [
    "\x1b]0;pwned\x07title",
    "\x1b[2J\x1b[31mcleared",
    "\x9b2Jc1 \x9d0;x\x9c",
    "nul\x00bell\x07back\x08",
    "[red]markup[/red] [/var/log/x] [@click=app.quit]press[/]",
    "\x1b]52;c;cHduZWQ=\x07clipboard",
    "\x1b]8;;file:///etc/passwd\x1b\\link\x1b]8;;\x1b\\",
    "real\rfake",
    "\u202egnp.exe",
    b"broken \xff\xfe utf-8".decode("utf-8", "replace"),
    "\x1b",
    "x" * 1_000_000,
]


async def test_hostile_lines_are_drawn_as_text_and_send_no_control_of_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    record_what_is_sent(monkeypatch)
    app = LogApp()
    async with app.run_test(size=(120, 30)) as pilot:
        app.pane.take(_batch(_lines(HOSTILE)))
        await pilot.pause()
        for keys in (("W",), ("W",), ("up", "up", "enter"), ("up",), ("up",), ("escape",), ("slash", *"markup", "enter"), ("c",)):
            await _press(pilot, *keys)
        sent = sent_by(app)
    ours = re.sub(r"\x1b\[[0-9;?>]*[a-zA-Z]|\x1b\]22;[a-z]*\x07", "", sent)
    assert not set(re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", ours))
    assert "pwned" not in sent
    assert "cHduZWQ" not in sent
    assert "[red]markup[/red] [/var/log/x]" in sent


async def test_without_a_list_of_containers_the_pane_says_why_it_is_empty() -> None:
    app = LogApp()
    async with app.run_test(size=(100, 20)) as pilot:
        app.pane.fail(Failure(FailureKind.REFUSED, "The engine refused.", "Start it."))
        await pilot.pause()
        assert "The engine refused. Start it." in _status(app)
        app.pane.take(_batch(_lines(["back"])))
        await pilot.pause()
        assert not app.pane.has_class("-stale")
        assert _status(app) == "▶ following"
