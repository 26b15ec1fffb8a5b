"""Conditions of branches: comparisons over facts, joined by and, or, not. Three values: true, false, unknown (None).

    used_percent >= 90 and not emergency
    reason in ('refused', 'timeout') or oldest_s > 1h

Literals: numbers (with a unit: ms s m h d, B KiB MiB GiB TiB, %), 'text' or "text", true, false. Nothing is ever evaluated
as Python: this is a small grammar with a parser of its own, and a name that is not a declared fact is an error at load.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from console.guides.parameters import UNITS

Scalar = bool | int | float | str
Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
MAX_LENGTH = 500
MAX_DEPTH = 20


class ConditionError(Exception):
    """What is wrong in a condition; `at` counts characters from 0."""

    def __init__(self, at: int, message: str, advice: str = "") -> None:
        self.at = at
        self.message = message
        self.advice = advice
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Named:
    """A fact that is true or false by itself."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Compare:
    name: str
    operator: Operator
    values: tuple[Scalar, ...]
    """One value, or the list of `in`."""
    at: int


@dataclass(frozen=True, slots=True)
class Not:
    part: "Node"


@dataclass(frozen=True, slots=True)
class Join:
    every: bool
    """`and`; otherwise `or`."""
    parts: tuple["Node", ...]


Node = Named | Compare | Not | Join


@dataclass(frozen=True, slots=True)
class Condition:
    text: str
    node: Node

    @property
    def names(self) -> tuple[str, ...]:
        """The facts it reads, each once, in the order in which they are written."""
        return tuple(dict.fromkeys(leaf.name for leaf in leaves(self.node)))


def leaves(node: Node) -> tuple[Named | Compare, ...]:
    """The comparisons of a condition, from left to right."""
    if isinstance(node, Not):
        return leaves(node.part)
    if isinstance(node, Join):
        return tuple(leaf for part in node.parts for leaf in leaves(part))
    return (node,)


def evaluate(condition: Condition, facts: Mapping[str, Scalar | None]) -> bool | None:
    """Whether it holds; None when facts that decide are missing or None."""
    return _evaluate(condition.node, facts)


def _evaluate(node: Node, facts: Mapping[str, Scalar | None]) -> bool | None:
    if isinstance(node, Named):
        value = facts.get(node.name)
        return value if isinstance(value, bool) else None
    if isinstance(node, Not):
        inner = _evaluate(node.part, facts)
        return None if inner is None else not inner
    if isinstance(node, Join):
        values = [_evaluate(part, facts) for part in node.parts]
        decisive = not node.every
        if decisive in values:
            return decisive
        return None if None in values else not decisive
    return _compare(facts.get(node.name), node)


def _compare(left: Scalar | None, node: Compare) -> bool | None:
    if left is None:
        return None
    if node.operator in ("in", "not in"):
        return (left in node.values) is (node.operator == "in")
    right = node.values[0]
    if node.operator in ("==", "!="):
        return (left == right) is (node.operator == "==")
    if isinstance(left, str) or isinstance(right, str):
        return None
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[node.operator]


_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d{1,15}(?:\.\d{1,6})?)(?P<unit>\s?(?:%|(?:ms|min|s|m|h|d|B|KiB|MiB|GiB|TiB)\b)|[A-Za-z]{1,9})?"
    r"|(?P<text>'[^']*'|\"[^\"]*\")|(?P<word>[a-z_][a-z0-9_]*)|(?P<symbol>==|!=|<=|>=|<|>|\(|\)|,))"
)
_KEYWORDS = ("and", "or", "not", "in", "true", "false")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Literal["number", "text", "word", "symbol", "end"]
    value: Scalar
    at: int


def parse(text: str) -> Condition:
    """Read a condition; raises ConditionError with the place of what is wrong."""
    if len(text) > MAX_LENGTH:
        raise ConditionError(0, f"a condition has at most {MAX_LENGTH} characters", "Split it over several branches.")
    return Condition(text.strip(), _Parser(_tokens(text)).whole())


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise ConditionError(start, f"{text[start]!r} is not understood here", "Write NAME OP VALUE, joined by and, or, not.")
        found.append(_token(match))
        at = match.end()
    return [*found, _Token("end", "", len(text))]


def _token(match: re.Match[str]) -> _Token:
    if match["number"] is not None:
        unit = (match["unit"] or "").strip()
        if unit and unit not in UNITS:
            raise ConditionError(match.start("unit"), f"{unit!r} is not a unit", f"Units are {', '.join(UNITS)}.")
        number = float(match["number"]) if "." in match["number"] or unit else int(match["number"])
        return _Token("number", number * UNITS[unit] if unit else number, match.start("number"))
    if match["text"] is not None:
        return _Token("text", match["text"][1:-1], match.start("text"))
    kind: Literal["word", "symbol"] = "word" if match["word"] is not None else "symbol"
    return _Token(kind, match[kind], match.start(kind))


class _Parser:
    """or := and ('or' and)* ; and := not ('and' not)* ; not := 'not' not | '(' or ')' | NAME [op value]."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._or()
        if self._peek().kind != "end":
            raise ConditionError(self._peek().at, f"{self._peek().value!r} is not expected here", "Join comparisons by and, or.")
        return node

    def _or(self) -> Node:
        parts = [self._and()]
        while self._take_word("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Join(False, tuple(parts))

    def _and(self) -> Node:
        parts = [self._not()]
        while self._take_word("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else Join(True, tuple(parts))

    def _not(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ConditionError(self._peek().at, "this is nested too deeply", "Split it over several branches.")
        try:
            if self._take_word("not"):
                return Not(self._not())
            if self._take_symbol("("):
                node = self._or()
                self._expect_symbol(")")
                return node
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Node:
        name = self._peek()
        if name.kind != "word" or name.value in _KEYWORDS:
            what = "the condition ends" if name.kind == "end" else f"{name.value!r} stands"
            raise ConditionError(name.at, f"{what} where the name of a fact is expected", "Write NAME OP VALUE.")
        self._next += 1
        for operator in ("==", "!=", "<=", ">=", "<", ">"):
            if self._take_symbol(operator):
                return Compare(str(name.value), _operator(operator), (self._value(),), name.at)
        negated = self._take_word("not")
        if self._take_word("in"):
            return Compare(str(name.value), "not in" if negated else "in", self._list(), name.at)
        if negated:
            raise ConditionError(self._peek().at, "`not` is followed by `in` here", "Write NAME not in ('a', 'b').")
        return Named(str(name.value), name.at)

    def _list(self) -> tuple[Scalar, ...]:
        self._expect_symbol("(")
        values = [self._value()]
        while self._take_symbol(","):
            values.append(self._value())
        self._expect_symbol(")")
        return tuple(values)

    def _value(self) -> Scalar:
        token = self._peek()
        self._next += 1
        if token.kind in ("number", "text"):
            return token.value
        if token.kind == "word" and token.value in ("true", "false"):
            return token.value == "true"
        self._next -= 1
        what = "the condition ends" if token.kind == "end" else f"{token.value!r} stands"
        raise ConditionError(token.at, f"{what} where a value is expected", "Values are numbers, 'text', true and false.")

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take_word(self, word: str) -> bool:
        return self._take("word", word)

    def _take_symbol(self, symbol: str) -> bool:
        return self._take("symbol", symbol)

    def _take(self, kind: str, value: str) -> bool:
        if self._peek().kind == kind and self._peek().value == value:
            self._next += 1
            return True
        return False

    def _expect_symbol(self, symbol: str) -> None:
        if not self._take_symbol(symbol):
            raise ConditionError(self._peek().at, f"{symbol!r} is missing here", "")


def _operator(text: str) -> Operator:
    operators: tuple[Operator, ...] = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")
    return next(item for item in operators if item == text)
