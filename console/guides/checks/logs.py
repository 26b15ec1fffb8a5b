"""What containers wrote: why one crashed, and what the database's log says about its disk and its data."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, FactType, Findings
from console.guides.checks.commands import container_name, docker, joined
from console.guides.checks.containers import is_down, is_looping, role_meant, services, settled
from console.guides.checks.log_lines import is_unit
from console.guides.checks.words import age, number
from console.guides.parameters import Parameters, Seconds
from console.guides.readings import Readings
from console.reading import Failure, SourceError
from console.sources.protocols.engine import Container, Health, LogLine, State
from console.text import clean

_SHOWN = 15
_LOOKED_AT = 1_000
"""Characters of a line in which patterns look: a hostile line must not hold up the screen."""
_TOGETHER_S = 5.0
"""Lines of one end are written within this time; an exception's text and its traceback in either order."""
_TROUBLE = re.compile(r"error|exception|failed|fatal|panic|shutdown|killed|traceback", re.I)
# Only the server's own messages: the STATEMENT lines below them hold text that users sent.
_SERVER = re.compile(r"\b(?:WARNING|ERROR|FATAL|PANIC|LOG|HINT):")
_NO_SPACE = re.compile(r"No space left on device|disk quota exceeded", re.I)
_CORRUPT = re.compile(
    r"invalid page in block|could not read block|invalid (?:primary )?checkpoint record|could not locate .{0,20}checkpoint"
    r"|page verification failed|checksum|unexpected zero page|missing chunk number|invalid memory alloc request size",
    re.I,
)
_OUT_OF_MEMORY = re.compile(r"\bMemoryError\b|(?:^|\s)Killed\s*$|\b[Oo]ut of memory\b|Cannot allocate memory")
_MISSING_MODULE = re.compile(r"\bModuleNotFoundError\b|No module named |ImportError: .{0,200}cannot open shared object")
_MIGRATION = re.compile(
    r"[Mm]igrations? (?:\S{1,80} )?failed|alembic\.util\.exc\.CommandError|Can't locate revision|Multiple head revisions"
)
_RELATION = re.compile(r"relation .{1,80} does not exist|\bUndefinedTable\b|no such table|\bNoSuchTableError\b", re.I)
_SETTING = re.compile(
    r"\bKeyError: |\bValidationError\b|\bValueError: invalid literal for int\b|\bSettingsError\b|environment variable"
    r"|\bField required\b"
    r"|\b(?:setting|variable) .{1,60} (?:is missing|is not set|is invalid|must be)"
)
_REFUSED = re.compile(r"connection refused|could not connect to server|\[?Errno 111\b|\bError 111\b|\bECONNREFUSED\b", re.I)
_PASSWORD = re.compile(r"password authentication failed|invalid username-password pair|\bWRONGPASS\b|\bNOAUTH\b", re.I)
_DATABASE = re.compile(r"database .{1,80} does not exist|\bInvalidCatalogName\b|\bUndefinedDatabase\b", re.I)
_PERMISSION = re.compile(
    r"permission denied|has wrong ownership|has invalid permissions|\bPermissionError\b|\bEACCES\b|\bInsufficientPrivilege\b",
    re.I,
)
_TRACEBACK = re.compile(r"^Traceback \(most recent call last\)|\bTraceback \(most recent call last\):")
_EXCEPTION = re.compile(r"^(?:[a-zA-Z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning)\b(?:: .{0,300})?$")


class CrashParameters(Parameters):
    role: str = "backend"
    """`first-down` is the first that is not up."""
    lines: int = Field(default=100, ge=10, le=2000)


class TroubleParameters(Parameters):
    lines: int = Field(default=50, ge=10, le=500)


class ServerParameters(Parameters):
    role: str = "database"
    window: Seconds = Field(default=600.0)
    """How far back a line still counts: before now, or before the end of a container that does not run."""
    lines: int = Field(default=200, ge=10, le=5000)


@dataclass(frozen=True, slots=True)
class Crash:
    """What the lines of one run say about its end."""

    out_of_memory: tuple[LogLine, ...]
    missing_module: tuple[LogLine, ...]
    migration: tuple[LogLine, ...]
    tracebacks: tuple[LogLine, ...]
    exceptions: tuple[LogLine, ...]
    missing_relation: tuple[LogLine, ...] = ()
    bad_setting: tuple[LogLine, ...] = ()
    connection_refused: tuple[LogLine, ...] = ()
    password_failed: tuple[LogLine, ...] = ()
    database_missing: tuple[LogLine, ...] = ()
    permission_denied: tuple[LogLine, ...] = ()

    @property
    def decisive(self) -> tuple[LogLine, ...]:
        """The lines that say most about the end."""
        ended = self.out_of_memory or self.missing_module or self.migration or self.exceptions
        met = self.missing_relation or self.bad_setting or self.password_failed or self.database_missing
        return ended or met or self.permission_denied or self.connection_refused or self.tracebacks


def read_crash(lines: Sequence[LogLine]) -> Crash:
    """Sort the lines by what they say about the last end; each kind keeps their order.

    Only what was written with the newest telling line counts: a cause that was mended minutes ago is still in the log, and
    must not be named in place of the one that came after it.
    """
    ends = (_OUT_OF_MEMORY, _MISSING_MODULE, _MIGRATION, _TRACEBACK, _EXCEPTION)
    meets = (_RELATION, _SETTING, _REFUSED, _PASSWORD, _DATABASE, _PERMISSION)
    # What a process met (a refused connection) may be a warning of the next run, which did not end yet.
    newest = _newest(lines, ends) or _newest(lines, meets)
    telling = [line for line in lines if newest - _TOGETHER_S <= line.at <= newest]

    def matching(pattern: re.Pattern[str]) -> tuple[LogLine, ...]:
        return tuple(line for line in telling if pattern.search(line.text[:_LOOKED_AT]))

    return Crash(*map(matching, (*ends, *meets)))


def _newest(lines: Sequence[LogLine], kinds: Sequence[re.Pattern[str]]) -> float:
    return max((line.at for line in lines if any(kind.search(line.text[:_LOOKED_AT]) for kind in kinds)), default=0.0)


def run_began(container: Container, now: float) -> float | None:
    """From when on lines belong to the run that counts: the present one, or the one that ended last.

    A container in a loop that happens to run just now ended a moment ago: then the last minute counts, for the engine does
    not tell when the run before began.
    """
    if container.started_at is None:
        return None
    if container.state is State.RUNNING and is_looping(container, now):
        return container.started_at - 60.0
    return container.started_at


async def _crash(readings: Readings, parameters: CrashParameters) -> Findings:
    if is_unit(readings.system.config, parameters.role):
        lines = await readings.role_log(parameters.role, parameters.lines)
    else:
        role = await role_meant(readings, parameters.role)
        container = (await services(readings, (role,)))[role]
        name = readings.system.container(role)
        if container is None:
            return Findings({}, f"{clean(name)} does not exist, so it has no log.")
        if is_looping(container, readings.wall()):
            container = await settled(readings, name)
        lines = await readings.log_tail(name, parameters.lines, run_began(container, readings.wall()))
    found = read_crash(lines)
    facts = {
        "out_of_memory": bool(found.out_of_memory),
        "missing_module": bool(found.missing_module),
        "migration_failed": bool(found.migration),
        "traceback": bool(found.tracebacks or found.exceptions),
        "missing_relation": bool(found.missing_relation),
        "bad_setting": bool(found.bad_setting),
        "connection_refused": bool(found.connection_refused),
        "password_failed": bool(found.password_failed),
        "database_missing": bool(found.database_missing),
        "permission_denied": bool(found.permission_denied),
        "lines": len(lines),
    }
    log_line = found.decisive[-1] if found.decisive else None
    return Findings(facts, _crash_headline(found, len(lines)), _crash_evidence(found, lines), log_line=log_line)


def _crash_headline(found: Crash, count: int) -> str:
    if found.decisive:
        return clean(f"The log says: {found.decisive[-1].text}", 200)
    return f"The last {number(count, 'line')} of its run name no reason." if count else "The run that ended wrote no line."


def _crash_evidence(found: Crash, lines: Sequence[LogLine]) -> tuple[str, ...]:
    decisive = found.out_of_memory or found.missing_module or found.migration or found.exceptions
    summary = []
    if decisive:
        same = [line for line in decisive if line.text == decisive[-1].text]
        times = f"first {age(lines[-1].at - same[0].at)} before the last line" if len(same) > 1 else "once"
        summary.append(f"{number(len(same), 'time')}, {times}")
    start = next((index for index in range(len(lines) - 1, -1, -1) if _TRACEBACK.search(lines[index].text)), None)
    shown = lines[start : start + _SHOWN] if start is not None else lines[-_SHOWN:]
    texts = [line.text for line in shown]
    if decisive and decisive[-1].text not in texts:
        texts.append(decisive[-1].text)
    return (*summary, *texts)


def in_good_order(container: Container) -> bool:
    """Whether it was stopped and ended without an error: then nothing in its log is why it does not run."""
    return container.state is State.EXITED and container.exit_code == 0


async def _server(readings: Readings, parameters: ServerParameters) -> Findings:
    if is_unit(readings.system.config, parameters.role):
        since = readings.wall() - parameters.window
        return _server_findings(await readings.role_log(parameters.role, parameters.lines, since))
    container = (await services(readings, (parameters.role,)))[parameters.role]
    name = readings.system.container(parameters.role)
    if container is None:
        return Findings({"no_space": False, "corrupted": False}, f"{clean(name)} does not exist, so it has no log.")
    if in_good_order(container):
        # What it met before was not what ended it: a server that has no space or damaged data ends with an error.
        return Findings({"no_space": False, "corrupted": False}, f"{clean(name)} was shut down in good order (exit code 0).")
    ended = container.finished_at if is_down(container) and container.state is not State.PAUSED else None
    since = max((ended or readings.wall()) - parameters.window, container.started_at or 0.0)
    return _server_findings(await readings.log_tail(name, parameters.lines, since))


def _server_findings(written: Sequence[LogLine]) -> Findings:
    lines = [line for line in written if _SERVER.search(line.text)]
    full = [line for line in lines if _NO_SPACE.search(line.text)]
    corrupted = [line for line in lines if _CORRUPT.search(line.text)]
    facts = {"no_space": bool(full), "corrupted": bool(corrupted)}
    decisive = corrupted or full
    evidence = tuple(line.text for line in (decisive or lines)[-_SHOWN:])
    if not decisive:
        return Findings(facts, "The server log tells of no full disk and no damage.", evidence)
    return Findings(facts, clean(f"The server log says: {decisive[-1].text}", 200), evidence, log_line=decisive[-1])


async def _trouble(readings: Readings, parameters: TroubleParameters) -> Findings:
    by_role = await services(readings)
    names = {
        role: item
        for role, item in by_role.items()
        if item is not None and (is_down(item) or item.health is Health.UNHEALTHY or is_looping(item, readings.wall()))
    }
    results = await asyncio.gather(*(_tail(readings, item, parameters.lines) for item in names.values()))
    unread = tuple(result for result in results if isinstance(result, Failure))
    lines = [line for result in results if not isinstance(result, Failure) for line in result]
    telling = [line for line in lines if _TROUBLE.search(line.text)]
    failed = {item.name for item in names.values() if not in_good_order(item)}
    full = [line for line in lines if line.container in failed and _NO_SPACE.search(line.text)]
    facts = {"no_space": bool(full) or (None if unread else False), "telling": len(telling)}
    if full:
        headline = "A container that is not up found no space left on its disk."
    elif telling:
        headline = clean(f"Last words: {telling[-1].container}: {telling[-1].text}", 200)
    else:
        headline = "Their logs name no reason."
    evidence = tuple(f"{line.container}: {line.text}" for line in telling[-_SHOWN:])
    return Findings(facts, headline, evidence, unread, next(reversed(full or telling), None))


async def _tail(readings: Readings, container: Container, lines: int) -> tuple[LogLine, ...] | Failure:
    try:
        return await readings.log_tail(container.name, lines, run_began(container, readings.wall()))
    except SourceError as error:
        return error.failure


def _logs(config: SystemConfig, role: str, lines: int) -> str:
    if is_unit(config, role):
        return f"tail -n {lines} {config.log_files[role]}"
    return docker(config, "logs", "--timestamps", "--tail", str(lines), container_name(config, role))


CHECKS = (
    Check(
        name="logs.crash",
        title="What did the run that ended write last?",
        parameters=CrashParameters,
        facts=(
            Fact("out_of_memory", FactType.BOOL, "MemoryError, Killed or the like"),
            Fact("missing_module", FactType.BOOL, "a Python module is not there"),
            Fact("migration_failed", FactType.BOOL, "a schema migration failed"),
            Fact("traceback", FactType.BOOL, "an exception that nobody handled"),
            Fact("missing_relation", FactType.BOOL, "a table is not there"),
            Fact("bad_setting", FactType.BOOL, "a setting is missing or is not what it must be"),
            Fact("connection_refused", FactType.BOOL, "somebody it needs did not listen"),
            Fact("password_failed", FactType.BOOL, "the database or the cache did not take its password"),
            Fact("database_missing", FactType.BOOL, "the database is not there"),
            Fact("permission_denied", FactType.BOOL, "it may not do what it tried, on files or in the database"),
            Fact("lines", FactType.NUMBER, "lines that were read"),
        ),
        command=lambda config, parameters: f"{_logs(config, parameters.role, parameters.lines)} 2>&1",
        make=_crash,
    ),
    Check(
        name="logs.server",
        title="What does the database's log say about its disk and its data?",
        parameters=ServerParameters,
        facts=(
            Fact("no_space", FactType.BOOL, "the server could not write for lack of space"),
            Fact("corrupted", FactType.BOOL, "the server met damaged pages or records"),
        ),
        command=lambda config, parameters: (
            f"{_logs(config, parameters.role, parameters.lines)} 2>&1 | grep -E 'ERROR|FATAL|PANIC'"
        ),
        make=_server,
    ),
    Check(
        name="logs.trouble",
        title="What did the containers that are not up write last?",
        parameters=TroubleParameters,
        facts=(
            Fact("no_space", FactType.BOOL, "one of them found no space left on a disk"),
            Fact("telling", FactType.NUMBER, "lines that tell of an error"),
        ),
        command=lambda config, parameters: joined([f"{_logs(config, role, parameters.lines)} 2>&1" for role in config.order]),
        make=_trouble,
    ),
)
