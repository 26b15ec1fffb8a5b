"""The procedures of a system: from the operations guide's backup and recovery, its weekly and its monthly list."""

from typing import Any

from console.config import SystemConfig
from console.guides.checks.registry import find_check
from console.guides.conditions import parse
from console.guides.fixes.action import action
from console.guides.issue import CheckCall, Fix
from console.procedures.procedure import Procedure, Step


def procedures(config: SystemConfig) -> tuple[Procedure, ...]:
    """Those for which the configuration has what they need; the lists are always there."""
    found: list[Procedure] = []
    if config.backups is not None and config.postgres is not None:
        found += [_backup(), _restore(config), _point_in_time(config)]
    if "roll_back" in config.commands:
        found.append(_roll_back(config))
    return (*found, _weekly(config), _monthly(config))


def _look(title: str, name: str, holds: str = "", /, *, stops_clock: bool = False, **parameters: Any) -> Step:
    check = find_check(name)
    if check is None:
        raise KeyError(name)
    call = CheckCall(name, check.parameters.model_validate(parameters))
    return Step(title, call, parse(holds) if holds else None, stops_clock=stops_clock)


def _change(title: str, name: str, /, **parameters: Any) -> Step:
    kind = action(name)
    fix = Fix(id=f"procedure.{name}", title=title, risk=kind.risk, action=name, parameters=kind.parameters(**parameters))
    return Step(title, fix=fix)


def _answers(config: SystemConfig, *, stops_clock: bool = False) -> list[Step]:
    if "health" not in config.endpoints:
        return []
    return [_look("The service is healthy", "http.get", "status == 200", endpoint="health", stops_clock=stops_clock)]


def _backup() -> Procedure:
    return Procedure(
        "backup",
        "Make a backup now",
        "Before a change, or when the last backup is too old.",
        (
            _look("Which backups are there?", "files.backups", "count >= 0"),
            _look("Is there room for another one?", "disk.data", "used_percent < 90"),
            _change("Make a backup", "backup.make"),
            _look("Is it there?", "files.backups", "newest_age_s < 15m"),
        ),
    )


def _restore(config: SystemConfig) -> Procedure:
    return Procedure(
        "restore",
        "Restore from the latest backup",
        f"Data is lost or damaged. Promised: back within {config.recovery.rto_minutes} min (RTO), at most"
        f" {config.recovery.rpo_hours} h lost (RPO).",
        (
            _look("Does PostgreSQL run?", "postgres.accepts", "accepting or reason in ('database_missing', 'too_many_clients')"),
            _look("How new is the newest backup?", "files.backups", f"newest_age_s < {config.recovery.rpo_hours}h"),
            _change("Restore it beside the old database, compare, and swap", "backup.restore"),
            _look("Does the database answer?", "postgres.accepts", "accepting", stops_clock="health" not in config.endpoints),
            *_answers(config, stops_clock=True),
            Step("A user sees what should be there: look with one of them"),
            _change("Drop the old database, once the restored one is known to be good", "backup.drop_kept"),
        ),
        clocked=True,
    )


def _point_in_time(config: SystemConfig) -> Procedure:
    stamp = "'YYYY-MM-DD HH:MM:SS+00'"
    return Procedure(
        "point-in-time",
        "Recover to a point in time",
        "Needs an archive of the write-ahead log and a base backup from before that moment. Without them only whole backups"
        " can be restored: if a check here fails, it is not possible.",
        (
            _look(
                "Is the write-ahead log archived (archive_mode)?",
                "postgres.setting",
                "value in ('on', 'always')",
                name="archive_mode",
            ),
            _look(
                "Does a command keep it (archive_command)?",
                "postgres.setting",
                "set and value != '(disabled)'",
                name="archive_command",
            ),
            Step("There is a base backup (pg_basebackup) older than the moment, and the archive has no gap since"),
            Step("Stop the writers and PostgreSQL; keep its data directory under another name"),
            Step(f"Unpack the base backup; set restore_command and recovery_target_time = {stamp}; touch recovery.signal"),
            Step("Start PostgreSQL; when it pauses at the moment, look at the data; SELECT pg_wal_replay_resume()"),
            _look("Does the database answer?", "postgres.accepts", "accepting"),
            *_answers(config),
        ),
    )


def _roll_back(config: SystemConfig) -> Procedure:
    return Procedure(
        "roll-back",
        "Roll the application back",
        "A release made it worse. The command is the deployment's own; the console shows it and does not run it.",
        (
            Step("A backup of before the release is there, if it changed the tables"),
            _change("Show the command", "show.command", name="roll_back"),
            Step("The command was run"),
            _look("Do all services run?", "containers.services", "down == 0 and unhealthy == 0 and looping == 0"),
            *_answers(config),
        ),
    )


def _weekly(config: SystemConfig) -> Procedure:
    steps = [
        _look("Monday: is there room on the disk?", "host.disk", f"used_percent < {config.thresholds.disk_percent.alert:g}"),
        _look("Monday: is the newest backup young enough?", "files.backups", f"newest_age_s < {config.recovery.rpo_hours}h"),
        _look("Monday: how long do requests take?", "traffic.latency", f"p95_ms < {config.thresholds.p95_ms.alert:g}"),
        Step("Monday: a restore was tried (procedure: Restore, on a system that is no production)"),
        Step("Monday: trends on the dashboards and the week's alerts were reviewed"),
        Step("Monday: security patches were installed"),
        Step("Friday: the week's report is written; activity of the users was reviewed"),
        Step("Friday: logs older than 30 days are gone; newer images were looked for; small alerts were followed up"),
    ]
    return Procedure(
        "weekly", "Weekly list", "The console ticks what it can read; the rest is ticked by a person.", _able(steps, config)
    )


def _monthly(config: SystemConfig) -> Procedure:
    steps = [
        _look("How large is the database, and which table?", "postgres.sizes", "database_bytes > 0"),
        _look("Are the tables analysed, and not bloated?", "postgres.tables", "never_analyzed == 0 and not bloated"),
        _look("Is every index valid and used?", "postgres.indexes", "invalid == 0 and unused == 0"),
        _look("Do old backups take room?", "files.backups", "old == 0"),
        *(
            _look(f"Is the certificate {name} valid for another month?", "tls.file", "days_left >= 30", certificate=name)
            for name, item in config.certificates.items()
            if item.file
        ),
        Step("VACUUM ANALYZE was run, or autovacuum is known to keep up"),
        Step("Keys and administrators' passwords were reviewed and rotated; unused keys revoked"),
        Step("Old backups were archived, and one of them restored somewhere"),
        Step("The table of baselines was renewed; capacity was planned; the audit log was reviewed"),
    ]
    return Procedure(
        "monthly", "Monthly list", "The console ticks what it can read; the rest is ticked by a person.", _able(steps, config)
    )


def _able(steps: list[Step], config: SystemConfig) -> tuple[Step, ...]:
    """Without the checks of what the system does not have."""
    absent = {"files.": config.backups is None, "postgres.": config.postgres is None, "traffic.": config.prometheus is None}
    return tuple(
        step
        for step in steps
        if step.check is None or not any(step.check.name.startswith(family) for family, gone in absent.items() if gone)
    )
