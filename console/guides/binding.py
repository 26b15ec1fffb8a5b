"""What is wrong with the inputs that the parameters of an issue name."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from console.guides.inputs import Input, Template, uses
from console.guides.yaml_lines import Document, Path
from console.problem import Problem


def template_of(model: type[BaseModel], raw: Mapping[str, Any], inputs: Mapping[str, Input]) -> Template | None:
    """The template of raw parameters, None when they hold no input. Inputs that there are not are left out."""
    names = dict.fromkeys(use.name for use in uses(raw))
    return Template(model, raw, tuple(inputs[name] for name in names if name in inputs)) if names else None


def binding_problems(
    document: Document, where: Path, model: type[BaseModel], raw: Mapping[str, Any], inputs: Mapping[str, Input]
) -> Iterator[Problem]:
    """Inputs that there are not, that may not stand inside a text, or that stand in a parameter which takes none."""
    closed = _closed(model)
    for use in uses(raw):
        path = (*where, *use.path)

        def wrong(message: str, advice: str, path: Path = path, at: int = use.at) -> Problem:
            return document.problem(path, f"{'.'.join(map(str, path))}: {message}", advice, offset=at)

        found = inputs.get(use.name)
        if found is None:
            close = difflib.get_close_matches(use.name, inputs, 1)
            advice = f"Did you mean {close[0]}?" if close else f"Declared under inputs: {', '.join(inputs) or 'none'}."
            yield wrong(f"there is no input {use.name!r}", advice)
        elif use.path and use.path[0] in closed:
            yield wrong(f"{use.path[0]} takes no input", "What a person types may not become a part of it: bind it as a value.")
        elif use.inside and not found.kind.fits_inside:
            yield wrong(
                f"{use.name} is {found.kind.value}, which cannot stand inside a text", f"Give ${use.name} as a whole value."
            )


def _closed(model: type[BaseModel]) -> set[str]:
    """The parameters that hold SQL, a pattern or the like, declared with `Field(json_schema_extra={"bind": False})`."""
    found = set()
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and extra.get("bind") is False:
            found.add(field.alias or name)
    return found
