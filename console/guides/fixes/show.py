"""What Triage does not do itself: the command or the setting, made ready for a person."""

import shlex
from urllib.parse import urlsplit

from console.guides.checks.commands import ROLE_UNSET, address, container_name, docker, joined
from console.guides.checks.containers import NoParameters
from console.guides.checks.files_backups import backups_of, list_backups
from console.guides.fixes.action import Action, Plan
from console.guides.risk import Risk
from console.reading import FailureKind, SourceError
from console.system import System
from console.text import clean


def _shown(lines: tuple[str, ...], effect: str, command: str, confirm_name: str, way_back: str = "") -> Plan:
    return Plan((), lines, effect, way_back, command, confirm_name)


async def _login(system: System, _parameters: NoParameters) -> Plan:
    """Which credential is used, and where it comes from. Never the password."""
    config = system.config.postgres
    if config is None:
        raise SourceError(FailureKind.NOT_CONFIGURED, "No PostgreSQL is configured.", f"Set [systems.{system.name}.postgres].")
    parts = urlsplit(config.dsn)
    places = [
        f"environment variable {config.password_env}" if config.password_env else "",
        f"file {config.password_file}" if config.password_file else "",
        "the configuration itself" if config.password else "",
    ]
    found = "found" if config.find_password() else "not found"
    where = ", then ".join(place for place in places if place) or "nowhere: none is configured"
    lines = (
        f"user {parts.username}, database {parts.path.lstrip('/')}, server {parts.hostname}:{parts.port or 5432}",
        f"password from {where} ({found})",
        "a password that was changed must be set in the server, here and in the backend's environment",
    )
    command = f"psql {shlex.quote(address(config.dsn))} -c 'SELECT current_user'"
    return _shown(tuple(map(clean, lines)), "Nothing is changed: it shows which login is refused.", clean(command), system.name)


async def _rebuild(system: System, _parameters: NoParameters) -> Plan:
    command = system.config.migration.get("rebuild", "")
    if not command:
        message = "How the backend is rebuilt is not configured."
        raise SourceError(FailureKind.NOT_CONFIGURED, message, f"Set rebuild in [systems.{system.name}.migration].")
    lines = (
        "add the module that is missing to the requirements first",
        "then build without the cache and make the container anew",
    )
    return _shown(
        lines, "The backend is away while its container is made anew.", clean(command), container_name(system.config, "backend")
    )


async def _restore(system: System, _parameters: NoParameters) -> Plan:
    """The way of a restore, with the newest backup by name. A plain SQL dump is read by psql, not by pg_restore."""
    backups = backups_of(system)
    files = await list_backups(system)
    if system.config.postgres is None or not files:
        message = f"There is no backup in {clean(backups.path)}."
        raise SourceError(FailureKind.MISSING, message, "Look for one on other storage before anything is changed.")
    newest, url = files[0], address(system.config.postgres.dsn)
    source, database = system.container(backups.role), container_name(system.config, "database")
    path = f"{backups.path}/{newest.name}"
    name = clean(urlsplit(system.config.postgres.dsn).path.lstrip("/"))
    lines = (
        f"newest backup: {clean(newest.name)}; everything written after it is lost",
        "1. stop the backend, so that nothing is written meanwhile",
        "2. keep the damaged data: stop the database and copy its volume",
        "3. restore into a new database, look at it, then rename it",
        "4. start the backend",
    )
    load = f"{docker(system.config, 'exec', source, 'gunzip', '-c', path)} | psql {shlex.quote(f'{url}_restored')}"
    commands = [docker(system.config, "stop", container_name(system.config, "backend")), f"createdb {name}_restored", load]
    return _shown(
        lines, f"Loses what {database} holds beyond the backup.", clean(joined(commands)), database, "The copy of step 2."
    )


async def _engine(system: System, _parameters: NoParameters) -> Plan:
    where = system.config.engine.host if system.config.engine is not None else ""
    lines = (
        "see why it ended: journalctl -u docker --since -1h",
        f"Triage asks {clean(where) or 'the usual socket'}",
        "containers with a restart policy come up with it, the others must be started",
    )
    return _shown(lines, "All containers of this machine come up or go down with it.", "systemctl restart docker", "docker")


async def _log(system: System, _parameters: NoParameters) -> Plan:
    name = container_name(system.config, "backend")
    if name == ROLE_UNSET:
        raise SourceError(FailureKind.NOT_CONFIGURED, "No container plays the backend.", f"Set [systems.{system.name}.roles].")
    lines = ("fix the exception in the code, or take the last release back", "the traceback is in the evidence of the walk")
    return _shown(
        lines, "Nothing is changed: it shows the whole log of the run.", f"{docker(system.config, 'logs', name)} 2>&1", name
    )


ACTIONS = (
    Action("show.login", NoParameters, Risk.R1, _login, None),
    Action("show.rebuild", NoParameters, Risk.R2, _rebuild, None),
    Action("show.restore", NoParameters, Risk.R4, _restore, None),
    Action("show.engine", NoParameters, Risk.R2, _engine, None),
    Action("show.log", NoParameters, Risk.R1, _log, None),
)
