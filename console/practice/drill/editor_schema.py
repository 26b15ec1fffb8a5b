"""The JSON Schemas of scenarios and truths, for editors. `python -m console.practice.drill.editor_schema` writes them anew."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, create_model

from console.guides.editor_schema import by_name, checks_by_name, describe, draft_07
from console.practice.drill.outline import (
    SCENARIOS,
    ErrandPart,
    FaultPart,
    KeepPart,
    NoisePart,
    ProbePart,
    ReportPart,
    ScenarioOutline,
    TruthOutline,
)

TARGETS: Mapping[str, Path] = {"scenario": SCENARIOS / "schema.json", "truth": SCENARIOS / "truth" / "schema.json"}


def scenario_schema() -> dict[str, Any]:
    """The schema of a scenario's file."""
    return _schema(ScenarioOutline, (FaultPart, NoisePart, ReportPart))


def truth_schema() -> dict[str, Any]:
    """The schema of a truth's file, with the parameters that each check takes."""
    whole = create_model("Truth", __base__=TruthOutline, probes=(tuple[ProbePart, ...], Field(min_length=1)))
    return _schema(whole, (ProbePart, KeepPart, ErrandPart), TruthOutline)


def _schema(model: type[BaseModel], parts: tuple[type[BaseModel], ...], told: type[BaseModel] | None = None) -> dict[str, Any]:
    schema = model.model_json_schema()
    describe(schema, told or model)
    for part in parts:
        describe(schema["$defs"][part.__name__], part)
    if "ProbePart" in schema["$defs"]:
        by_name(schema, "ProbePart", "check", checks_by_name())
    return {"$schema": "http://json-schema.org/draft-07/schema#", **draft_07(schema)}


if __name__ == "__main__":
    for name, made in (("scenario", scenario_schema()), ("truth", truth_schema())):
        TARGETS[name].write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
