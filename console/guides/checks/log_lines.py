"""The lines that several roles wrote, together with what could not be read of them."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

from console.config import SystemConfig
from console.guides.checks.commands import container_name, docker, joined
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.engine import LogLine


@dataclass(frozen=True, slots=True)
class LogLines:
    """`lines` are in the order of time. `since`: from when on they are complete, later than asked when there were too many."""

    lines: tuple[LogLine, ...]
    since: float
    window_s: float
    unread: tuple[Failure, ...] = ()

    def span_s(self, now: float) -> float:
        """How far back they are complete, in seconds."""
        return min(now - self.since, self.window_s)

    def count(self, found: int) -> int | None:
        """How many were found; None when there is none among those that could be read, but not all could."""
        return found if found or not self.unread else None


def roles_with_logs(config: SystemConfig) -> tuple[str, ...]:
    """Every role that writes a log, those of the start order first."""
    return tuple(role for role in dict.fromkeys((*config.order, *config.roles, *config.log_files)) if writes_log(config, role))


def is_unit(config: SystemConfig, role: str) -> bool:
    """Whether a role's service runs on the machine itself and writes its log into a file there."""
    return role not in config.roles and role in config.log_files


def writes_log(config: SystemConfig, role: str) -> bool:
    return role in config.roles or role in config.log_files


async def read_logs(readings: Readings, roles: Sequence[str], window_s: float, most: int) -> LogLines:
    """What these roles (none named: all) wrote within the last `window_s` seconds, at most the last `most` lines of each.

    Raises SourceError when nothing at all could be read, and when no role has a log.
    """
    wanted = tuple(roles) or roles_with_logs(readings.system.config)
    # Whole seconds: checks that are made together share one reading.
    since = float(math.floor(readings.wall() - window_s))
    results = await asyncio.gather(*(_tail(readings, role, most, since) for role in wanted))
    failures = [result for result in results if isinstance(result, Failure)]
    # Where every role is meant, one whose container was never made wrote nothing; one that is asked for by name must be there.
    unread = tuple(failure for failure in failures if roles or failure.kind is not FailureKind.MISSING)
    if len(failures) == len(wanted):
        unread = unread or tuple(failures)
        first = unread[0] if unread else _no_log(readings)
        raise SourceError(first.kind, first.message, first.advice)
    known = [result for result in results if not isinstance(result, Failure)]
    full = [result[0].at for result in known if len(result) >= most]
    lines = sorted((line for result in known for line in result), key=lambda line: line.at)
    return LogLines(tuple(lines), max([since, *full]), window_s, unread)


def logs_command(config: SystemConfig, roles: Sequence[str], window_s: float, lines: int) -> str:
    """What a person would type to read these logs, both streams of each."""
    wanted = tuple(roles) or roles_with_logs(config)
    return joined([one_log_command(config, role, window_s, lines) for role in wanted])


def piped(logs: str, into: str) -> str:
    """The output of `logs_command` given to another command."""
    return f"{{ {logs}; }} | {into}" if " && " in logs else f"{logs} | {into}"


def one_log_command(config: SystemConfig, role: str, window_s: float, lines: int) -> str:
    if is_unit(config, role):
        return f"tail -n {lines} {config.log_files[role]}"
    since = f"{math.ceil(window_s)}s"
    return f"{docker(config, 'logs', '--since', since, '--tail', str(lines), container_name(config, role))} 2>&1"


async def _tail(readings: Readings, role: str, most: int, since: float) -> tuple[LogLine, ...] | Failure:
    try:
        return await readings.role_log(role, most, since)
    except SourceError as error:
        return error.failure


def _no_log(readings: Readings) -> Failure:
    key = f"systems.{readings.system.name}"
    advice = f"Name containers under [{key}.roles], or files under [{key}.log_files]."
    return Failure(FailureKind.NOT_CONFIGURED, "No role has a log that could be read.", advice)
