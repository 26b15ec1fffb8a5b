"""PostgreSQL: what the data itself says. Questions of the guides, and the plan that the server would take for one."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, FactType, FactValue, Findings
from console.guides.checks.commands import psql
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.guides.sql import Sql, check_values, read_sql, table_name
from console.reading import Failure, FailureKind, SourceError
from console.sources.postgres import statistics
from console.sources.protocols.database import Value
from console.text import HIDDEN, clean

QUESTION_S = 2.5
ROWS_SHOWN = 20
_AUTHORED: dict[str, Any] = {"bind": False}
_SECRET = re.compile(r"passw|pwd|secret|token|hash|api_?key|private_?key|otp|salt", re.IGNORECASE)
_RESERVED = ("and", "or", "not", "in", "true", "false")


def _question(text: str) -> str:
    read_sql(text)
    return text


QuestionSql = Annotated[str, AfterValidator(_question)]
FactName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Values = Mapping[str, str | int | float | bool]


class Question(Parameters):
    sql: QuestionSql = Field(json_schema_extra=_AUTHORED)
    """One SELECT, without a semicolon. `{users}` is a table by its name in the guides, `:email` one of `values`."""
    values: Values = Field(default_factory=dict)
    """What the statement uses as :name. They are bound, never written into it."""

    def statements(self) -> tuple[Sql, ...]:
        """Its statements, read."""
        return (read_sql(self.sql),)

    @model_validator(mode="after")
    def _well_formed(self) -> "Question":
        check_values(self.statements(), self.values)
        return self


class SelectParameters(Question):
    facts: Mapping[FactName, Literal["bool", "number", "text"]] = Field(min_length=1)
    """Name and type of each fact: the columns of the one row that comes back."""
    rows: QuestionSql | None = Field(default=None, json_schema_extra=_AUTHORED)
    """A second SELECT whose rows are the evidence."""
    about: str | None = Field(default=None, json_schema_extra=_AUTHORED)
    """The answer in one sentence, with {fact} where a fact belongs."""

    def statements(self) -> tuple[Sql, ...]:
        first = read_sql(self.sql)
        return (first, read_sql(self.rows)) if self.rows else (first,)

    @model_validator(mode="after")
    def _facts(self) -> "SelectParameters":
        words = self.statements()[0].words
        for name in self.facts:
            if name in _RESERVED:
                raise ValueError(f"a fact cannot be called {name!r}: conditions use that word")
            if name not in words:
                raise ValueError(f"the fact {name!r} is no column of the statement: write … AS {name}")
        for name in _placeholders(self.about or ""):
            if name not in self.facts:
                raise ValueError(f"about: {{{name}}} is none of the facts ({', '.join(self.facts)})")
        return self


def _placeholders(text: str) -> Iterator[str]:
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"about: {error}") from None
    for _, name, form, conversion in parts:
        if name is not None:
            if form or conversion or not name.isidentifier():
                raise ValueError(f"about: only {{fact}} may stand in braces, not {{{name}…}}")
            yield name


async def ask(
    readings: Readings, sql: Sql, values: Mapping[str, Value], *, prefix: str = "", limit: int = ROWS_SHOWN
) -> Sequence[Mapping[str, Value]]:
    """The rows of a guide's statement, asked once for all that want them now."""
    text, used = sql.bound(readings.system.config, values)
    return await select(readings, prefix + text, used, limit=limit)


async def select(
    readings: Readings, text: str, values: Mapping[str, Value] | None = None, *, limit: int = 500
) -> Sequence[Mapping[str, Value]]:
    """The rows of a statement, asked once for all that want them now. Raises SourceError."""
    key = ("select", text, tuple(sorted(values.items())) if values else (), limit)
    database = readings.system.need_database()
    return await readings.share(key, partial(database.select, text, values, limit=limit, timeout_s=QUESTION_S))


async def _select(readings: Readings, wanted: SelectParameters) -> Findings:
    statements = wanted.statements()
    rows = await ask(readings, statements[0], wanted.values, limit=2)
    if len(rows) != 1:
        count = "no row" if not rows else "several rows"
        raise SourceError(
            FailureKind.GARBAGE, f"The question must have one row for an answer, and has {count}.", "Mend the guide."
        )
    facts: dict[str, FactValue] = {}
    unread: list[Failure] = []
    for name, kind in wanted.facts.items():
        facts[name], failure = _fact(name, kind, rows[0])
        if failure is not None:
            unread.append(failure)
    evidence: tuple[str, ...] = ()
    if len(statements) > 1:
        try:
            found = await ask(readings, statements[1], wanted.values, limit=ROWS_SHOWN + 1)
            evidence = table(found)
        except SourceError as error:
            unread.append(error.failure)
    return Findings(facts, _headline(wanted, facts), evidence, tuple(unread))


def _fact(name: str, kind: str, row: Mapping[str, Value]) -> tuple[FactValue, Failure | None]:
    if name not in row:
        message = f"The answer has no column {name}; it has {', '.join(map(str, row))}."
        return None, Failure(FailureKind.GARBAGE, clean(message, 300), "Mend the guide.")
    value = row[name]
    if value is None:
        return None, Failure(FailureKind.MISSING, f"The database has no value for {name} (NULL).")
    good = {
        "bool": isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "text": isinstance(value, str),
    }[kind]
    if not good:
        message = f"{name} should be a {kind} and is {clean(str(value), 60)!r}."
        return None, Failure(FailureKind.GARBAGE, message, "Mend the guide, or look whether the schema has changed.")
    return value, None


def _headline(wanted: SelectParameters, facts: Mapping[str, FactValue]) -> str:
    shown = {name: _word(value) for name, value in facts.items()}
    text = wanted.about.format(**shown) if wanted.about else ", ".join(f"{name}: {word}" for name, word in shown.items())
    return clean(text, 300)


def _word(value: Value) -> str:
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6g}"
        case _:
            return clean(str(value), 120)


def table(rows: Sequence[Mapping[str, Value]], most: int = ROWS_SHOWN) -> tuple[str, ...]:
    """Rows as aligned lines below a line of their names; what is beyond `most` is told."""
    if not rows:
        return ("no rows",)
    names = [clean(str(name), 40) for name in rows[0]]
    cells = [[_cell(str(name), value) for name, value in row.items()] for row in rows[:most]]
    widths = [min(40, max(len(line[column]) for line in (names, *cells))) for column in range(len(names))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in (names, *cells)]
    return (*lines, "… and more") if len(rows) > most else tuple(lines)


def is_secret(column: str) -> bool:
    """Whether a column holds what must not be shown, by its name: a hash of a password is worth guessing at."""
    return _SECRET.search(column) is not None


def _cell(name: str, value: Value) -> str:
    return "" if value is None else HIDDEN if is_secret(name) else _word(value)


def _select_command(config: SystemConfig, wanted: SelectParameters) -> str:
    return " && ".join(psql(config, sql.typed(config, wanted.values)) for sql in wanted.statements())


# -- plan -----------------------------------------------------------------------------------------------------------------


async def _explain(readings: Readings, wanted: Question) -> Findings:
    rows = await ask(readings, wanted.statements()[0], wanted.values, prefix="EXPLAIN (FORMAT JSON) ", limit=1)
    node = _plan(rows)
    scans = [item for item in _nodes(node) if item.get("Node Type") == "Seq Scan"]
    worst = max(scans, key=lambda item: _figure(item, "Total Cost"), default=None)
    facts: dict[str, FactValue] = {
        "seq_scan": worst is not None,
        "table": clean(str((worst or {}).get("Relation Name", "")), 127),
        "rows": _figure(worst if worst is not None else node, "Plan Rows"),
        "cost": _figure(node, "Total Cost"),
    }
    headline = f"The server would use indexes; it expects to spend {facts['cost']:g}."
    if worst is not None:
        headline = f"The server would read the whole table {facts['table']}; it expects to spend {facts['cost']:g}."
    return Findings(facts, headline, tuple(_outline(node)))


def _plan(rows: Sequence[Mapping[str, Value]]) -> dict[str, Any]:
    told = next(iter(rows[0].values()), "") if rows else ""
    try:
        node = json.loads(str(told))[0]["Plan"]
        if isinstance(node, dict):
            return node
    except (ValueError, LookupError, TypeError):
        pass
    raise SourceError(FailureKind.GARBAGE, "The server's plan could not be read.", "Ask for it with psql.")


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _outline(node: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    on = f" on {node['Relation Name']}" if "Relation Name" in node else ""
    by = f" by {node['Index Name']}" if "Index Name" in node else ""
    where = next((f"  {node[key]}" for key in ("Index Cond", "Filter") if key in node), "")
    figures = f"  cost {_figure(node, 'Total Cost'):g}, {_figure(node, 'Plan Rows'):g} rows"
    yield clean(f"{'  ' * depth}{node.get('Node Type', '?')}{on}{by}{figures}{where}", 200)
    for child in node.get("Plans", ()):
        yield from _outline(child, depth + 1)


def _figure(node: Mapping[str, Any], key: str) -> float:
    value = node.get(key, 0)
    return value if isinstance(value, int | float) else 0


# -- tables that must be there --------------------------------------------------------------------------------------------


class TablesParameters(Parameters):
    tables: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], ...] = Field(min_length=1, max_length=50)
    """By their names in the guides; the configuration knows the real ones."""


async def _exists(readings: Readings, wanted: TablesParameters) -> Findings:
    answer = await readings.accepts()
    if answer.reason == "database_missing":
        return Findings({"database_exists": False}, "The database itself is not there.", (clean(answer.message),))
    config = readings.system.config
    names = {f"t{number}": table_name(config, name) for number, name in enumerate(wanted.tables)}
    rows = await select(readings, statistics.present(len(names)), names, limit=1)
    missing = [real for key, real in names.items() if not (rows and rows[0].get(key))]
    facts: dict[str, FactValue] = {
        "missing": len(missing),
        "first_missing": missing[0].replace('"', "") if missing else "",
        "database_exists": True,
    }
    headline = f"Missing: {', '.join(missing)}." if missing else f"All {len(names)} tables are there."
    return Findings(facts, headline, tuple(f"{'missing' if real in missing else 'there':8}{real}" for real in names.values()))


def _exists_command(config: SystemConfig, wanted: TablesParameters) -> str:
    names = ", ".join(f"to_regclass('{table_name(config, name)}')" for name in wanted.tables)
    return psql(config, f"SELECT {names}")


CHECKS = (
    Check(
        name="postgres.select",
        title="What does the data say?",
        parameters=SelectParameters,
        facts=(),
        facts_for=lambda wanted: tuple(Fact(name, FactType(kind), f"the column {name}") for name, kind in wanted.facts.items()),
        command=_select_command,
        make=_select,
    ),
    Check(
        name="postgres.explain",
        title="How would the server answer this statement?",
        parameters=Question,
        facts=(
            Fact("seq_scan", FactType.BOOL, "a table is read as a whole"),
            Fact("table", FactType.TEXT, "the table whose reading costs the most, empty when none is read as a whole"),
            Fact("rows", FactType.NUMBER, "rows that the server expects from it"),
            Fact("cost", FactType.NUMBER, "the server's estimate for the whole statement, in its own unit"),
        ),
        command=lambda config, wanted: psql(config, f"EXPLAIN {wanted.statements()[0].typed(config, wanted.values)}"),
        make=_explain,
    ),
    Check(
        name="postgres.exists",
        title="Are the tables there?",
        parameters=TablesParameters,
        facts=(
            Fact("missing", FactType.NUMBER, "tables that are not there"),
            Fact("first_missing", FactType.TEXT, "the first of them, empty when all are there"),
            Fact("database_exists", FactType.BOOL, "the database itself is there"),
        ),
        command=_exists_command,
        make=_exists,
    ),
)
