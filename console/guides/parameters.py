"""The models that checks and actions take their parameters from, and the units that guides write."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
UNITS: dict[str, float] = {**SECONDS, **BYTES, "%": 1.0}
_QUANTITY = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s?([A-Za-z]{1,3})")


class Parameters(BaseModel):
    """Parameters as they stand under `with:`; an unknown key or another type is an error of the guide."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


def seconds(value: object) -> object:
    """`10s`, `15m`, `1h` as seconds."""
    return _quantity(value, SECONDS, "a duration such as 10s, 15m or 1h")


def amount(value: object) -> object:
    """`512MiB` as bytes."""
    found = _quantity(value, BYTES, "an amount such as 512MiB")
    return int(found) if isinstance(found, float) else found


def _quantity(value: object, units: dict[str, float] | dict[str, int], wanted: str) -> float:
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None or match.group(2) not in units:
        raise ValueError(f"must be {wanted}")
    return float(match.group(1)) * units[match.group(2)]


Seconds = Annotated[float, BeforeValidator(seconds, json_schema_input_type=str)]
Amount = Annotated[int, BeforeValidator(amount, json_schema_input_type=str)]
