"""The Docker source on a real engine, with small containers made for each test and removed after it."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

import docker
import psutil
import pytest

from console.config_sources import EngineConfig
from console.reading import FailureKind, SourceError
from console.sources.docker.source import DockerEngine
from console.sources.protocols.engine import Container, Containers, Health, LogLine, State, Stream

pytestmark = pytest.mark.engine
IMAGE = "debian:bookworm-slim"
MIB = 1024 * 1024


class Made:
    """Containers of one test, all with a label that no other test has."""

    def __init__(self) -> None:
        self.client = docker.DockerClient.from_env()
        self.label = f"triage.test={uuid4().hex[:12]}"

    def run(self, script: str, **options: Any) -> str:
        """A container that runs a shell script; its name."""
        key, value = self.label.split("=")
        name = f"triage-test-{uuid4().hex[:8]}"
        labels = {key: value, **options.pop("labels", {})}
        self.client.containers.run(IMAGE, ["sh", "-c", script], name=name, detach=True, labels=labels, **options)
        return name

    def remove_all(self) -> None:
        for found in self.client.containers.list(all=True, filters={"label": self.label}, ignore_removed=True):
            with contextlib.suppress(docker.errors.NotFound):
                found.remove(force=True, v=True)
        self.client.close()


@pytest.fixture
def made() -> Iterator[Made]:
    containers = Made()
    yield containers
    containers.remove_all()


@pytest.fixture
async def engine(made: Made) -> AsyncIterator[DockerEngine]:
    source = DockerEngine(EngineConfig(select={"label": made.label}), names=())
    await source.open()
    yield source
    await source.aclose()


async def seen(engine: DockerEngine, holds: Callable[[Containers], bool], within_s: float = 20.0) -> Containers:
    """The containers, asked for as a pane does, once they are as expected."""
    found = Containers(())
    try:
        async with asyncio.timeout(within_s):
            while True:
                found = await engine.containers()
                if holds(found):
                    return found
                await asyncio.sleep(0.2)
    except TimeoutError:
        pytest.fail(f"not within {within_s} s; last seen: {found}")


def the(found: Containers) -> Container:
    (only,) = found.items
    return only


async def until_ended(engine: DockerEngine) -> Container:
    return the(await seen(engine, lambda found: the(found).state is State.EXITED and the(found).exit_code is not None))


async def test_a_crash_loop_shows_its_restarts_as_they_happen(made: Made, engine: DockerEngine) -> None:
    made.run("sleep 0.3; exit 3", restart_policy={"Name": "on-failure", "MaximumRetryCount": 4})
    counts: list[int] = []

    def done(found: Containers) -> bool:
        counts.append(the(found).restart_count or 0)
        return the(found).restart_count == 4 and the(found).state is State.EXITED

    loop = the(await seen(engine, done, 30.0))
    assert loop.exit_code == 3
    assert loop.restart_policy == "on-failure:4"
    assert counts == sorted(counts)
    assert len(set(counts)) >= 4


async def test_a_container_beyond_its_memory_is_told_as_killed_for_it(made: Made, engine: DockerEngine) -> None:
    script = "x=$(head -c 100m /dev/zero | tr '\\0' x); echo ${#x}"
    made.run(script, mem_limit=16 * MIB, memswap_limit=16 * MIB)
    killed = await until_ended(engine)
    assert (killed.exit_code, killed.oom_killed, killed.memory_limit_bytes) == (137, True, 16 * MIB)


async def test_health_is_told_with_what_the_check_said(made: Made, engine: DockerEngine) -> None:
    check = {"test": ["CMD-SHELL", "echo nobody home; exit 1"], "interval": 10**9, "retries": 1}
    made.run("sleep 60", healthcheck=check)
    sick = the(await seen(engine, lambda found: the(found).health is Health.UNHEALTHY and the(found).health_output != ""))
    assert sick.health_output == "nobody home"


async def test_a_container_that_a_role_names_belongs_and_others_do_not(made: Made) -> None:
    mine, other = made.run("sleep 60"), made.run("sleep 60")
    source = DockerEngine(EngineConfig(), names=(mine,))
    assert [item.name for item in (await source.containers()).items] == [mine]
    assert (await source.container(other)).name == other
    await source.aclose()


async def test_usage_is_sampled_and_ends_with_the_container(made: Made, engine: DockerEngine) -> None:
    busy = made.run("while :; do :; done", mem_limit=64 * MIB, nano_cpus=200_000_000)
    used = await engine.usage(busy)
    assert used.cpu_percent is not None
    assert 5 < used.cpu_percent < 60
    assert used.memory_limit_bytes == 64 * MIB
    assert 0 < (used.memory_used_bytes or 0) < 64 * MIB
    await seen(engine, lambda found: len(found.usage) == 1)
    made.client.containers.get(busy).kill()
    stopped = await seen(engine, lambda found: the(found).state is State.EXITED)
    assert stopped.usage == {}


async def test_both_streams_are_read_in_order_and_the_end_is_seen(made: Made, engine: DockerEngine) -> None:
    name = made.run("for i in 1 2 3; do echo out $i; echo err $i >&2; sleep 0.2; done")
    lines = [line async for batch in engine.follow(name, tail=100) for line in batch]
    told = [(line.stream, line.text) for line in lines]
    assert sorted(told) == sorted(
        (stream, f"{word} {i}") for i in (1, 2, 3) for stream, word in ((Stream.STDOUT, "out"), (Stream.STDERR, "err"))
    )
    for stream in Stream:  # The engine gives no order between the two.
        at = [line.at for line in lines if line.stream is stream]
        assert at == sorted(at)
    assert {line.container for line in lines} == {name}
    assert list(await engine.log_tail(name, lines=2)) == lines[-2:]


async def test_a_log_resumes_where_it_was_left(made: Made, engine: DockerEngine) -> None:
    name = made.run("for i in 1 2 3 4 5 6; do echo $i; sleep 0.05; done")
    await until_ended(engine)
    lines = await engine.log_tail(name, lines=100)
    resumed = await engine.log_tail(name, lines=100, since=lines[3].at - 0.001)
    assert [line.text for line in resumed] == ["4", "5", "6"]


async def test_a_terminals_log_and_one_of_hostile_lines_are_text(made: Made, engine: DockerEngine) -> None:
    script = "printf 'a\\033]0;pwned\\007b\\033[2Jc\\000d\\377[red]\\n'; echo done"
    for tty in (False, True):
        name = made.run(script, tty=tty)
        lines = [line async for batch in engine.follow(name, tail=100) for line in batch]
        assert texts(lines) == ["abc␀d�[red]", "done"]


async def test_a_line_of_a_megabyte_is_one_line(made: Made, engine: DockerEngine) -> None:
    for tty in (False, True):
        name = made.run("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo after", tty=tty)
        lines = [line async for batch in engine.follow(name, tail=100) for line in batch]
        assert [line.text[:3] for line in lines] == ["xxx", "aft"]
        assert lines[0].text.endswith("… (+995,904)")


async def test_nothing_of_a_flood_is_lost_to_a_slow_reader(made: Made, engine: DockerEngine) -> None:
    name = made.run("seq 60000")
    numbers: list[int] = []
    async for batch in engine.follow(name, tail=100_000):
        numbers += [int(line.text) for line in batch]
        await asyncio.sleep(0.002)
    assert numbers == list(range(1, 60_001))


async def test_a_command_in_a_container_gives_outputs_and_exit_code(made: Made, engine: DockerEngine) -> None:
    name = made.run("sleep 60")
    result = await engine.execute(name, ["sh", "-c", "echo out; echo err >&2; exit 7"], timeout_s=5)
    assert (result.exit_code, result.stdout, result.stderr) == (7, b"out\n", b"err\n")
    assert (await engine.execute(name, ["no-such-program"], timeout_s=5)).exit_code in (126, 127)
    began = time.monotonic()
    with pytest.raises(SourceError) as caught:
        await engine.execute(name, ["sleep", "30"], timeout_s=0.5)
    assert caught.value.failure.kind is FailureKind.TIMEOUT
    assert time.monotonic() - began < 2


async def test_details_and_processes_of_a_container_are_told(made: Made, engine: DockerEngine) -> None:
    name = made.run("sleep 61 & sleep 60", environment={"MODE": "strict"}, volumes=["/data"], tmpfs={"/run/x": "rw"})
    told = await engine.details(name)
    assert told.environment["MODE"] == "strict"
    assert [(mount.target, mount.kind, mount.writable) for mount in told.mounts] == [
        ("/data", "volume", True),
        ("/run/x", "tmpfs", True),
    ]
    assert [link.network for link in told.links] == ["bridge"]
    assert told.command == ("sh", "-c", "sleep 61 & sleep 60")
    commands = {process.command for process in await engine.processes(name)}
    assert {"sleep 60", "sleep 61"} <= commands


async def test_a_one_off_sees_what_its_model_saw_and_leaves_nothing(made: Made, engine: DockerEngine) -> None:
    model = made.run("echo kept > /data/file; exit 1", volumes=["/data"], environment={"COLOUR": "green"})
    await until_ended(engine)
    result = await engine.run_like(model, ["sh", "-c", "cat /data/file; echo $COLOUR; echo err >&2; exit 5"], timeout_s=20)
    assert (result.exit_code, result.stdout, result.stderr) == (5, b"kept\ngreen\n", b"err\n")
    again = await engine.run_like(model, ["cat", "/data/file"], timeout_s=20)
    assert again.stdout == b"kept\n"
    with pytest.raises(SourceError) as caught:
        await engine.run_like(model, ["sleep", "60"], timeout_s=3)
    assert caught.value.failure.kind is FailureKind.TIMEOUT
    assert [item.name for item in (await engine.containers()).items] == [model]


async def test_a_container_is_stopped_started_and_restarted(made: Made, engine: DockerEngine) -> None:
    name = made.run("trap 'exit 0' TERM; while :; do sleep 0.1; done")
    before = await engine.container(name)
    await engine.restart(name)
    after = await engine.container(name)
    assert (after.started_at or 0) > (before.started_at or 0)
    await engine.stop(name)
    assert the(await engine.containers()).state is State.EXITED
    await engine.start(name)
    assert the(await engine.containers()).state is State.RUNNING


async def test_a_paused_container_goes_on_when_it_is_started(made: Made, engine: DockerEngine) -> None:
    name = made.run("sleep 60")
    before = await engine.container(name)
    made.client.api.pause(name)
    assert (await engine.container(name)).state is State.PAUSED
    await engine.start(name)
    after = await engine.container(name)
    assert (after.state, after.started_at) == (State.RUNNING, before.started_at)


async def test_a_memory_limit_goes_up_and_down(made: Made, engine: DockerEngine) -> None:
    for swap in (64 * MIB, 128 * MIB):
        name = made.run("sleep 60", mem_limit=64 * MIB, memswap_limit=swap)
        for limit in (256 * MIB, 32 * MIB):
            await engine.set_memory_limit(name, limit)
            assert (await engine.container(name)).memory_limit_bytes == limit


async def test_actions_on_a_container_that_is_gone_say_so(made: Made, engine: DockerEngine) -> None:
    for action in (engine.start, engine.stop, engine.restart):
        with pytest.raises(SourceError) as caught:
            await action("triage-test-gone")
        assert caught.value.failure.kind is FailureKind.MISSING


async def test_a_port_that_is_taken_is_refused_in_the_engines_words(made: Made, engine: DockerEngine) -> None:
    made.run("sleep 60", ports={"80/tcp": ("127.0.0.1", None)})
    port = next(item.host_port for item in the(await engine.containers()).ports)
    second = made.client.containers.create(
        IMAGE, ["sleep", "60"], labels=dict([made.label.split("=")]), ports={"80/tcp": ("127.0.0.1", port)}
    )
    with pytest.raises(SourceError) as caught:
        await engine.start(second.name)
    assert caught.value.failure.kind is FailureKind.DECLINED
    assert "port is already allocated" in caught.value.failure.message
    assert "port is already allocated" in (await engine.container(second.name)).error


async def test_stopped_containers_are_reclaimable(made: Made, engine: DockerEngine) -> None:
    name = made.run("head -c 100000 /dev/zero > /junk")
    await until_ended(engine)
    (stopped,) = [found for found in await engine.reclaimable() if found.kind == "containers"]
    assert dict(stopped.items)[name] >= 100_000


async def test_the_engine_tells_what_it_is(engine: DockerEngine) -> None:
    info = await engine.info()
    assert info.version
    assert info.api_version.startswith("1.")
    assert info.root_dir.startswith("/")


async def test_closing_leaves_no_thread_and_no_socket(made: Made) -> None:
    name = made.run("while :; do echo x; sleep 0.1; done")
    sockets = len(psutil.Process().net_connections("unix"))
    source = DockerEngine(EngineConfig(select={"label": made.label}), names=())
    await source.containers()
    await source.usage(name)
    following = asyncio.ensure_future(_count(source, name))
    await source.log_tail(name, lines=1)
    began = time.monotonic()
    await source.aclose()
    assert time.monotonic() - began < 1
    with pytest.raises(SourceError):
        await following
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("docker")] == []
    async with asyncio.timeout(3):
        while len(psutil.Process().net_connections("unix")) > sockets:
            await asyncio.sleep(0.01)


async def _count(source: DockerEngine, name: str) -> int:
    return sum([len(batch) async for batch in source.follow(name, tail=1)])


def texts(lines: Sequence[LogLine]) -> list[str]:
    return [line.text for line in lines]
