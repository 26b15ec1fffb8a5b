"""`triage` and `python -m console`."""

import gc
import os
import sys
import threading

# Textual reads these when it is imported, and an SSH line pays for every byte: no animations, no smooth scrolling.
_TEXTUAL_DEFAULTS = {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}


def main() -> None:
    """Run the command line and leave the process at once, with its exit code."""
    for name, value in _TEXTUAL_DEFAULTS.items():
        os.environ.setdefault(name, value)
    # Importing makes many objects that live as long as the process: looking through them again and again slows the start.
    gc.set_threshold(50_000)
    from console.cli import run

    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 1
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if threading.active_count() > 1:
        # A driver's thread (a name lookup, a frozen socket) must not hold a program that the operator has left.
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
