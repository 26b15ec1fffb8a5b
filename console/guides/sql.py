"""SQL that stands in a guide: `{users}` is a table by its name in the guides, `:email` a value that is bound.

A small tokenizer knows strings, quoted names, comments, dollar quotes and casts, so that nothing inside them is taken for either.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from console.config import SystemConfig
from console.sources.postgres.statistics import quoted
from console.sources.protocols.database import Value

LONGEST = 8_000
QUESTIONS = ("SELECT", "WITH")
CHANGES = ("INSERT", "UPDATE", "DELETE")
_WRITES = frozenset({"insert", "update", "delete", "merge", "truncate", "into", "drop", "alter", "create", "grant", "copy"})

# Order decides: what can hold anything comes before what could stand in it.
_TOKENS = re.compile(
    r"(?P<comment>--[^\n]*|/\*)"
    r"|(?P<string>(?i:\bE)'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*')"
    r'|(?P<name>"(?:[^"]|"")*")'
    r"|(?P<dollars>\$(?P<tag>[A-Za-z_]\w*)?\$.*?\$(?(tag)(?P=tag))\$)"
    r"|(?P<cast>::)"
    r"|(?P<value>:[A-Za-z_]\w*)"
    r"|(?P<table>\{[^{}]*\})"
    r"|(?P<space>\s+)"
    r"|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SqlError(ValueError):
    """What is wrong with a statement, and in which of its lines."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(f"{message} (line {line} of the statement)" if line else message)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    line: int


@dataclass(frozen=True)
class Sql:
    """One statement, read and checked."""

    text: str
    tokens: tuple[Token, ...]

    @cached_property
    def values(self) -> tuple[str, ...]:
        """Names of the values that it binds."""
        return tuple(dict.fromkeys(token.text[1:] for token in self.tokens if token.kind == "value"))

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """The tables that it names in braces."""
        return tuple(dict.fromkeys(token.text[1:-1] for token in self.tokens if token.kind == "table"))

    @cached_property
    def words(self) -> frozenset[str]:
        """Its plain words, lower case, and its quoted names."""
        return frozenset(
            token.text.lower() if token.kind == "word" else token.text[1:-1]
            for token in self.tokens
            if token.kind in ("word", "name")
        )

    def bound(self, config: SystemConfig, values: Mapping[str, Value]) -> tuple[str, dict[str, Value] | None]:
        """The statement as `Database` takes it, with the real tables, and the values that it uses (None without any)."""
        used = {name: values[name] for name in self.values}
        parts = []
        for token in self.tokens:
            match token.kind:
                case "table":
                    parts.append(table_name(config, token.text[1:-1]))
                case "value":
                    parts.append(f"%({token.text[1:]})s")
                case _:
                    # With parameters, the driver reads % in every part of the text.
                    parts.append(token.text.replace("%", "%%") if used else token.text)
        return "".join(parts).strip(), used or None

    def typed(self, config: SystemConfig, values: Mapping[str, Value]) -> str:
        """The statement as a person would type it into psql: real tables, values written out, one line, no comments."""
        parts = []
        for token in self.tokens:
            match token.kind:
                case "table":
                    parts.append(table_name(config, token.text[1:-1]))
                case "value":
                    parts.append(literal(values[token.text[1:]]))
                case "comment" | "space":
                    parts.append(" ")
                case _:
                    parts.append(token.text)
        return _single_spaced(parts)


def _single_spaced(parts: list[str]) -> str:
    """Joined, without a blank after a blank; what stands inside a string stays as it is."""
    kept: list[str] = []
    for part in parts:
        if part == " " and (not kept or kept[-1] == " "):
            continue
        kept.append(part)
    return "".join(kept).strip()


def table_name(config: SystemConfig, logical: str) -> str:
    """The real name of a table, quoted: as `tables` in the configuration tells it, else the same name."""
    return quoted(config.tables.get(logical, logical))


def literal(value: Value) -> str:
    """A value as it is written in SQL."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value}"
        case _:
            return "'" + value.replace("'", "''") + "'"


def read_sql(text: str, kind: Literal["question", "change"] = "question") -> Sql:
    """Read and check one statement of a guide. Raises SqlError."""
    if len(text) > LONGEST:
        raise SqlError(f"is longer than {LONGEST} characters")
    sql = Sql(text, tuple(_tokens(text)))
    telling = [token for token in sql.tokens if token.kind not in ("space", "comment")]
    if not telling:
        raise SqlError("is empty")
    first, wanted = telling[0], QUESTIONS if kind == "question" else CHANGES
    if first.text.upper() not in wanted:
        raise SqlError(f"must be one {' or '.join(wanted)}, and begins with {first.text[:20]!r}", first.line)
    for token in telling:
        if token.text == ";":
            raise SqlError("must be one statement without a ';'", token.line)
        if kind == "question" and token.kind == "word" and token.text.lower() in _WRITES:
            raise SqlError(f"a question may not write, and holds {token.text}", token.line)
        if token.kind == "table" and not _TABLE.fullmatch(token.text[1:-1]):
            raise SqlError(f"{token.text[:40]!r} is not the name of a table in braces", token.line)
        if token.kind == "other" and token.text in "{}":
            raise SqlError(f"{token.text} stands alone: a table is written {{name}}", token.line)
        if not token.text.isprintable() and _CONTROLS.search(token.text):
            raise SqlError("holds a control character", token.line)
        if token.kind == "other" and token.text in "'\"$\\":
            raise SqlError(f"{token.text} opens what is never closed", token.line)
    if first.text.upper() in ("UPDATE", "DELETE") and "where" not in sql.words:
        raise SqlError(f"{first.text.upper()} without WHERE would hit every row", first.line)
    return sql


def check_values(statements: tuple[Sql, ...], given: Mapping[str, Value]) -> None:
    """Every value that is used is given, and every one that is given is used. Raises SqlError."""
    used = {token.text[1:]: token.line for sql in statements for token in sql.tokens if token.kind == "value"}
    for name, line in used.items():
        if name not in given:
            raise SqlError(f"uses :{name}, which `values` does not give", line)
    for name in given:
        if name not in used:
            raise SqlError(f"the value {name!r} is given but not used; it is written :{name}, outside of quotes")


def _tokens(text: str) -> Iterator[Token]:
    position, line = 0, 1
    while position < len(text):
        match = _TOKENS.match(text, position)
        if match is None:  # the last alternative takes any character
            raise SqlError("cannot be read", line)
        kind, end = match.lastgroup or "other", match.end()
        if match.group() == "/*":
            end = _end_of_comment(text, position, line)
        yield Token(kind, text[position:end], line)
        line += text.count("\n", position, end)
        position = end


def _end_of_comment(text: str, start: int, line: int) -> int:
    """Comments nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    raise SqlError("a comment is never closed", line)
