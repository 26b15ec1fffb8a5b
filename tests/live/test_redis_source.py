"""The live Redis source against a real server that is filled, blocked, frozen and misused."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import redis as driver
from redis.asyncio import Redis as Client
from store_containers import Server, server, sockets_to

from console.config_sources import RedisConfig
from console.reading import FailureKind, SourceError
from console.sources.redis.source import Redis
from console.text import Secrets
from console.watch import watch

pytestmark = pytest.mark.engine

PASSWORD = "not-guessed-1"


@pytest.fixture(scope="module")
def redis() -> Iterator[Server]:
    def ready(found: Server) -> bool:
        try:
            with driver.Redis(port=found.port, password=PASSWORD, socket_timeout=1, retry=None) as client:
                return bool(client.ping())
        except driver.RedisError:
            return False

    command = [
        *("redis-server", "--bind", "0.0.0.0", "--save", "", "--requirepass", PASSWORD, "--maxmemory", "64mb"),
        *("--enable-debug-command", "yes", "--slowlog-log-slower-than", "1000", "--lua-time-limit", "100"),
    ]
    with server(command, 6379, ready) as found:
        yield found


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_REDIS_PASSWORD", PASSWORD)


@contextlib.asynccontextmanager
async def opened(found: Server, user: str = "", env: str = "SHOP_REDIS_PASSWORD") -> AsyncIterator[Redis]:
    url = f"redis://{user + '@' if user else ''}127.0.0.1:{found.port}/0"
    made = Redis(RedisConfig(url=url, password_env=env), key="systems.shop.redis", secrets=Secrets())
    await made.open()
    try:
        yield made
    finally:
        await made.aclose()


@contextlib.asynccontextmanager
async def client(found: Server) -> AsyncIterator[Client]:
    async with Client(port=found.port, password=PASSWORD, single_connection_client=True) as made:
        yield made


async def until(condition: Callable[[], Awaitable[Any]], within_s: float = 5.0) -> Any:
    deadline = time.monotonic() + within_s
    while not (answer := await condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.05)
    return answer


async def test_a_healthy_server_tells_memory_keys_hits_and_rates(redis: Server) -> None:
    async with opened(redis) as made, client(redis) as other:
        await other.flushall()
        await other.set("grades:student:1", "5", ex=1000)
        first = await made.info()
        assert (first.server, first.role, first.max_memory_bytes, first.keys, first.expiring) == (
            "redis",
            "master",
            64 * 1024 * 1024,
            {"db0": 1},
            {"db0": 1},
        )
        assert first.hit_percent is None
        assert first.fragmentation_ratio is None, "an empty server's ratio means nothing"
        assert (first.ping_s or 9) < 1
        for _ in range(3):
            await other.get("grades:student:1")
        await other.get("nothing")
        async with asyncio.timeout(10):
            while (second := await made.info()).hit_percent is None:
                await asyncio.sleep(0.05)
        assert second.hit_percent == pytest.approx(75)
        assert (second.misses_per_s or 0) > 0
        with pytest.raises(driver.ResponseError):
            await other.execute_command("NOSUCH")
        assert (await made.info()).errors["ERR"] >= 1


async def test_slow_commands_are_listed_newest_first_and_clean(redis: Server) -> None:
    async with opened(redis) as made, client(redis) as other:
        await other.execute_command("SLOWLOG", "RESET")
        await other.client_setname("importer")
        await other.eval("local n = 0; for i = 1, 1000000 do n = n + i end; return KEYS[1]", 1, "key\x1b[2J\x00")
        entry = (await made.info()).slow_log[0]
        assert entry.command.startswith("EVAL ")
        assert "\x1b" not in entry.command
        assert entry.duration_s > 0.001
        assert entry.client == "importer"
        assert {found.name for found in await made.clients()} >= {"triage", "importer"}


@pytest.mark.parametrize("env", ["WRONG_PASSWORD", "UNSET_PASSWORD"])
async def test_a_wrong_or_missing_password_is_told_with_what_to_set(
    redis: Server, monkeypatch: pytest.MonkeyPatch, env: str
) -> None:
    monkeypatch.setenv("WRONG_PASSWORD", "guessed-wrong")
    async with opened(redis, env=env) as made:
        with pytest.raises(SourceError) as caught:
            await made.info()
        assert caught.value.failure.kind is FailureKind.LOGIN
        assert f"{env} or password_file in [systems.shop.redis]" in caught.value.failure.advice
        assert "guessed-wrong" not in str(caught.value)


async def test_a_user_with_two_rights_still_fills_the_pane(redis: Server) -> None:
    async with client(redis) as admin:
        await admin.execute_command("ACL", "SETUSER", "watcher", "on", f">{PASSWORD}", "-@all", "+info", "+ping")
    async with opened(redis, "watcher") as made:
        info = await made.info()
        assert info.used_memory_bytes > 0
        assert "forbids" in info.slow_log_failure
        assert (await made.info()).slow_log_failure == info.slow_log_failure
        privileges = await made.privileges()
        assert privileges.user == "watcher"
        assert set(privileges.missing) == {"SLOWLOG LEN", "CLIENT LIST", "MEMORY DOCTOR", "LATENCY DOCTOR"}
        with pytest.raises(SourceError) as caught:
            await made.clients()
        assert caught.value.failure.kind is FailureKind.FORBIDDEN
        assert all("forbids" in line for line in await made.doctor())


async def test_the_doctors_say_when_the_latency_monitor_is_off(redis: Server) -> None:
    async with opened(redis) as made:
        lines = await made.doctor()
        assert lines[0].startswith("MEMORY DOCTOR: ")
        assert any("latency-monitor-threshold is 0" in line for line in lines)


async def test_a_key_tells_its_type_time_size_and_value(redis: Server) -> None:
    async with opened(redis) as made, client(redis) as other:
        await other.set("grades:student:42", b'{"average": 1.7}', ex=60)
        await other.set("long", b"x" * 100_000)
        await other.rpush("list of \x1b[31m things", "a", "b")

        found = await made.key("grades:student:42")
        assert found is not None
        assert (found.name, found.type, found.value) == ("grades:student:42", "string", b'{"average": 1.7}')
        assert found.ttl_s is not None
        assert 50 < found.ttl_s <= 60
        assert found.idle_s is not None
        assert found.size_bytes is not None
        assert found.size_bytes > 16

        long = await made.key("long")
        assert long is not None
        assert (long.ttl_s, len(long.value)) == (None, 64 * 1024)
        listed = await made.key("list of \x1b[31m things")
        assert listed is not None
        assert (listed.name, listed.type, listed.value) == ("list of  things", "list", b"")
        assert await made.key("nothing") is None


async def test_a_key_is_deleted_once(redis: Server) -> None:
    async with opened(redis) as made, client(redis) as other:
        await other.set("gone", "1")
        assert await made.delete_key("gone") is True
        assert await made.delete_key("gone") is False


async def test_flushing_empties_the_configured_database_and_no_other(redis: Server) -> None:
    async with opened(redis) as made, client(redis) as other:
        await other.flushall()
        await other.mset({"a": 1, "b": 2})
        await other.execute_command("SELECT", 3)
        await other.set("kept", 1)

        assert await made.flush() == 2
        assert await made.flush() == 0
        assert await other.get("kept") == b"1"
        await other.flushdb()


async def test_settings_are_read_and_set_and_a_wrong_value_is_declined(redis: Server) -> None:
    async with opened(redis) as made:
        assert await made.settings("maxmemory", "appendonly", "no-such-thing") == {"maxmemory": str(64 << 20), "appendonly": "no"}
        await made.set_setting("maxmemory", str(128 << 20))
        try:
            assert await made.settings("maxmemory") == {"maxmemory": str(128 << 20)}
            with pytest.raises(SourceError, match="would not do it") as caught:
                await made.set_setting("maxmemory", "much")
            assert caught.value.failure.kind is FailureKind.DECLINED
        finally:
            await made.set_setting("maxmemory", str(64 << 20))


async def test_a_user_without_the_right_is_told_so_and_changes_nothing(redis: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READER", "reader-word-1")
    async with client(redis) as other:
        await other.execute_command(
            "ACL", "SETUSER", "reader", "on", ">reader-word-1", "~*", "+ping", "+info", "+dbsize", "+type", "+pttl"
        )
        await other.set("kept", "1")
        async with opened(redis, "reader", "READER") as made:
            for doing in (made.settings("maxmemory"), made.set_setting("maxmemory", "0"), made.flush(), made.delete_key("kept")):
                with pytest.raises(SourceError) as caught:
                    await doing
                assert caught.value.failure.kind is FailureKind.FORBIDDEN
            found = await made.key("no-such-key")
            assert found is None
        assert await other.get("kept") == b"1"


async def test_a_full_server_still_answers_on_the_kept_connection_and_says_full_to_a_new_one(redis: Server) -> None:
    async with opened(redis) as kept, client(redis) as admin, opened(redis) as late:
        await kept.info()
        await admin.config_set("maxclients", 2)
        try:
            info = await kept.info()
            assert (info.max_clients, info.clients >= 2) == (2, True)
            with pytest.raises(SourceError) as caught:
                await late.info()
            assert caught.value.failure.kind is FailureKind.FULL
            assert (await kept.info()).rejected_connections >= 1
        finally:
            await admin.config_set("maxclients", 10000)
        assert await late.info()


async def test_a_script_that_runs_for_ever_is_named(redis: Server) -> None:
    async with opened(redis) as made, client(redis) as other, client(redis) as killer:
        await made.info()
        script = asyncio.ensure_future(other.eval("while true do end", 0))
        try:

            async def busy() -> str | None:
                try:
                    await made.info()
                except SourceError as error:
                    return error.failure.message
                return None

            assert "busy with a script" in await until(busy)
        finally:
            await killer.script_kill()
            await asyncio.gather(script, return_exceptions=True)
        assert await made.info()


async def test_a_blocked_server_is_given_up_and_answers_again_when_it_can(redis: Server) -> None:
    async with opened(redis) as made, client(redis) as other:
        await made.info()
        sleeping = asyncio.ensure_future(other.execute_command("DEBUG", "SLEEP", "1.5"))
        await asyncio.sleep(0.05)
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(made.info(), 0.5)
        assert time.monotonic() - started < 0.8
        await made.info()
        assert time.monotonic() - started < 2
        await sleeping


async def test_a_frozen_server_is_left_at_once_and_answers_within_five_seconds_of_its_return(redis: Server) -> None:
    async with opened(redis) as made:
        readings = watch(made.info, every_s=0.2, timeout_s=1.0, name="Redis")
        async with contextlib.aclosing(readings):
            assert (await anext(readings)).fresh
            with redis.frozen():
                reading = await anext(readings)
                while reading.failure is None:
                    reading = await anext(readings)
                assert reading.failure.kind is FailureKind.TIMEOUT
                assert reading.elapsed_s < 1.5
                assert reading.value is not None
            returned = time.monotonic()
            while not (await anext(readings)).fresh:
                assert time.monotonic() - returned < 5
        with redis.frozen():
            question = asyncio.ensure_future(made.info())
            await asyncio.sleep(0.2)
            started = time.monotonic()
            await made.aclose()
            with pytest.raises(SourceError):
                await question
            assert time.monotonic() - started < 1

    async def no_socket_is_left() -> bool:
        return sockets_to(redis.port) == 0

    await until(no_socket_is_left)
