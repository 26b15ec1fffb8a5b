"""What a user sees when the program itself fails: one sentence. The rest goes to a file, without local variables."""

import os
import time
import traceback

from console.state import state_dir, write_private
from console.text import clean, hide_secrets


def report_crash(error: BaseException) -> str:
    """Write the traceback (no locals, secrets hidden) below the state folder and return the sentence that names it."""
    summary = f"Triage failed: {type(error).__name__}: {clean(str(error), 300)}."
    try:
        where = state_dir() / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
        write_private(where, hide_secrets("".join(traceback.format_exception(error))))
    except OSError as problem:
        return f"{summary} The details could not be written: {problem.strerror}."
    return f"{summary} Please report it with {where}."
