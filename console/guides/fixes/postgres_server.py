"""Changes to the PostgreSQL server itself: a setting, a role's password, a database that is not there."""

from urllib.parse import unquote, urlsplit

from pydantic import Field

from console.config import SystemConfig
from console.guides.checks.commands import psql
from console.guides.checks.containers import NoParameters
from console.guides.checks.postgres_select import select
from console.guides.checks.postgres_server import SettingParameters
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.fixes.postgres import database_name
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.guides.risk import Risk
from console.guides.sql import literal
from console.reading import Failure, FailureKind, SourceError
from console.sources.postgres import statistics
from console.sources.protocols.database import Value
from console.system import System
from console.text import clean

_MAINTENANCE = "postgres"


def administered(config: SystemConfig, statement: str) -> str:
    """The statement as a person would type it who may administer the server, on the database that is always there."""
    settings = config.postgres
    if settings is None:
        return psql(config, statement)
    parts = urlsplit(settings.dsn)
    user = settings.emergency_user or parts.username or ""
    where = f"{parts.scheme}://{user}@{parts.netloc.rpartition('@')[2]}/{_MAINTENANCE}"
    changed = settings.model_copy(update={"dsn": where})
    return psql(config.model_copy(update={"postgres": changed}), statement)


def login_user(config: SystemConfig) -> str:
    """The user of the configured login."""
    return unquote(urlsplit(config.postgres.dsn).username or "") if config.postgres else ""


# -- a setting ------------------------------------------------------------------------------------------------------------


class SetParameters(SettingParameters):
    value: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
    """As it would stand in postgresql.conf, without quotes."""


async def _current(system: System, name: str) -> dict[str, Value]:
    readings = Readings(system)
    try:
        rows = await select(readings, statistics.SETTING, {"name": name}, limit=1)
    finally:
        readings.close()
    if not rows:
        raise SourceError(FailureKind.MISSING, f"There is no setting {name}, or our role may not see it.", "GRANT pg_monitor.")
    return dict(rows[0])


def _set(wanted: SetParameters) -> str:
    return f"ALTER SYSTEM SET {wanted.name} = {literal(wanted.value)}"


async def _plan_set(system: System, wanted: SetParameters) -> Plan:
    row = await _current(system, wanted.name)
    before, unit = clean(str(row["setting"] or ""), 200), clean(str(row["unit"] or ""), 10)
    restart = row["context"] == "postmaster"
    fixed = row["context"] == "internal"
    empty = f"{wanted.name} is {before} already." if before == wanted.value else ""
    return Plan(
        targets=(Target(wanted.name, {"before": before}),),
        lines=(f"{wanted.name}: {f'{before} {unit}'.strip() or 'empty'} → {clean(wanted.value)}",),
        effect="It is written to postgresql.auto.conf and takes effect "
        + ("with the next restart of the server." if restart else "at once: the server reads its settings anew."),
        way_back=f"ALTER SYSTEM RESET {wanted.name}; SELECT pg_reload_conf();",
        command=" && ".join(administered(system.config, part) for part in (_set(wanted), "SELECT pg_reload_conf()")),
        confirm_name=database_name(system),
        empty=f"{wanted.name} is built in and cannot be set." if fixed else empty,
    )


async def _do_set(system: System, wanted: SetParameters, preview: Preview) -> Applied:
    row = await _current(system, wanted.name)
    if clean(str(row["setting"] or ""), 200) != preview.targets[0].identity["before"]:
        message = f"{wanted.name} was set to something else since the preview: nothing was changed."
        return Applied(False, (), Failure(FailureKind.DECLINED, message, "Look at a new preview."))
    database = system.need_database()
    await database.execute(_set(wanted), timeout_s=10.0, administer=True)
    await database.execute("SELECT pg_reload_conf()", timeout_s=10.0, administer=True)
    return Applied(True, (f"Set {wanted.name} to {clean(wanted.value)}, and told the server to read its settings.",))


# -- a password -----------------------------------------------------------------------------------------------------------


class PasswordParameters(Parameters):
    user: str = Field(default="", pattern=r"^$|^[A-Za-z_][A-Za-z0-9_-]*$", max_length=63)
    """Empty: the user of the configured login."""
    password: str = Field(min_length=6, max_length=200, repr=False)
    """An input of kind password: asked, never written down."""


async def _plan_password(system: System, wanted: PasswordParameters) -> Plan:
    user = wanted.user or login_user(system.config)
    return Plan(
        targets=(Target(user, {"role": user}),),
        lines=(f"the role {user} gets the password that was given; sessions that are open stay",),
        effect="From now on only the new password is taken: whoever logs in as this role, this console too, needs it set.",
        way_back="None: the old password is not known. Set it again, if somebody knows it.",
        command=administered(system.config, f"\\password {user}"),
        confirm_name=user,
        empty="" if user else "No user is configured.",
    )


async def _do_password(system: System, wanted: PasswordParameters, preview: Preview) -> Applied:
    user = str(preview.targets[0].identity["role"])
    system.secrets.add(wanted.password)
    await system.need_database().set_password(user, wanted.password)
    return Applied(True, (f"Set the password of {user}.",))


# -- a database -----------------------------------------------------------------------------------------------------------


def _create(system: System) -> str:
    owner = login_user(system.config)
    return f"CREATE DATABASE {_quoted(database_name(system))} OWNER {_quoted(owner)}"


def _quoted(name: str) -> str:
    # Not statistics.quoted: a dot in a database's name is no schema's.
    return '"' + name.replace('"', '""') + '"'


async def _plan_create(system: System, _parameters: NoParameters) -> Plan:
    answer = await system.need_database().accepts()
    name = database_name(system)
    empty = "" if answer.reason == "database_missing" else f"The database {name} is there."
    if not answer.accepting and answer.reason != "database_missing":
        empty = f"Whether {name} is there cannot be told: {clean(answer.message) or answer.reason}"
    return Plan(
        targets=(Target(name, {"database": name}),),
        lines=(f"the database {name} is created, empty, owned by {login_user(system.config)}",),
        effect="It holds no tables: the schema must be created, or a backup restored, before the service can work.",
        way_back=f"DROP DATABASE {_quoted(name)}; while it is still empty.",
        command=administered(system.config, _create(system)),
        confirm_name=name,
        empty=empty,
    )


async def _do_create(system: System, _parameters: NoParameters, _preview: Preview) -> Applied:
    database, name = system.need_database(), database_name(system)
    if (await database.accepts()).reason != "database_missing":
        return Applied(False, (f"The database {name} is there by now.",))
    await database.execute(_create(system), timeout_s=60.0, administer=True)
    return Applied(True, (f"Created the database {name}.",))


ACTIONS = (
    Action("postgres.set_setting", SetParameters, Risk.R2, _plan_set, _do_set),
    Action("postgres.set_password", PasswordParameters, Risk.R2, _plan_password, _do_password),
    Action("postgres.create_database", NoParameters, Risk.R2, _plan_create, _do_create),
)
