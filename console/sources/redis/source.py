"""The live Redis: every question on one kept connection."""

import functools
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from console.config_sources import RedisConfig
from console.reading import FailureKind, SourceError
from console.sources.protocols.cache import CacheClient, CacheInfo, CacheKey, CachePrivileges
from console.sources.redis import answers
from console.sources.redis.failures import Place, failure
from console.sources.redis.link import Link, Refused
from console.text import MAX_LENGTH, Secrets, block, printable

T = TypeVar("T")

SLOW_ENTRIES = 16
MOST_VALUE_BYTES = 64 * 1024
FORBIDDEN_AGAIN_S = 60.0
"""A command that was forbidden is left alone for so long: every refusal is a line in the server's ACL LOG."""

_USED = (
    ("PING",),
    ("INFO", "server"),
    ("SLOWLOG", "LEN"),
    ("CLIENT", "LIST", "TYPE", "replica"),
    ("MEMORY", "DOCTOR"),
    ("LATENCY", "DOCTOR"),
)
"""Every command that we use, in a form that costs nothing. Subcommands are allowed and forbidden each for itself."""


class Redis:
    """A configured Redis or Valkey. `key` is its table in config.toml, for advice; `secrets` hides configured passwords."""

    def __init__(self, config: RedisConfig, *, key: str, secrets: Secrets) -> None:
        address = urlsplit(config.url)
        in_url = unquote(address.password or "")
        secrets.add(in_url)
        where = address.path if address.scheme == "unix" else f"{address.hostname or 'localhost'}:{address.port or 6379}"
        self._place = Place(
            address=printable(where),
            user=printable(unquote(address.username or "")) or "default",
            key=key,
            password_setting=f"{config.password_env or 'password_env'} or password_file in [{key}]",
            secrets=secrets,
        )
        self._link = Link(config.url, lambda: config.find_password() or in_url or None, self._place)
        self._secrets = secrets
        self._counted: deque[answers.Counted] = deque(maxlen=2)
        self._slow_log_failure = ""
        self._slow_log_again_at = 0.0
        self._show = functools.lru_cache(maxsize=1024)(self._show_afresh)

    async def open(self) -> None:
        """Nothing yet: the connection opens with the first question, and is kept from then on."""

    async def aclose(self) -> None:
        """Drop the connection at once."""
        await self._link.aclose()

    async def ping(self) -> float:
        """Seconds of a PING on the kept connection. Raises SourceError."""
        asked = await self._link.ask(("PING",))
        self._need(asked.replies[0])
        return asked.elapsed_s

    async def info(self) -> CacheInfo:
        """INFO, the newest of the slow log and the time of a PING, in two round trips. Raises SourceError."""
        ping = await self._link.ask(("PING",))
        with_slow_log = time.monotonic() >= self._slow_log_again_at
        commands: list[tuple[str, ...]] = [("INFO",)]
        if with_slow_log:
            commands.append(("SLOWLOG", "GET", str(SLOW_ENTRIES)))
        replies = (await self._link.ask(*commands)).replies
        info = answers.parse_info(self._need(replies[0]))
        slow_log = self._slow_log(replies[1]) if with_slow_log else []
        now = answers.counted(info, time.monotonic())
        before = next((old for old in reversed(self._counted) if now.at - old.at >= answers.SHORTEST_INTERVAL_S), None)
        if (before is not None and self._counted and before is self._counted[-1]) or not self._counted:
            self._counted.append(now)
        try:
            return answers.cache_info(
                info,
                slow_log,
                before,
                now,
                slow_log_failure=self._slow_log_failure,
                # A server that loads its data answers INFO, but no PING.
                ping_s=None if isinstance(ping.replies[0], Refused) else ping.elapsed_s,
                show=self._show,
            )
        except ValueError as error:
            raise SourceError(
                FailureKind.GARBAGE, f"{self._place} answers INFO in an unknown way: {error}.", "Is it Redis or Valkey?"
            ) from None

    async def clients(self) -> tuple[CacheClient, ...]:
        """Everybody who is connected, we too. Raises SourceError."""
        return answers.client_list(self._need((await self._link.ask(("CLIENT", "LIST"))).replies[0]), self._show)

    async def doctor(self) -> tuple[str, ...]:
        """The server's MEMORY DOCTOR and LATENCY DOCTOR in lines. Raises SourceError."""
        names = ("MEMORY DOCTOR", "LATENCY DOCTOR")
        replies = (await self._link.ask(*[(*name.split(),) for name in names])).replies
        lines: list[str] = []
        for name, reply in zip(names, replies, strict=True):
            if isinstance(reply, Refused):
                lines.append(f"{name}: {failure(self._place, reply.message).failure.message}")
            elif b"latency monitoring is disabled" in bytes(reply).lower():
                lines.append(f"{name}: the latency monitor is off (latency-monitor-threshold is 0), so it knows of no delays.")
            else:
                lines += [f"{name}: {line}" if index == 0 else line for index, line in enumerate(block(reply))]
        return tuple(lines)

    async def privileges(self) -> CachePrivileges:
        """Which of our commands the ACL forbids, found by asking each in a form that costs nothing. Raises SourceError."""
        replies = (await self._link.ask(*_USED)).replies
        missing = [
            " ".join(command[:2] if command[0] not in ("PING", "INFO") else command[:1])
            for command, reply in zip(_USED, replies, strict=True)
            if isinstance(reply, Refused) and failure(self._place, reply.message).failure.kind is FailureKind.FORBIDDEN
        ]
        return CachePrivileges(self._place.user, tuple(missing))

    async def key(self, name: str) -> CacheKey | None:
        """One key with the beginning of its value, in two round trips. Raises SourceError.

        Only reading the value could count as a use: NO-TOUCH keeps servers since 7.2 from that, and the time since the last
        use is asked before.
        """
        asked = await self._link.ask(("TYPE", name), ("PTTL", name), ("OBJECT", "IDLETIME", name), ("MEMORY", "USAGE", name))
        kind, ttl_ms, idle_s, size = asked.replies
        found = answers.cache_key(name, self._need(kind), self._need(ttl_ms, int), idle_s, size, b"", self._show)
        if found is None or found.type != "string":
            return found
        _, value, _ = (
            await self._link.ask(
                ("CLIENT", "NO-TOUCH", "ON"),
                ("GETRANGE", name, "0", str(MOST_VALUE_BYTES - 1)),
                ("CLIENT", "NO-TOUCH", "OFF"),
            )
        ).replies
        return replace(found, value=self._need(value))

    async def delete_key(self, name: str) -> bool:
        """Whether there was such a key. Raises SourceError."""
        return self._need((await self._link.ask(("UNLINK", name))).replies[0], int) > 0

    async def flush(self) -> int:
        """Delete every key of the configured database; how many there were. Raises SourceError, and then none is deleted."""
        count = self._need((await self._link.ask(("DBSIZE",))).replies[0], int)
        self._need((await self._link.ask(("FLUSHDB", "ASYNC"))).replies[0])
        return count

    async def settings(self, *names: str) -> Mapping[str, str]:
        """CONFIG GET, a command a name, for before 7.0 it took one. Raises SourceError."""
        replies = (await self._link.ask(*[("CONFIG", "GET", name) for name in names])).replies
        pairs = [self._need(reply, list) for reply in replies]
        return {self._show(pair[0]): self._show(pair[1]) for pair in pairs if len(pair) == 2}

    async def set_setting(self, name: str, value: str) -> None:
        """CONFIG SET. Raises SourceError."""
        self._need((await self._link.ask(("CONFIG", "SET", name, value))).replies[0])

    def _slow_log(self, reply: Any) -> list[Any]:
        if isinstance(reply, Refused):
            refused = failure(self._place, reply.message).failure
            self._slow_log_failure = str(refused)
            if refused.kind in (FailureKind.FORBIDDEN, FailureKind.UNSUPPORTED):
                self._slow_log_again_at = time.monotonic() + FORBIDDEN_AGAIN_S
            return []
        self._slow_log_failure = ""
        return reply if isinstance(reply, list) else []

    def _need(self, reply: Any, kind: type[T] = bytes) -> T:  # type: ignore[assignment]
        if isinstance(reply, Refused):
            raise failure(self._place, reply.message)
        if not isinstance(reply, kind):
            raise failure(self._place, ValueError(f"a {type(reply).__name__} where a {kind.__name__} was due"))
        return reply

    def _show_afresh(self, text: str | bytes, limit: int = MAX_LENGTH) -> str:
        return self._secrets.hide(printable(text, limit))
