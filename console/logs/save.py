"""Writes log lines to a file that was not there before."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from console.sources.protocols.engine import LogLine


def save(path: Path, lines: Sequence[LogLine]) -> tuple[Path, int]:
    """Write the lines, one each: UTC time, container, stream, cleaned text; where, and how many. Only the owner may read it.

    Raises FileExistsError instead of overwriting, OSError when it cannot be written.
    """
    path = path.expanduser().absolute()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        for line in lines:
            stamp = datetime.fromtimestamp(line.at, UTC).isoformat(timespec="milliseconds")
            file.write(f"{stamp} {line.container} {line.stream} {line.text}\n")
    return path, len(lines)
