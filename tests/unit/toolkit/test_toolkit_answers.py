"""What the tools answer: on services of a machine, on parts that cannot be read, and on foreign texts."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from console.config import SystemConfig, load_config, shipped_config
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.sources.protocols.engine import Container, Containers, Details, Link, LogLine, Port, State, Stream
from console.system import System
from console.text import HIDDEN
from console.toolkit.container_tools import environment, network, roles_with_environment
from console.toolkit.log_tools import errors_by_kind, errors_in_window, trace_request
from console.toolkit.store_tools import slow_statements, table_sizes
from console.toolkit.table import moment
from console.toolkit.tools import TOOLS

NOW = 1_795_000_000.0


class Source:
    """Answers each question with what it was given for it: a value, or a function; an error is raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def ask(*args: Any, **kwargs: Any) -> Any:
            answer = self.answers[name]
            if isinstance(answer, SourceError):
                raise answer
            return answer(*args, **kwargs) if callable(answer) else answer

        return ask


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def config(**changes: Any) -> SystemConfig:
    sms = load_config(shipped_config()).config.system("sms")
    return sms.model_copy(update=changes)


def readings(changes: Mapping[str, Any] | None = None, **sources: Any) -> Readings:
    given: dict[str, Any] = {"host": Source(), **sources}
    return Readings(System(config(**(changes or {})), clock=lambda: NOW, **given))


def gone(what: str) -> SourceError:
    return SourceError(FailureKind.TIMEOUT, f"{what} has not answered.")


def container(name: str, state: State = State.RUNNING, *ports: Port) -> Container:
    return Container(f"id-{name}", name, "image", state, ports=ports)


async def test_the_environment_of_a_service_on_the_machine_comes_from_its_settings_file() -> None:
    asked = readings(
        {
            "roles": {},
            "settings_files": {"backend": "/opt/shop/.env"},
            "settings": {"backend": {"PORT": "8000", "MODE": "strict"}},
        },
        host=Source(read=b"PORT=8000\nMODE=loose\nSECRET_KEY=abcdef123\nREDIS_URL=redis://:pw@cache:6379/0\nEMPTY=\n"),
    )
    table = await environment(asked, "backend")
    assert [row.cells for row in table.rows] == [
        ("EMPTY", "", "empty"),
        ("MODE", "loose", "not as expected"),
        ("PORT", "8000", "as expected"),
        ("REDIS_URL", f"redis://:{HIDDEN}@cache:6379/0", ""),
        ("SECRET_KEY", HIDDEN, "hidden"),
    ]
    assert next(row for row in table.rows if row.key == "MODE").more == ("expected: strict",)
    assert roles_with_environment(asked) == ("backend",)


async def test_a_variable_that_is_expected_and_not_there_comes_first() -> None:
    asked = readings(
        {"roles": {"backend": "shop"}, "settings": {"backend": {"AUTH_MODE": "strict"}}},
        engine=Source(details=Details({}, (), (), ())),
    )
    table = await environment(asked, "backend")
    assert [(row.cells, row.tone) for row in table.rows] == [(("AUTH_MODE", "", "expected, and not set"), "bad")]


async def test_without_any_role_an_environment_is_a_matter_of_configuration() -> None:
    with pytest.raises(SourceError) as caught:
        await environment(readings({"roles": {}}), "")
    assert caught.value.failure.kind is FailureKind.NOT_CONFIGURED


async def test_a_container_that_cannot_be_inspected_is_named_and_the_others_are_shown() -> None:
    def details(name: str) -> Details:
        if name == "b":
            raise gone("b")
        return Details({}, (), (Link("net", "172.18.0.2", (name,)), Link("none", "", ())), ())

    items = (container("a", State.RUNNING, Port(80, "tcp", "127.0.0.1", 8080)), container("b"), container("c", State.EXITED))
    table = await network(readings(engine=Source(containers=Containers(items), details=details)))
    assert [failure.message for failure in table.unread] == ["b has not answered."]
    first, alone, stopped, _ = table.rows
    assert first.cells == ("a", "a:80", "c", "127.0.0.1:8080", "net", "172.18.0.2")
    assert first.more == ("c → a:80",)
    assert alone.cells[2] == "nobody"
    assert (stopped.tone, stopped.more[0]) == ("muted", "it does not run (exited)")


async def test_an_engine_that_inspects_nothing_is_an_error_and_no_empty_table() -> None:
    engine = Source(containers=Containers((container("a"),)), details=gone("the engine"))
    with pytest.raises(SourceError):
        await network(readings(engine=engine))


async def test_too_many_lines_are_told_as_a_shorter_reach() -> None:
    def log_tail(name: str, *, lines: int, since: float) -> tuple[LogLine, ...]:
        assert since <= NOW - 900
        return tuple(LogLine(name, Stream.STDOUT, NOW - 300 + number * 0.01, "ERROR: x") for number in range(lines))

    table = await errors_by_kind(readings({"roles": {"backend": "shop"}, "order": ()}, engine=Source(log_tail=log_tail)), "15m")
    assert table.summary.endswith(f"read back to {moment(NOW - 300, NOW)} only")
    shown = await errors_in_window(readings({"roles": {"backend": "shop"}, "order": ()}, engine=Source(log_tail=log_tail)), "15m")
    assert len(shown.rows) == 500
    assert "the newest 500 are shown" in shown.summary


async def test_a_quiet_log_says_how_many_lines_were_looked_at() -> None:
    line = LogLine("shop", Stream.STDOUT, NOW - 5, "INFO fine")
    table = await errors_by_kind(readings({"roles": {"backend": "shop"}, "order": ()}, engine=Source(log_tail=(line,))), "1h")
    assert (table.rows, table.empty) == ((), "No error among 1 line of the last 1 h.")


async def test_lines_that_belong_to_a_traced_one_are_shown_muted() -> None:
    texts = ("ERROR: broken request_id=abcd", "Traceback (most recent call last):", "ValueError: x", "INFO other")
    lines = tuple(LogLine("shop", Stream.STDERR, NOW - 5 + number / 1000, text) for number, text in enumerate(texts))
    table = await trace_request(readings({"roles": {"backend": "shop"}, "order": ()}, engine=Source(log_tail=lines)), "abcd")
    assert [row.tone for row in table.rows] == ["bad", "muted", "muted"]


async def test_sizes_are_shown_although_the_counters_cannot_be_read() -> None:
    def select(query: str, _values: Any, **_limits: Any) -> list[dict[str, Any]]:
        if "table sizes" in query:
            return [{"schemaname": "public", "relname": "grade", "bytes": 2048, "table_bytes": 1024}]
        raise gone("PostgreSQL")

    table = await table_sizes(readings(database=Source(select=select)))
    assert table.rows[0].cells == ("grade", "2.0 KiB", "1.0 KiB", "1.0 KiB", "?", "?")
    assert len(table.unread) == 2
    assert table.summary == "the database's size is unknown"


async def test_statements_that_are_not_counted_are_unknown_with_the_way_to_count_them() -> None:
    with pytest.raises(SourceError) as caught:
        await slow_statements(readings(database=Source(select=[])))
    assert "CREATE EXTENSION pg_stat_statements" in caught.value.failure.advice


def test_what_is_long_ago_is_told_with_its_date() -> None:
    assert moment(NOW - 60, NOW) == "11:05:40"
    assert moment(NOW - 80_000, NOW) == "11-17 12:53"


def test_every_tool_has_a_name_that_fits_its_tab() -> None:
    assert all(len(tool.short) <= 8 for tool in TOOLS)
    assert len({tool.id for tool in TOOLS}) == len(TOOLS) <= 9
