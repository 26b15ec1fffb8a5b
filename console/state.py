"""Where Triage keeps what must survive the process: journals, the lab's password, when an issue was last walked."""

import os
import tempfile
from pathlib import Path


def state_dir() -> Path:
    """`$XDG_STATE_HOME/triage`, or `~/.local/state/triage`; made with mode 0700 when it is not there."""
    return private_dir(state_path())


def state_path() -> Path:
    """Where the state folder is, whether it is there or not."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "triage"


def private_dir(path: Path) -> Path:
    """Make a folder that only its owner may enter, and return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner alone: a crash leaves the old text or the new, never half."""
    private_dir(path.parent)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
