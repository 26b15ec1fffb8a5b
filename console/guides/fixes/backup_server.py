"""The PostgreSQL whose backups these are, asked with its own tools where they are: in its container, or on the machine."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from console.config_tables import BackupConfig
from console.guides.checks.commands import container_name, docker, on_machine
from console.guides.checks.files_backups import backups_of
from console.reading import FailureKind, SourceError
from console.sources.postgres import dumps
from console.sources.protocols.engine import State
from console.system import System
from console.text import clean

QUESTION_S = 8
ACTION_S = 60
COUNT_S = 300
_TIMED_OUT = 124


@dataclass(frozen=True, slots=True)
class Kept:
    """A database of the server."""

    name: str
    owner: str
    size_bytes: int


class BackupServer:
    """Raises NOT_CONFIGURED when the configuration lacks backups or PostgreSQL."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.backups: BackupConfig = backups_of(system)
        if system.config.postgres is None:
            raise SourceError(
                FailureKind.NOT_CONFIGURED, "No PostgreSQL is configured.", f"Set [systems.{system.name}.postgres]."
            )
        parts = urlsplit(system.config.postgres.dsn)
        self.database = unquote(parts.path.lstrip("/"))
        self.owner = unquote(parts.username or "")
        if self.database in (dumps.MAINTENANCE, "template0", "template1"):
            message = f"The system's database is {self.database}, from which others are made: it cannot take another's place."
            raise SourceError(FailureKind.UNSUPPORTED, message, "Restore by hand.")

    @property
    def where(self) -> str:
        """The container in which the tools run, or the machine."""
        return "the machine" if self.system.config.runs_on_machine else self.system.container(self.backups.server)

    @property
    def seconds(self) -> int:
        """How long a dump or a load may take: what was promised for the whole."""
        return self.system.config.recovery.rto_minutes * 60

    def path(self, name: str) -> str:
        return f"{self.backups.path.rstrip('/')}/{name}"

    def typed(self, *words: str) -> str:
        """A command as a person would type it there."""
        config = self.system.config
        if config.runs_on_machine:
            return on_machine(config, *words)
        return docker(config, "exec", container_name(config, self.backups.server), *words)

    async def run(self, what: str, argv: Sequence[str], seconds: int = QUESTION_S) -> str:
        """What a command prints; raises DECLINED with its own words when it fails. `what` says what failed: "The dump"."""
        limit = seconds + 2.0
        if self.system.config.runs_on_machine:
            code, stdout, stderr = await self.system.host.run(argv, timeout_s=limit)
        else:
            done = await self.system.need_engine().execute(self.where, argv, timeout_s=limit)
            code, stdout, stderr = done.exit_code, done.stdout, done.stderr
        if code == _TIMED_OUT:
            raise SourceError(
                FailureKind.TIMEOUT, f"{what} was not done within {seconds} s and was ended.", "Nothing is half done."
            )
        if code != 0:
            words = clean(" ".join(stderr.decode("utf-8", "replace").split()), 400) or f"exit code {code}"
            raise SourceError(FailureKind.DECLINED, f"{what} failed in {clean(self.where)}: {words}")
        return stdout.decode("utf-8", "replace")

    async def psql(
        self, what: str, sql: str, database: str = dumps.MAINTENANCE, seconds: int = ACTION_S, **variables: str
    ) -> str:
        return await self.run(what, dumps.psql_argv(sql, self.backups.user, database, seconds, **variables), seconds)

    async def databases(self) -> dict[str, Kept]:
        """Every database by name."""
        found = {}
        for line in (await self.psql("The list of databases", dumps.DATABASES, seconds=QUESTION_S)).splitlines():
            name, _, rest = line.partition("|")
            owner, _, size = rest.partition("|")
            if size.isdecimal():
                found[name] = Kept(name, owner, int(size))
        return found

    async def inspect(self, name: str, seconds: int = QUESTION_S) -> dumps.Inspected:
        """What a backup holds, read from its first to its last line."""
        argv = ("timeout", str(seconds), *dumps.inspect_argv(self.path(name)))
        return dumps.parse_inspected(await self.run(f"Reading {clean(name)}", argv, seconds))

    async def counts(self, database: str) -> dict[str, int]:
        """The rows of each table, counted."""
        printed = await self.psql("Counting the rows", dumps.COUNTS, database, COUNT_S)
        return dumps.parse_counts(printed.splitlines())

    async def drop(self, database: str) -> None:
        await self.psql(f"Dropping {clean(database)}", dumps.DROP, name=database)

    def stamp(self) -> str:
        return time.strftime("%Y%m%d_%H%M%S", time.gmtime(self.system.clock()))

    @asynccontextmanager
    async def nobody_writes(self, lines: list[str]) -> AsyncIterator[None]:
        """The writers are stopped, and those that ran are started again whatever happens meanwhile."""
        stopped: list[str] = []
        try:
            for role in self.backups.writers:
                if await self._stop(role):
                    stopped.append(role)
                    lines.append(f"Stopped the {clean(role)}, so that nothing is written meanwhile.")
            yield
        finally:
            for role in stopped:
                await self._start(role)
                lines.append(f"Started the {clean(role)} again.")

    async def _stop(self, role: str) -> bool:
        """Stop what plays a role; False when it does not run anyway."""
        config = self.system.config
        if role in config.units:
            if (await self.system.host.unit(config.units[role])).active != "active":
                return False
            await self.system.host.control_unit(config.units[role], "stop")
            return True
        engine, name = self.system.need_engine(), self.system.container(role)
        if (await engine.container(name)).state not in (State.RUNNING, State.RESTARTING, State.PAUSED):
            return False
        await engine.stop(name)
        return True

    async def _start(self, role: str) -> None:
        config = self.system.config
        if role in config.units:
            await self.system.host.control_unit(config.units[role], "start")
        else:
            await self.system.need_engine().start(self.system.container(role))


def compared(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """`grade: 9,600 → 10,000` for each table whose rows differ; `?` for one that is not there."""
    lines = []
    for table in sorted({*before, *after}):
        old, new = before.get(table), after.get(table)
        if old != new:
            lines.append(f"{clean(table)}: {'?' if old is None else f'{old:,}'} → {'?' if new is None else f'{new:,}'} rows")
    return lines


def missing_rows(wanted: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    """The tables of a backup that did not come back with as many rows as it holds."""
    return [f"{clean(table)}: {found.get(table, 0):,} of {rows:,}" for table, rows in wanted.items() if found.get(table) != rows]
