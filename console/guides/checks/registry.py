"""Which family of checks stands in which file. A family is imported when one of its checks is named."""

from importlib import import_module

from console.guides.checks.check import Check

_MODULES = {
    "ask": "console.guides.checks.ask",
    "containers": "console.guides.checks.containers",
    "disk": "console.guides.checks.disk",
    "logs": "console.guides.checks.logs",
    "ports": "console.guides.checks.ports",
    "postgres": "console.guides.checks.postgres",
    "probe": "console.guides.checks.probe",
}
FAMILIES = tuple(_MODULES)


def checks_of(family: str) -> tuple[Check, ...]:
    """The checks of one family, imported now."""
    found: tuple[Check, ...] = import_module(_MODULES[family]).CHECKS
    return found


def find_check(name: str) -> Check | None:
    """The check of that name, or None."""
    family = name.partition(".")[0]
    if family not in _MODULES:
        return None
    return next((check for check in checks_of(family) if check.name == name), None)
