"""Closes the books of a round: grades it, tells the end, and writes the review. Also for a round whose referee was killed."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict

from console.guides.issue import Issue
from console.practice.drill.grade import grade
from console.practice.drill.looking_back import review_of
from console.practice.drill.review_text import as_markdown
from console.practice.drill.rounds import Round
from console.practice.drill.scenario import Scenario, Truth
from console.state import write_private

RESULT = "result.json"
PAGE = "review.md"


def close_books(
    round_: Round, how: str, reason: str, at: float, truth: Truth, scenario: Scenario, issues: Sequence[Issue] = ()
) -> None:
    """Write the grade, then the end, as of `at` (Unix seconds of the stack's clock). Raises OSError.

    The grade comes first, so that whoever reads the end finds it.
    """
    public = round_.public().entries()
    end = {"at": at, "kind": "ended", "how": how, "reason": reason}
    made = grade([*public, end], round_.trainee().entries(), round_.referee().entries(), truth, scenario, issues)
    result = {"how": how, "reason": reason, "scenario": scenario.id, "causes": truth.causes, **asdict(made)}
    round_.referee().add("grade", at, **asdict(made))
    write_private(round_.folder / RESULT, json.dumps(result, ensure_ascii=False, indent=1))
    round_.public().add("ended", at, how=how, reason=reason)
    # The end stands; a page that cannot be written now is made again by whoever asks for the review.
    with contextlib.suppress(OSError):
        write_private(round_.folder / PAGE, as_markdown(review_of(round_, issues)))
