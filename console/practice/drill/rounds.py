"""The folder of a round: three append-only logs, each with one writer, so that two processes share a round without a server.

`public.jsonl`   written by the referee: what the trainee may know (the round, reports, hints, phases, the end)
`trainee.jsonl`  written by the trainee's console: what they opened, checked, changed, said
`referee.jsonl`  written by the referee: the truth, faults, probes, samples; no trainee's screen opens it

An entry is one JSON object a line with `at` (Unix seconds of the stack's clock) and `kind`; docs/architecture.md lists the kinds.
"""

import contextlib
import fcntl
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from console.state import private_dir, state_dir

PUBLIC: Final = "public.jsonl"
TRAINEE: Final = "trainee.jsonl"
REFEREE: Final = "referee.jsonl"
FRAMES: Final = "frames.jsonl"
_ID = re.compile(r"\d{8}T\d{6}Z-[a-z0-9-]+-\d+")

Entry = Mapping[str, Any]


def rounds_dir() -> Path:
    """Where the rounds are kept."""
    return private_dir(state_dir() / "drills")


@dataclass(frozen=True, slots=True)
class Round:
    """One round by its folder; its name is its id, as in `20261122T172300Z-sms-1`."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    def public(self) -> "EventLog":
        return EventLog(self.folder / PUBLIC)

    def trainee(self) -> "EventLog":
        return EventLog(self.folder / TRAINEE)

    def referee(self) -> "EventLog":
        return EventLog(self.folder / REFEREE)

    @property
    def ended(self) -> bool:
        """Whether the referee wrote the end, with everything healed."""
        return any(entry["kind"] == "ended" for entry in self.public().entries())

    @property
    def held(self) -> bool:
        """Whether a referee lives that has this round."""
        try:
            with (self.folder / "referee.lock").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Be this round's referee; the lock ends with the process, however it ends. Raises OSError when another one has it."""
        with (self.folder / "referee.lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield


def new_round(system: str, folder: Path | None = None, *, now: float | None = None) -> Round:
    """Make the folder of a new round."""
    where = private_dir(folder) if folder is not None else rounds_dir()
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    number = 1
    while True:
        path = where / f"{stamp}-{system}-{number}"
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
            continue
        return Round(path)


def all_rounds(folder: Path | None = None) -> tuple[Round, ...]:
    """Every round, the newest first."""
    where = folder or rounds_dir()
    found = [path for path in where.iterdir() if path.is_dir() and _ID.fullmatch(path.name)] if where.is_dir() else []
    return tuple(Round(path) for path in sorted(found, reverse=True))


class EventLog:
    """One append-only log. One process writes it; any may read it, also while it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_to = 0

    def add(self, kind: str, at: float, **details: object) -> None:
        """Append an entry and wait until it is on the disk. Raises OSError."""
        line = json.dumps({"at": at, "kind": kind, **details}, ensure_ascii=False, default=str) + "\n"
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)

    def entries(self) -> list[dict[str, Any]]:
        """All entries, oldest first; a line that was cut short is left out."""
        try:
            with self.path.open("rb") as file:
                return list(_read(file))
        except FileNotFoundError:
            return []

    def news(self) -> list[dict[str, Any]]:
        """The entries since this was last asked; a line that is still being written comes with the next question."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read_to)
                whole = file.read()
        except FileNotFoundError:
            return []
        whole = whole[: whole.rfind(b"\n") + 1]
        self._read_to += len(whole)
        return [entry for line in whole.splitlines() if (entry := _entry(line)) is not None]


def _read(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    for line in file:
        entry = _entry(line)
        if entry is not None:
            yield entry


def _entry(line: bytes) -> dict[str, Any] | None:
    with contextlib.suppress(ValueError):
        entry = json.loads(line.decode(errors="replace"))
        if isinstance(entry, dict) and "kind" in entry and "at" in entry:
            return entry
    return None
