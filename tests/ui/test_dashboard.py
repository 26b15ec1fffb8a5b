"""The dashboard on a system whose answers are known: what each pane says, and what each key does."""

import asyncio
import time
from dataclasses import replace

import pytest

from console.reading import FailureKind, SourceError
from console.sources.protocols.cache import CacheClient
from console.sources.protocols.metrics import Quality
from screens.app import TriageApp
from tests.ui import fakes
from tests.ui.opened import app_of, console, pane, press, screen_text, settled, text, type_keys, until
from widgets.container_table import ContainerTable
from widgets.log_pane import LogPane


async def test_all_panes_hold_live_data_at_once() -> None:
    async with console() as pilot:
        shown = screen_text(pilot)
    for words in (
        "Student Management System LAB",
        "✖ CRITICAL sms-backend is unhealthy",
        "read-only",
        "▲ unhealthy",
        "137 OOM",
        "30/40▲",
        "4711 runs nothing: cancelling does not help, K ends it",
        "58.0 MiB/64.0 MiB▲",
        "KEYS grades:student:*",
        "p95 1.08 s✖",
        "1/2 up▲",
        "connection pool exhausted",
    ):
        assert words in shown, words


async def test_a_simulated_stack_says_so_in_the_banner() -> None:
    app = TriageApp(fakes.system(), clock=lambda: fakes.NOW, simulated=True)
    async with app.run_test(size=(160, 45)) as pilot:
        await until(lambda: "SIMULATED" in screen_text(pilot))


@pytest.mark.parametrize(("key", "id_"), [("1", "containers"), ("2", "postgres"), ("3", "redis"), ("5", "latency")])
async def test_a_number_focuses_its_pane(key: str, id_: str) -> None:
    async with console() as pilot:
        await press(pilot, "3" if key != "3" else "2", key)
        assert pilot.app.focused is pane(pilot, id_)


async def test_four_focuses_the_lines_of_the_log() -> None:
    async with console() as pilot:
        await press(pilot, "4")
        assert pilot.app.focused is app_of(pilot).dashboard.query_one(LogPane).view


async def test_zoom_gives_a_pane_the_screen_and_gives_it_back() -> None:
    async with console() as pilot:
        await press(pilot, "2", "z")
        assert pane(pilot, "postgres").region.width == 200
        assert "▐2 PostgreSQL" in screen_text(pilot)
        await press(pilot, "z")
        assert pane(pilot, "postgres").region.width < 100


@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
async def test_a_small_terminal_shows_one_pane_and_the_tabs(size: tuple[int, int]) -> None:
    async with console(size=size) as pilot:
        assert pane(pilot, "containers").region.width == size[0]
        await press(pilot, "5")
        assert pane(pilot, "latency").region.size == (size[0], size[1] - 3)
        assert "p95 1.08 s" in screen_text(pilot)


async def test_a_terminal_that_is_too_small_gets_a_sentence_and_everything_back_when_it_grows() -> None:
    async with console(size=(30, 6)) as pilot:
        assert "at least 34x8" in " ".join(screen_text(pilot).split())
        await pilot.resize_terminal(160, 45)
        await settled(pilot)
        assert "sms-backend" in screen_text(pilot)


async def test_a_filter_leaves_the_rows_that_match_and_escape_takes_it_away() -> None:
    async with console() as pilot:
        await press(pilot, "slash", *"redis|back")
        table = pane(pilot, "containers")
        assert "sms-redis" in text(table)
        assert "sms-postgres" not in text(table)
        await press(pilot, "enter")
        assert pilot.app.focused is table
        assert table.filter == "redis|back"
        await press(pilot, "escape")
        assert "sms-postgres" in text(table)


async def test_letters_typed_into_the_filter_are_no_commands() -> None:
    async with console() as pilot:
        await press(pilot, "slash", *"qwgz12")
        assert pane(pilot, "containers").filter == "qwgz12"
        assert pilot.app.is_running


async def test_the_table_is_sorted_by_the_next_column_and_the_cursor_stays_on_its_container() -> None:
    async with console() as pilot:
        table = pane(pilot, "containers")
        assert isinstance(table, ContainerTable)
        await press(pilot, "down", "down")
        chosen = table.selected
        await press(pilot, "o", "o")
        assert table.sort == "cpu"
        assert table.keys()[0] == fakes.container("sms-backend", 3).id
        assert table.selected == chosen


async def test_enter_shows_the_details_of_a_container() -> None:
    async with console() as pilot:
        await press(pilot, "enter")
        shown = screen_text(pilot)
        assert "restart policy  unless-stopped" in shown
        await press(pilot, "escape")
        assert "restart policy" not in screen_text(pilot)


async def test_enter_shows_the_whole_statement_of_a_session() -> None:
    async with console() as pilot:
        await press(pilot, "2", "enter")
        shown = screen_text(pilot)
        assert "in this state" in shown
        assert "tatement" in shown
        await press(pilot, "escape")
        assert "in this state" not in screen_text(pilot)


async def test_enter_shows_what_redis_says_of_itself_and_who_is_connected() -> None:
    async with console() as pilot:
        await press(pilot, "3", "enter")
        await until(lambda: "Doctors" in screen_text(pilot))
        shown = screen_text(pilot)
        assert "Sam, I detected a few issues" in shown
        assert "10.0.0.9:5512" in shown


async def test_a_page_is_as_high_as_its_broken_lines_and_names_how_long_a_client_is_idle_in_a_small_terminal() -> None:
    client = CacheClient(7, "10.0.0.9:5512", "sms-backend-worker-number-one", 7_200, 61, "get")
    told = "This instance is in trouble, and what it says of itself is longer than one line of a small terminal."
    cache = fakes.Fake(info=fakes.cache_info(), doctor=(told,), clients=(client,))
    async with console(fakes.system(cache=cache), size=(80, 24)) as pilot:
        await press(pilot, "3", "enter")
        await until(lambda: "a small terminal." in screen_text(pilot))
        shown = screen_text(pilot)
        assert "1m01 of 2h00" in shown
        assert "esc closes" in shown
        assert "scroll" not in shown


async def test_the_log_of_one_container_is_shown_alone_and_then_all_again() -> None:
    async with console() as pilot:
        log = app_of(pilot).dashboard.query_one(LogPane)
        await press(pilot, "l")
        assert log.store.selection.names == {"sms-backend"}
        await press(pilot, "l")
        assert log.store.selection.names is None


async def test_writing_is_armed_only_after_a_yes_and_shown_with_its_minutes() -> None:
    async with console() as pilot:
        await press(pilot, "w", "enter")
        assert not app_of(pilot).armed.is_armed(fakes.NOW)
        await press(pilot, "n", "w", "y")
        assert app_of(pilot).armed.is_armed(fakes.NOW)
        assert "WRITING ARMED 10 min" in screen_text(pilot)
        await press(pilot, "w")
        assert "read-only" in screen_text(pilot)


async def test_the_write_option_starts_armed() -> None:
    async with console(write=True) as pilot:
        assert "WRITING ARMED" in screen_text(pilot)


async def test_a_source_that_fails_greys_its_pane_with_the_reason_and_keeps_the_figures() -> None:
    database = fakes.Fake(activity=fakes.activity())
    async with console(fakes.system(database=database)) as pilot:
        database.given(activity=SourceError(FailureKind.REFUSED, "PostgreSQL at 127.0.0.1:5432 refused.", "Is it running?"))
        shown = pane(pilot, "postgres")
        await until(lambda: shown.stale)
        await settled(pilot)
        assert "▲ PostgreSQL at 127.0.0.1:5432 refused. Figures from 0s ago." in " ".join(text(shown).split())
        assert "30/40" in text(shown)
        assert shown.has_class("-stale")
        assert "Is it running?" not in text(shown)
        await press(pilot, "2")
        assert "Is it running?" in text(shown)
        database.given(activity=fakes.activity())
        await until(lambda: not shown.stale)
        assert "refused" not in text(shown)


async def test_a_source_that_is_not_configured_names_the_key_to_set() -> None:
    async with console(fakes.system(cache=None, engine=None)) as pilot:
        assert "Set [systems.sms.redis] in config.toml." in " ".join(text(pane(pilot, "redis")).split())
        assert "[systems.sms.engine]" in " ".join(text(pane(pilot, "containers")).split())
        assert app_of(pilot).dashboard.query_one(LogPane).failure is not None


async def test_no_traffic_is_no_data_and_not_fine() -> None:
    silent = replace(fakes.latency(), quality=Quality.NO_TRAFFIC, p50_s=None, p95_s=None, p99_s=None)
    async with console(fakes.system(metrics=fakes.Fake(latency=silent))) as pilot:
        assert "no data: no traffic" in text(pane(pilot, "latency"))


async def test_missing_series_are_put_down_to_the_target_that_is_down() -> None:
    gone = replace(fakes.latency(), quality=Quality.NO_SERIES, p50_s=None, p95_s=None, p99_s=None)
    async with console(fakes.system(metrics=fakes.Fake(latency=gone))) as pilot:
        assert "no data: the target is down" in text(pane(pilot, "latency"))
    up = replace(gone, targets=())
    async with console(fakes.system(metrics=fakes.Fake(latency=up))) as pilot:
        assert "the histogram is not there" in text(pane(pilot, "latency"))


async def test_a_key_answers_within_100_ms_while_sources_hang() -> None:
    hanging = fakes.Fake(activity=fakes.Hangs(), info=fakes.Hangs(), latency=fakes.Hangs())
    app = TriageApp(fakes.system(database=hanging, cache=hanging, metrics=hanging), clock=lambda: fakes.NOW)
    async with app.run_test(size=(200, 50)):
        await until(lambda: app.dashboard.query_one("#containers", ContainerTable).value is not None)
        waited = []
        for key, id_ in (("2", "postgres"), ("1", "containers"), ("3", "redis")) * 5:
            began = time.perf_counter()
            type_keys(app, key)
            await until(lambda id_=id_: app.focused is not None and app.focused.id == id_)  # type: ignore[misc]
            waited.append(time.perf_counter() - began)
    # Other work on the machine may delay some of them; a loop that waits for a source would delay them all.
    assert sorted(waited)[len(waited) // 3] < 0.1


async def test_hidden_panes_are_asked_seldom_and_shown_ones_often() -> None:
    database, cache = fakes.Fake(activity=fakes.activity()), fakes.Fake(info=fakes.cache_info())
    async with console(fakes.system(database=database, cache=cache), size=(80, 24)) as pilot:
        await press(pilot, "2")
        before, hidden = len(database.asked), len(cache.asked)
        await until(lambda: len(database.asked) >= before + 2, within_s=8)
        assert len(cache.asked) <= hidden + 1


async def test_nothing_runs_on_after_the_console_is_left() -> None:
    async with console() as pilot:
        await press(pilot, "q")
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not rest


async def test_keys_typed_without_a_pause_find_the_new_focus() -> None:
    async with console() as pilot:
        type_keys(pilot.app, "2/upd")
        await until(lambda: pane(pilot, "postgres").filter == "upd")


async def test_a_chord_typed_without_a_pause_opens_its_issue() -> None:
    async with console() as pilot:
        type_keys(pilot.app, "gc2")
        await until(lambda: "Database connection failures (sms.c2)" in screen_text(pilot))


async def test_a_defect_in_one_pane_is_told_there_and_the_others_go_on() -> None:
    broken = replace(fakes.cache_info(), keys=None)  # type: ignore[arg-type]
    async with console(fakes.system(cache=fakes.Fake(info=broken))) as pilot:
        shown = " ".join(text(pane(pilot, "redis")).split())
        assert shown.startswith("Triage failed: AttributeError")
        assert "▲ unhealthy" in screen_text(pilot)
        assert "the pane Redis failed" in [alarm.text for alarm in app_of(pilot).dashboard.alarms()]


async def test_a_worker_that_fails_greys_its_pane_and_leaves_the_others() -> None:
    async def breaks() -> None:
        raise ValueError("a defect")

    async with console() as pilot:
        app_of(pilot).dashboard.run_worker(breaks(), group="redis", exclusive=True, exit_on_error=False)
        await until(lambda: pane(pilot, "redis").stale)
        assert "Triage failed: ValueError: a defect" in " ".join(text(pane(pilot, "redis")).split())
        assert "58.0 MiB" in text(pane(pilot, "redis"))
        assert not pane(pilot, "postgres").stale


async def test_a_click_on_a_row_chooses_it() -> None:
    async with console() as pilot:
        table = pane(pilot, "containers")
        assert isinstance(table, ContainerTable)
        row = next(y for y, line in enumerate(table.lines) if line.text.startswith("sms-redis"))
        await pilot.click("#containers", offset=(5, row + 1))
        await settled(pilot)
        assert table.selected is not None
        assert table.selected.name == "sms-redis"
