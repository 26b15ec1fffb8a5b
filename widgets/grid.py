"""Columns: how wide each one is, and a row of cells as one line."""

from collections.abc import Sequence
from dataclasses import dataclass

from widgets.line import Line, Span, fitted


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `width` is its share when there is little room, `grow` how much of the rest it takes.

    Columns with a higher `rank` are left out first when the pane is too narrow.
    """

    id: str
    title: str
    width: int
    right: bool = False
    grow: int = 0
    most: int = 200
    rank: int = 0


GAP = 1


def laid_out(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """The columns that fit into `width` cells, each with its width."""
    chosen = list(columns)
    while len(chosen) > 1 and _least(chosen) > width:
        chosen.remove(max(reversed(chosen), key=lambda column: column.rank))
    widths = {column.id: column.width for column in chosen}
    spare = width - _least(chosen)
    growing = [column for column in chosen if column.grow]
    while spare > 0 and growing:
        share = sum(column.grow for column in growing)
        given = 0
        for column in growing:
            more = min(max(1, spare * column.grow // share), column.most - widths[column.id], spare - given)
            widths[column.id] += more
            given += more
        growing = [column for column in growing if widths[column.id] < column.most]
        spare -= given
        if not given:
            break
    if len(chosen) == 1:
        widths[chosen[0].id] = min(widths[chosen[0].id], width)
    return [(column, widths[column.id]) for column in chosen]


def heading(layout: Sequence[tuple[Column, int]], sorted_by: str = "", *, descending: bool = False) -> Line:
    """The titles; the one that sorts is marked."""
    arrow = "↓" if descending else "↑"
    spans = []
    last = layout[-1][0]
    for column, width in layout:
        title = f"{column.title}{arrow}" if column.id == sorted_by else column.title
        spans.append(Span(fitted(title, width, right=column.right) + ("" if column is last else " " * GAP), "head"))
    return Line(tuple(spans))


def row(layout: Sequence[tuple[Column, int]], cells: dict[str, Span], *, selected: bool = False) -> Line:
    """One row; a cell that is not given is empty."""
    spans = []
    last = layout[-1][0]
    for column, width in layout:
        cell = cells.get(column.id, Span(""))
        spans.append(Span(fitted(cell.text, width, right=column.right) + ("" if column is last else " " * GAP), cell.style))
    return Line(tuple(spans), selected)


def _least(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)
