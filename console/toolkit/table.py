"""What a tool answers: a table whose cells are text, ready to be shown, filtered and copied."""

import time
from dataclasses import dataclass
from typing import Literal

from console.reading import Failure

SAME_DAY_S = 43_200.0
"""What is longer ago is told with its date."""
Tone = Literal["", "muted", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Head:
    """A column. `width` is its cells when there is little room, `grow` its share of the rest; the highest `rank` goes first."""

    title: str
    width: int
    right: bool = False
    grow: int = 0
    most: int = 200
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """`key` identifies the row when the table is read again. Texts are clean."""

    key: str
    cells: tuple[str, ...]
    tone: Tone = ""
    more: tuple[str, ...] = ()
    """What there is to say beyond the cells."""
    leads_to: str = ""
    """The id that opens a trace."""

    @property
    def text(self) -> str:
        """The whole row, as it is copied and filtered."""
        return "  ".join(cell for cell in self.cells if cell)


@dataclass(frozen=True, slots=True)
class Table:
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    summary: str
    unread: tuple[Failure, ...] = ()
    """Why some of it is missing."""
    empty: str = ""
    """What no row means."""


def moment(at: float, now: float) -> str:
    """Unix seconds as local time: of day when it is not long ago, else with the date."""
    return time.strftime("%H:%M:%S" if abs(now - at) < SAME_DAY_S else "%m-%d %H:%M", time.localtime(at))
