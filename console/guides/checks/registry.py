"""Which check stands in which file. A file is imported when one of its checks is named."""

from importlib import import_module

from console.guides.checks.check import Check

FAMILIES = (
    "ask",
    "cache",
    "compose",
    "containers",
    "disk",
    "dns",
    "files",
    "host",
    "http",
    "jwt",
    "logs",
    "migration",
    "net",
    "ports",
    "postgres",
    "probe",
    "service",
    "settings",
    "smtp",
    "snmp",
    "tls",
    "traffic",
)
"""Each has a file of its name."""

_ELSEWHERE: dict[str, str] = {
    "host.clock": "host_watch",
    "host.growth": "host_watch",
    "host.oom": "host_kills",
    "cache.compare": "cache_keys",
    "cache.key": "cache_keys",
    "containers.changes": "containers_changes",
    "containers.listening": "containers_network",
    "containers.mounts": "containers_changes",
    "containers.processes": "containers_usage",
    "containers.reach": "containers_network",
    "containers.replicas": "containers_replicas",
    "containers.unused": "containers_unused",
    "containers.usage": "containers_usage",
    "files.backups": "files_backups",
    "logs.access": "logs_access",
    "logs.correlation": "logs_access",
    "logs.errors": "logs_match",
    "logs.match": "logs_match",
    "postgres.exists": "postgres_select",
    "postgres.explain": "postgres_select",
    "postgres.select": "postgres_select",
    "postgres.integrity": "postgres_integrity",
    "postgres.setting": "postgres_server",
    "postgres.locks": "postgres_statements",
    "postgres.slowest": "postgres_statements",
    "postgres.statements": "postgres_statements",
    "postgres.indexes": "postgres_tables",
    "postgres.sizes": "postgres_tables",
    "postgres.tables": "postgres_tables",
}
"""The checks that stand in another file than that of their family."""


def checks_of(family: str) -> tuple[Check, ...]:
    """The checks of one family, imported now."""
    if family not in FAMILIES:
        raise KeyError(family)
    others = [module for name, module in _ELSEWHERE.items() if name.startswith(f"{family}.")]
    return tuple(check for module in dict.fromkeys((family, *others)) for check in _checks_in(module))


def find_check(name: str) -> Check | None:
    """The check of that name, or None."""
    family = name.partition(".")[0]
    if family not in FAMILIES:
        return None
    return next((check for check in _checks_in(_ELSEWHERE.get(name, family)) if check.name == name), None)


def _checks_in(module: str) -> tuple[Check, ...]:
    found: tuple[Check, ...] = import_module(f"console.guides.checks.{module}").CHECKS
    return found
