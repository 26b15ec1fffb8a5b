"""What the panes were shown in a round, kept as frames: one JSON object a line in `frames.jsonl` of the round's folder.

`{"at", "feed", "reading"}` is a reading of a pane, `{"at", "feed": "logs", "batch", "left_out"}` a batch of log lines, as the
trainee's console got them. Replay gives the same readings to the same panes.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from console.logs.follower import LogBatch
from console.practice.drill.rounds import FRAMES, Round
from console.reading import Reading
from console.text import Secrets

if TYPE_CHECKING:
    from pydantic import TypeAdapter

LOGS: Final = "logs"
WRITTEN_EVERY_S = 1.0
LEAST_APART_S = 1.0
"""A feed that is asked more often gives no more frames."""
MOST_LINES = 500
"""Of one batch; a service that writes faster is not read by anybody."""
MOST_BYTES = 64 << 20
"""Of a recording: hours of an ordinary round."""


class Recorder:
    """Records one round. `take` and `take_lines` never wait; `run` writes, beside everything else, until it is cancelled."""

    def __init__(self, round_: Round, secrets: Secrets, clock: Callable[[], float]) -> None:
        self._path = round_.folder / FRAMES
        self._secrets = secrets
        self._clock = clock
        self._waiting: list[tuple[float, str, Reading[Any] | LogBatch]] = []
        self._last: dict[str, float] = {}
        self._writing = threading.Lock()
        self.trouble = ""
        """Why nothing is recorded any more; empty while it is."""

    def take(self, feed: str, reading: Reading[Any]) -> None:
        """Keep what a pane is shown now."""
        at = self._clock()
        failed = reading.failure is not None
        if not self.trouble and (failed or at - self._last.get(feed, float("-inf")) >= LEAST_APART_S):
            self._last[feed] = at
            self._waiting.append((at, feed, reading))

    def take_lines(self, batch: LogBatch) -> None:
        """Keep the lines that the log pane is given now."""
        if not self.trouble:
            self._waiting.append((self._clock(), LOGS, batch))

    async def run(self) -> None:
        """Write what was taken, once a second, and what is left at the end."""
        try:
            while not self.trouble:
                await asyncio.sleep(WRITTEN_EVERY_S)
                await asyncio.shield(asyncio.to_thread(self.write))
        finally:
            self.write()

    def write(self) -> None:
        """Write what was taken. What cannot be written ends the recording, and nothing else."""
        with self._writing:
            taken, self._waiting = self._waiting, []
            if taken and not self.trouble:
                self._append(taken)

    def _append(self, taken: list[tuple[float, str, Reading[Any] | LogBatch]]) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as file:
                self._path.chmod(0o600)
                for at, feed, shown in taken:
                    file.write(json.dumps(self._frame(at, feed, shown), ensure_ascii=False) + "\n")
                if file.tell() > MOST_BYTES:
                    self.trouble = f"The recording has reached {MOST_BYTES >> 20} MiB; the rest of the round is not in it."
        except OSError as error:
            self.trouble = f"The round cannot be recorded ({error.strerror or error})."

    def _frame(self, at: float, feed: str, shown: Reading[Any] | LogBatch) -> dict[str, Any]:
        if isinstance(shown, LogBatch):
            left_out = max(0, len(shown.lines) - MOST_LINES)
            kept = replace(shown, lines=shown.lines[left_out:])
            return {
                "at": at,
                "feed": feed,
                "batch": self._hidden(_adapter(LOGS).dump_python(kept, mode="json")),
                "left_out": left_out,
            }
        return {"at": at, "feed": feed, "reading": self._hidden(_adapter(feed).dump_python(shown, mode="json"))}

    def _hidden(self, value: Any) -> Any:
        """The same with every secret hidden."""
        if isinstance(value, str):
            return self._secrets.hide(value)
        if isinstance(value, Mapping):
            return {self._secrets.hide(str(key)): self._hidden(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._hidden(item) for item in value]
        return value


def read_shown(frame: Mapping[str, Any]) -> Reading[Any] | LogBatch:
    """What a frame shows. Raises ValueError and KeyError for one that no recorder wrote."""
    feed = str(frame["feed"])
    shown = _adapter(feed).validate_python(frame["batch" if feed == LOGS else "reading"])
    assert isinstance(shown, Reading | LogBatch)
    return shown


@cache
def _adapter(feed: str) -> "TypeAdapter[Any]":
    """Turns what a feed gives into JSON and back; imported when something is recorded or replayed."""
    from pydantic import TypeAdapter

    from console.sources.protocols.cache import CacheInfo
    from console.sources.protocols.database import Activity
    from console.sources.protocols.engine import Containers
    from console.sources.protocols.metrics import Latency

    shapes: Mapping[str, Any] = {
        "containers": Reading[Containers],
        "postgres": Reading[Activity],
        "redis": Reading[CacheInfo],
        "latency": Reading[Latency],
        LOGS: LogBatch,
    }
    return TypeAdapter(shapes[feed])
