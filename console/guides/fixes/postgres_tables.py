"""Changes to PostgreSQL's tables and indexes that keep their rows: create an index, analyse, vacuum, rebuild."""

from dataclasses import dataclass

from pydantic import Field, model_validator

from console.config_tables import IndexConfig
from console.guides.checks.commands import joined, psql
from console.guides.checks.containers import NoParameters
from console.guides.checks.postgres_damage import LOG_LINES, LOG_WINDOW_S, damage_lines, named_indexes, rebuilt, still_there
from console.guides.checks.postgres_integrity import amcheck
from console.guides.checks.postgres_tables import (
    Index,
    Logical,
    SomeTables,
    TableCounts,
    counts,
    indexes,
    is_table,
    missing_indexes,
    table_sizes,
)
from console.guides.checks.words import listed, number, size
from console.guides.fixes.action import Action, Applied, Plan, Preview, Target
from console.guides.fixes.postgres import database_name
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.guides.risk import Risk
from console.guides.sql import table_name
from console.reading import Failure, FailureKind, SourceError
from console.sources.postgres.statistics import quoted
from console.system import System

BUILD_S = 600.0
"""An index or a table of many gigabytes takes longer: then a person does it, with the command that is shown."""


def _name(schema: str, name: str) -> str:
    # Each part by itself: a name that holds a dot is not a name with a schema.
    return ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name))


# -- create an index ------------------------------------------------------------------------------------------------------


class CreateParameters(Parameters):
    index: str = Field(default="", max_length=128)
    """An index by its name in the configuration."""
    missing: bool = False
    """Every configured index that is not there."""

    @model_validator(mode="after")
    def _one(self) -> "CreateParameters":
        if bool(self.index) == self.missing:
            raise ValueError("needs either index or missing: true")
        return self


@dataclass(frozen=True, slots=True)
class Wanted:
    """An index to create; `leftover` is the invalid one of that name which is in its place, `taken` a good one."""

    name: str
    statement: str
    leftover: Index | None
    taken: Index | None


def _create(system: System, name: str, wanted: IndexConfig) -> str:
    columns = ", ".join(quoted(column) for column in wanted.columns)
    return f"CREATE INDEX CONCURRENTLY {quoted(name)} ON {table_name(system.config, wanted.table)} ({columns})"


def _created(system: System, name: str) -> str:
    """An index stands in the schema of its table, which is not always searched."""
    config = system.config
    schema = config.tables.get(config.indexes[name].table, config.indexes[name].table).rpartition(".")[0]
    return _name(schema, name) if schema else quoted(name)


async def _wanted(system: System, parameters: CreateParameters) -> list[Wanted]:
    config = system.config
    if parameters.index and parameters.index not in config.indexes:
        advice = f"Set it in [systems.{config.name}.indexes]."
        raise SourceError(FailureKind.NOT_CONFIGURED, f"No index {parameters.index} is configured.", advice)
    found = await _indexes(system)
    missing = [name for name in missing_indexes(config, found) if parameters.missing or name == parameters.index]
    return [
        Wanted(
            name,
            _create(system, name, config.indexes[name]),
            next((index for index in found if _in_place(system, name, index) and not index.valid), None),
            next((index for index in found if _in_place(system, name, index) and index.valid), None),
        )
        for name in missing
    ]


def _in_place(system: System, name: str, index: Index) -> bool:
    return index.name == name and is_table(system.config, system.config.indexes[name].table, index.schema, index.table)


async def _indexes(system: System) -> tuple[Index, ...]:
    readings = Readings(system)
    try:
        return await indexes(readings)
    finally:
        readings.close()


def _drop(index: Index) -> str:
    return f"DROP INDEX CONCURRENTLY {_name(index.schema, index.name)}"


async def _plan_create(system: System, parameters: CreateParameters) -> Plan:
    found = await _wanted(system, parameters)
    able = [item for item in found if item.taken is None]
    lines = []
    for item in found:
        if item.taken is not None:
            lines.append(f"{item.name} is the name of another index, on {', '.join(item.taken.columns)}: left alone")
            continue
        if item.leftover is not None:
            lines.append(f"drop {item.leftover.qualified} first: it was never finished")
        lines.append(item.statement)
    statements = [part for item in able for part in ((_drop(item.leftover),) if item.leftover else ()) + (item.statement,)]
    names = [item.name for item in able]
    return Plan(
        targets=tuple(Target(item.name, {"leftover": item.leftover.id if item.leftover else 0}) for item in able),
        lines=tuple(lines),
        effect="The table is read twice while it goes on being used; nobody waits, but the disk and one processor are busy.",
        way_back=joined([psql(system.config, f"DROP INDEX CONCURRENTLY {_created(system, name)}") for name in names]),
        command=joined([psql(system.config, part) for part in statements]),
        confirm_name=database_name(system),
        empty="" if able else _no_index(parameters, found),
    )


def _no_index(parameters: CreateParameters, found: list[Wanted]) -> str:
    if found:
        return f"{found[0].name} is the name of another index: rename one of them."
    return "Every configured index is there." if parameters.missing else f"An index as {parameters.index} is there."


async def _do_create(system: System, parameters: CreateParameters, preview: Preview) -> Applied:
    database, lines = system.need_database(), []
    by_name = {item.name: item for item in await _wanted(system, parameters) if item.taken is None}
    for target in preview.targets:
        item = by_name.get(target.name)
        if item is None:
            lines.append(f"{target.name} is there by now.")
            continue
        if item.leftover is not None:
            if item.leftover.id != target.identity["leftover"]:
                message = f"{item.name} has changed since the preview: somebody else may be building it."
                return Applied(False, tuple(lines), Failure(FailureKind.DECLINED, message, "Look at a new preview."))
            await database.execute(_drop(item.leftover), timeout_s=BUILD_S)
            lines.append(f"Dropped the unfinished {item.name}.")
        try:
            await database.execute(item.statement, timeout_s=BUILD_S)
        except SourceError as error:
            return Applied(False, (*lines, *await _tidy(system, item.name)), error.failure)
        lines.append(f"Created {item.name}.")
    return Applied(any(line.startswith("Created") for line in lines), tuple(lines))


async def _tidy(system: System, name: str) -> tuple[str, ...]:
    """A build that failed leaves an invalid index, which every write must go on keeping up to date: take it away."""
    try:
        left = next((index for index in await _indexes(system) if _in_place(system, name, index) and not index.valid), None)
        if left is None:
            return ()
        await system.need_database().execute(_drop(left), timeout_s=BUILD_S)
    except SourceError as error:
        return (f"An unfinished {name} may be left behind, and could not be dropped: {error.failure.message}",)
    return (f"Dropped the unfinished {name}.",)


# -- analyse, vacuum ------------------------------------------------------------------------------------------------------


class AnalyzeParameters(SomeTables):
    vacuum: bool = False
    """Free the space of dead rows for new ones as well: VACUUM ANALYZE."""


async def _chosen(system: System, parameters: AnalyzeParameters) -> tuple[TableCounts, ...]:
    """The tables named; without names those whose statistics are stale, and those with many dead rows when vacuuming."""
    readings = Readings(system)
    try:
        rows, _ = await counts(readings, parameters.tables)
    finally:
        readings.close()
    if parameters.tables:
        return rows
    return tuple(row for row in rows if row.stale or (parameters.vacuum and row.bloated))


def _analyze(parameters: AnalyzeParameters, schema: str, table: str) -> str:
    return f"{'VACUUM (ANALYZE)' if parameters.vacuum else 'ANALYZE'} {_name(schema, table)}"


async def _plan_analyze(system: System, parameters: AnalyzeParameters) -> Plan:
    rows = await _chosen(system, parameters)
    return Plan(
        targets=_targets(rows),
        lines=tuple(f"{row.name}: {row.changed:,.0f} of {row.live:,.0f} rows changed, {row.dead:,.0f} dead" for row in rows),
        effect="A sample of each table is read, and the planner knows its data again; nobody waits.",
        way_back="None needed: only statistics change.",
        command=joined([psql(system.config, _analyze(parameters, row.schema, row.name)) for row in rows])
        or psql(system.config, "ANALYZE"),
        confirm_name=database_name(system),
        empty="" if rows else "No table has stale statistics.",
    )


def _targets(rows: tuple[TableCounts, ...]) -> tuple[Target, ...]:
    return tuple(Target(row.name, {"schema": row.schema, "table": row.name}) for row in rows)


async def _do_analyze(system: System, parameters: AnalyzeParameters, preview: Preview) -> Applied:
    database = system.need_database()
    done: list[str] = []
    for target in preview.targets:
        statement = _analyze(parameters, str(target.identity["schema"]), str(target.identity["table"]))
        try:
            await database.execute(statement, timeout_s=BUILD_S)
        except SourceError as error:
            return Applied(False, (f"Analysed {listed(done)}.",) if done else (), error.failure)
        done.append(target.name)
    return Applied(True, (f"Analysed {listed(done)}.",))


class FullParameters(Parameters):
    table: Logical | None = None
    """By its name in the guides; none: the one with the most dead rows."""


async def _fullest(system: System, parameters: FullParameters) -> tuple[TableCounts | None, float | None]:
    """The table to rewrite, if it has dead rows, and its size."""
    readings = Readings(system)
    try:
        rows, _ = await counts(readings, (parameters.table,) if parameters.table else ())
        row = max((row for row in rows if row.dead), key=lambda row: row.dead, default=None)
        try:
            sizes = await table_sizes(readings)
        except SourceError:  # somebody rewrites a table at this moment; what is to be done does not depend on it
            sizes = {}
    finally:
        readings.close()
    return row, sizes.get(row.name) if row else None


def _full(schema: str, table: str) -> str:
    return f"VACUUM (FULL, ANALYZE) {_name(schema, table)}"


async def _plan_full(system: System, parameters: FullParameters) -> Plan:
    row, stored = await _fullest(system, parameters)
    taken = size(stored) if stored is not None else "size unknown"
    return Plan(
        targets=_targets((row,)) if row else (),
        lines=(f"{row.name}: {taken}, {row.dead:,.0f} of {row.live + row.dead:,.0f} rows are dead ({row.dead_percent:.0f} %)",)
        if row
        else (),
        effect="The table is locked until it is rewritten: whoever reads or writes it waits. It needs as much free disk as the"
        " table has live rows. It gives up when it does not get the lock within two seconds.",
        way_back="None needed: the rows stay as they are.",
        command=psql(system.config, _full(row.schema, row.name) if row else "VACUUM (FULL, ANALYZE)"),
        confirm_name=row.name if row else "",
        empty="" if row else "No table has dead rows.",
    )


async def _do_full(system: System, parameters: FullParameters, preview: Preview) -> Applied:
    target = preview.targets[0]
    row, before = await _fullest(system, FullParameters(table=parameters.table))
    if row is None or (row.schema, row.name) != (target.identity["schema"], target.identity["table"]):
        message = f"{target.name} is not any more the table with the most dead rows: nothing was done."
        return Applied(False, (), Failure(FailureKind.DECLINED, message, "Look at a new preview."))
    await system.need_database().execute(_full(row.schema, row.name), timeout_s=BUILD_S)
    readings = Readings(system)
    try:
        after = (await table_sizes(readings)).get(row.name)
    except SourceError:
        after = None
    finally:
        readings.close()
    freed = f": {size(before)} became {size(after)}" if before is not None and after is not None else ""
    return Applied(True, (f"Rewrote {target.name}{freed}.",))


# -- rebuild --------------------------------------------------------------------------------------------------------------


async def _damaged(system: System) -> tuple[Index, ...]:
    """The indexes that amcheck finds damaged, those that the server's log of the last hour names, and the unfinished ones."""
    readings = Readings(system)
    try:
        found = await indexes(readings)
        looked = await amcheck(readings)
        named: tuple[str, ...] = ()
        if not looked.whole:
            try:
                lines = await readings.role_log("database", LOG_LINES, readings.wall() - LOG_WINDOW_S)
                told_of_indexes, told_of_pages = damage_lines(lines)
                told = await still_there(readings, told_of_pages)
                named = (*named_indexes(told_of_indexes), *(name for _, (name, _) in told.indexes))
            except SourceError as error:
                if not looked.damaged:
                    raise SourceError(error.failure.kind, error.failure.message, error.failure.advice) from None
    finally:
        readings.close()
    ids = {index.id for index in looked.damaged}
    return tuple(index for index in found if index.id in ids or index.name in named)


async def _plan_reindex(system: System, _parameters: NoParameters) -> Plan:
    found = await _damaged(system)
    return Plan(
        targets=tuple(Target(index.name, {"id": index.id, "schema": index.schema}) for index in found),
        lines=tuple(f"{index.qualified} on {index.table}" for index in found),
        effect="Writes to the table wait until each index is rebuilt from it, and statements that would use the index wait too."
        " It gives up when it does not get the lock within two seconds.",
        way_back="None needed: an index holds nothing that the table does not.",
        command=joined([psql(system.config, f"REINDEX INDEX {_name(index.schema, index.name)}") for index in found])
        or psql(system.config, "REINDEX INDEX …"),
        confirm_name=database_name(system),
        empty="" if found else "No index is known to be damaged.",
    )


async def _do_reindex(system: System, _parameters: NoParameters, preview: Preview) -> Applied:
    database = system.need_database()
    done: list[str] = []
    present = {(index.id, index.schema, index.name) for index in await _indexes(system)}
    for target in preview.targets:
        schema = str(target.identity["schema"])
        if (target.identity["id"], schema, target.name) not in present:
            continue
        try:
            await database.execute(f"REINDEX INDEX {_name(schema, target.name)}", timeout_s=BUILD_S)
        except SourceError as error:
            return Applied(False, (f"Rebuilt {listed(done)}.",) if done else (), error.failure)
        rebuilt(system, target.name)
        done.append(target.name)
    gone = len(preview.targets) - len(done)
    lines = [f"Rebuilt {listed(done)}."] if done else []
    if gone:
        lines.append(f"{number(gone, 'index') if gone == 1 else f'{gone} indexes'} had gone before.")
    return Applied(bool(done), tuple(lines))


ACTIONS = (
    Action("postgres.create_index", CreateParameters, Risk.R2, _plan_create, _do_create),
    Action("postgres.analyze", AnalyzeParameters, Risk.R1, _plan_analyze, _do_analyze),
    Action("postgres.vacuum_full", FullParameters, Risk.R3, _plan_full, _do_full),
    Action("postgres.reindex", NoParameters, Risk.R3, _plan_reindex, _do_reindex, ahead=False),
)
