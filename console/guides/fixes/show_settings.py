"""What Triage does not change itself: a setting and where it stands, a configured command, or a piece of advice."""

from pydantic import Field

from console.guides.checks.commands import as_root, docker, on_machine
from console.guides.checks.machine import is_unit, need_known
from console.guides.checks.words import age
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.parameters import Parameters, Seconds
from console.guides.readings import Readings
from console.guides.risk import Risk
from console.guides.role_settings import is_secret, role_environment, shown_value
from console.reading import FailureKind, SourceError
from console.system import System
from console.text import clean


class SettingParameters(Parameters):
    role: str
    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]{0,99}$")


class CommandParameters(Parameters):
    name: str


class WaitParameters(Parameters):
    for_: Seconds = Field(alias="for", gt=0, le=600)


class TextParameters(Parameters):
    text: str = Field(min_length=1, max_length=2000)


async def _setting(system: System, wanted: SettingParameters) -> Plan:
    config, role, name = system.config, wanted.role, wanted.name
    need_known(config, role)
    file, expected = config.settings_files.get(role, ""), config.settings.get(role, {}).get(name)
    lines = [f"{name} of the {clean(role)}: {await _present(system, wanted)}"]
    if expected is not None:
        lines.append(f"expected: {shown_value(name, expected)}")
    elif is_secret(name):
        lines.append("its value is a secret, and never shown")
    where = (
        f"the file {clean(file)}" if file else "the environment that its container is made with (docker-compose.yml or its .env)"
    )
    lines.append(f"it stands in {where}")
    if is_unit(config, role):
        restart = as_root(config, "systemctl", "restart", config.units[role])
        lines.append("the service reads it when it starts: restart it afterwards")
    else:
        restart = "docker compose up -d"
        lines.append("a container keeps the environment that it was made with: make it anew, a restart does not do")
    edit = on_machine(config, "grep", "-n", f"^{name}=", file) if file else _inspect(system, role)
    return Plan(
        (),
        tuple(lines),
        "Nothing is changed: it shows what to set, and where.",
        "",
        f"{edit}   # set it, then: {restart}",
        system.name,
    )


def _inspect(system: System, role: str) -> str:
    shown = docker(system.config, "inspect", "-f", "{{range .Config.Env}}{{println .}}{{end}}", system.container(role))
    return f"{shown} | cut -d= -f1"


async def _present(system: System, wanted: SettingParameters) -> str:
    readings = Readings(system)
    try:
        value = (await role_environment(readings, wanted.role)).get(wanted.name)
    except SourceError as error:
        return f"could not be read: {error.failure.message}"
    finally:
        readings.close()
    if value is None:
        return "not set"
    return shown_value(wanted.name, value) if value.strip() else "empty"


async def _command(system: System, wanted: CommandParameters) -> Plan:
    command = system.config.commands.get(wanted.name)
    if not command:
        name = clean(wanted.name)
        message = f"No command {name} is configured."
        raise SourceError(FailureKind.NOT_CONFIGURED, message, f'Set {name} = "…" under [systems.{system.name}.commands].')
    return Plan((), (clean(command),), "Nothing is changed by Triage: the command is for you.", "", clean(command), system.name)


async def _wait(_system: System, wanted: WaitParameters) -> Plan:
    told = f"nothing is done for {age(wanted.for_)}, while it is looked again and again"
    return Plan((Target("time"),), (told,), "Nothing is changed.", "None is needed.", f"sleep {wanted.for_:g}", "wait")


async def _waited(_system: System, wanted: WaitParameters, _preview: Preview) -> Applied:
    """Passing the time is what the verification does: it counts, shows what it sees, can be stopped, and ends early."""
    return Applied(True, (f"Waiting up to {age(wanted.for_)}. Looking again meanwhile.",))


async def _text(system: System, wanted: TextParameters) -> Plan:
    lines = tuple(clean(line.strip()) for line in wanted.text.splitlines() if line.strip())
    return Plan((), lines, "Nothing is changed: this is for a person to do.", "", "", system.name)


ACTIONS = (
    Action("show.wait", WaitParameters, Risk.R1, _wait, _waited),
    Action("show.setting", SettingParameters, Risk.R1, _setting, None),
    Action("show.command", CommandParameters, Risk.R1, _command, None),
    Action("show.text", TextParameters, Risk.R1, _text, None),
)
