"""What the server's log tells of damaged pages and indexes, and what of it still holds: a line is of the past."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from console.guides.checks.postgres_select import select
from console.guides.checks.postgres_statements import extension
from console.guides.readings import Readings
from console.reading import Failure, FailureKind, SourceError
from console.sources.postgres import statistics
from console.sources.protocols.database import Value
from console.sources.protocols.engine import LogLine
from console.system import System
from console.text import clean

LOG_WINDOW_S = 3600.0
LOG_LINES = 2000
MOST_PLACES = 20
"""So many damaged places are looked at again, the newest first; the others count as the log tells them."""
TOLD_TOGETHER_S = 1.0
"""So soon after a wrong checksum the server says which page it is of."""

_REBUILT: "WeakKeyDictionary[System, dict[str, float]]" = WeakKeyDictionary()

_LEVEL = re.compile(r"\b(?:WARNING|ERROR|FATAL|PANIC):")
_INDEX_DAMAGE = re.compile(
    r'index "[^"]{1,127}" (?:contains|is not a|has|lacks|is corrupted)|invariant violated for index|could not find .{0,60}index'
    r'|in index "'
)
_NAMED = re.compile(r'index "(?P<name>[^"]{1,127})"')
_PAGE_DAMAGE = re.compile(
    r"invalid page (?:in|header)|could not read block|page verification failed|missing chunk number|unexpected chunk"
    r"|invalid memory alloc"
)
_NO_PLACE_YET = "page verification failed"
_PLACE = re.compile(
    r"(?:invalid page in|could not read) block (?P<block>\d{1,10}) (?:of relation|in file) \"?"
    r"(?:base|global|pg_tblspc/(?P<tablespace>\d{1,10})/[^/\s\"]{1,80})/(?:(?P<database>\d{1,10})/)?"
    r"(?P<file>\d{1,10})(?P<fork>_[a-z]{2,4})?(?:\.\d+)?(?![\w/])"
)
_DEFAULT_TABLESPACE, _SHARED_TABLESPACE = 1663, 1664
"""pg_default and pg_global have these numbers in every cluster (pg_tablespace.dat)."""
_TABLES = ("r", "m", "t")


@dataclass(frozen=True, slots=True)
class Place:
    """A page as the log names it: the numbers of tablespace, database and file. `database` 0: shared by all of them."""

    tablespace: int
    database: int
    file: int
    fork: str
    """Empty for the rows themselves, `_fsm` or `_vm` for the maps beside them."""
    block: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What is at such a place now. `index`: its name and number when it is one; `damaged`: it counts as damage of a table."""

    damaged: bool
    told: str
    index: tuple[str, int] | None = None
    why_not: Failure | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What of the log still holds."""

    pages: tuple[LogLine, ...]
    """Of damaged tables."""
    indexes: tuple[tuple[LogLine, tuple[str, int]], ...]
    """Of damaged pages of an index, with its name and number."""
    seen: tuple[str, ...]
    why_not: tuple[Failure, ...]


def damage_lines(lines: tuple[LogLine, ...]) -> tuple[list[LogLine], list[LogLine]]:
    """Lines of a server's log that tell of damaged indexes, and those that tell of damaged pages."""
    telling = [line for line in lines if _LEVEL.search(line.text)]
    pages = [line for line in telling if _PAGE_DAMAGE.search(line.text)]
    found = [line for line in telling if line not in pages and _INDEX_DAMAGE.search(line.text)]
    return found, pages


def named_indexes(lines: list[LogLine]) -> tuple[str, ...]:
    """The indexes that such lines name."""
    return tuple(dict.fromkeys(match["name"] for line in lines for match in _NAMED.finditer(line.text)))


def rebuilt(system: System, index: str) -> None:
    """What the log said of an index before it was rebuilt says nothing now."""
    _REBUILT.setdefault(system, {})[index] = system.clock()


def before_rebuilt(system: System, line: LogLine) -> bool:
    """Whether all that the line tells of is an index that was rebuilt since."""
    at = _REBUILT.get(system, {})
    return any(line.at <= at.get(name, 0.0) for name in named_indexes([line]))


def place_of(line: LogLine) -> Place | None:
    """The page that a line names; None when it names none, or one of a temporary table."""
    found = _PLACE.search(line.text)
    if found is None:
        return None
    shared = found["database"] is None
    default = _SHARED_TABLESPACE if shared else _DEFAULT_TABLESPACE
    tablespace = int(found["tablespace"] or default)
    return Place(tablespace, int(found["database"] or 0), int(found["file"]), found["fork"] or "", int(found["block"]))


def by_place(lines: list[LogLine]) -> tuple[dict[Place, list[LogLine]], list[LogLine]]:
    """The lines of each page, and those that name none. A wrong checksum is of the page that is named right after it."""
    placed: dict[Place, list[LogLine]] = {}
    loose: list[LogLine] = []
    waiting: list[LogLine] = []
    for line in sorted(lines, key=lambda each: each.at):
        place = place_of(line)
        if place is None:
            (waiting if _NO_PLACE_YET in line.text else loose).append(line)
            continue
        own = placed.setdefault(place, [])
        if waiting:
            verified = waiting.pop(0)
            (own if line.at - verified.at <= TOLD_TOGETHER_S else loose).append(verified)
        own.append(line)
    return placed, [*loose, *waiting]


async def still_there(readings: Readings, lines: list[LogLine]) -> Told:
    """Look again at the pages that these lines name. What cannot be looked at counts as the log tells it; never raises."""
    placed, loose = by_place(lines)
    pages, indexes = list(loose), list[tuple[LogLine, tuple[str, int]]]()
    told: list[str] = []
    why_not: dict[str, Failure] = {}
    newest_first = sorted(placed.items(), key=lambda item: -item[1][-1].at)
    for number, (place, own) in enumerate(newest_first):
        if number < MOST_PLACES:
            seen = await _look(readings, place)
        else:
            late = Failure(FailureKind.TIMEOUT, f"The log names {len(placed)} damaged pages; {MOST_PLACES} were looked at again.")
            seen = Seen(damaged=True, told="", why_not=late)
        if seen.index is not None:
            indexes += [(line, seen.index) for line in own]
        elif seen.damaged:
            pages += own
        if seen.told:
            told.append(seen.told)
        if seen.why_not is not None:
            why_not[seen.why_not.message] = seen.why_not
    return Told(tuple(sorted(pages, key=lambda each: each.at)), tuple(indexes), tuple(told), tuple(why_not.values()))


async def _look(readings: Readings, place: Place) -> Seen:
    where = f"block {place.block} of file {place.file}"
    try:
        rows = await select(readings, statistics.FILE, {"tablespace": place.tablespace, "file": place.file}, limit=1)
        if not rows:
            raise SourceError(FailureKind.GARBAGE, "The server does not tell which database this is.")
        row = rows[0]
        if place.database and row["database"] != place.database:
            return Seen(damaged=False, told=f"{where} is of another database (number {place.database}).")
        if row["id"] is None:
            return Seen(damaged=False, told=f"{where} belongs to nothing any more: what the log says of it is of the past.")
        name = clean(f"{row['schemaname']}.{row['relname']}", 130)
        if row["kind"] == "i":
            return Seen(damaged=False, told=f"{where} is of the index {name}.", index=(clean(str(row["relname"]), 127), _id(row)))
        if row["kind"] not in _TABLES or place.fork:
            return Seen(damaged=True, told=f"{where} is of {name}.")
    except SourceError as error:
        advice = "What the log tells of damaged pages counts as damage of tables until then."
        message = f"Whose {where} is, is not known: {error.failure.message}"
        return Seen(damaged=True, told="", why_not=Failure(error.failure.kind, message, error.failure.advice or advice))
    return await _look_at_table(readings, place, name, _id(row))


async def _look_at_table(readings: Readings, place: Place, name: str, table: int) -> Seen:
    where = f"block {place.block} of {name}"
    try:
        _, schema = await extension(readings, statistics.INTEGRITY_EXTENSION)
        size = await select(readings, statistics.BLOCKS, {"table": table}, limit=1)
        blocks = size[0]["blocks"] if size else None
        if isinstance(blocks, int) and place.block >= blocks:
            return Seen(damaged=False, told=f"{where} is beyond its end by now: what the log says of it is of the past.")
        wanted = {"table": table, "block": place.block}
        rows = await select(readings, statistics.heap_check(schema), wanted, limit=5)
    except SourceError as error:
        failure = error.failure
        if failure.kind is FailureKind.GARBAGE:
            return Seen(damaged=True, told=f"{where} is still damaged: {failure.message}")
        advice = failure.advice
        if failure.kind in (FailureKind.FORBIDDEN, FailureKind.MISSING):
            advice = "GRANT EXECUTE ON FUNCTION verify_heapam TO the role that Triage uses; amcheck has it from PostgreSQL 14 on."
        message = f"Whether {where} is still damaged could not be looked at: {failure.message}"
        return Seen(damaged=True, told="", why_not=Failure(failure.kind, message, advice))
    if rows:
        return Seen(damaged=True, told=f"{where} is still damaged: {clean(str(rows[0]['said']), 200)}")
    return Seen(damaged=False, told=f"{where} is whole now: what the log says of it is of the past.")


def _id(row: Mapping[str, Value]) -> int:
    number = row["id"]
    if not isinstance(number, int):
        raise SourceError(FailureKind.GARBAGE, "The server tells no number of a relation.")
    return number
