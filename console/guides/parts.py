"""Parts of a file that a person wrote → validated models, and what is wrong with them by line and column."""

import difflib
from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from console.guides.checks.check import Check
from console.guides.checks.registry import FAMILIES, checks_of, find_check
from console.guides.conditions import Condition, ConditionError, parse
from console.guides.issue import CheckCall
from console.guides.typing_rules import misfits
from console.guides.yaml_lines import Document
from console.guides.yaml_lines import Path as Where

Part = TypeVar("Part", bound=BaseModel)


class PartReader:
    """Reads the parts of one document, and gathers everything that is wrong with it in `problems`."""

    def __init__(self, document: Document, what: str) -> None:
        """`what`: what the file holds, as in `the issue`."""
        self.document = document
        self.problems = list(document.problems)
        self._what = what

    def validated(self, model: type[Part], value: object, where: Where) -> Part | None:
        """The value as this model, or None."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                self._invalid(model, where, item["loc"], item["type"], item["msg"])
            return None

    def _invalid(self, model: type[BaseModel], where: Where, loc: Where, kind: str, text: str) -> None:
        path = (*where, *loc)
        dotted = ".".join(map(str, path)) or self._what
        if kind == "extra_forbidden":
            known = _keys(model, loc[:-1])
            close = difflib.get_close_matches(str(loc[-1]), known, 1)
            advice = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}." if known else ""
            self.wrong(path, f"{dotted}: there is no such key", advice, key=True)
            return
        message = "is missing" if kind == "missing" else text.removeprefix("Value error, ")
        advice = f"Add {loc[-1]}." if kind == "missing" else "An editor that knows schema.json shows what may stand here."
        self.wrong(path, f"{dotted}: {message[0].lower()}{message[1:]}", advice)

    def check(self, where: Where, name: str) -> Check | None:
        """The check of that name, or None."""
        found = find_check(name)
        if found is None:
            self.no_such(where, "check", name, [check.name for family in FAMILIES for check in checks_of(family)])
        return found

    def condition(self, where: Where, text: str, call: CheckCall | None) -> Condition | None:
        """The condition over the facts of this call, or None."""
        try:
            condition = parse(text)
        except ConditionError as error:
            self._misfit(where, error)
            return None
        check = find_check(call.name) if call is not None else None
        if check is None or call is None:
            return condition
        found = list(misfits(condition, check.declared(call.parameters)))
        for misfit in found:
            self._misfit(where, misfit)
        return None if found else condition

    def _misfit(self, where: Where, error: ConditionError) -> None:
        dotted = ".".join(map(str, where))
        self.problems.append(self.document.problem(where, f"{dotted}: {error.message}", error.advice, offset=error.at))

    def no_such(self, where: Where, what: str, name: str, known: Sequence[str]) -> None:
        """What is named at `where` is none of those that are known."""
        close = difflib.get_close_matches(name, known, 1)
        advice = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(known) or 'none'}."
        self.wrong(where, f"there is no {what} {name!r}", advice)

    def wrong(self, where: Where, message: str, advice: str = "", *, key: bool = False) -> None:
        """Something is wrong with the value (or key) at `where`."""
        self.problems.append(self.document.problem(where, message, advice, key=key))


def _keys(model: type[BaseModel], loc: Where) -> list[str]:
    """The keys that a part may have, by walking the models along its path."""
    current: type[BaseModel] | None = model
    for name in loc:
        if isinstance(name, int) or current is None:
            continue
        field = next((item for key, item in current.model_fields.items() if name in (key, item.alias)), None)
        annotation = field.annotation if field else None
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        current = next((item for item in candidates if isinstance(item, type) and issubclass(item, BaseModel)), None)
    return [field.alias or name for name, field in current.model_fields.items()] if current else []
