"""One authored change of rows: previewed by a SELECT of its own, bound, limited, refused when the rows have changed since."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from console.guides.checks.commands import psql
from console.guides.checks.postgres_select import QuestionSql, Values, ask, is_secret, table
from console.guides.checks.words import number
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.fixes.postgres import database_name
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.guides.risk import Risk
from console.guides.sql import Sql, check_values, read_sql
from console.reading import Failure, FailureKind
from console.sources.protocols.database import Value
from console.system import System
from console.text import clean

_AUTHORED: dict[str, Any] = {"bind": False}
_NAME_LENGTH = 80


def _change_sql(text: str) -> str:
    read_sql(text, "change")
    return text


ChangeSql = Annotated[str, AfterValidator(_change_sql)]


class ChangeParameters(Parameters):
    sql: ChangeSql = Field(json_schema_extra=_AUTHORED)
    """One INSERT, UPDATE or DELETE, without a semicolon. `{users}` is a table by its name in the guides, `:email` a value."""
    preview: QuestionSql = Field(json_schema_extra=_AUTHORED)
    """One SELECT of what is hit; no row: there is nothing to do."""
    values: Values = Field(default_factory=dict)
    """What the statements use as :name. They are bound, never written into them."""
    most_rows: int = Field(default=1, ge=1, le=1000)
    """A change that hits more rows is rolled back."""

    def statements(self) -> tuple[Sql, Sql]:
        """The change and its preview, read."""
        return read_sql(self.sql, "change"), read_sql(self.preview)

    @model_validator(mode="after")
    def _well_formed(self) -> "ChangeParameters":
        check_values(self.statements(), self.values)
        return self


async def _rows(system: System, wanted: ChangeParameters) -> Sequence[Mapping[str, Value]]:
    readings = Readings(system)
    try:
        return await ask(readings, wanted.statements()[1], wanted.values, limit=wanted.most_rows + 1)
    finally:
        readings.close()


async def plan_change(system: System, wanted: ChangeParameters) -> Plan:
    """What the change would hit."""
    rows = await _rows(system, wanted)
    change = wanted.statements()[0]
    empty = "" if rows else "There is no row that this would change."
    if len(rows) > wanted.most_rows:
        empty = f"There are more rows than the {wanted.most_rows} that this fix may change: look at them first."
    return Plan(
        targets=tuple(_target(row) for row in rows),
        lines=table(rows, most=wanted.most_rows) if rows else (),
        effect=f"At most {number(wanted.most_rows, 'row')} of the database is changed."
        if wanted.most_rows == 1
        else f"At most {wanted.most_rows} rows of the database are changed.",
        way_back="None by itself: the lines above tell what stood there.",
        command=psql(system.config, change.typed(system.config, wanted.values)),
        confirm_name=database_name(system),
        empty=empty,
    )


def _target(row: Mapping[str, Value]) -> Target:
    name = ", ".join(f"{key} {value}" for key, value in row.items() if not is_secret(key))
    # The identity is written into the journal: what is secret stands there as a digest.
    known = {key: sha256(str(value).encode()).hexdigest()[:12] if is_secret(key) else value for key, value in row.items()}
    return Target(clean(name, _NAME_LENGTH), {"row": json.dumps(known, ensure_ascii=False, default=str)})


async def make_change(system: System, wanted: ChangeParameters, preview: Preview) -> Applied:
    """Make it, if the rows are still those of the preview."""
    now = {_target(row).identity["row"] for row in await _rows(system, wanted)}
    if now != {target.identity["row"] for target in preview.targets}:
        message = "The rows are not any more what the preview showed: nothing was changed."
        return Applied(False, (), Failure(FailureKind.DECLINED, message, "Look at a new preview."))
    statement, values = wanted.statements()[0].bound(system.config, wanted.values)
    count = await system.need_database().change(statement, values, most_rows=wanted.most_rows)
    return Applied(count > 0, (f"Changed {number(count, 'row')}.",))


ACTIONS = (Action("postgres.change", ChangeParameters, Risk.R2, plan_change, make_change),)
