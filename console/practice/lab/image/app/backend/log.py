"""Where log lines go: what is fine to stdout, warnings and errors to stderr, both in one shape."""

import logging
import sys


class BelowWarning(logging.Filter):
    """Lets through what stdout gets."""

    def filter(self, record):
        return record.levelno < logging.WARNING


def set_up():
    """Point the root logger at the two streams."""
    shape = logging.Formatter("%(asctime)s %(levelname)s [%(name)s] %(message)s")
    calm = logging.StreamHandler(sys.stdout)
    calm.addFilter(BelowWarning())
    alarmed = logging.StreamHandler(sys.stderr)
    alarmed.setLevel(logging.WARNING)
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for handler in (calm, alarmed):
        handler.setFormatter(shape)
        root.addHandler(handler)
