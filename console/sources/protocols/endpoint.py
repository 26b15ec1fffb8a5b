"""An HTTP endpoint of the system: what it answers, and how fast."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. `body` is at most 64 KiB, cleaned line by line."""

    url: str
    status: int
    elapsed_s: float
    headers: Mapping[str, str]
    body: str


class Endpoints(Protocol):
    """The named endpoints of `[systems.X.endpoints]`."""

    async def open(self) -> None: ...
    async def aclose(self) -> None: ...
    def names(self) -> tuple[str, ...]: ...
    async def get(self, name: str) -> Answer:
        """GET a configured endpoint; an HTTP error status is an answer, no answer is a SourceError."""
        ...
