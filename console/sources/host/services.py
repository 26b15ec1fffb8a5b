"""The services of a machine as the container pane and the log pane see them: systemd units and their log files."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from console.reading import FailureKind, SourceError
from console.sources.protocols.engine import Container, Containers, LogLine, State, Usage
from console.sources.protocols.host import Host, Unit

LOOK_S = 1.0
"""How often the end of a log file is read."""
LOOK_LINES = 2_000
_STATES: Mapping[str, State] = {
    "active": State.RUNNING,
    "reloading": State.RUNNING,
    "activating": State.RESTARTING,
    "deactivating": State.RUNNING,
    "failed": State.DEAD,
}
"""A unit's ActiveState in the words that containers have; any other is one that does not run."""


class MachineServices:
    """`units`: unit by role; `log_files`: the log's path by role. A service is called as its unit is."""

    def __init__(self, host: Host, units: Mapping[str, str], log_files: Mapping[str, str], *, clock: Callable[[], float]) -> None:
        self._host = host
        self._units = dict(units)
        self._logs = {unit: log_files[role] for role, unit in units.items() if role in log_files}
        self._clock = clock

    async def containers(self) -> Containers:
        """Every unit as the pane shows a container; its memory where systemd tells it."""
        found = await asyncio.gather(*(self._host.unit(name) for name in self._units.values()))
        now = self._clock()
        usage = {unit.name: Usage(now, None, unit.memory_bytes, None) for unit in found if unit.memory_bytes is not None}
        return Containers(tuple(map(_as_container, found)), usage)

    async def follow(self, name: str, *, tail: int, since: float | None = None) -> AsyncIterator[Sequence[LogLine]]:
        """Batches of lines as they are written, beginning with the last `tail`."""
        path = self._logs.get(name)
        if path is None:
            message = f"No log file of {name} is configured."
            raise SourceError(FailureKind.NOT_CONFIGURED, message, "Set it in the table log_files of the system.")
        lines = await self._host.log_tail(path, name=name, lines=tail, since=since)
        last_at, given = since, 0
        while True:
            # Lines of one time come in the order of the file: of the newest time some were given before.
            fresh = [line for line in lines if last_at is None or line.at > last_at]
            fresh = [line for line in lines if line.at == last_at][given:] + fresh
            if fresh:
                newest = fresh[-1].at
                given = sum(1 for line in lines if line.at == newest)
                last_at = newest
                yield fresh
            await asyncio.sleep(LOOK_S)
            lines = await self._host.log_tail(path, name=name, lines=LOOK_LINES, since=last_at)


def _as_container(unit: Unit) -> Container:
    state = _STATES.get(unit.active, State.EXITED)
    return Container(
        id=unit.name,
        name=unit.name,
        image="systemd unit" if unit.known else "no such unit",
        state=state,
        started_at=unit.since if state is State.RUNNING else None,
        finished_at=unit.since if state is not State.RUNNING else None,
        restart_count=unit.restarts,
        error="" if unit.result in ("", "success") else unit.result,
    )
