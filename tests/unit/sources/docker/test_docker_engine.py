"""The Docker source against an engine that is well, frozen, dead, of another version or none at all."""

import asyncio
import copy
import json
import os
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fake_docker import RECORDED, STATS, FakeEngine, frame, raw, silence, stream

from console.config_sources import EngineConfig
from console.reading import FailureKind, SourceError
from console.sources.docker.source import DockerEngine
from console.sources.protocols.engine import ExecResult

WEB = "rec-healthy"
WEB_ID = RECORDED[WEB]["inspected"]["Id"]
STAMP = b"2026-11-22T11:16:37.449063000Z "


async def failure(question: Awaitable[Any]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await question
    return caught.value


async def until(holds: Callable[[], bool], within_s: float = 3.0) -> None:
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.01)


async def test_containers_are_listed_once_and_inspected_once(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has(WEB, "rec-crash")
    for _ in range(3):
        found = await source.containers()
    assert [item.name for item in found.items] == ["rec-crash", WEB]
    assert fake.asked.count("/containers/json") == 3
    assert fake.asked.count(f"/containers/{WEB_ID}/json") == 1


async def test_who_asks_at_the_same_time_shares_a_round_that_began_after_asking(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has(WEB)
    found = await asyncio.gather(*(source.containers() for _ in range(8)))
    assert [item.name for answer in found for item in answer.items] == [WEB] * 8
    # The first began alone; the others waited, and the second round is for all of them.
    assert fake.asked.count("/containers/json") == 2
    await source.containers()
    assert fake.asked.count("/containers/json") == 3


async def test_an_event_makes_its_container_be_inspected_again(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has(WEB)
    event = {"Type": "container", "Action": "update", "Actor": {"ID": WEB_ID}}
    fake.answers["/events"] = stream(json.dumps(event).encode() + b"\n")
    await source.containers()

    async def twice() -> None:
        while fake.asked.count(f"/containers/{WEB_ID}/json") < 2:
            await source.containers()

    await asyncio.wait_for(twice(), 3)


async def test_usage_comes_from_the_stream_of_a_running_container(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has(WEB, "rec-crash")
    fake.answers[f"/containers/{WEB_ID}/stats"] = stats_for_ever

    async def sampled() -> None:
        while WEB_ID not in (await source.containers()).usage:
            await asyncio.sleep(0.01)

    await asyncio.wait_for(sampled(), 3)
    used = await source.usage(WEB)
    assert used.cpu_percent is not None
    assert list((await source.containers()).usage) == [WEB_ID]


async def test_usage_of_a_container_that_stopped_disappears(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has(WEB)
    fake.answers[f"/containers/{WEB_ID}/stats"] = stats_for_ever
    await source.containers()
    await source.usage(WEB)
    fake.answers["/containers/json"] = [RECORDED[WEB]["listed"] | {"State": "exited", "Status": "Exited (0) 1 second ago"}]
    assert (await source.containers()).usage == {}


async def test_usage_of_a_stopped_container_is_missing(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has("rec-crash")
    error = await failure(source.usage("rec-crash"))
    assert error.failure.kind is FailureKind.MISSING


async def test_a_frozen_engine_is_a_timeout_within_three_seconds_and_closing_takes_under_one(
    fake: FakeEngine, source: DockerEngine
) -> None:
    fake.has(WEB)
    await source.containers()
    fake.frozen = True
    began = time.monotonic()
    questions = (source.containers(), source.info(), source.container(WEB), source.log_tail(WEB, lines=5))
    errors = await asyncio.gather(*(failure(question) for question in questions))
    assert {error.failure.kind for error in errors} == {FailureKind.TIMEOUT}
    assert time.monotonic() - began < 3.0
    asked = len(fake.asked)
    asking = asyncio.ensure_future(failure(source.containers()))
    await until(lambda: len(fake.asked) > asked)
    began = time.monotonic()
    await source.aclose()
    assert time.monotonic() - began < 1.0
    assert (await asking).failure.kind in (FailureKind.LOST, FailureKind.TIMEOUT)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("docker")] == []
    await until(lambda: fake.open_connections == 0)


async def test_an_engine_that_is_frozen_from_the_start_holds_no_thread_after_closing(
    fake: FakeEngine, source: DockerEngine
) -> None:
    fake.frozen = True
    asking = asyncio.ensure_future(failure(source.containers()))
    await until(lambda: fake.asked == ["/version"])
    await source.aclose()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("docker")] == []
    await asking


async def test_an_engine_that_comes_back_is_asked_again_without_more_ado(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has(WEB)
    await source.containers()
    await fake.stop()
    assert (await failure(source.containers())).failure.kind in (FailureKind.REFUSED, FailureKind.LOST)
    assert (await failure(source.containers())).failure.kind is FailureKind.REFUSED
    await fake.start()
    assert [item.name for item in (await source.containers()).items] == [WEB]


async def test_a_socket_that_is_not_there_names_the_command_that_tells_why(tmp_path: Path) -> None:
    source = DockerEngine(EngineConfig(host=f"unix://{tmp_path}/none.sock"), ())
    error = await failure(source.containers())
    assert error.failure.kind is FailureKind.REFUSED
    assert f"{tmp_path}/none.sock" in error.failure.message
    assert "systemctl status docker" in error.failure.advice
    await source.aclose()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every socket")
async def test_a_socket_that_one_may_not_open_names_the_group(fake: FakeEngine, source: DockerEngine) -> None:
    fake.socket.chmod(0)
    error = await failure(source.containers())
    assert error.failure.kind is FailureKind.FORBIDDEN
    assert "group docker" in error.failure.advice


@pytest.mark.parametrize(
    "answer",
    [
        raw(b"220 mail.example ESMTP\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"),
        {"Version": "20"},
        {"ApiVersion": "one"},
    ],
)
async def test_what_is_no_engine_is_garbage(fake: FakeEngine, source: DockerEngine, answer: Any) -> None:
    fake.answers["/version"] = answer
    error = await failure(source.containers())
    assert error.failure.kind is FailureKind.GARBAGE
    assert str(error).isprintable()


@pytest.mark.parametrize("answer", [{"Id": 1}, [{"Names": ["/a"]}], ["x"], None, [None]])
async def test_a_list_of_something_else_is_garbage(fake: FakeEngine, source: DockerEngine, answer: Any) -> None:
    fake.answers["/containers/json"] = answer
    docker = DockerEngine(EngineConfig(host=fake.host, select={"name": "a"}), ())
    error = await failure(docker.containers())
    assert error.failure.kind is FailureKind.GARBAGE
    await docker.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        {"ApiVersion": "1.18", "MinAPIVersion": "1.12"},
        {"ApiVersion": "1.99", "MinAPIVersion": "1.90"},
        (400, {"message": "client version 1.51 is too new. Maximum supported API version is 1.41"}),
    ],
)
async def test_an_engine_of_another_age_is_unsupported(fake: FakeEngine, source: DockerEngine, answer: Any) -> None:
    fake.answers["/version"] = answer
    assert (await failure(source.containers())).failure.kind is FailureKind.UNSUPPORTED


async def test_a_newer_engine_is_asked_in_the_newest_version_we_know(fake: FakeEngine, source: DockerEngine) -> None:
    fake.answers["/version"] = {"ApiVersion": "1.60", "MinAPIVersion": "1.44"}
    fake.answers["/info"] = {"ServerVersion": "31.0\x1b[2J"}
    info = await source.info()
    assert (info.version, info.api_version) == ("31.0", "1.51")


async def test_a_container_that_is_gone_is_missing_and_named(source: DockerEngine) -> None:
    for question in (source.container("gone"), source.log_tail("gone", lines=1), source.usage("gone"), source.stop("gone")):
        error = await failure(question)
        assert error.failure.kind is FailureKind.MISSING
        assert "gone" in error.failure.message


async def test_the_engines_own_words_are_quoted_and_harmless(fake: FakeEngine, source: DockerEngine) -> None:
    fake.answers["/containers/web/json"] = {"Id": "web", "State": {"Status": "created", "Paused": False}}
    fake.answers["/containers/web/start"] = (500, {"message": "port is already allocated\x1b]0;x\x07"})
    error = await failure(source.start("web"))
    assert error.failure.message == "The engine declined a request about web: port is already allocated."


async def test_one_inspection_that_fails_does_not_hide_the_others(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has(WEB, "rec-crash")
    fake.answers[f"/containers/{WEB_ID}/json"] = (500, {"message": "in transition"})
    found = await source.containers()
    assert {item.name: item.restart_count for item in found.items} == {"rec-crash": 5, WEB: None}


async def test_a_log_is_followed_until_it_ends(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has(WEB)
    fake.answers[f"/containers/{WEB_ID}/logs"] = stream(
        frame(1, STAMP + b"one\n"), frame(2, STAMP + b"two\n"), frame(1, STAMP + b"half")
    )
    lines = [line.text async for batch in source.follow(WEB, tail=10) for line in batch]
    assert lines == ["one", "two", "half"]


async def test_a_log_that_breaks_off_is_lost_after_its_lines(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has(WEB)
    fake.answers[f"/containers/{WEB_ID}/logs"] = stream(frame(1, STAMP + b"one\n"), ends=False)
    seen: list[str] = []

    async def read() -> None:
        async for batch in source.follow(WEB, tail=10):
            seen.extend(line.text for line in batch)

    assert (await failure(read())).failure.kind is FailureKind.LOST
    assert seen == ["one"]


async def test_a_log_that_is_no_log_is_garbage(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has(WEB)
    fake.answers[f"/containers/{WEB_ID}/logs"] = stream(b"<html>Bad Gateway</html>")
    assert (await failure(source.log_tail(WEB, lines=5))).failure.kind is FailureKind.GARBAGE


async def test_a_driver_that_keeps_no_log_is_unsupported(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has(WEB)
    message = "configured logging driver does not support reading"
    fake.answers[f"/containers/{WEB_ID}/logs"] = (501, {"message": message})
    error = await failure(source.log_tail(WEB, lines=5))
    assert error.failure.kind is FailureKind.UNSUPPORTED
    assert message in error.failure.message


async def test_leaving_an_idle_log_closes_its_connection(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has(WEB)
    fake.answers[f"/containers/{WEB_ID}/logs"] = silence
    reading = asyncio.ensure_future(anext(aiter(source.follow(WEB, tail=10))))
    await until(lambda: f"/containers/{WEB_ID}/logs" in fake.asked)
    before = fake.open_connections
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await until(lambda: fake.open_connections == before - 1)


async def test_closing_the_source_ends_a_log_that_is_being_followed(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has(WEB)
    fake.answers[f"/containers/{WEB_ID}/logs"] = silence
    reading = asyncio.ensure_future(failure(anext(aiter(source.follow(WEB, tail=10)))))
    await until(lambda: f"/containers/{WEB_ID}/logs" in fake.asked)
    await source.aclose()
    assert (await reading).failure.kind is FailureKind.LOST
    await until(lambda: fake.open_connections == 0)


async def test_details_come_from_an_inspection_and_processes_from_the_engines_top(fake: FakeEngine, source: DockerEngine) -> None:
    fake.has("rec-healthy")
    fake.answers["/containers/rec-healthy/top"] = {"Titles": ["PID", "%CPU"], "Processes": [["7", "1.5"]]}
    assert [link.network for link in (await source.details("rec-healthy")).links] == ["bridge"]
    assert [process.pid for process in await source.processes("rec-healthy")] == [7]
    fake.answers["/containers/rec-healthy/top"] = ["nonsense"]
    assert (await failure(source.processes("rec-healthy"))).failure.kind is FailureKind.GARBAGE


async def test_a_command_gives_both_outputs_and_its_exit_code(fake: FakeEngine, source: DockerEngine) -> None:
    fake.answers["/containers/web/exec"] = {"Id": "e1"}
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
    fake.answers["/exec/e1/start"] = raw(head + frame(1, b"a\x00") + frame(2, b"bad") + frame(1, b"b\n"))
    fake.answers["/exec/e1/json"] = {"ExitCode": 3}
    assert await source.execute("web", ["true"], timeout_s=2) == ExecResult(3, b"a\x00b\n", b"bad")


async def test_a_command_that_takes_too_long_is_a_timeout_that_names_it(fake: FakeEngine, source: DockerEngine) -> None:
    fake.answers["/containers/web/exec"] = {"Id": "e1"}
    fake.answers["/exec/e1/start"] = silence
    error = await failure(source.execute("web", ["pg_dump", "-a"], timeout_s=0.1))
    assert error.failure.kind is FailureKind.TIMEOUT
    assert "`pg_dump -a` in web" in error.failure.message


async def test_a_context_that_does_not_exist_is_a_matter_of_configuration() -> None:
    source = DockerEngine(EngineConfig(context="nowhere"), ())
    error = await failure(source.containers())
    assert error.failure.kind is FailureKind.NOT_CONFIGURED
    assert "nowhere" in error.failure.message
    await source.aclose()


async def stats_for_ever(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    stats = copy.deepcopy(STATS)
    while True:
        # Time goes on between two samples: without that there is nothing to divide by.
        stats["cpu_stats"]["system_cpu_usage"] += 1_000_000_000
        stats["cpu_stats"]["cpu_usage"]["total_usage"] += 10_000_000
        sample = json.dumps(stats).encode() + b"\n"
        writer.write(b"%x\r\n%b\r\n" % (len(sample), sample))
        await writer.drain()
        await asyncio.sleep(0.02)
