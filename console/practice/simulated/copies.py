"""Copies of the tables of the simulated PostgreSQL: what backups and other databases of the server hold."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Copies:
    """Schemas of the embedded engine by the backup's file, and by the name of another database; empty: it has no table."""

    files: dict[str, str] = field(default_factory=dict)
    databases: dict[str, str] = field(default_factory=dict)
    made: int = 0
