"""A symptom's samples as columns of a picture. Pure."""

from collections.abc import Sequence

from console.practice.drill.review import Curve

_RISING = "▁▂▃▄▅▆▇█"


def columns_of(curve: Curve, columns: int, length_s: float) -> list[float | None]:
    """The largest value of each of `columns` equal parts of the round. A part without a sample takes the value before it when
    samples are further apart than columns; one in which the figure could not be read stays empty."""
    found: list[float | None] = [None] * columns
    sampled = [False] * columns
    for at_s, value in curve.points:
        column = column_of(at_s, columns, length_s)
        sampled[column] = True
        if value is not None:
            found[column] = value if found[column] is None else max(value, found[column] or 0.0)
    last = next((index for index in reversed(range(columns)) if sampled[index]), -1)
    for index in range(1, last):
        if not sampled[index]:
            found[index] = found[index - 1]
    return found


def column_of(at_s: float, columns: int, length_s: float) -> int:
    """The column in which a time of the round falls."""
    return min(columns - 1, max(0, int(at_s * columns / max(length_s, 1e-9) + 1e-9)))


def spark(values: Sequence[float | None]) -> str:
    """One line of block characters, from 0 to the largest value; a space for what is not known."""
    top = max((value for value in values if value is not None), default=0.0)
    if top <= 0:
        return "".join(" " if value is None else _RISING[0] for value in values)
    return "".join(" " if value is None else _RISING[min(7, max(0, int(value / top * 7.999)))] for value in values)


def extent(curve: Curve) -> tuple[float, float] | None:
    """The smallest and the largest value; None when nothing was read."""
    values = [value for _, value in curve.points if value is not None]
    return (min(values), max(values)) if values else None
