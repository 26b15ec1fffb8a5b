"""The journal: one file an incident, one JSON object a line, only ever appended to and on the disk before we go on.

What cannot be written down is not done: a fix asks the journal first, and `record` raises OSError when it cannot.
"""

import asyncio
import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from console.state import private_dir, state_dir
from console.text import Secrets, printable

MAX_TEXT = 2_000
"""Characters of one string that are kept."""
MOST_READ_BYTES = 4 << 20
"""How much of the journals is looked through for when issues were walked: some weeks, in under a tenth of a second."""


def incidents_dir() -> Path:
    """Where the journals are."""
    return private_dir(state_dir() / "incidents")


class Journal:
    """Appends the entries of one incident. The file is made with the first entry. `secrets` are hidden in every text."""

    def __init__(
        self,
        system: str,
        environment: str,
        *,
        secrets: Secrets | None = None,
        clock: Callable[[], float] = time.time,
        folder: Path | None = None,
    ) -> None:
        self._system = system
        self._environment = environment
        self._secrets = secrets or Secrets()
        self._clock = clock
        self._folder = folder
        self._lock = threading.Lock()
        self._torn = False
        self._path: Path | None = None

    @property
    def path(self) -> Path | None:
        """The file, once there is an entry."""
        return self._path

    async def record(self, kind: str, details: Mapping[str, object]) -> None:
        """Append one entry and wait until it is on the disk; raises OSError when that fails."""
        entry = {"at": self._clock(), "kind": kind, **self.safe(details)}
        await asyncio.to_thread(self._append, entry)

    def _append(self, entry: Mapping[str, Any]) -> None:
        with self._lock:
            if self._path is None:
                path = self._new_path(float(entry["at"]))
                opening = {"at": entry["at"], "kind": "incident", "system": self._system, "environment": self._environment}
                self._write(path, opening)
                self._path = path
            self._write(self._path, entry)

    def _new_path(self, at: float) -> Path:
        folder = private_dir(self._folder) if self._folder is not None else incidents_dir()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
        stem, number = f"{stamp}-{self._system}", 1
        while (folder / f"{stem}-{number}.jsonl").exists():
            number += 1
        return folder / f"{stem}-{number}.jsonl"

    def _write(self, path: Path, entry: Mapping[str, Any]) -> None:
        # A line that was cut short (a full disk) is closed first, so that it spoils only itself.
        data = (b"\n" if self._torn else b"") + json.dumps(entry, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            written = os.write(handle, data)
            self._torn = written < len(data)
            if self._torn:
                raise OSError(28, "the disk took only a part of the line")
            os.fsync(handle)
        finally:
            os.close(handle)

    def safe(self, details: Mapping[str, object]) -> dict[str, Any]:
        """An entry's details as they may be kept: JSON, of bounded length, with every secret hidden."""
        return {str(key): self._safe(value) for key, value in details.items()}

    def _safe(self, value: object) -> Any:
        if isinstance(value, bool | int) or value is None:
            return value
        if isinstance(value, float):
            # NaN and infinity are no JSON.
            return value if value == value and abs(value) != float("inf") else None
        if isinstance(value, Mapping):
            return self.safe(value)
        if isinstance(value, list | tuple | set | frozenset):
            return [self._safe(item) for item in value]
        return printable(self._secrets.hide(str(value)), MAX_TEXT)


def read_entries(path: Path, *, most_bytes: int | None = None) -> Iterator[dict[str, Any]]:
    """The entries of a journal, oldest first, of its last `most_bytes` or all; lines that were cut short are left out.

    Raises OSError.
    """
    with path.open("rb") as file:
        if most_bytes is not None:
            file.seek(max(0, path.stat().st_size - most_bytes))
        for line in file:
            with contextlib.suppress(ValueError):
                entry = json.loads(line.decode(errors="replace"))
                if isinstance(entry, dict):
                    yield entry


def journals(folder: Path | None = None) -> list[Path]:
    """The journals, the newest first."""
    return sorted((folder or incidents_dir()).glob("*.jsonl"), reverse=True)


def last_walks(folder: Path | None = None) -> dict[str, float]:
    """When a step of each issue was last made, by issue, Unix seconds.

    One pass over the newest MOST_READ_BYTES of the journals; an issue that is not told of there counts as never walked, and
    a journal that cannot be read as none.
    """
    found: dict[str, float] = {}
    left = MOST_READ_BYTES
    try:
        paths = journals(folder)
    except OSError:
        return found
    for path in paths:
        if left <= 0:
            break
        with contextlib.suppress(OSError):
            size = path.stat().st_size
            for entry in read_entries(path, most_bytes=left):
                issue, at = entry.get("issue"), entry.get("at")
                if entry.get("kind") == "step" and isinstance(issue, str) and isinstance(at, int | float):
                    found[issue] = max(float(at), found.get(issue, 0.0))
            left -= size
    return found
