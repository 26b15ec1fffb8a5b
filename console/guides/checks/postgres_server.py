"""PostgreSQL: how its server is set."""

from pydantic import Field

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, FactType, FactValue, Findings
from console.guides.checks.commands import psql
from console.guides.checks.postgres_select import select
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.sources.postgres import statistics
from console.text import clean

OFF = ("-1", "0", "off", "none", "disabled")


class SettingParameters(Parameters):
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$", max_length=80)


async def _setting(readings: Readings, wanted: SettingParameters) -> Findings:
    rows = await select(readings, statistics.SETTING, {"name": wanted.name}, limit=1)
    if not rows:
        advice = "GRANT pg_monitor TO the role that Triage uses, if the server has it."
        raise SourceError(FailureKind.MISSING, f"There is no setting {wanted.name}, or our role may not see it.", advice)
    row = rows[0]
    value = clean(str(row["setting"] or ""), 200)
    unit = clean(str(row["unit"] or ""), 10)
    facts: dict[str, FactValue] = {"set": value != "", "value": value, "number": _as_number(value), "off": value.lower() in OFF}
    waits = " It waits for a restart." if row["pending_restart"] else ""
    shown = f"{value} {unit}".strip() or "empty"
    evidence = (clean(f"from {row['source']}, default {row['boot_val']}, takes effect by: {row['context']}", 200),)
    return Findings(facts, f"{wanted.name} is {shown}.{waits}", evidence)


def _as_number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _setting_command(config: SystemConfig, wanted: SettingParameters) -> str:
    return psql(config, f"SHOW {wanted.name}")


CHECKS = (
    Check(
        name="postgres.setting",
        title="How is the server set?",
        parameters=SettingParameters,
        facts=(
            Fact("set", FactType.BOOL, "it has a value"),
            Fact("value", FactType.TEXT, "the value in the setting's own unit"),
            Fact("number", FactType.NUMBER, "the value as a number, unknown for a text"),
            Fact("off", FactType.BOOL, "the value is -1, 0 or off"),
        ),
        command=_setting_command,
        make=_setting,
    ),
)
