"""A probe for a fault that no scenario foresaw: the tree of its cause, walked as the users whom it hits would have it walked."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from console.guides.given import given_for
from console.guides.issue import Issue
from console.guides.walk import Verdict, Walk
from console.practice.drill.watching import Probed
from console.system import System

WALK_S: Final = 12.0
"""A walk that takes longer has found nothing."""


@dataclass(frozen=True, slots=True)
class TreeProbe:
    """Holds when the walk ends well, or with another cause. `told`: what those users answer and give."""

    issue: Issue
    cause: str
    told: Mapping[str, str]

    async def look(self, system: System) -> Probed:
        """Walk the tree; a walk that does not come to an end is unknown. Raises nothing."""
        walk = Walk(self.issue, system, inputs=given_for(self.issue, self.told), asks=False)
        try:
            conclusion = await asyncio.wait_for(walk.finish(), WALK_S)
        except TimeoutError:
            conclusion = None
        finally:
            walk.close()
        known = conclusion is not None and conclusion.verdict is not Verdict.UNKNOWN
        found = conclusion.cause.id if conclusion and conclusion.cause else conclusion.verdict.value if conclusion else None
        return Probed(
            id=f"{self.issue.id}.{self.cause}",
            title=f"The tree of {self.issue.id} names {self.cause} no longer",
            holds=found != self.cause if known else None,
            facts={"found": found if known else None},
            expected=f"another cause than {self.cause}, or none",
        )
