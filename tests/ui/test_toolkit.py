"""The toolkit on the screen: each tool's table, its filter, what cannot be read, and what is copied."""

import platform
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from console.reading import FailureKind, SourceError
from console.sources.protocols.database import Value
from console.sources.protocols.engine import ContainerProcess, Details, Link, LogLine, Stream
from console.system import System
from screens.app import TriageApp
from screens.toolkit import ToolkitScreen
from tests.ui import fakes
from tests.ui.opened import app_of, console, filled, press, screen_text, settled, until
from widgets.tool_table import ToolTable

NOW = fakes.NOW
Compare = Callable[..., bool]
pictures = pytest.mark.skipif(
    platform.python_version_tuple()[:2] != ("3", "11"), reason="pictures are drawn with Python 3.11, others differ in details"
)


def written() -> list[LogLine]:
    """What two containers wrote within the last quarter of an hour."""

    def line(before_s: float, container: str, text: str) -> LogLine:
        return LogLine(container, Stream.STDERR, NOW - before_s, text)

    lines = [line(600 - 20 * number, "sms-backend", f"ERROR [backend.db] pool of {number} exhausted") for number in range(12)]
    lines += [
        line(90, "sms-postgres", 'ERROR:  relation "grades" does not exist at character 15'),
        line(60, "sms-backend", "INFO [backend.api] POST /api/v1/commands 202 8ms correlation_id=abc-123 user=ann role=engineer"),
        line(59, "sms-backend", "ERROR [backend.api] command failed correlation_id=abc-123"),
        line(58, "sms-frontend-proxy", "POST /api/v1/commands 500 2100ms correlation_id=abc-123"),
        line(2000, "sms-backend", "ERROR [backend.db] long ago"),
    ]
    return sorted(lines, key=lambda item: item.at)


def log_tail(name: str, *, lines: int, since: float | None = None) -> tuple[LogLine, ...]:
    return tuple(item for item in written() if item.container == name and (since is None or item.at >= since))[-lines:]


def details(name: str) -> Details:
    environment = {
        "AUTH_MODE": "permissive",
        "DATABASE_URL": "postgresql://sms_user:hunter22@sms-postgres:5432/student_management",
        "JWT_SECRET_KEY": "do-not-show-me",
        "SMTP_HOST": "",
    }
    address = f"172.18.0.{sum(map(ord, name)) % 200 + 2}"
    links = () if name == "sms-worker" else (Link("sms", address, (name, name.removeprefix("sms-"))),)
    return Details(environment, (), links, ("python",))


def select(query: str, _parameters: Any = None, **_limits: Any) -> Sequence[Mapping[str, Value]]:
    if "table sizes" in query:
        return [
            {"schemaname": "public", "relname": "attendance", "bytes": 940_000_000, "table_bytes": 610_000_000},
            {"schemaname": "audit", "relname": "event", "bytes": 52_000_000, "table_bytes": 51_000_000},
        ]
    if "triage: tables" in query:
        return [
            {"schemaname": "public", "relname": "attendance", "live": 1_800_000, "dead": 900_000},
            {"schemaname": "audit", "relname": "event", "live": 410_000, "dead": 12},
        ]
    if "triage: size" in query:
        return [{"database_bytes": 1_100_000_000}]
    if "triage: extension" in query:
        return [{"version": "1.10", "schema": "public"}]
    assert "slowest statements" in query
    times = {"total_ms": 91_000.0, "mean_ms": 910.0, "max_ms": 4_100.0, "rows": 100, "all_ms": 182_000.0, "now": NOW}
    return [{"query": "SELECT *\n  FROM grade\x1b[2J WHERE student_id = $1", "calls": 100, **times}]


def system(**sources: Any) -> System:
    engine = fakes.FakeEngine(
        fakes.log_lines(),
        containers=fakes.containers(),
        log_tail=log_tail,
        details=details,
        processes=(ContainerProcess(1, 0, 0, ""),),
    )
    given: dict[str, Any] = {
        "clock": lambda: NOW,
        "engine": engine,
        "database": fakes.Fake(activity=fakes.activity(), select=select),
    } | sources
    return fakes.system(**given)


@asynccontextmanager
async def toolkit(size: tuple[int, int] = (120, 36), **sources: Any) -> AsyncIterator[Pilot[None]]:
    async with console(system(**sources), size) as pilot:
        await press(pilot, "x")
        await answered(pilot)
        yield pilot


async def answered(pilot: Pilot[None]) -> ToolkitScreen:
    """Wait until the tool has answered or failed."""
    screen = pilot.app.screen
    assert isinstance(screen, ToolkitScreen)
    await until(lambda: not screen.busy)
    await settled(pilot)
    return screen


async def ask(pilot: Pilot[None], *keys: str) -> str:
    """Press keys; what is on the screen when the answer is there."""
    await press(pilot, *keys)
    await answered(pilot)
    return screen_text(pilot)


def rows(pilot: Pilot[None]) -> list[tuple[str, ...]]:
    table = pilot.app.screen.query_one(ToolTable).table
    return [] if table is None else [row.cells for row in table.rows]


async def test_errors_are_counted_by_kind_with_first_and_last_time() -> None:
    async with toolkit() as pilot:
        assert [cells[0] for cells in rows(pilot)] == ["12", "1", "1"]
        assert rows(pilot)[0][3:] == ("sms-backend", "ERROR [backend.db] pool of 11 exhausted")
        assert "14 errors of 3 kinds" in screen_text(pilot)


async def test_the_window_of_time_is_chosen_by_the_arrows() -> None:
    async with toolkit() as pilot:
        assert "· 15m ← →" in screen_text(pilot)
        assert "· 1h ← →" in await ask(pilot, "right")
        assert any("long ago" in cells[-1] for cells in rows(pilot))
        assert "· 5m ← →" in await ask(pilot, "left", "left")
        assert "3 errors" not in screen_text(pilot)
        # Each tool keeps its own.
        await ask(pilot, "2")
        assert "· 15m ← →" in screen_text(pilot)
        assert "· 5m ← →" in await ask(pilot, "1")


async def test_errors_one_by_one_come_newest_first() -> None:
    async with toolkit() as pilot:
        await ask(pilot, "2")
        assert rows(pilot)[0][1:] == ("sms-backend", "ERROR [backend.api] command failed correlation_id=abc-123")
        assert len(rows(pilot)) == 14


async def test_an_environment_shows_no_secret_anywhere() -> None:
    async with toolkit() as pilot:
        shown = await ask(pilot, "3")
        assert "AUTH_MODE" in shown
        for key in ("enter", "escape", "down", "enter", "escape", "down", "enter"):
            await press(pilot, key)
            shown += screen_text(pilot)
        assert "hunter22" not in shown
        assert "do-not-show-me" not in shown
        assert "JWT_SECRET_KEY" in shown


async def test_another_service_is_chosen_by_the_arrows() -> None:
    async with toolkit() as pilot:
        assert "Environment · backend" in await ask(pilot, "3")
        assert "Environment · proxy" in await ask(pilot, "right")


async def test_who_reaches_whom_is_told_by_name_and_port() -> None:
    async with toolkit((200, 50)) as pilot:
        await ask(pilot, "4")
        by_name = {cells[0]: cells for cells in rows(pilot)}
        assert by_name["sms-postgres"][1] == "sms-postgres:5432"
        assert "sms-backend" in by_name["sms-postgres"][2]
        assert by_name["sms-worker"][2] == "nobody: it is in no network"


async def test_an_id_from_the_list_is_followed_through_all_logs_and_left_again() -> None:
    async with toolkit() as pilot:
        assert "abc-123" in await ask(pilot, "5")
        shown = await ask(pilot, "enter")
        assert [cells[1] for cells in rows(pilot)] == ["sms-backend", "sms-backend", "sms-frontend-proxy"]
        assert "status 500, /api/v1/commands, user ann, role engineer" in shown
        await ask(pilot, "escape")
        assert rows(pilot)[0][0] == "abc-123"


async def test_an_id_can_be_typed_and_one_that_nobody_knows_says_so() -> None:
    async with toolkit() as pilot:
        await press(pilot, "i", *"x1-9", "enter")
        await answered(pilot)
        assert "holds x1-9" in screen_text(pilot)


async def test_tables_and_statements_come_with_what_is_wrong_with_them() -> None:
    async with toolkit() as pilot:
        assert "the database has 1.0 GiB" in await ask(pilot, "6")
        table = pilot.app.screen.query_one(ToolTable).table
        assert table is not None
        assert [(row.cells[0], row.cells[-1], row.tone) for row in table.rows] == [
            ("attendance", "33 %", "warn"),
            ("audit.event", "0 %", ""),
        ]
        await ask(pilot, "7")
        assert rows(pilot) == [("910.0 ms", "100", "50 %", "4,100 ms", "91.0 s", "SELECT * FROM grade WHERE student_id = $1")]


async def test_rows_are_filtered_while_one_types_and_escape_takes_the_filter_away() -> None:
    async with toolkit() as pilot:
        await press(pilot, "slash", *"grades")
        assert pilot.app.screen.query_one(ToolTable).keys() == ["ERROR:  relation <text> does not exist at character <n>"]
        await press(pilot, "enter")
        assert "/grades" in screen_text(pilot)
        await press(pilot, "escape")
        assert len(pilot.app.screen.query_one(ToolTable).keys()) == 3
        await press(pilot, "escape")
        assert pilot.app.screen is app_of(pilot).dashboard


async def test_letters_in_the_text_field_are_letters() -> None:
    async with toolkit() as pilot:
        await press(pilot, "slash", *"ry1")
        assert pilot.app.screen.query_one(ToolTable).filter == "ry1"
        assert "Errors by kind" in screen_text(pilot)


async def test_the_row_is_copied_whole() -> None:
    async with toolkit((80, 24)) as pilot:
        await press(pilot, "down", "y")
        assert pilot.app.clipboard.endswith("ERROR [backend.api] command failed correlation_id=abc-123")


async def test_a_source_that_is_gone_leaves_its_tool_unknown_with_the_reason_and_the_others_go_on() -> None:
    gone = SourceError(FailureKind.LOGIN, "PostgreSQL at 127.0.0.1:5432 refused the login of sms_user.", "Set SMS_DB_PASSWORD.")
    async with toolkit(database=fakes.Fake(activity=gone, select=gone)) as pilot:
        shown = await ask(pilot, "6")
        assert "refused the login of sms_user" in shown
        assert "Set SMS_DB_PASSWORD" in shown
        assert rows(pilot) == []
        await ask(pilot, "1")
        assert len(rows(pilot)) == 3


async def test_a_part_that_cannot_be_read_is_named_above_the_rest() -> None:
    def broken(name: str, **asked: Any) -> tuple[LogLine, ...]:
        if name == "sms-postgres":
            raise SourceError(FailureKind.UNSUPPORTED, "The engine cannot read the log of sms-postgres.")
        return log_tail(name, **asked)

    engine = fakes.FakeEngine(fakes.log_lines(), containers=fakes.containers(), log_tail=broken, details=details)
    async with toolkit(engine=engine) as pilot:
        assert "▲ The engine cannot read the log of sms-postgres." in screen_text(pilot)
        assert len(rows(pilot)) == 2


async def test_asking_again_reads_anew() -> None:
    async with toolkit() as pilot:
        engine = app_of(pilot).system.engine
        assert isinstance(engine, fakes.FakeEngine)
        asked = len(engine.asked)
        await ask(pilot, "r")
        assert len(engine.asked) > asked


async def test_the_keys_of_the_toolkit_are_in_the_help() -> None:
    async with toolkit((120, 60)) as pilot:
        await press(pilot, "question_mark")
        assert "Trace the request with this id" in screen_text(pilot)


def opened(*keys: str) -> Callable[[Pilot[Any]], Any]:
    async def before(pilot: Pilot[Any]) -> None:
        await until(lambda: isinstance(pilot.app, TriageApp) and filled(pilot.app))
        await settled(pilot)
        await press(pilot, "x")
        await answered(pilot)
        for key in keys:
            await ask(pilot, key)

    return before


@pictures
@pytest.mark.parametrize("size", [(200, 50), (80, 24)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("key", ["1", "3", "4", "6"])
def test_a_tool(snap_compare: Compare, size: tuple[int, int], key: str) -> None:
    app = TriageApp(system(), clock=lambda: NOW)
    assert snap_compare(app, terminal_size=size, run_before=opened(key))


@pictures
def test_a_traced_request(snap_compare: Compare) -> None:
    app = TriageApp(system(), clock=lambda: NOW)
    assert snap_compare(app, terminal_size=(120, 30), run_before=opened("5", "enter"))
