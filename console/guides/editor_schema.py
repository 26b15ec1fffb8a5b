"""The JSON Schema of an issue's file, for editors. `python -m console.guides.editor_schema` writes it anew."""

import ast
import inspect
import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, create_model

from console.guides.checks.registry import FAMILIES as CHECK_FAMILIES
from console.guides.checks.registry import checks_of
from console.guides.fixes.action import FAMILIES as ACTION_FAMILIES
from console.guides.fixes.action import actions_of
from console.guides.inputs import NAME
from console.guides.schema import (
    BranchPart,
    CausePart,
    EscalatePart,
    FixPart,
    InputName,
    InputPart,
    Outline,
    StepPart,
    VerifyPart,
    Word,
)

_PARTS = (BranchPart, StepPart, CausePart, VerifyPart, FixPart, EscalatePart, InputPart)
TARGET = Path(__file__).with_name("schema.json")


def json_schema() -> dict[str, Any]:
    """The schema for editors: the shape of an issue, with the parameters that each check and action takes."""
    whole = create_model(
        "Issue",
        __base__=Outline,
        steps=(Mapping[Word, StepPart], Field(min_length=1)),
        causes=(Mapping[Word, CausePart], Field(default_factory=dict)),
        fixes=(Mapping[Word, FixPart], Field(default_factory=dict)),
        inputs=(Mapping[InputName, InputPart], Field(default_factory=dict)),
    )
    schema = whole.model_json_schema()
    describe(schema, Outline)
    for part in _PARTS:
        describe(schema["$defs"][part.__name__], part)
    actions = [action for family in ACTION_FAMILIES for action in actions_of(family)]
    by_name(schema, "StepPart", "check", checks_by_name())
    by_name(schema, "FixPart", "action", {action.name: (action.parameters, action.risk.words) for action in actions})
    return {"$schema": "http://json-schema.org/draft-07/schema#", **draft_07(schema)}


def checks_by_name() -> Mapping[str, tuple[type[BaseModel], str]]:
    """Parameters and title of every check."""
    found = (check for family in CHECK_FAMILIES for check in checks_of(family))
    return {check.name: (check.parameters, check.title) for check in found}


def by_name(schema: dict[str, Any], part: str, key: str, kinds: Mapping[str, tuple[type[BaseModel], str]]) -> None:
    """Give a part the parameters that go with the name of its check or action."""
    target = schema["$defs"][part]
    target["properties"][key] = {
        "enum": sorted(kinds),
        "description": "; ".join(f"{name}: {kinds[name][1]}" for name in sorted(kinds)),
    }
    target["allOf"] = [
        {
            "if": {"properties": {key: {"const": name}}, "required": [key]},
            "then": {"properties": {"with": described(parameters)}},
        }
        for name, (parameters, _) in sorted(kinds.items())
    ]


def draft_07(part: Any) -> Any:
    """Editors read draft 7, where `$defs` is called `definitions`."""
    if isinstance(part, dict):
        return {("definitions" if key == "$defs" else key): draft_07(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [draft_07(item) for item in part]
    return part.replace("#/$defs/", "#/definitions/") if isinstance(part, str) else part


def described(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    describe(schema, model)
    for name, field in schema.get("properties", {}).items():
        bindable = field.pop("bind", True)
        if bindable and field.get("type") in ("integer", "number"):
            schema["properties"][name] = {"anyOf": [field, {"type": "string", "pattern": rf"^\${NAME}$"}]}
    return schema


def describe(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Give each property the docstring that stands below its field.

    Pydantic can do that when it builds a model, but then it reads the source at every start of the program.
    """
    for name, text in _docstrings(model).items():
        field = model.model_fields.get(name)
        if field is not None:
            schema["properties"][field.alias or name]["description"] = text


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    if not isinstance(tree, ast.ClassDef):
        return {}
    found: dict[str, str] = {}
    for field, text in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            found[field.target.id] = " ".join(str(ast.literal_eval(text.value)).split())
    return found


if __name__ == "__main__":
    TARGET.write_text(json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
