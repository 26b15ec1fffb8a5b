"""The settings of the simulated PostgreSQL: what pg_settings shows, and what ALTER SYSTEM and a reload change."""

import re
from dataclasses import dataclass

from console.practice.simulated.dialect import PostgresError

_UNITS = {
    "ms": {"ms": 1.0, "s": 1e3, "min": 6e4, "h": 3.6e6, "d": 8.64e7},
    "s": {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0},
    "kB": {"kB": 1.0, "MB": 1024.0, "GB": 1024.0**2},
    "MB": {"kB": 1 / 1024, "MB": 1.0, "GB": 1024.0},
    "8kB": {"kB": 1 / 8, "MB": 128.0, "GB": 128 * 1024.0},
}
_AMOUNT = re.compile(r"^(-?\d+(?:\.\d+)?)\s*([A-Za-z]*)$")
_SWITCHES = {"on": "on", "true": "on", "yes": "on", "1": "on", "off": "off", "false": "off", "no": "off", "0": "off"}


@dataclass(slots=True)
class ServerSetting:
    """A row of pg_settings. `value` is in `unit`; `file` what postgresql.auto.conf holds for the next reload or start."""

    name: str
    value: str
    unit: str = ""
    context: str = "user"
    boot: str = ""
    source: str = "default"
    file: str | None = None

    @property
    def pending(self) -> bool:
        """Changed in the file, but only a restart takes it."""
        return self.context == "postmaster" and self.file is not None and self.file != self.value


def usual_settings(max_connections: int, reserved: int, version: str) -> dict[str, ServerSetting]:
    """The settings that checks and people ask for, as the image sets them."""
    rows = (
        ("server_version", version, "", "internal"),
        ("server_version_num", "150008", "", "internal"),
        ("max_connections", str(max_connections), "", "postmaster"),
        ("superuser_reserved_connections", str(reserved), "", "postmaster"),
        ("shared_buffers", "16384", "8kB", "postmaster"),
        ("shared_preload_libraries", "pg_stat_statements", "", "postmaster"),
        ("block_size", "8192", "", "internal"),
        ("work_mem", "4096", "kB", "user"),
        ("maintenance_work_mem", "65536", "kB", "user"),
        ("effective_cache_size", "65536", "8kB", "user"),
        ("random_page_cost", "4", "", "user"),
        ("enable_indexscan", "on", "", "user"),
        ("enable_bitmapscan", "on", "", "user"),
        ("statement_timeout", "0", "ms", "user"),
        ("lock_timeout", "0", "ms", "user"),
        ("idle_in_transaction_session_timeout", "0", "ms", "user"),
        ("deadlock_timeout", "1000", "ms", "superuser"),
        ("log_min_duration_statement", "1000", "ms", "superuser"),
        ("log_lock_waits", "on", "", "superuser"),
        ("log_connections", "off", "", "superuser-backend"),
        ("autovacuum", "on", "", "sighup"),
        ("checkpoint_timeout", "300", "s", "sighup"),
        ("max_wal_size", "1024", "MB", "sighup"),
        ("data_checksums", "on", "", "internal"),
        ("fsync", "on", "", "sighup"),
        ("track_activity_query_size", "1024", "", "postmaster"),
        ("password_encryption", "scram-sha-256", "", "user"),
        ("ssl", "off", "", "sighup"),
    )
    return {name: ServerSetting(name, value, unit, context, boot=value) for name, value, unit, context in rows}


class ServerSettings(dict[str, ServerSetting]):
    """Settings by name, changed as the server's commands change them."""

    def alter(self, name: str, value: str) -> None:
        """ALTER SYSTEM SET. Raises PostgresError for an unknown name, an unfit value, and what nobody can change."""
        setting = self._find(name)
        setting.file = _in_unit(setting, value)

    def reset(self, name: str) -> None:
        """ALTER SYSTEM RESET."""
        self._find(name).file = None

    def reload(self, *, restart: bool = False) -> None:
        """pg_reload_conf(), or a start, which takes what a reload cannot."""
        for setting in self.values():
            if setting.context == "internal" or (setting.context == "postmaster" and not restart):
                continue
            if setting.file is not None:
                setting.value, setting.source = setting.file, "configuration file"
            elif setting.source == "configuration file":
                setting.value, setting.source = setting.boot, "default"

    def put(self, name: str, value: str) -> None:
        """Have a value since long ago: it stands in the configuration file."""
        setting = self._find(name)
        setting.file = setting.value = _in_unit(setting, value)
        setting.source = "configuration file"

    def number(self, name: str) -> float:
        """The value as a number in its unit."""
        return float(self[name].value)

    @property
    def by_index(self) -> bool:
        """Whether a plan may read a table by its indexes."""
        return self["enable_indexscan"].value == "on" or self["enable_bitmapscan"].value == "on"

    def _find(self, name: str) -> ServerSetting:
        setting = self.get(name.lower())
        if setting is None:
            raise PostgresError("42704", f'unrecognized configuration parameter "{name}"')
        if setting.context == "internal":
            raise PostgresError("55P02", f'parameter "{name}" cannot be changed')
        return setting


def _in_unit(setting: ServerSetting, value: str) -> str:
    if setting.value in ("on", "off"):
        switched = _SWITCHES.get(value.lower())
        if switched is None:
            raise PostgresError("22023", f'parameter "{setting.name}" requires a Boolean value')
        return switched
    amount = _AMOUNT.match(value.strip())
    if amount is None or not setting.unit or not amount[2]:
        if setting.unit and amount is None:
            raise PostgresError("22023", f'invalid value for parameter "{setting.name}": "{value}"')
        return value
    factor = _UNITS.get(setting.unit, {}).get(amount[2])
    if factor is None:
        raise PostgresError("22023", f'invalid value for parameter "{setting.name}": "{value}"')
    return f"{float(amount[1]) * factor:.0f}"
